"""Two levels of a pixel that hops between them, found in its frames, compiled.

A telegraph pixel's dark current dwells at a low and at a high rate in turn (Simoen & Claeys 2016).
In frame f, whose dark signal has the strength ``a_f``, it shows::

    residual_f = a_f (low + z_f (high - low) + rest_f) + noise_f          z_f = 0 or 1
    P(z_f = 1 | z before) = duty + (z before - duty) exp(-gap_f / memory)

a hidden Markov chain in continuous time. Neither level is quite proportional to the dark signal,
for each has an activation energy of its own: hence the rest, which in a hot pixel is far above the
noise and far below the hops, and alike in all frames of a series. Levels and duty are found by
expectation maximisation (Baum et al. 1970), the variance of the rest by Fisher's scoring, the
memory on a grid of times beside it. What the two levels explain is weighed against a rival that
knows no levels: a pixel whose noise is larger, and which differs from series to series.
"""

from math import exp, log, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.level_chain import (
    CHANCE,
    HIGH,
    LOW,
    Chain,
    log_chance,
    look_ahead,
    look_back,
)

__all__ = ["Rival", "TwoLevels", "find_two_levels"]

Array = NDArray[np.float64]

_FARTHEST2 = 25.0  # beyond five sigma neither level explains a frame: a cosmic ray
_FIRST_ROUNDS, _ROUNDS = 4, 10
_TELLING = 1.0  # a frame tells the levels apart where they differ by a sigma
_HALF_A_LOOK = 0.5  # Jeffreys' prior of the duty
_FIRST_MEMORY = 3.0
_LEAST_WEIGHT = 1e-9
_DUTY, _MEMORY, _REST, _LOOKS, _GAIN = range(2, 7)  # of the numbers of `TwoLevels`, after both
_FIRST_REST = 0.01  # of the squared spread of the frames
_COST = 1.5  # of three numbers more than the rival has, over the logarithm of the frames


class TwoLevels(NamedTuple):
    """What is found of n pixels.

    Attributes
    ----------
    low, high : ndarray, shape (n,)
        Levels at strength 1 above what the maps foretell, ADU.
    duty : ndarray, shape (n,)
        Share of the time at the high level.
    memory : ndarray, shape (n,)
        Index into `level_chain.MEMORIES_S`.
    rest : ndarray, shape (n,)
        Variance of either level at strength 1, ADU^2.
    looks : ndarray, shape (n,)
        In how many frames that do not remember each other it was seen.
    gain : ndarray, shape (n,)
        Logarithm of how much better two levels explain the pixel than none.
    """

    low: Array
    high: Array
    duty: Array
    memory: Array
    rest: Array
    looks: Array
    gain: Array


class Rival(NamedTuple):
    """What n pixels are without levels: noisier, and other from series to series.

    Attributes
    ----------
    residual, signal : ndarray, shape (n, n_frames)
        What is seen beyond what maps foretell that know of no levels, and that, ADU.
    excess, scatter : ndarray, shape (n,)
        Noise over that of the class, and the variance of series at strength 1, ADU^2.
    """

    residual: Array
    signal: Array
    excess: Array
    scatter: Array


def find_two_levels(
    residual: Array, signal: Array, rival: Rival, chain: Chain
) -> tuple[TwoLevels, Array]:
    """Fit two levels to n pixels.

    Parameters
    ----------
    residual, signal : ndarray, shape (n, n_frames)
        What is seen beyond what the maps foretell, and that, ADU.
    rival : Rival
        What they are without levels.
    chain : Chain
        What holds for all of them.

    Returns
    -------
    levels : TwoLevels
        Whether or not there are any; `gain` tells.
    high : ndarray, shape (n, n_frames)
        Chance of the high level in every frame.
    """
    numbers, high = np.empty((len(TwoLevels._fields), len(residual))), np.empty_like(residual)
    _find_two_levels(residual, signal, rival, chain, numbers, high)
    return TwoLevels(*numbers), high


class _Seen(NamedTuple):
    """What was seen of one pixel, frame by frame."""

    residual: Array
    signal: Array
    usable: NDArray[np.bool_]


@njit(cache=True, parallel=True, error_model="numpy")
def _find_two_levels(
    residual: Any, signal: Any, rival: Rival, chain: Chain, numbers: Any, high: Any
) -> None:
    n, n_frames = residual.shape
    for i in prange(n):
        usable = signal[i] + residual[i] < chain.censor_adu
        seen, work = _Seen(residual[i], signal[i], usable), np.empty((4, n_frames))
        level = _begin(seen, chain, work)
        told = _climb(_ROUNDS, len(chain.kept), seen, chain, level, work)
        told = max(told, _by_series(seen, chain, level, work))
        high[i], numbers[:_LOOKS, i] = work[CHANCE], level
        numbers[_LOOKS, i], telling = _looks(seen, chain, level)
        without = _Seen(rival.residual[i], rival.signal[i], usable)
        least = _without_levels(without, rival.excess[i], rival.scatter[i], chain)
        numbers[_GAIN, i] = told - least - _COST * log(max(telling, 1.0))


