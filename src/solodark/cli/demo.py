"""``solodark demo``: the whole story on a built-in camera."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.evaluate import print_evaluation_table
from solodark.cli.options import AsJson
from solodark.cli.printing import print_json, print_lines
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.demo import DemoSummary

__all__ = ["demo"]

Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder for everything it makes."),
]


def demo(  # numpydoc ignore=PR01
    output: Output = Path("demo"), as_json: AsJson = False
) -> None:
    """Show the whole story on a built-in synthetic camera.

    Takes darks of many nights, finds the mistakes among them, learns the camera, takes ONE new
    dark on a warm night, makes its master, and compares it with the truth and with every other way
    to get a dark. Then it stacks a night's lights with each of these darks, and ends with a page of
    pictures; needs two or three minutes and 300 MB.
    """
    from solodark.workflows.demo import run_demo

    with progress_on_terminal() as progress:
        tell = None if as_json else print_lines
        summary = run_demo(output, tell=tell, progress=progress)
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "DemoSummary") -> None:
    print_lines("", "What did not belong among the darks:")
    print_lines(*(f"  {sentence}" for sentence in summary.findings), "")
    print_lines("How many real darks each way to get a dark is worth, by class of pixels:")
    print_evaluation_table(summary.table)
    print_lines(
        f"One dark became a master worth {summary.worth}, in {summary.seconds:.0f} s.",
        "",
        f"Open this page:   {summary.comparison}",
        f"The darks alone:  {summary.report}",
        f"One picture:      {summary.picture}",
        "Your own darks:   solodark learn ~/astro/darks -o mycamera.solodark",
    )
