"""Bright peaks of a frame: a star covers several pixels, a hot pixel is alone."""

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["find_peaks"]

HOT_PEAK_SIGMAS = 8.0
"""Of 150 million pixels of Gaussian noise none reaches this."""
STAR_PEAK_SIGMAS = 20.0
STAR_NEIGHBOUR_SIGMAS = 5.0
STAR_NEIGHBOUR_SHARE = 0.1
"""All four neighbours of a star's peak hold at least this share of it: the neighbours of a Gaussian
star of 1.2 pixels' full width, sharper than any real one, hold a quarter."""


def find_peaks(heights: NDArray[np.float32], plane_step: int) -> tuple[NDArray[np.bool_], int]:
    """Tell hot pixels from stars among the local maxima of a band.

    A star's light reaches all four neighbours of its peak; that of a hot pixel reaches none, and a
    cosmic ray's track only those along it. Neighbours are tried among all pixels and, on a Bayer
    sensor, among those of the same colour, because a narrow-band filter darkens the other colours.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, nx), C order
        Pixels less their local level, in sigmas of the noise.
    plane_step : int
        Distance of neighbours of the same colour, px: 2 on a Bayer sensor, else 1.

    Returns
    -------
    hot : ndarray of bool, shape (rows, nx)
        True at lone peaks above `HOT_PEAK_SIGMAS`.
    n_stars : int
        Number of peaks above `STAR_PEAK_SIGMAS` that spread like a star's.

    Examples
    --------
    >>> heights = np.zeros((9, 9), np.float32)
    >>> heights[4, 4] = 100.0
    >>> find_peaks(heights, plane_step=1)[1]
    0
    >>> heights[[3, 5, 4, 4], [4, 4, 3, 5]] = 40.0
    >>> find_peaks(heights, plane_step=1)[1]
    1
    """
    hot = np.zeros(heights.shape, np.bool_)
    return hot, int(_mark_peaks(heights, plane_step, hot))


@njit(cache=True, nogil=True)
def _mark_peaks(heights, plane_step, hot):  # type: ignore[no-untyped-def] # pragma: no cover
    """Mark hot pixels in `hot` and count stars."""
    n_stars = 0
    rows, columns = heights.shape
    for y in range(plane_step, rows - plane_step):
        for x in range(plane_step, columns - plane_step):
            if heights[y, x] < HOT_PEAK_SIGMAS or not _is_peak(heights, y, x, 1):
                continue
            if not _spreads(heights, y, x, 1) and not _spreads(heights, y, x, plane_step):
                hot[y, x] = True
            elif heights[y, x] >= STAR_PEAK_SIGMAS and _is_peak(heights, y, x, plane_step):
                n_stars += 1
    return n_stars


@njit(cache=True, nogil=True)
def _is_peak(heights, y, x, step):  # type: ignore[no-untyped-def] # pragma: no cover
    """No neighbour at `step` is brighter; of equals the last one counts."""
    peak = heights[y, x]
    for dy in (-step, 0, step):
        for dx in (-step, 0, step):
            other = heights[y + dy, x + dx]
            later = dy > 0 or (dy == 0 and dx > 0)
            if other > peak or (later and other == peak):
                return False
    return True


@njit(cache=True, nogil=True)
def _spreads(heights, y, x, step):  # type: ignore[no-untyped-def] # pragma: no cover
    """All four neighbours at `step` hold a star's share of the peak."""
    peak = heights[y, x]
    dimmest = min(
        heights[y - step, x], heights[y + step, x], heights[y, x - step], heights[y, x + step]
    )
    return dimmest > STAR_NEIGHBOUR_SIGMAS and dimmest > STAR_NEIGHBOUR_SHARE * peak