@njit(cache=True, error_model="numpy")
def _begin(seen: _Seen, chain: Chain, work: Any) -> Any:
    """Begin with the best of three guesses: high half of the time, hardly ever, nearly always."""
    middle, spread = _spread(seen, chain)
    best, level, tried = -np.inf, np.zeros(_LOOKS), np.empty(_LOOKS)
    for duty in (0.5, 0.1, 0.9):
        odds = sqrt(duty / (1.0 - duty))
        tried[LOW], tried[HIGH] = middle - spread * odds, middle + spread / odds
        tried[_DUTY], tried[_MEMORY] = duty, _FIRST_MEMORY
        tried[_REST] = _FIRST_REST * spread**2
        told = _climb(_FIRST_ROUNDS, 1, seen, chain, tried, work)
        if told > best:
            best = told
            level[:] = tried
    return level


@njit(cache=True, error_model="numpy")
def _noise(signal: float, f: int, chain: Chain) -> float:
    above = max(signal, 0.0)
    variance: float = chain.floor[f] + above * (chain.slope[f] + chain.curvature * above)
    return variance


@njit(cache=True, error_model="numpy")
def _variance(seen: _Seen, f: int, step: float, chain: Chain, level: Any) -> float:
    """Of a frame around a level: noise, and what the level itself is uncertain by."""
    variance: float = _noise(seen.signal[f] + step, f, chain)
    return variance + float(chain.amplitude[f] ** 2 * level[_REST])


@njit(cache=True, error_model="numpy")
def _spread(seen: _Seen, chain: Chain) -> Any:
    """Mean residual at strength 1, and how far it spreads."""
    weights, sums, squares = 1e-12, 0.0, 0.0
    for f in range(seen.residual.size):
        if seen.usable[f]:
            part = 1.0 / _noise(seen.signal[f], f, chain)
            weights += chain.amplitude[f] ** 2 * part
            sums += chain.amplitude[f] * seen.residual[f] * part
            squares += seen.residual[f] ** 2 * part
    middle = sums / weights
    return middle, sqrt(max(squares / weights - middle**2, 1e-12))


@njit(cache=True, error_model="numpy")
def _climb(rounds: int, reach: int, seen: _Seen, chain: Chain, level: Any, work: Any) -> float:
    """Maximise by expectations; leaves the chance of the high level in the work's last row."""
    told = -np.inf
    for _ in range(rounds):
        told = _weigh(seen, chain, level, work) + _choose_memory(chain, reach, level, work)
        look_back(chain, int(level[_MEMORY]), level[_DUTY], work)
        _move_levels(seen, chain, level, work)
    return told


@njit(cache=True, error_model="numpy")
def _weigh(seen: _Seen, chain: Chain, level: Any, work: Any) -> float:
    """Likelihood of each frame at both levels, the larger one 1; gives the logarithm left out."""
    left_out = 0.0
    for f in range(seen.residual.size):
        for z in (LOW, HIGH):
            step = chain.amplitude[f] * level[z]
            variance = _variance(seen, f, step, chain, level)
            work[z, f] = -0.5 * _misfit(seen, f, step, variance, chain.censor_adu)
        most = max(work[LOW, f], work[HIGH, f])
        left_out += most
        work[LOW, f], work[HIGH, f] = exp(work[LOW, f] - most), exp(work[HIGH, f] - most)
    return left_out


@njit(cache=True, error_model="numpy")
def _misfit(seen: _Seen, f: int, step: float, variance: float, censor_adu: float) -> float:
    """Tell how far a frame is from a level, as -2 log likelihood; full ones are above any below."""
    if np.isnan(seen.residual[f]):
        return 0.0
    full = not seen.usable[f]
    short = max(censor_adu - seen.signal[f] - step, 0.0) if full else seen.residual[f] - step
    misfit: float = min(short**2 / variance, _FARTHEST2) + (0.0 if full else log(variance))
    return misfit


@njit(cache=True, error_model="numpy")
def _choose_memory(chain: Chain, reach: int, level: Any, work: Any) -> float:
    """Take the best memory of the present one and those within reach of it."""
    now, best, most = int(level[_MEMORY]), int(level[_MEMORY]), -np.inf
    for memory in range(max(now - reach, 0), min(now + reach + 1, len(chain.kept))):
        told = look_ahead(chain, memory, level[_DUTY], work)
        if told > most:
            best, most = memory, told
    level[_MEMORY] = best
    chance: float = look_ahead(chain, best, level[_DUTY], work)
    return chance


