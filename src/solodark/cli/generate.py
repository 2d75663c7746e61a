"""``solodark generate``: a master dark from one new dark."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from solodark.cli.options import AsJson, ModelFile, OutputFile
from solodark.cli.outcome import say
from solodark.cli.printing import print_json, print_lines
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.generate import GenerateSummary

__all__ = ["generate"]

Program = Literal["siril", "pixinsight", "dss", "astap", "ccdproc"]

Sub = Annotated[Path, typer.Argument(metavar="SUB", help="The one new dark.")]
Target = Annotated[
    Program | None, typer.Option("--for", help="Write it as this program wants its masters.")
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Write the master even where the sub deserves doubt; never for another sensor's.",
    ),
]


def generate(  # numpydoc ignore=PR01
    sub: Sub,
    model: ModelFile,
    output: OutputFile,
    target: Target = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a master dark from ONE new dark.

    The new dark tells what state the sensor was in, the model does the rest. The master is FITS in
    ADU with the bias level in it, an uncertainty for every pixel, and flags.
    """
    from solodark.workflows.generate import generate_file

    with progress_on_terminal() as progress:
        summary = generate_file(sub, model, output, target=target, force=force, progress=progress)
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "GenerateSummary") -> None:
    flagged = ", ".join(f"{n} {name.lower()}" for name, n in summary.flags.items() if n)
    print_lines(
        f"Wrote {summary.output}: worth {summary.equivalent_subs:.0f} subs on ordinary pixels, "
        "by its own reckoning.",
        f"Level {summary.level_adu:.1f} ADU, uncertainty {summary.uncertainty_adu:.2f} ADU a "
        f"pixel; pixels flagged: {flagged or 'none'}.",
    )
    for reason in summary.verdict.reasons:
        say(f"warning: {reason}")
