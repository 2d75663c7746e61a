"""The chain of a pixel's levels through time: what each frame tells of those before and after it.

A hidden Markov chain in continuous time; forward and backward pass of Baum et al. (1970), compiled.
Between two frames a level is forgotten as ``exp(-gap / memory)``, and what is forgotten is known by
the duty alone.
"""

from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = [
    "CHANCE",
    "HIGH",
    "LOW",
    "MEMORIES_S",
    "Chain",
    "log_chance",
    "look_ahead",
    "look_back",
]

Array = NDArray[np.float64]

MEMORIES_S = 300.0 * 4.0 ** np.arange(10)
"""Times after which a level is forgotten, from a few minutes to years, s."""

LOW, HIGH, _SO_FAR, CHANCE = range(4)
"""Rows of work: likelihood of each frame at both levels, chance of the high one by all frames."""


class Chain(NamedTuple):
    """What holds for all pixels of a library, frame by frame.

    Attributes
    ----------
    amplitude : ndarray, shape (n_frames,)
        Strength of the dark signal, 1 for the strongest.
    order : ndarray of int, shape (n_frames,)
        Frames one after the other in time; all else is sorted by series.
    kept : ndarray, shape (n_memories, n_frames)
        What is left in each frame of the one before it in time, for each of `MEMORIES_S`.
    floor, slope : ndarray, shape (n_frames,)
        Noise of a pixel without signal, ADU^2, and its growth with the signal, ADU.
    curvature : float
        Its growth with the square of the signal.
    censor_adu : float
        Signals above this are not linear, and tell nothing.
    series_start : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    """

    amplitude: Array
    order: NDArray[np.intp]
    kept: Array
    floor: Array
    slope: Array
    curvature: float
    censor_adu: float
    series_start: NDArray[np.intp]


@njit(cache=True, error_model="numpy")
def look_ahead(chain: Chain, memory: int, duty: float, work: Any) -> float:  # numpydoc ignore=PR01
    """Chance of the high level by all frames up to each, and the logarithm of their likelihood."""
    told, high = 0.0, duty
    for f in chain.order:
        before = duty + (high - duty) * chain.kept[memory, f]
        up, down = before * work[HIGH, f], (1.0 - before) * work[LOW, f]
        high = up / (up + down)
        work[_SO_FAR, f] = high
        told += log(up + down)
    return told


@njit(cache=True, error_model="numpy")
def look_back(chain: Chain, memory: int, duty: float, work: Any) -> None:  # numpydoc ignore=PR01
    """Chance of the high level by all frames, from that by those up to each."""
    low, high = 0.5, 0.5  # how likely the frames to come are from each level
    for f in chain.order[::-1]:
        up, down = work[_SO_FAR, f] * high, (1.0 - work[_SO_FAR, f]) * low
        work[CHANCE, f] = up / (up + down)
        up, down = work[HIGH, f] * high, work[LOW, f] * low
        mean = duty * up + (1.0 - duty) * down
        kept = chain.kept[memory, f]
        low, high = mean + kept * (down - mean), mean + kept * (up - mean)
        low, high = low / (low + high), high / (low + high)


@njit(cache=True, error_model="numpy")
def log_chance(high: Any, chain: Chain, memory: int, duty: float) -> float:  # numpydoc ignore=PR01
    """Logarithm of the chance of just these levels."""
    told, now = 0.0, duty
    for f in chain.order:
        upper = duty + (now - duty) * chain.kept[memory, f]
        told += log(upper if high[f] else 1.0 - upper)
        now = 1.0 if high[f] else 0.0
    return told
