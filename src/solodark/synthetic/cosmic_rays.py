"""Particles that cross the sensor and leave tracks in single frames."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_tracks"]

STEPS_PER_PX = 4
TRACK_LENGTH_PX = 3.0
"""Median length: the sensor is a few micrometres thick, most particles come steeply."""
CHARGE_E_PER_PX = 600.0
"""Median of what a minimum-ionising particle frees in one pixel's length: ~80 pairs per micrometre
over the sensitive depth."""
SPREAD = 0.8

UM2_PER_CM2 = 1e8


def draw_tracks(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    exposure_s: float,
    pixel_size_um: float,
    rate_per_cm2_s: float,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Draw the tracks of one exposure.

    Parameters
    ----------
    rng : numpy.random.Generator
        The dice.
    shape : tuple of int
        (ny, nx).
    exposure_s, pixel_size_um, rate_per_cm2_s : float
        Their number is Poisson with mean rate x area x time.

    Returns
    -------
    index : ndarray of int64, shape (n,)
        Pixels hit, in the flattened image, each once.
    charge_e : ndarray of float32, shape (n,)
        Electrons freed there.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> index, charge_e = draw_tracks(
    ...     rng, (99, 99), exposure_s=1.0, pixel_size_um=1e4, rate_per_cm2_s=1e-3)
    >>> index.size > 0, bool(charge_e.min() > 0)
    (True, True)
    """
    area_cm2 = shape[0] * shape[1] * pixel_size_um**2 / UM2_PER_CM2
    n = int(rng.poisson(rate_per_cm2_s * area_cm2 * exposure_s))
    tracks = [_track(rng, shape) for _ in range(n)]
    if not tracks:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    pixels = np.concatenate([pixel for pixel, _ in tracks])
    index, where = np.unique(pixels, return_inverse=True)
    charge_e = np.bincount(where, weights=np.concatenate([charge for _, charge in tracks]))
    return index, charge_e.astype(np.float32)


def _track(
    rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """One straight track in short steps, cut at the frame's edges; pixels may come repeatedly."""
    length_px = TRACK_LENGTH_PX * np.exp(SPREAD * rng.standard_normal())
    charge_e = CHARGE_E_PER_PX * np.exp(SPREAD * rng.standard_normal())
    angle = rng.uniform(0.0, 2.0 * np.pi)
    way = np.arange(0.0, length_px, 1.0 / STEPS_PER_PX)
    y = np.floor(rng.uniform(0, shape[0]) + way * np.sin(angle)).astype(np.int64)
    x = np.floor(rng.uniform(0, shape[1]) + way * np.cos(angle)).astype(np.int64)
    inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    pixels = y[inside] * shape[1] + x[inside]
    return pixels, np.full(pixels.size, charge_e / STEPS_PER_PX)
