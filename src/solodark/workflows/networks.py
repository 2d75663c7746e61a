"""Networks on disk and at work: load one, make a master with it, put it into the table."""

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model import DarkModel, generate, level_image, solve
from solodark.errors import SettingError, WrongSubError
from solodark.evaluation.series import AnyEstimator
from solodark.formats.network_file import read_tensors, write_tensors
from solodark.frames import (
    Frame,
    FrameKind,
    FrameSource,
    InputRecord,
    MasterDark,
    PixelFlags,
    Provenance,
    Verdict,
)
from solodark.pix2pix.network import TrainedNetwork, from_tensors, to_tensors
from solodark.workflows.sensor_views import sensor_view

if TYPE_CHECKING:
    from solodark.pix2pix.estimate import NetworkEstimator

__all__ = [
    "generate_by_network",
    "load_network",
    "network_rows",
    "require_torch",
    "save_network",
]

PathLike = str | os.PathLike[str]

_CONTENT = "network"
_FULL_SCALE_16_BIT = 65_535
_UNIFORM_UNCERTAINTY = (
    "the uncertainty is the network's mean error on other nights, alike for every pixel; no dark "
    "model has examined the sub"
)


def save_network(path: PathLike, trained: TrainedNetwork) -> None:
    """Write a trained network; the file is whole or not there.

    Parameters
    ----------
    path : path-like
        The ``.solodark`` file.
    trained : TrainedNetwork
        The network.

    Raises
    ------
    OutputError
        It cannot be written there.
    """
    tensors, description = to_tensors(trained)
    write_tensors(path, tensors, description, content=_CONTENT)


def load_network(path: PathLike) -> TrainedNetwork:
    """Read a trained network.

    Parameters
    ----------
    path : path-like
        The ``.solodark`` file.

    Returns
    -------
    TrainedNetwork
        The network.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    ModelFileError
        The file is damaged, of another kind or of a later version.
    """
    tensors, description = read_tensors(path, content=_CONTENT)
    return from_tensors(tensors, description, name=str(path))


def require_torch() -> None:
    """Raise unless networks can be used here.

    Raises
    ------
    SettingError
        PyTorch or Lightning Fabric is not installed.
    """
    try:
        import lightning_fabric  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise SettingError(
            f"networks need PyTorch and Lightning Fabric, and {error.name} is not installed; "
            "run: pip install 'solodark[network]'"
        ) from error


def generate_by_network(
    trained: TrainedNetwork,
    sub: FrameSource,
    *,
    model: DarkModel | None = None,
    force: bool = False,
    sub_sha256: str = "",
) -> MasterDark:
    """Make a master dark from one new sub with a network.

    Parameters
    ----------
    trained : TrainedNetwork
        The network.
    sub : FrameSource
        One new dark.
    model : DarkModel, optional
        The camera's dark model, for a network of the preset "sensor".
    force : bool
        Give a master even where the dark model doubts the sub.
    sub_sha256 : str
        Hash of the sub's file.

    Returns
    -------
    MasterDark
        From a sensor network, uncertainty and flags are those of the dark model; from one of the
        preset "paper", the uncertainty is its mean error on the nights that tested it.

    Raises
    ------
    WrongSubError
        The sub is not of the network's camera, or the dark model cannot explain it.
    SettingError
        A sensor network without a dark model, or a dark model that the network does not use.
    """
    require_torch()
    from solodark.pix2pix.estimate import NetworkEstimator

    _require_companion(trained, model)
    _require_camera(trained, sub)
    estimator = NetworkEstimator.load(trained)
    if model is None:
        return _from_sub_alone(trained, estimator, sub, sub_sha256)
    master = generate(model, sub, force=force, sub_sha256=sub_sha256)
    provenance = replace(
        master.provenance,
        action="generate with a network",
        settings=master.provenance.settings | _recipe(trained),
    )
    data = _of_sensor(model, estimator, sub)
    return replace(master, data=data, provenance=provenance)


