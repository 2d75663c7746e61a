"""``solodark train``: a network that makes a master dark from one sub."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from solodark.cli.options import AsJson, OutputFile
from solodark.cli.printing import print_json, print_left_out, print_lines
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.pix2pix import TrainSettings
    from solodark.workflows.train import TrainSummary

__all__ = ["train"]

Darks = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="DARKS", help="Files and folders of darks of one camera, in series of two or more."
    ),
]
Library = Annotated[
    Path | None,
    typer.Option("--library", metavar="FILE", help="Train on the darks of this catalogue too."),
]
Preset = Annotated[
    Literal["paper", "sensor"] | None,
    typer.Option(
        "--preset",
        help="paper: pix2pix as published, from the sub alone; sensor: correct the camera's dark "
        "model. By default sensor where --prior is given, else paper.",
    ),
]
Prior = Annotated[
    Path | None,
    typer.Option(
        "--prior",
        metavar="FILE",
        help="Show the darks by this dark model, which must be new to them: those that it has "
        "learned from are left out. Without it --preset sensor learns models of its own.",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        min=2,
        help="Models that --preset sensor learns without --prior, each from all nights but its "
        "share, which it then shows.  [default: 5]",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option("--epochs", min=1, help="Half of them at a learning rate that falls to zero."),
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", min=1, help="Crops in one step, over all devices.")
]
CropPx = Annotated[
    int | None,
    typer.Option("--crop-px", min=1, help="Side of a training crop, in the network's own pixels."),
]
Width = Annotated[
    int | None, typer.Option("--width", min=1, help="Channels of the network's first layer.")
]
Depth = Annotated[
    int | None,
    typer.Option("--depth", min=2, help="Halvings of pix2pix, layers of a sensor network."),
]
OnePlane = Annotated[
    bool,
    typer.Option("--one-plane", help="Feed a mosaic as it is, not as four planes of its filters."),
]
Devices = Annotated[
    int, typer.Option("--devices", min=1, help="Devices to share each batch among.")
]
Precision = Annotated[
    Literal["auto", "32-true", "bf16-mixed"],
    typer.Option("--precision", help="auto: bf16 where the device computes in it."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an earlier training into the same file ended.")
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(
        "--tensorboard",
        metavar="FOLDER",
        help="Write curves and samples for TensorBoard too; needs the extra solodark[tensorboard].",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Dice: nights held out, first weights, crops.")]


def train(  # noqa: PLR0913, PLR0917  # numpydoc ignore=PR01
    output: OutputFile,
    darks: Darks = None,
    library: Library = None,
    preset: Preset = None,
    prior: Prior = None,
    folds: Folds = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    crop_px: CropPx = None,
    width: Width = None,
    depth: Depth = None,
    one_plane: OnePlane = False,
    devices: Devices = 1,
    precision: Precision = "auto",
    resume: Resume = False,
    tensorboard: TensorBoard = None,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Train a network to make a master dark from one sub.

    Needs three nights or more, and the extra: pip install 'solodark[network]'. Whole nights are
    held out to choose the best weights and to judge them. A folder beside the network holds losses,
    pictures and a checkpoint. The dark model needs no network, and is the default for good reason.
    """
    from solodark.pix2pix import PRESETS
    from solodark.workflows.networks import require_torch
    from solodark.workflows.train import train_files

    require_torch()
    from solodark.pix2pix.training import Device

    start = PRESETS[preset or ("sensor" if prior else "paper")]
    settings = replace(
        _with_epochs(start, epochs),
        batch_size=batch_size or start.batch_size,
        crop_px=crop_px or start.crop_px,
        width=width or start.width,
        depth=depth or start.depth,
        cfa_planes=start.cfa_planes and not one_plane,
        folds=folds or start.folds,
        seed=seed,
    )
    with progress_on_terminal() as progress:
        summary = train_files(
            darks or [],
            output,
            settings=settings,
            prior=prior,
            library=library,
            device=Device(devices=devices, precision=precision),
            resume=resume,
            tensorboard=tensorboard,
            progress=progress,
        )
    print_json(summary) if as_json else _print_summary(summary)


def _with_epochs(settings: "TrainSettings", epochs: int | None) -> "TrainSettings":
    if epochs is None:
        return settings
    return replace(settings, constant_epochs=(epochs + 1) // 2, decay_epochs=epochs // 2)


def _print_summary(summary: "TrainSummary") -> None:
    print_lines(
        f"Trained on {summary.n_training} darks in {summary.epochs} epochs; the best weights on "
        f"{summary.n_validation} darks of other nights were those after epoch "
        f"{summary.best_epoch}.",
        f"On {summary.n_test} darks that had no part in it: worth {summary.test_subs:.2f} subs"
        + (
            "."
            if math.isnan(summary.start_subs)
            else f"; the dark model that it began as: {summary.start_subs:.2f}."
        ),
        f"Wrote {summary.network_path} in {summary.seconds:.0f} s, and {summary.report_path}.",
    )
    print_left_out(summary.left_out)
