"""How often cosmic rays hit a pixel, read off the library itself."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["cosmic_share_per_s"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

# A muon a minute for each cm2 (Particle Data Group, Review of Particle Physics, ch. 30), in pixels
# of 4 micrometres, of which it brightens four. Counts as much as a tenth of a hit that was seen:
# pixels, mountains and ways to look at a faint track differ a hundredfold.
_USUAL_PER_S = 1e-8
_USUAL_WEIGHT_PIXEL_S = 0.1 / _USUAL_PER_S
_SERIES = 3  # frames: of so many one can stand out
_BRIGHT_SIGMA = 7.0
_QUIET_SIGMA = 4.0
_AT_ONCE = 4_096  # pixels: of a thousand frames, all of the sample would take a gigabyte


def cosmic_share_per_s(error: Array, variance: Array, starts: Places, exposures_s: Array) -> float:
    """Share of the pixels that cosmic rays hit in one second.

    What was bright once is a hit, among pixels that never were anything else. One that is noisier
    than its class, or hops, stands out more often, and is left out; by its variance a pixel that
    a ray hit could not be told from a noisy one.

    Parameters
    ----------
    error, variance : ndarray, shape (n_frames, n_pixels)
        Deviations of a random part of the sensor from what the fit foretells, ADU, and the
        variance of its class's noise, ADU^2.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    exposures_s : ndarray, shape (n_frames,)
        Exposure of each frame.

    Returns
    -------
    float
        Per second; near what is usual where the library is too small to tell.

    Examples
    --------
    >>> error = np.zeros((8, 10_000))
    >>> error[4, :40] = 90.0
    >>> error[::2, 50:90] = 50.0  # noisy
    >>> starts, exposures_s = np.array([0, 2, 8]), np.full(8, 60.0)
    >>> share = cosmic_share_per_s(error, np.ones_like(error), starts, exposures_s)
    >>> 0.0 < share < 40 / (10_000 * 8 * 60.0)
    True
    """
    groups = _comparable(starts)
    hits = quiet = 0
    for first in range(0, error.shape[1], _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        often, bright = _outliers(error[:, some], variance[:, some], groups)
        hits += int(np.count_nonzero(bright & (often <= 1)))
        quiet += int(np.count_nonzero(often <= 1))
    seconds = sum(float(exposures_s[frames].sum()) for frames in groups)
    seen = hits + _USUAL_PER_S * _USUAL_WEIGHT_PIXEL_S
    return float(seen / (quiet * seconds + _USUAL_WEIGHT_PIXEL_S))


def _outliers(
    error: Array, variance: Array, groups: list[Places]
) -> tuple[Places, NDArray[np.bool_]]:
    """How often each pixel stands out, and whether it was ever bright."""
    often = np.zeros(error.shape[1], np.intp)
    bright = np.zeros(error.shape[1], bool)
    for frames in groups:
        series = error[frames]
        z = (series - np.median(series, axis=0)) / np.sqrt(variance[frames])
        often += np.count_nonzero(np.abs(z) > _QUIET_SIGMA, axis=0)
        bright |= z.max(axis=0) > _BRIGHT_SIGMA
    return often, bright


def _comparable(starts: Places) -> list[Places]:
    """Frames of which one may stand out: each series, those of one frame or two all together."""
    runs = [np.arange(first, last) for first, last in pairwise(starts)]
    groups = [run for run in runs if run.size >= _SERIES]
    short = np.concatenate([np.zeros(0, np.intp), *(run for run in runs if run.size < _SERIES)])
    return groups + [short] * (short.size >= _SERIES)
