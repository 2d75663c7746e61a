"""Level and noise of a difference image, robustly and without a quantised median."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_planes

__all__ = ["clipped_mean_and_sigma", "difference_statistics", "spread_over_mosaic"]

SAMPLE_PX = 1 << 16
"""Pixels of a plane that its level is read from: enough for 1/256 of one sub's noise."""

CLIP_SIGMA = 4.0
"""Where outliers begin; a normal distribution loses 0.1 % of its sigma there."""


def clipped_mean_and_sigma(values: NDArray[np.floating]) -> tuple[float, float]:
    """Mean and standard deviation of what lies within 4 sigma, iterated from the inner 80 %.

    A median would jump by whole steps on quantised data; the clipped mean moves smoothly.

    Parameters
    ----------
    values : ndarray of float
        Any shape, finite.

    Returns
    -------
    tuple of float
        Mean and standard deviation, in the unit of `values`.

    Examples
    --------
    >>> mean, sigma = clipped_mean_and_sigma(np.array([1.0, 2.0, 3.0, 2.0, 2.0, 1.0, 3.0, 900.0]))
    >>> mean
    2.0
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    low, mean, high = np.percentile(flat, (10.0, 50.0, 90.0))
    # the inner 80 % of a normal distribution spans 2.563 sigma
    sigma = (high - low) / 2.563 if high > low else float(flat.std())
    for _ in range(6):
        kept = flat[np.abs(flat - mean) <= CLIP_SIGMA * sigma]
        if kept.size == 0:
            break
        mean, sigma = float(kept.mean()), float(kept.std())
    return float(mean), float(sigma)


def difference_statistics(
    image: NDArray[np.floating], other: NDArray[np.floating], cfa_pattern: str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level and robust noise of ``image - other``, per CFA plane.

    Parameters
    ----------
    image, other : ndarray of float, shape (ny, nx)
        ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.

    Returns
    -------
    levels, sigmas : ndarray of float64, shape (2, 2)
        ADU, to be indexed by ``[y % 2, x % 2]``; a mono sensor repeats its one value.
    """
    found = [
        clipped_mean_and_sigma(_thin_out(image[plane]).astype(np.float64) - _thin_out(other[plane]))
        for plane in cfa_planes(cfa_pattern)
    ]
    levels, sigmas = zip(*found, strict=True)
    return spread_over_mosaic(levels), spread_over_mosaic(sigmas)


def spread_over_mosaic(per_plane: Sequence[float]) -> NDArray[np.float64]:
    """Lay one value per CFA plane out as the mosaic's 2 x 2 cell.

    Parameters
    ----------
    per_plane : sequence of float
        Four values in the order of `solodark.frames.cfa_planes`, or one for a mono sensor.

    Returns
    -------
    ndarray of float64, shape (2, 2)
        To be indexed by ``[y % 2, x % 2]``.

    Examples
    --------
    >>> spread_over_mosaic([1.0, 2.0, 3.0, 4.0])[1, 0]
    np.float64(3.0)
    """
    cell = np.empty(4)
    cell[:] = per_plane if len(per_plane) == 4 else per_plane[0]
    return cell.reshape(2, 2)


def _thin_out(plane: NDArray[np.floating]) -> NDArray[np.floating]:
    # an odd step meets every readout channel, which repeat every 2, 4 or 8 columns
    step = int(np.sqrt(plane.size / SAMPLE_PX))
    step = max(1, step - 1 + step % 2)
    return plane[::step, ::step]
