"""The demo's network: a small one that corrects the dark model, and is judged beside it."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from solodark.dark_model import LearnSettings
from solodark.errors import SettingError
from solodark.evaluation.series import AnyEstimator
from solodark.frames import Progress
from solodark.pix2pix import PRESETS, TrainSettings
from solodark.workflows.model_files import load_model
from solodark.workflows.networks import load_network, network_rows, require_torch
from solodark.workflows.train import train_files

__all__ = ["NETWORK", "NETWORK_ROW", "train_a_network"]

NETWORK_ROW = "network, sensor"
NETWORK = replace(
    PRESETS["sensor"],
    width=16,
    depth=1,
    crop_px=256,
    batch_size=2,
    constant_epochs=2,
    decay_epochs=2,
    folds=2,
)
"""A network that a slow computer trains in a minute, and two models that show it the darks: few
epochs of large crops, for judging an epoch costs as much as learning from it."""


def train_a_network(
    folder: Path,
    darks: Collection[Path],
    model_path: Path,
    *,
    settings: TrainSettings,
    learn_settings: LearnSettings,
    tell: Callable[[str], None],
    progress: Progress,
) -> dict[str, AnyEstimator]:
    """Train a network on the earlier nights, and let it take part in the judgement.

    Parameters
    ----------
    folder : Path
        Where ``network.solodark`` is written.
    darks : collection of Path
        Darks and biases of earlier nights.
    model_path : Path
        The camera's dark model, which the network corrects.
    settings : TrainSettings
        How to train.
    learn_settings : LearnSettings
        How to learn the models that show it the darks.
    tell : callable
        Hears how it went.
    progress : Progress
        Who is told how far it is.

    Returns
    -------
    dict of str to estimator
        The network's row; none where PyTorch is not installed.
    """
    try:
        require_torch()
    except SettingError as error:
        tell(f"no network takes part: {error}")
        return {}
    trained = train_files(
        sorted(darks),
        folder / "network.solodark",
        settings=settings,
        learn_settings=learn_settings,
        progress=progress,
    )
    tell(
        f"solodark train --preset sensor: a small network that corrects the model, "
        f"{trained.n_training} darks, {trained.seconds:.0f} s"
    )
    return network_rows(load_network(trained.network_path), load_model(model_path))