def network_rows(trained: TrainedNetwork, model: DarkModel | None) -> dict[str, AnyEstimator]:
    """Rows of the table that a network fills.

    Parameters
    ----------
    trained : TrainedNetwork
        The network.
    model : DarkModel or None
        The camera's dark model; a network of the preset "paper" makes no use of it.

    Returns
    -------
    dict of str to estimator
        One row, named after the preset.

    Raises
    ------
    SettingError
        PyTorch is not installed.
    """
    require_torch()
    from solodark.pix2pix.estimate import NetworkEstimator

    estimator = NetworkEstimator.load(trained)
    if trained.training.preset == "sensor" and model is not None:
        return {"network, sensor": partial(_of_sensor, model, estimator)}
    return {"network, pix2pix": partial(_of_sub, estimator)}


def _of_sub(estimator: "NetworkEstimator", sub: FrameSource) -> NDArray[np.float32]:
    pixels = sub.read_rows(0, sub.shape[0]).astype(np.float32)
    return estimator.master(pixels, sub.acquisition.cfa_pattern)


def _of_sensor(
    model: DarkModel,
    estimator: "NetworkEstimator",
    sub: FrameSource,
) -> NDArray[np.float32]:
    solved = solve(model, sub)
    pattern = estimator.pattern(sensor_view(model, sub, solved))
    return pattern + level_image(model, solved.state, setting=solved.setting)


def _from_sub_alone(
    trained: TrainedNetwork,
    estimator: "NetworkEstimator",
    sub: FrameSource,
    sub_sha256: str,
) -> MasterDark:
    acquisition = sub.acquisition
    pixels = sub.read_rows(0, sub.shape[0]).astype(np.float32)
    full_scale = acquisition.saturation_adu or _FULL_SCALE_16_BIT
    flags = np.zeros(sub.shape, np.uint8)
    flags[pixels >= full_scale] |= PixelFlags.SATURATED.value
    flags[~np.isfinite(pixels)] |= PixelFlags.DEAD.value
    usable = Frame(np.nan_to_num(pixels, nan=float(np.nanmedian(pixels))), acquisition, sub.name)
    figures = trained.recipe["test"]
    return MasterDark(
        data=_of_sub(estimator, usable),
        uncertainty=np.full(sub.shape, figures["error_adu"], np.float32),
        flags=flags,
        acquisition=replace(acquisition, kind=FrameKind.DARK, kind_source="model", n_combined=None),
        origin="generated",
        provenance=Provenance(
            "generate with a network",
            (InputRecord(sub.name, sub_sha256),),
            settings=_recipe(trained),
        ),
        equivalent_subs=figures["equivalent_subs"],
        verdict=Verdict(reasons=(_UNIFORM_UNCERTAINTY,)),
    )


def _require_companion(trained: TrainedNetwork, model: DarkModel | None) -> None:
    needs = trained.training.preset == "sensor"
    if needs and model is None:
        raise SettingError(
            "this network corrects a dark model and found none; give the camera's with -m"
        )
    if model is not None and not needs:
        raise SettingError(
            "this network sees the sub alone and has no use for a dark model; leave out -m, or "
            "train one with --prior"
        )


def _require_camera(trained: TrainedNetwork, sub: FrameSource) -> None:
    kind, found = sub.acquisition.kind, sub.acquisition.camera.model
    if kind in (FrameKind.LIGHT, FrameKind.FLAT):
        raise WrongSubError(
            f"{sub.name} is a {kind}, says its {sub.acquisition.kind_source}; expected a dark"
        )
    expected = trained.recipe.get("camera")
    if found and expected and found.casefold().split() != expected.casefold().split():
        raise WrongSubError(
            f"{sub.name} was taken with {found}, the network was trained on {expected}; train one "
            "on this camera"
        )


def _recipe(trained: TrainedNetwork) -> dict[str, str]:
    recipe: dict[str, Any] = trained.recipe
    n_darks = len(recipe["darks"]["training"])
    return {
        "network": trained.training.preset,
        "network trained on": f"{n_darks} darks, {recipe['best_epoch']} epochs",
    }
