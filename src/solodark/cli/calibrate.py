"""``solodark calibrate``: lights without dark signal and vignetting."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson
from solodark.cli.outcome import say
from solodark.cli.printing import print_json, print_left_out, print_lines
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.calibrate import CalibrateSummary

__all__ = ["calibrate"]

Lights = Annotated[
    list[Path],
    typer.Argument(metavar="LIGHTS", help="Folders and files of lights, as the camera wrote them."),
]
OutputFolder = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FOLDER", help="Where the calibrated lights go, pp_<light>.fits."
    ),
]
Dark = Annotated[
    Path | None,
    typer.Option(
        "--dark", metavar="FILE|FOLDER", help="Master dark of the lights' exposure, or its darks."
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Instead of a dark: the dark model gives each light a dark of its own, from the "
        "light's own warm pixels.",
    ),
]
Bias = Annotated[
    Path | None,
    typer.Option(
        "--bias",
        metavar="FILE|FOLDER",
        help="Master bias, or its biases, or flat-darks: taken off the flat, and off lights "
        "without a dark.",
    ),
]
Flat = Annotated[
    Path | None,
    typer.Option("--flat", metavar="FILE|FOLDER", help="Master flat, or its flats."),
]


def calibrate(  # numpydoc ignore=PR01
    lights: Lights,
    output: OutputFolder,
    dark: Dark = None,
    model: Model = None,
    bias: Bias = None,
    flat: Flat = None,
    as_json: AsJson = False,
) -> None:
    """Take dark signal and vignetting off lights.

    Calibrated lights are FITS in ADU, values below zero kept, with an uncertainty for every pixel,
    and flags. Pixels that dark or flat cannot correct are repaired from neighbours of their colour.
    """
    from solodark.workflows.calibrate import calibrate_files

    with progress_on_terminal() as progress:
        summary = calibrate_files(
            lights, output, dark=dark, model=model, bias=bias, flat=flat, progress=progress
        )
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "CalibrateSummary") -> None:
    n_lights = len(summary.lights)
    print_lines(f"Calibrated {n_lights} light{'s'[: n_lights != 1]} into {summary.output}:")
    for light in summary.lights:
        print_lines(
            f"  {light.output.name}: background {light.background_adu:.1f} ADU, uncertainty "
            f"{light.uncertainty_adu:.2f} ADU a pixel, {light.n_repaired} pixels repaired"
        )
    for note in dict.fromkeys(note for light in summary.lights for note in light.notes):
        n_noted = sum(note in light.notes for light in summary.lights)
        print_lines(f"{note}" if n_noted == n_lights else f"{note} ({n_noted} lights)")
    print_left_out(summary.left_out)
    for doubt in dict.fromkeys(doubt for light in summary.lights for doubt in light.doubts):
        say(f"warning: {doubt}")
