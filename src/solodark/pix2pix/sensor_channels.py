"""What a dark model knows of a sub, as the planes that a network is given."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHANNELS",
    "DOUBT",
    "PLANES",
    "RESIDUAL",
    "UPDATE",
    "SensorView",
    "corrected_pattern",
    "sensor_channels",
]

CHANNELS = (
    "residual",
    "update",
    "uncertainty of the update",
    "uncertainty",
    "prediction",
    "bias map",
    "dark map",
    "noise excess",
    "telegraph probability",
    "changed",
    "row of the CFA",
    "column of the CFA",
)
"""Planes of `sensor_channels`, in this order."""

RESIDUAL = CHANNELS.index("residual")
UPDATE = CHANNELS.index("update")
DOUBT = CHANNELS.index("uncertainty of the update")

_TELEGRAPH_EXCESS = 4.0  # at twice the noise of its class a pixel is as likely telegraph as not

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class SensorView:
    """A sub, or a part of it that begins at an even row and column, as a dark model sees it.

    Attributes
    ----------
    above : ndarray of float32, shape (h, w)
        The sub above its level, ADU.
    prediction : ndarray of float32, shape (h, w)
        The pattern that the model's maps predict, ADU above the level.
    updated : ndarray of float32, shape (h, w)
        The pattern after the model's own update by the sub, ADU above the level.
    doubt : ndarray of float32, shape (h, w)
        One sigma of the update, ADU.
    uncertainty : ndarray of float32, shape (h, w)
        One sigma of the prediction, ADU.
    changed : ndarray of float32, shape (h, w)
        How likely the pixel is unlike what the library knew, from 0 to 1.
    bias_map, dark_map : ndarray of float32, shape (h, w)
        Pattern of a bias, and of the strongest dark signal of the library, ADU.
    excess : ndarray of float32, shape (h, w)
        Temporal noise over that of an ordinary pixel, a variance ratio.
    sigma_adu : float
        Noise of an ordinary pixel of the sub.
    is_mosaic : bool
        Whether the sensor has colour filters.
    """

    above: Image
    prediction: Image
    updated: Image
    doubt: Image
    uncertainty: Image
    changed: Image
    bias_map: Image
    dark_map: Image
    excess: Image
    sigma_adu: float
    is_mosaic: bool

    def cut(self, how: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        """Cut a part out of all planes.

        Parameters
        ----------
        how : callable
            Gives the part of a plane.

        Returns
        -------
        SensorView
            Of the part.
        """
        planes: dict[str, Any] = {name: how(getattr(self, name)) for name in PLANES}
        return replace(self, **planes)


PLANES = tuple(field.name for field in fields(SensorView) if field.type is Image)
"""The attributes of a `SensorView` that have a value for each pixel."""


def sensor_channels(view: SensorView) -> NDArray[np.float32]:
    """Lay out what is known of each pixel, in units of the sub's own noise.

    Parameters
    ----------
    view : SensorView
        Not changed.

    Returns
    -------
    ndarray of float32, shape (12, h, w)
        In the order of `CHANNELS`: seven planes in sigma of the sub, the excess as a logarithm,
        chances from 0 to 1, and the CFA phase as -1 and 1, or 0 for mono.
    """
    per_sigma = np.float32(1.0 / view.sigma_adu)
    excess = np.maximum(view.excess, np.float32(1e-3))
    phase_y, phase_x = _cfa_phase(view.above.shape, view.is_mosaic)
    planes = (
        (view.above - view.prediction) * per_sigma,
        (view.updated - view.prediction) * per_sigma,
        view.doubt * per_sigma,
        view.uncertainty * per_sigma,
        view.prediction * per_sigma,
        view.bias_map * per_sigma,
        view.dark_map * per_sigma,
        np.log2(excess),
        excess / (excess + _TELEGRAPH_EXCESS),
        view.changed,
        phase_y,
        phase_x,
    )
    return np.stack(planes).astype(np.float32, copy=False)


def corrected_pattern(view: SensorView, signal: Image) -> Image:
    """Give the pattern that a network's answer stands for.

    Parameters
    ----------
    view : SensorView
        What it was asked about.
    signal : ndarray of float32, shape (h, w)
        Signal above the prediction, in sigma of one sub.

    Returns
    -------
    ndarray of float32, shape (h, w)
        ADU above the level.
    """
    return view.prediction + signal * np.float32(view.sigma_adu)


def _cfa_phase(shape: tuple[int, ...], is_mosaic: bool) -> tuple[Image, Image]:
    y, x = np.indices(shape, dtype=np.float32)
    amplitude = np.float32(is_mosaic)
    return amplitude * (2.0 * (y % 2) - 1.0), amplitude * (2.0 * (x % 2) - 1.0)