@njit(cache=True, error_model="numpy")
def _move_levels(seen: _Seen, chain: Chain, level: Any, work: Any) -> None:
    """Levels by weighted least squares, what they are uncertain by, and the duty."""
    kept, weights, sums = chain.kept[int(level[_MEMORY])], np.full(2, 1e-12), np.zeros(2)
    looks, ups, beyond, known = 0.0, 0.0, 0.0, 1e-30
    for f in range(seen.residual.size):
        if not seen.usable[f]:
            continue
        for z in (LOW, HIGH):
            step = chain.amplitude[f] * level[z]
            variance = _variance(seen, f, step, chain, level)
            share = work[CHANCE, f] if z == HIGH else 1.0 - work[CHANCE, f]
            square = (seen.residual[f] - step) ** 2
            if square < _FARTHEST2 * variance:
                part = share * chain.amplitude[f] ** 2 / variance
                weights[z] += part
                sums[z] += share * chain.amplitude[f] * seen.residual[f] / variance
                rest = chain.amplitude[f] ** 2 * level[_REST]
                beyond += part / variance * (square - variance + rest)
                known += part / variance * chain.amplitude[f] ** 2
        if _tells(seen, f, chain, level):
            look = 1.0 - kept[f] ** 2  # many frames of one night are hardly more than one
            looks += look
            ups += look * work[CHANCE, f]
    for z in (LOW, HIGH):
        if weights[z] > _LEAST_WEIGHT:
            level[z] = sums[z] / weights[z]
    level[_REST] = max(beyond / known, 0.0)
    level[_DUTY] = (_HALF_A_LOOK + ups) / (2.0 * _HALF_A_LOOK + looks)


@njit(cache=True, error_model="numpy")
def _tells(seen: _Seen, f: int, chain: Chain, level: Any) -> bool:
    """Whether a frame tells the levels apart."""
    step = chain.amplitude[f] * (level[HIGH] - level[LOW])
    tells: bool = step * step > _TELLING * _variance(seen, f, 0.0, chain, level)
    return seen.usable[f] and tells


@njit(cache=True, error_model="numpy")
def _looks(seen: _Seen, chain: Chain, level: Any) -> Any:
    """In how many frames the level shows: those that do not remember each other, and all."""
    looks, telling = 0.0, 0.0
    for f in range(seen.residual.size):
        if _tells(seen, f, chain, level):
            looks += 1.0 - chain.kept[int(level[_MEMORY]), f] ** 2
            telling += 1.0
    return looks, telling


@njit(cache=True, error_model="numpy")
def _by_series(seen: _Seen, chain: Chain, level: Any, work: Any) -> float:
    """Log likelihood of each frame's likeliest level, with one rest for a series at a level."""
    high = work[CHANCE] > 0.5
    told: float = log_chance(high, chain, int(level[_MEMORY]), level[_DUTY])
    for z in (LOW, HIGH):
        step = chain.amplitude * level[z]
        there = seen.usable & (high == (z == HIGH))
        own = _Seen(seen.residual - step, seen.signal + step, there)
        told += _as_series(own, 1.0, level[_REST], chain)
    return told


@njit(cache=True, error_model="numpy")
def _without_levels(seen: _Seen, excess: float, scatter: float, chain: Chain) -> float:
    """Log likelihood under larger noise and a deviation of each series; the best of a few sizes."""
    best = -np.inf
    for noisier in (0.25, 0.5, 1.0):
        for larger in (0.0, 0.25, 1.0, 4.0):
            own = max(excess * noisier, 1.0)
            best = max(best, _as_series(seen, own, scatter * larger, chain))
    return best


@njit(cache=True, error_model="numpy")
def _as_series(seen: _Seen, excess: float, scatter: float, chain: Chain) -> float:
    told = 0.0
    for g in range(chain.series_start.size - 1):
        weight, pull = 0.0, 0.0
        first, last = chain.series_start[g], chain.series_start[g + 1]
        for f in range(first, last):
            if seen.usable[f]:
                variance = excess * _noise(seen.signal[f], f, chain)
                weight += chain.amplitude[f] ** 2 / variance
                pull += chain.amplitude[f] * seen.residual[f] / variance
        middle = scatter * pull / (1.0 + scatter * weight)
        told -= 0.5 * (log(1.0 + scatter * weight) + middle**2 / max(scatter, 1e-12))
        for f in range(first, last):
            if seen.usable[f]:
                variance = excess * _noise(seen.signal[f], f, chain)
                square = (seen.residual[f] - chain.amplitude[f] * middle) ** 2 / variance
                told -= 0.5 * (min(square, _FARTHEST2) + log(variance))
    return told
