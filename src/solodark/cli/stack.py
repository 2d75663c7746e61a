"""``solodark stack``: many calibrated lights become one picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from solodark.cli.options import AsJson, OutputFile
from solodark.cli.printing import print_json, print_left_out, print_lines
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.stack import StackSummary

__all__ = ["stack"]

Lights = Annotated[
    list[Path], typer.Argument(metavar="LIGHTS", help="Folders and files of calibrated lights.")
]
Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="LIGHT",
        help="The light that the others are brought onto; by default that with most and sharpest "
        "stars.",
    ),
]
Kind = Annotated[
    Literal["affine", "similarity", "identity"],
    typer.Option(
        "--transform",
        help="What is fitted to the stars; identity leaves the lights as they lie on the sensor.",
    ),
]
Method = Annotated[
    Literal["winsorized", "sigma", "mean", "median"],
    typer.Option("--method", help="How lights are combined."),
]
Sigma = Annotated[
    float, typer.Option("--sigma", help="Values so many sigma from the median are rejected.")
]
Kernel = Annotated[
    Literal["lanczos3", "cubic", "linear"],
    typer.Option("--interpolation", help="How pixels between pixels are found."),
]
Drizzle = Annotated[
    float | None,
    typer.Option(
        "--drizzle",
        metavar="SCALE",
        min=0.1,
        max=4.0,
        help="Drop the pixels of dithered lights instead of interpolating: 1 for sharper colours, "
        "2 for a picture of twice the size from undersampled stars.",
    ),
]
Pixfrac = Annotated[
    float,
    typer.Option("--pixfrac", min=0.01, max=1.0, help="Side of a drizzled drop, in pixels."),
]
_HOLES = 0.01  # worth telling
_NARROW_PX = 3.5  # as seen through averaged filters, 2.4 on the sensor: interpolation rings there


def stack(  # noqa: PLR0913, PLR0917  # numpydoc ignore=PR01
    lights: Lights,
    output: OutputFile,
    reference: Reference = None,
    kind: Kind = "affine",
    method: Method = "winsorized",
    sigma: Sigma = 3.0,
    kernel: Kernel = "lanczos3",
    drizzle: Drizzle = None,
    pixfrac: Pixfrac = 1.0,
    as_json: AsJson = False,
) -> None:
    """Register and stack calibrated lights.

    Writes FITS in ADU with uncertainty and coverage, and beside it a linear 16-bit TIFF and a
    stretched PNG. Lights with colour filters become a colour picture. Lights that cannot be
    matched are listed and left out.
    """
    from solodark.workflows.stack import stack_files

    with progress_on_terminal() as progress:
        summary = stack_files(
            lights,
            output,
            reference=reference,
            kind=kind,
            method=method,
            sigma=sigma,
            kernel=kernel,
            drizzle_scale=drizzle,
            pixfrac=pixfrac,
            progress=progress,
        )
    print_json(summary) if as_json else _print_summary(summary, drizzled=drizzle is not None)


def _print_summary(summary: "StackSummary", *, drizzled: bool) -> None:
    onto = "as they lie on the sensor"
    if summary.reference is not None:
        onto = f"onto {summary.reference.name}, stars {summary.rms_px:.3f} px from each other"
    print_lines(
        f"Stacked {summary.n_lights} lights {onto}.",
        f"Noise {summary.noise_adu:.2f} ADU; rejected {summary.rejected_fraction_low:.2%} low and "
        f"{summary.rejected_fraction_high:.2%} high.",
        f"Wrote {summary.output}, {summary.tiff.name} and {summary.preview.name}.",
    )
    if summary.colours > 1 and not drizzled and summary.fwhm_px < _NARROW_PX:
        print_lines(
            "The stars are narrower than the pixels of one colour lie apart, so bright ones may "
            "have coloured rings: try --drizzle 1 where the lights were dithered."
        )
    if drizzled and summary.filled_fraction > _HOLES:
        print_lines(
            f"{summary.filled_fraction:.0%} of the picture got no drop and was filled in from "
            "neighbours: dither more between lights, take a smaller scale or a larger pixfrac."
        )
    print_left_out(summary.left_out)
