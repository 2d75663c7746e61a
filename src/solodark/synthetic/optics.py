"""What stands between the sky and the sensor: vignetting, dust and uneven response."""

import numpy as np
from numpy.typing import NDArray

from solodark.synthetic.settings import SensorSettings

__all__ = ["draw_response"]

Image = NDArray[np.float32]

DUST_DEPTH = 0.04
DUST_RADIUS_SHARE = 0.025
"""Radius of a dust shadow over the frame's diagonal."""
INNER_RADIUS = 0.4
"""Radius of the bright middle over that of the shadow: a telescope's central obstruction."""
EDGE = 0.15


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
        _cast_shadow(rng, response)
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


def _cast_shadow(rng: np.random.Generator, response: Image) -> None:
    """Let one grain, out of focus, cast a soft ring on a map of our own, in place."""
    shape = (response.shape[0], response.shape[1])
    centre_y, centre_x = rng.uniform(0.1, 0.9, 2) * shape
    radius_px = DUST_RADIUS_SHARE * float(np.hypot(*shape)) * rng.uniform(0.6, 1.8)
    depth = np.float32(DUST_DEPTH * rng.uniform(0.4, 1.0))
    rows = _reach(centre_y, radius_px, shape[0])
    columns = _reach(centre_x, radius_px, shape[1])
    y = (np.arange(rows.start, rows.stop) - centre_y) / radius_px
    x = (np.arange(columns.start, columns.stop) - centre_x) / radius_px
    distance = np.hypot(y[:, None], x).astype(np.float32)
    ring: Image = _soft_disc(distance, 1.0) - _soft_disc(distance, INNER_RADIUS)
    response[rows, columns] *= 1.0 - depth * ring


def _reach(centre_px: float, radius_px: float, size: int) -> slice:
    """Rows or columns within twice the radius: beyond, the shadow is gone."""
    start = max(0, int(centre_px - 2 * radius_px))
    return slice(start, min(size, int(centre_px + 2 * radius_px) + 1))


def _soft_disc(distance: Image, radius: float) -> Image:
    """One inside, zero outside, with a soft edge."""
    disc: Image = np.float32(0.5) - np.float32(0.5) * np.tanh(
        (distance - np.float32(radius)) / np.float32(EDGE)
    )
    return disc
