"""The documentation is true: commands exist, examples run, links lead somewhere."""

import contextlib
import importlib.util
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt

from solodark.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ROOT_COMMAND = typer.main.get_command(app)


def blocks(page: Path, language: str) -> list[str]:
    """Code blocks of a page that are marked with a language."""
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    return [t.content for t in tokens if t.type == "fence" and t.info == language]


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, as the words that call it."""
    for name, command in ROOT_COMMAND.commands.items():
        children = getattr(command, "commands", {})
        yield from ((name, child) for child in children) if children else ((name,),)


def find(words: tuple[str, ...]):
    command = ROOT_COMMAND
    for word in words:
        command = command.commands[word]
    return command


def documented_lines() -> list[str]:
    """Every line of a shell block that calls solodark, and every example of the help."""
    shell = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    helps = [line for words in commands() for line in (find(words).epilog or "").splitlines()]
    calls = (line.strip() for line in (*shell, *helps))
    return [line for line in calls if line.startswith("solodark ")]


def test_the_commands_of_the_contract_are_there_and_no_others():
    assert set(commands()) == {
        ("demo",),
        ("library", "add"),
        ("library", "list"),
        ("library", "check"),
        ("combine",),
        ("learn",),
        ("generate",),
        ("calibrate",),
        ("stack",),
        ("compare",),
        ("evaluate",),
        ("train",),
    }


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(words, capsys):
    with contextlib.suppress(SystemExit):
        ROOT_COMMAND.main([*words, "--help"], prog_name="solodark")
    said = capsys.readouterr().out
    assert "Example:" in said
    assert f"solodark {' '.join(words)}" in said.split("Example:")[1]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_option_says_what_it_does(words):
    for parameter in find(words).params:
        assert parameter.help, f"{' '.join(words)}: {parameter.name}"


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_the_first_sentence_of_a_help_fits_into_the_list_of_commands(words):
    first = find(words).help.splitlines()[0]
    assert first.endswith(".")
    assert len(first) <= 64


@pytest.mark.parametrize("line", documented_lines())
def test_every_line_of_the_documentation_is_a_command_that_parses(line):
    words = shlex.split(line, comments=True)[1:]
    command, context = ROOT_COMMAND, None
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context("solodark", list(words))
    assert context.params


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_is_shown_in_the_documentation(words):
    shown = "\n".join(page.read_text("utf-8") for page in PAGES if page.name != "commands.md")
    assert f"solodark {' '.join(words)}" in shown or f"make {words[0]}" in shown


def page_written_by(name):
    """The page that a script in `docs` would write now."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, f"{name.removeprefix('write_')}_page")()


@pytest.mark.parametrize("name", ["commands", "figures"])
def test_a_written_page_is_what_the_program_and_the_results_say_now(name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")  # where its own modules lie
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert page == page_written_by(f"write_{name}"), f"run python docs/write_{name}.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page):
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target and not target.startswith(("http://", "https://", "#")):
                assert (page.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_code_names_its_language(page):
    fences = [t for t in MarkdownIt().parse(page.read_text("utf-8")) if t.type == "fence"]
    assert all(fence.info in {"sh", "python", "text"} for fence in fences)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_begin_with_one_title(page):
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    assert [t.tag for t in tokens if t.type == "heading_open"].count("h1") == 1
    assert tokens[0].tag == "h1"


@pytest.mark.parametrize(
    "code", [pytest.param(code, id=p.name) for p in PAGES for code in blocks(p, "python")]
)
def test_every_block_of_python_runs(code, photographers_folder):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "documentation", "exec"), {})  # noqa: S102 - our own examples
    assert re.search(r"worth \d+ subs", said.getvalue())
    assert (photographers_folder / "dark_tonight.fits").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_promises_what_is_not_built(page):
    text = page.read_text("utf-8")
    assert "solodark serve" not in text
