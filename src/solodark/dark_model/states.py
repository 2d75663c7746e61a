"""The state of an exposure: how strongly each learned map shows in it, solved from its pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.small_matrices import cholesky, solve_cholesky

__all__ = ["SamplePixels", "solve_state", "starting_states"]

Array = NDArray[np.float64]

_ROUNDS = 8
_ROBUST_SIGMA2 = 9.0
_RELATIVE_ERROR = 0.02  # what a first, crude pattern may be wrong by, of a pixel's signal
_ALTERNATIONS = 25


@dataclass(frozen=True, eq=False, slots=True)
class SamplePixels:
    """What the model knows of the pixels that states are solved from.

    Attributes
    ----------
    maps : ndarray, shape (n, d)
        Level map first, then the dark maps, ADU per unit of state.
    model_variance : ndarray, shape (n,)
        How wrong the model may be there at full strength, ADU^2.
    excess : ndarray, shape (n,)
        Temporal noise over that of the pixel's class, as a variance ratio.
    plane : ndarray of int, shape (n,)
        CFA plane of each pixel.
    """

    maps: Array
    model_variance: Array
    excess: Array
    plane: NDArray[np.intp]


def solve_state(
    values: Array,
    pixels: SamplePixels,
    law: NoiseLaw,
    frame_variance: float,
    start: Array,
    *,
    setting: int = 0,
    rounds: int = _ROUNDS,
) -> tuple[Array, Array]:
    """Solve the state of one frame by iteratively reweighted least squares.

    ``values = level_of_plane + maps[:, 0] + maps[:, 1:] @ state + noise``; deviations beyond
    3 sigma (changed pixels, cosmic rays, telegraph pixels) lose weight as one over their square.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The frame at the sampled pixels, ADU above its level.
    pixels : SamplePixels
        What the model knows of them.
    law : NoiseLaw
        Temporal noise.
    frame_variance : float
        Variance of an ordinary pixel of this frame, ADU^2.
    start : ndarray, shape (d - 1,)
        Where to begin.
    setting : int
        Gain setting of the frame, for its noise.
    rounds : int
        Iterations.

    Returns
    -------
    state : ndarray, shape (d - 1,)
        One number per dark map.
    covariance : ndarray, shape (d - 1, d - 1)
        Its covariance.
    """
    rank = pixels.maps.shape[1] - 1
    planes = np.eye(int(pixels.plane.max()) + 1)[pixels.plane]
    columns = np.hstack([pixels.maps[:, 1:], planes])
    target = values - pixels.maps[:, 0]
    solution = np.concatenate([start, np.zeros(planes.shape[1])])
    normal = np.eye(columns.shape[1])
    strength = np.median(np.abs(columns[:, :1]))
    for step in range(rounds):
        predicted = columns @ solution
        variance = (
            law.variance(predicted + pixels.maps[:, 0], frame_variance, setting) * pixels.excess
        )
        weight = 1.0 / (variance + pixels.model_variance)
        z2 = (target - predicted) ** 2 * weight
        if step or strength > 0:
            weight = weight * np.minimum(1.0, _ROBUST_SIGMA2 / np.maximum(z2, 1e-12))
        normal = (columns * weight[:, None]).T @ columns
        solution = np.linalg.solve(normal + _ridge(normal), columns.T @ (weight * target))
    covariance = np.linalg.inv(normal + _ridge(normal)).astype(np.float64)
    return solution[:rank], covariance[:rank, :rank]


def _ridge(normal: Array) -> Array:
    ridge: Array = np.diag(1e-10 * np.maximum(np.diag(normal), 1e-12))
    return ridge


def starting_states(
    values: Array,
    frame_variance: Array,
    slope: float,
    zero: NDArray[np.bool_],
    rank: int,
    *,
    starts: NDArray[np.intp],
    levels: Array,
) -> Array:
    """First states and gauge, by robust alternating least squares on the means of series.

    Parameters
    ----------
    values : ndarray, shape (n_frames, n_pixels)
        Frames at the sampled pixels, ADU above the level, sorted by series.
    frame_variance : ndarray, shape (n_frames,)
        Variance of ordinary pixels, ADU^2.
    slope : float
        A guess at the growth of variance with signal, ADU^2 per ADU.
    zero : ndarray of bool, shape (n_frames,)
        Frames whose mean state is called zero: biases, else the shortest exposures.
    rank : int
        Number of dark maps.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    levels : ndarray, shape (n_frames, n_settings)
        1 at the gain setting of each frame, else 0.

    Returns
    -------
    ndarray, shape (n_frames, n_settings + rank)
        `levels`, then the states; each with unit mean square.
    """
    first, n = starts[:-1], np.diff(starts)
    means = np.add.reduceat(values, first) / n[:, None]
    settings, zeros = levels[first], zero[first]
    signal = np.maximum(means, 0.0)
    noise = np.add.reduceat(frame_variance, first)[:, None] / n[:, None] + slope * signal
    variance = noise / n[:, None] + (_RELATIVE_ERROR * signal) ** 2
    states = _first_states(means, variance, settings, zeros, rank)
    weight, typical = 1.0 / variance, np.median(variance, axis=0)
    for _ in range(_ALTERNATIONS):
        design = np.hstack([settings, states])
        maps = _solve_each(design, weight, means)
        error = means - design @ maps.T
        weight = np.minimum(1.0, _ROBUST_SIGMA2 / np.maximum(error**2 / variance, 1e-12)) / variance
        bias, dark = np.hsplit(maps, [settings.shape[1]])
        states = _solve_each(dark, weight.T, (means - settings @ bias.T).T)
        shift = _zero_points(states, settings, zeros, bias, dark)
        states = _principal(states - settings @ shift, dark, typical)
    maps = _solve_each(np.hstack([settings, states]), weight, means)
    bias, dark = np.hsplit(maps, [settings.shape[1]])
    frames = [
        _solve_each(dark, 1.0 / variance[g][:, None], (values[f] - levels[f] @ bias.T)[:, None])[0]
        for g in range(len(first))
        for f in range(starts[g], starts[g + 1])
    ]
    return np.hstack([levels, frames])


def _first_states(
    means: Array, variance: Array, settings: Array, zeros: NDArray[np.bool_], rank: int
) -> Array:
    """Principal components of what the series show beyond the bias of their setting."""
    base = np.tile(np.median(means[zeros], axis=0), (settings.shape[1], 1))
    for g, own in enumerate(settings.T > 0):
        if (own & zeros).any():
            base[g] = np.median(means[own & zeros], axis=0)
    left, lengths, _ = np.linalg.svd((means - settings @ base) / np.sqrt(variance), False)
    return np.asarray(left[:, :rank] * lengths[:rank])


def _zero_points(
    states: Array, settings: Array, zeros: NDArray[np.bool_], bias: Array, dark: Array
) -> Array:
    """State that is called zero at each setting, shape (n_settings, rank).

    A setting without biases has no zero of its own: its bias pattern is taken to have nothing of
    the dark pattern in it, since readout does not know which pixels are hot.
    """
    points = np.zeros((settings.shape[1], states.shape[1]))
    for g, own in enumerate(settings.T > 0):
        if (own & zeros).any():
            points[g] = states[own & zeros].mean(axis=0)
        else:
            points[g] = -np.linalg.lstsq(dark, bias[:, g], rcond=None)[0]
    return points


def _solve_each(design: Array, weight: Array, values: Array) -> Array:
    """Weighted least squares of every column of `values` on one design."""
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


def _principal(states: Array, maps: Array, typical_variance: Array) -> Array:
    """Turn the states so that the first map explains most, and scale them to unit mean square."""
    metric = np.einsum("pr,p,pq->rq", maps, 1.0 / typical_variance, maps)
    factor = np.linalg.cholesky(metric + 1e-9 * np.trace(metric) * np.eye(len(metric)))
    turned = np.linalg.svd(states @ factor, full_matrices=False)[2]
    result = states @ factor @ turned.T
    signs = np.sign(result.sum(axis=0))
    scaled: Array = result * np.where(signs == 0, 1, signs) / np.sqrt(np.mean(result**2, axis=0))
    return scaled
