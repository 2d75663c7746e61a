"""``solodark learn``: the dark model of a camera from the darks its owner has."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson, OutputFile
from solodark.cli.printing import print_json, print_left_out, print_lines, span
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.learn import LearnSummary, SettingSummary

__all__ = ["learn"]

Darks = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="DARKS",
        help="Files and folders: darks and biases of any exposure and temperature, mixed.",
    ),
]
Library = Annotated[
    Path | None,
    typer.Option(
        "--library", metavar="FILE", help="Learn the darks and biases of this catalogue too."
    ),
]
KnownModel = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Add the frames to this model; the ones it was learned from are not needed again.",
    ),
]
LeaveOutExposures = Annotated[
    list[float] | None,
    typer.Option(
        "--leave-out-exposure-s",
        metavar="SECONDS",
        help="Leave out darks of this exposure, to judge the model on them; may be repeated.",
    ),
]
LeaveOut = Annotated[
    list[Path] | None,
    typer.Option(
        "--leave-out", metavar="PATH", help="Leave out this file or folder; may be repeated."
    ),
]


def learn(  # numpydoc ignore=PR01
    output: OutputFile,
    darks: Darks = None,
    library: Library = None,
    model: KnownModel = None,
    leave_out_exposure_s: LeaveOutExposures = None,
    leave_out: LeaveOut = None,
    as_json: AsJson = False,
) -> None:
    """Learn the dark model of your camera from the darks you have.

    One model is for one camera and one size; gains and ISOs may lie together. Lights, masters and
    damaged files are left out and listed; your files are only read. With -m a model grows by new
    darks.
    """
    from solodark.workflows.learn import learn_files

    with progress_on_terminal() as progress:
        summary = learn_files(
            darks or [],
            output,
            library=library,
            model=model,
            leave_out_exposures_s=leave_out_exposure_s or (),
            leave_out=leave_out or (),
            progress=progress,
        )
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "LearnSummary") -> None:
    darks = summary.n_frames - summary.n_biases
    ny, nx = summary.shape
    if summary.n_new < summary.n_frames:
        print_lines(f"Added {summary.n_new} frames to what the model knew.")
    if summary.n_new_maps:
        print_lines(_new_maps_in_words(summary))
    print_lines(
        f"Learned {summary.camera or 'the camera'}, {nx} x {ny} pixels, from {darks} darks and "
        f"{summary.n_biases} biases in {summary.n_series} series.",
        f"It covers {span(summary.exposure_range_s, 's')} at "
        f"{span(summary.temperature_range_c, 'C')}, by the headers, with {summary.rank} dark "
        f"map{'s'[: summary.rank != 1]}.",
        *map(_noise_in_words, summary.settings),
        f"Wrote {summary.model_path} in {summary.seconds:.0f} s.",
    )
    print_left_out(summary.left_out)


def _new_maps_in_words(summary: "LearnSummary") -> str:
    maps = "a dark map" if summary.n_new_maps == 1 else f"{summary.n_new_maps} dark maps"
    return (
        f"They showed {maps} that the model did not have, of which it had kept nothing its earlier "
        "frames told; learning all frames anew would give a better model."
    )


def _noise_in_words(learned: "SettingSummary") -> str:
    at = learned.setting[0].upper() + learned.setting[1:]
    if math.isnan(learned.gain_e_per_adu):
        return f"{at}: the darks are too few or too small to tell e-/ADU and read noise."
    return (
        f"{at}: {learned.gain_e_per_adu:.3g} e-/ADU, read noise {learned.read_noise_e:.3g} e-, "
        "learned from the darks' own noise."
    )
