"""``solodark combine``: a classical master from many frames."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson, OutputFile
from solodark.cli.outcome import say
from solodark.cli.printing import print_json, print_lines
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.combine import CombineSummary

__all__ = ["combine"]

Frames = Annotated[
    list[Path], typer.Argument(metavar="FRAMES", help="Files and folders of frames of one kind.")
]
Method = Annotated[
    str,
    typer.Option("--method", help="mean, median, sigma (clipped mean) or winsorized."),
]
Sigma = Annotated[
    float, typer.Option("--sigma", help="Values so many sigma from the median are rejected.")
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", help="What the frames are, whatever their headers say: dark, bias or flat."
    ),
]


def combine(  # numpydoc ignore=PR01
    frames: Frames,
    output: OutputFile,
    method: Method = "winsorized",
    sigma: Sigma = 3.0,
    kind: Kind = None,
    as_json: AsJson = False,
) -> None:
    """Combine many frames into a classical master: bias, dark or flat.

    The master is FITS in ADU with the bias level in it, an uncertainty for every pixel, and the
    inputs in its history. Frames that do not belong together are an error that names them.
    """
    from solodark.workflows.combine import combine_files

    with progress_on_terminal() as progress:
        summary = combine_files(
            frames, output, method=method, sigma=sigma, kind=kind, progress=progress
        )
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "CombineSummary") -> None:
    print_lines(summary.sentence)
    for doubt in summary.doubts:
        say(f"warning: {doubt}")
