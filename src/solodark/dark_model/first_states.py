"""The first, crude states of a library's frames: how strongly one dark pattern shows in each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.small_matrices import cholesky, solve_cholesky
from solodark.dark_model.states import ROBUST_SIGMA2

__all__ = ["solve_each", "starting_states", "zero_points"]

Array = NDArray[np.float64]

_RELATIVE_ERROR = 0.02  # what a first, crude pattern may be wrong by, of a pixel's signal
_ALTERNATIONS = 25
_HOT, _FEWEST_HOT, _ROUNDS = 20.0, 30, 10  # times the dark signal of an ordinary pixel


def starting_states(
    values: Array,
    frame_variance: Array,
    slope: float,
    zero: NDArray[np.bool_],
    *,
    starts: NDArray[np.intp],
    levels: Array,
) -> Array:
    """First states, by robust alternating least squares on the means of series.

    Parameters
    ----------
    values : ndarray, shape (n_frames, n_pixels)
        Frames at the sampled pixels, ADU above the level, sorted by series.
    frame_variance : ndarray, shape (n_frames,)
        Variance of ordinary pixels, ADU^2.
    slope : float
        A guess at the growth of variance with signal, ADU^2 per ADU.
    zero : ndarray of bool, shape (n_frames,)
        Frames whose mean state is zero: the biases.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    levels : ndarray, shape (n_frames, n_settings)
        1 at the gain setting of each frame, else 0.

    Returns
    -------
    ndarray, shape (n_frames, n_settings + 1)
        `levels`, then the state, with unit mean square.
    """
    first, n = starts[:-1], np.diff(starts)
    means = np.add.reduceat(values, first) / n[:, None]
    settings, zeros = levels[first], zero[first]
    signal = np.maximum(means, 0.0)
    noise = np.add.reduceat(frame_variance, first)[:, None] / n[:, None] + slope * signal
    variance = noise / n[:, None] + (_RELATIVE_ERROR * signal) ** 2
    states = _first_states(means, variance, settings, zeros)
    weight = 1.0 / variance
    for _ in range(_ALTERNATIONS):
        design = np.hstack([settings, states])
        maps = solve_each(design, weight, means)
        error = means - design @ maps.T
        weight = np.minimum(1.0, ROBUST_SIGMA2 / np.maximum(error**2 / variance, 1e-12)) / variance
        bias, dark = np.hsplit(maps, [settings.shape[1]])
        states = solve_each(dark, weight.T, (means - settings @ bias.T).T)
        states = states - settings @ zero_points(states, settings, zeros, bias, dark)
        states *= np.sign(states.sum() or 1.0) / np.sqrt(np.mean(states**2))
    maps = solve_each(np.hstack([settings, states]), weight, means)
    bias, dark = np.hsplit(maps, [settings.shape[1]])
    frames = [
        solve_each(dark, 1.0 / variance[g][:, None], (values[f] - levels[f] @ bias.T)[:, None])[0]
        for g in range(len(first))
        for f in range(starts[g], starts[g + 1])
    ]
    return np.hstack([levels, frames])


def _first_states(
    means: Array, variance: Array, settings: Array, zeros: NDArray[np.bool_]
) -> Array:
    """Principal component of what the series show beyond the bias of their setting."""
    base = np.zeros((settings.shape[1], means.shape[1]))
    for g, own in enumerate(settings.T > 0):
        resting = own & zeros if (own & zeros).any() else zeros
        if resting.any():
            base[g] = np.median(means[resting], axis=0)
    left, lengths, _ = np.linalg.svd((means - settings @ base) / np.sqrt(variance), False)
    return np.asarray(left[:, :1] * lengths[:1])


def zero_points(
    states: Array, settings: Array, zeros: NDArray[np.bool_], bias: Array, dark: Array
) -> Array:
    """State that is zero at each gain setting.

    A setting without biases has no zero of its own: its bias pattern is taken to have nothing of
    the dark pattern in it, since readout does not know which pixels are hot. Where hardly a pixel
    is hot, its weakest series is called zero.

    Parameters
    ----------
    states : ndarray, shape (n_series, rank)
        Of each series.
    settings : ndarray, shape (n_series, n_settings)
        1 at the gain setting of each series, else 0.
    zeros : ndarray of bool, shape (n_series,)
        Series of biases.
    bias : ndarray, shape (n, n_settings)
        Bias maps.
    dark : ndarray, shape (n, rank)
        Dark maps.

    Returns
    -------
    ndarray, shape (n_settings, rank)
        States.
    """
    points = np.zeros((settings.shape[1], states.shape[1]))
    for g, own in enumerate(settings.T > 0):
        if (own & zeros).any():
            points[g] = states[own & zeros].mean(axis=0)
        else:
            points[g] = _resting(states[own], bias[:, g], dark)
    return points


def _resting(states: Array, bias: Array, dark: Array) -> Array:
    """State at which hot pixels show nothing of the dark pattern."""
    signal = np.abs(dark @ states.mean(axis=0))
    hot = signal > _HOT * np.median(signal)
    if np.count_nonzero(hot) < _FEWEST_HOT:
        weakest: Array = states[np.argmin(np.abs(states[:, 0]))]
        return weakest
    weight = 1.0 / signal[hot] ** 2  # what a map is wrong by grows with the signal
    share = np.zeros(dark.shape[1])
    for _ in range(_ROUNDS):
        error2 = weight * (bias[hot] - dark[hot] @ share) ** 2
        robust = weight / (1.0 + error2 / max(float(np.median(error2)), 1e-30))
        share = solve_each(dark[hot], robust[:, None], bias[hot, None])[0]
    return -share


def solve_each(design: Array, weight: Array, values: Array) -> Array:
    """Weighted least squares of every column of `values` on one design.

    Parameters
    ----------
    design : ndarray, shape (n_rows, r)
        What each row is made of.
    weight : ndarray, shape (n_rows, n)
        Inverse variances.
    values : ndarray, shape (n_rows, n)
        What is to be made of it.

    Returns
    -------
    ndarray, shape (n, r)
        How much of each, for every column.
    """
    columns = (np.ascontiguousarray(part.T) for part in (weight, values))
    solution: Array = _solve_columns(np.ascontiguousarray(design), *columns)
    return solution


@njit(cache=True, error_model="numpy")
def _solve_columns(design: Any, weight: Any, values: Any) -> Any:
    """Solve the normal equations of each column, a row here, with a ridge of a billionth."""
    n, (n_rows, rank) = len(values), design.shape
    normal, factor = np.zeros((rank, rank)), np.zeros((rank, rank))
    right, solutions = np.zeros(rank), np.zeros((n, rank))
    for p in range(n):
        normal[:], right[:] = 0.0, 0.0
        for f in range(n_rows):
            for r in range(rank):
                part = weight[p, f] * design[f, r]
                right[r] += part * values[p, f]
                for q in range(r + 1):
                    normal[r, q] += part * design[f, q]
        ridge = 1e-9 * np.trace(normal)
        for r in range(rank):
            normal[r, r] += ridge
        cholesky(normal, rank, factor)
        solve_cholesky(factor, rank, right, solutions[p])
    return solutions
