"""Level and noise of a difference image, robustly and without a quantised median."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.kernels import moments_within
from solodark.frames import cfa_planes

__all__ = [
    "clipped_mean_and_sigma",
    "difference_statistics",
    "levels_above",
    "signed_root",
    "spread_over_mosaic",
    "thin_out",
]

SAMPLE_PX = 1 << 16
"""Pixels of a plane from which its level is read are about so many: 1/200 of one sub's noise."""

START_PX = 10_000
"""Values from which the clipping starts; it does not end there."""

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
    flat = np.ascontiguousarray(values, dtype=np.float64).ravel()
    some = flat[:: flat.size // START_PX + 1]
    low, mean, high = (float(bound) for bound in np.percentile(some, (10.0, 50.0, 90.0)))
    # the inner 80 % of a normal distribution spans 2.563 sigma
    sigma = (high - low) / 2.563 if high > low else float(flat.std())
    for _ in range(10):
        before = sigma
        mean, sigma = moments_within(flat, mean, CLIP_SIGMA * sigma)
        if abs(sigma - before) <= 1e-4 * sigma:
            break
    return mean, sigma


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
        clipped_mean_and_sigma(thin_out(image[plane]) - thin_out(other[plane]))
        for plane in cfa_planes(cfa_pattern)
    ]
    levels, sigmas = zip(*found, strict=True)
    return spread_over_mosaic(levels), spread_over_mosaic(sigmas)


def levels_above(
    estimate: NDArray[np.floating], truth: Sequence[NDArray[np.floating]], cfa_pattern: str | None
) -> NDArray[np.float64]:
    """Level of an estimate above each truth sub, per CFA plane.

    Parameters
    ----------
    estimate : ndarray of float, shape (ny, nx)
        ADU.
    truth : sequence of ndarray of float, shape (ny, nx)
        Subs, ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.

    Returns
    -------
    ndarray of float64, shape (m, 2, 2)
        ADU, to be indexed by ``[sub, y % 2, x % 2]``.
    """
    return np.array([difference_statistics(estimate, sub, cfa_pattern)[0] for sub in truth])


def signed_root(square: float) -> float:
    """Root of a square that noise can push below zero: the sign is kept, not hidden.

    Parameters
    ----------
    square : float
        An unbiased estimate of a square.

    Returns
    -------
    float
        Root of its size, with its sign.

    Examples
    --------
    >>> signed_root(4.0), signed_root(-4.0)
    (2.0, -2.0)
    """
    return float(np.copysign(np.sqrt(abs(square)), square))


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


def thin_out(plane: NDArray[np.floating], n_pixels: int = SAMPLE_PX) -> NDArray[np.float64]:
    """Keep about so many pixels of one CFA plane, evenly spread.

    The step is odd, so that every readout channel is met; those repeat every 2, 4 or 8 columns.

    Parameters
    ----------
    plane : ndarray of float, shape (ny, nx)
        One CFA plane.
    n_pixels : int
        How many are enough.

    Returns
    -------
    ndarray of float64
        Every k-th row and column.
    """
    step = int(np.ceil(np.sqrt(plane.size / n_pixels))) // 2 * 2 + 1
    return plane[::step, ::step].astype(np.float64)
