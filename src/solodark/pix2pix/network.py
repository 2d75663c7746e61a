"""A trained network: its weights, its scaling and how it came to be, and what it makes of a sub."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import ModelFileError
from solodark.pix2pix.scaling import Scaling
from solodark.pix2pix.settings import NetworkSettings, TrainSettings

__all__ = ["TrainedNetwork", "from_tensors", "to_tensors"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrainedNetwork:
    """A network that can be used.

    Attributes
    ----------
    network : NetworkSettings
        Its shape.
    training : TrainSettings
        How it was trained.
    scaling : Scaling or None
        Its numbers; None for one that works in sigma of a sub.
    weights : dict of str to ndarray
        Parameters and running averages, by torch's names.
    recipe : dict
        What it was trained on and how well it did: camera, inputs' hashes, versions, figures.
    """

    network: NetworkSettings
    training: TrainSettings
    scaling: Scaling | None
    weights: dict[str, NDArray[Any]]
    recipe: dict[str, Any] = field(default_factory=dict)


def to_tensors(trained: TrainedNetwork) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Take a network apart.

    Parameters
    ----------
    trained : TrainedNetwork
        The network.

    Returns
    -------
    tensors : dict of str to ndarray
        Its weights.
    description : dict
        Everything else, ready for JSON.
    """
    description = {
        "network": asdict(trained.network),
        "training": asdict(trained.training),
        "scaling": None if trained.scaling is None else asdict(trained.scaling),
        "recipe": trained.recipe,
    }
    return trained.weights, description


def from_tensors(
    tensors: dict[str, NDArray[Any]], description: dict[str, Any], *, name: str
) -> TrainedNetwork:
    """Put a network together.

    Parameters
    ----------
    tensors, description : dict
        As `to_tensors` gave them.
    name : str
        What messages call the file.

    Returns
    -------
    TrainedNetwork
        The network.

    Raises
    ------
    ModelFileError
        Something is missing.

    Examples
    --------
    >>> shape = NetworkSettings(kind="unet", in_channels=1, out_channels=1, width=8, depth=3)
    >>> whole = TrainedNetwork(
    ...     network=shape, training=TrainSettings(), scaling=Scaling(1.0, 2.0), weights={}
    ... )
    >>> from_tensors(*to_tensors(whole), name="n.solodark").scaling.spread_adu
    2.0
    """
    try:
        scaling = description["scaling"]
        return TrainedNetwork(
            network=NetworkSettings(**description["network"]),
            training=TrainSettings(**description["training"]),
            scaling=None if scaling is None else Scaling(**scaling),
            weights={key: np.asarray(tensor) for key, tensor in tensors.items()},
            recipe=description["recipe"],
        )
    except (KeyError, TypeError) as error:
        raise ModelFileError(
            f"{name} lacks part of a network ({error}); train it anew with `solodark train`"
        ) from error
