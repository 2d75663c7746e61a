"""The program: its commands, and the way into them."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from solodark import __version__
from solodark.cli.calibrate import calibrate
from solodark.cli.combine import combine
from solodark.cli.compare import compare
from solodark.cli.demo import demo
from solodark.cli.evaluate import evaluate
from solodark.cli.generate import generate
from solodark.cli.learn import learn
from solodark.cli.library import add, check, list_series
from solodark.cli.outcome import exit_code_of
from solodark.cli.stack import stack
from solodark.cli.train import train

__all__ = ["app", "main"]

# Plain help: it reads the same on a terminal, in a pipe and in a log, and file names with
# brackets in them are not taken for markup.
app = typer.Typer(
    name="solodark",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: solodark demo",
)


def _example(line: str) -> str:
    return f"\b\nExample:\n  {line}"


app.command(epilog=_example("solodark demo --output demo"))(demo)
_library = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_library.command("add", epilog=_example("solodark library add ~/astro/darks"))(add)
_library.command("list", epilog=_example("solodark library list"))(list_series)
_library.command("check", epilog=_example("solodark library check ~/astro/darks/2026-01-12"))(check)
app.add_typer(_library, name="library", help="Catalogue your own frames, and check them.")
app.command(epilog=_example("solodark combine tonight/darks -o dark.fits --method winsorized"))(
    combine
)
app.command(epilog=_example("solodark learn ~/astro/darks -o mycamera.solodark"))(learn)
app.command(
    epilog=_example("solodark generate tonight/dark_0001.fit -m mycamera.solodark -o dark.fits")
)(generate)
app.command(
    epilog=_example("solodark calibrate tonight/lights -o process -m mycamera.solodark --flat f")
)(calibrate)
app.command(epilog=_example("solodark stack process -o stack.fits"))(stack)
app.command(
    epilog=_example(
        "solodark compare --lights lights --darks darks --sub dark_1.fit -m mycamera.solodark"
    )
)(compare)
app.command(epilog=_example("solodark evaluate ~/astro/darks -m test.solodark"))(evaluate)
app.command(epilog=_example("solodark train ~/astro/darks -o network.solodark"))(train)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``solodark``; by default what the shell handed over.

    Raises
    ------
    SystemExit
        Always: 0 for success, 2 for bad input, 130 after Ctrl-C, 1 after a bug.
    """
    # Matrices are small here, and BLAS is not loaded yet: its threads would wait for the next one
    # in a busy loop, on the cores that the compiled loops need.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = typer.main.get_command(app)
    words = None if arguments is None else list(arguments)
    code = exit_code_of(lambda: command.main(words, prog_name="solodark"))
    gc.freeze()  # the end of the process need not look through all objects that it made
    sys.exit(code)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"solodark {__version__}\n")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Make a full-resolution master dark from one new dark, and say what it is worth."""
