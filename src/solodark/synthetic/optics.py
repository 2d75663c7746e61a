"""What stands between the sky and the sensor: vignetting, dust and uneven response."""

import numpy as np
from numpy.typing import NDArray

from solodark.synthetic.settings import SensorSettings

__all__ = ["draw_response"]

Image = NDArray[np.float32]

DUST_DEPTH = 0.04
DUST_RADIUS_SHARE = 0.025
"""Radius of a dust shadow over the frame's diagonal."""


def draw_response(
    rng: np.random.Generator, settings: SensorSettings, shape: tuple[int, int]
) -> Image:
    """Draw the share of the light that each pixel counts: what a perfect flat would show.

    Parameters
    ----------
    rng : numpy.random.Generator
        The dice.
    settings : SensorSettings
        Vignetting, number of dust grains, pixel-to-pixel spread.
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        About 1 at the centre, ``1 - vignetting`` in the corners.
    """
    y, x = _centred_axes(shape)
    response: Image = 1.0 - np.float32(settings.vignetting) * (y**2 + x**2)
    for _ in range(settings.dust_grains):
        response *= _dust_shadow(rng, shape)
    response *= 1.0 + np.float32(settings.prnu) * rng.standard_normal(shape, dtype=np.float32)
    return response


def _centred_axes(shape: tuple[int, int]) -> tuple[Image, Image]:
    """Rows and columns in units of half the diagonal, zero at the centre."""
    half = 0.5 * float(np.hypot(*shape))
    y = (np.arange(shape[0], dtype=np.float32) - np.float32(0.5 * (shape[0] - 1))) / np.float32(
        half
    )
    x = (np.arange(shape[1], dtype=np.float32) - np.float32(0.5 * (shape[1] - 1))) / np.float32(
        half
    )
    return y[:, None], x[None, :]


def _dust_shadow(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """One grain, out of focus: a soft ring, as a telescope with a central obstruction casts it."""
    y, x = _centred_axes(shape)
    place = rng.uniform(-0.6, 0.6, 2).astype(np.float32)
    radius = np.float32(DUST_RADIUS_SHARE * rng.uniform(0.6, 1.8))
    distance = np.hypot(y - place[0], x - place[1]) / radius
    edge = np.float32(0.15)
    disc = 1.0 / (1.0 + np.exp(np.clip((distance - 1.0) / edge, -30, 30)))
    hole = 1.0 / (1.0 + np.exp(np.clip((distance - 0.4) / edge, -30, 30)))
    shadow: Image = 1.0 - np.float32(DUST_DEPTH * rng.uniform(0.4, 1.0)) * (disc - hole)
    return shadow
