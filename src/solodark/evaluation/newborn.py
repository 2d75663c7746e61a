"""Pixels that turned hot after the library was taken, found by subs that then judge nobody.

A newborn hot pixel must be bright in real subs of the held-out series, but the subs that choose it
may neither be the new one nor truth: choosing by a sub's own noise would bias the figure. So every
third sub is reserved for choosing, and the stratum rests on the others.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.levels import clipped_mean_and_sigma, thin_out
from solodark.evaluation.strata import BITS, ORDINARY_FRACTION
from solodark.frames import cfa_planes

__all__ = ["find_newborn_pixels", "newborn_classes", "reserved_subs"]

THRESHOLD_SIGMA = 10.0

Image = NDArray[np.float32]


def reserved_subs(n_subs: int) -> tuple[int, ...]:
    """Which subs choose the newborn pixels: every third one, if at least two and enough are left.

    Parameters
    ----------
    n_subs : int
        Subs in the series.

    Returns
    -------
    tuple of int
        Indices; empty below six subs.

    Examples
    --------
    >>> reserved_subs(7), reserved_subs(5)
    ((1, 4), ())
    """
    return tuple(range(1, n_subs, 3)) if n_subs >= 6 else ()


def find_newborn_pixels(
    subs: Sequence[Image], level_map: NDArray[np.floating], cfa_pattern: str | None
) -> NDArray[np.bool_]:
    """Find pixels that are ordinary in the level map, yet stand out warm in every sub given.

    In each CFA plane the subs' faintest value is fitted by a straight line in the level map; a
    newborn pixel lies more than 10 robust sigma above it. The faintest of several subs ignores
    cosmic rays, which hit one.

    Parameters
    ----------
    subs : sequence of ndarray of float32, shape (ny, nx)
        The reserved subs, at least two, ADU.
    level_map : ndarray of float, shape (ny, nx)
        What the library knows, any unit.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        True where a pixel is newborn.
    """
    faintest = np.minimum.reduce(subs)
    newborn = np.zeros(level_map.shape, dtype=np.bool_)
    for plane in cfa_planes(cfa_pattern):
        newborn[plane] = _stands_out(faintest[plane], level_map[plane])
    return newborn


def newborn_classes(newborn: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Make a class map in which only newborn pixels count.

    Parameters
    ----------
    newborn : ndarray of bool, shape (ny, nx)
        From `find_newborn_pixels`.

    Returns
    -------
    ndarray of uint8, shape (ny, nx)
        Bits of `solodark.evaluation.strata.BITS`.
    """
    return np.where(newborn, BITS["newborn"], BITS["excluded"]).astype(np.uint8)


def _stands_out(values: Image, levels: NDArray[np.floating]) -> NDArray[np.bool_]:
    ordinary = levels <= np.quantile(levels, ORDINARY_FRACTION)
    slope, offset = _fit_line(thin_out(levels), thin_out(values))
    rest = values - (slope * levels + offset)
    centre, sigma = clipped_mean_and_sigma(rest[ordinary])
    found: NDArray[np.bool_] = ordinary & (rest - centre > THRESHOLD_SIGMA * sigma)
    return found


def _fit_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Fit a straight line to the ordinary pixels, thrice without those beyond 4 sigma."""
    x, y = x.ravel(), y.ravel()
    kept = x <= np.quantile(x, ORDINARY_FRACTION)
    slope, offset = 0.0, float(np.median(y))
    for _ in range(3):
        rest = y - (slope * x + offset)
        centre, sigma = clipped_mean_and_sigma(rest[kept])
        inside = kept & (np.abs(rest - centre) <= 4.0 * sigma)
        spread = float(np.var(x[inside]))
        slope = float(np.cov(x[inside], y[inside], ddof=0)[0, 1]) / spread if spread > 0 else 0.0
        offset = float(y[inside].mean() - slope * x[inside].mean())
    return slope, offset
