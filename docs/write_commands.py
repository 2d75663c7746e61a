"""Write docs/commands.md from the program's own help: ``python docs/write_commands.py``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from solodark.cli import app

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 88

HEAD = """\
# Commands

Every command answers `--help`, prints its result on stdout and its messages on stderr, draws
progress only on a terminal, and ends with 0 for success, 2 for input it cannot use (one sentence
says why), 130 after Ctrl-C, and 1 for a bug. Commands that print figures take `--json`.

This page is written by `python docs/write_commands.py`; do not edit it by hand.
"""


def commands_page() -> str:
    """Give the whole page."""
    root = typer.main.get_command(app)
    context = root.make_context("solodark", [], resilient_parsing=True, terminal_width=WIDTH)
    sections = (f"## {title}\n\n```text\n{text}\n```\n" for title, text in _help(root, context))
    return "\n".join((HEAD, *sections))


def _help(command, context) -> Iterator[tuple[str, str]]:
    """Title and help of a command and of all below it."""
    yield context.command_path, "\n".join(map(str.rstrip, command.get_help(context).splitlines()))
    for name, child in getattr(command, "commands", {}).items():
        child_context = child.make_context(
            name, [], parent=context, resilient_parsing=True, terminal_width=WIDTH
        )
        yield from _help(child, child_context)


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
