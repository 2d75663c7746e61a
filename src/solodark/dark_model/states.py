"""The state of an exposure: how strongly each learned map shows in it, solved from its pixels."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.noise import NoiseLaw

__all__ = ["ROBUST_SIGMA2", "SamplePixels", "solve_state"]

Array = NDArray[np.float64]

ROBUST_SIGMA2 = 9.0
"""Squared deviations beyond this many times their variance lose weight."""
_ROUNDS = 8


_UNNEEDED = np.zeros((0, 0, 0))


class SamplePixels(NamedTuple):
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
    map_covariance : ndarray, shape (n, d - 1, d), optional
        Of the dark maps' errors with those of all maps, where they were learned from the very
        frame that is solved. Maps known from elsewhere need none.
    """

    maps: Array
    model_variance: Array
    excess: Array
    plane: NDArray[np.intp]
    map_covariance: Array = _UNNEEDED


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

    Maps that were learned from this very frame hold some of its noise, and would call it state.
    With their covariance the step is that of expectation maximisation: the squares are those
    expected of the true maps, ``(values - x . maps)^2 + x . covariance . x``.

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
    rank, planes = pixels.maps.shape[1] - 1, int(pixels.plane.max()) + 1
    pixels = pixels._replace(maps=np.ascontiguousarray(pixels.maps))
    solution = np.concatenate([start, np.zeros(planes)])
    normal, right = np.eye(rank + planes), np.zeros(rank + planes)
    noise = _Noise(frame_variance, float(law.slope[setting]), law.curvature)
    shows = bool(np.median(np.abs(pixels.maps[:, 1])) > 0)
    for step in range(rounds):
        weight = _weights(values, pixels, solution, noise, step > 0 or shows)
        _add_up(values, pixels, weight, normal, right)
        solution = np.linalg.solve(normal + _ridge(normal), right)
    inverse = np.linalg.inv(normal + _ridge(normal)).astype(np.float64)
    return solution[:rank], inverse[:rank, :rank]


def _ridge(normal: Array) -> Array:
    ridge: Array = np.diag(1e-10 * np.maximum(np.diag(normal), 1e-12))
    return ridge


class _Noise(NamedTuple):
    """Noise of one frame's pixels: that of an ordinary one, and its growth with the signal."""

    floor: float
    slope: float
    curvature: float


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _weights(values: Any, pixels: SamplePixels, solution: Any, noise: _Noise, robust: bool) -> Any:
    """Inverse variance of each pixel, less where it deviates by more than three sigma."""
    n, rank = len(values), pixels.maps.shape[1] - 1
    weight = np.empty(n)
    for p in range(n):
        predicted = pixels.maps[p, 0] + solution[rank + pixels.plane[p]]
        for r in range(rank):
            predicted += pixels.maps[p, 1 + r] * solution[r]
        signal = max(predicted, 0.0)
        variance = noise.floor + signal * (noise.slope + noise.curvature * signal)
        weight[p] = 1.0 / (variance * pixels.excess[p] + pixels.model_variance[p])
        z2 = (values[p] - predicted) ** 2 * weight[p]
        if robust and z2 > ROBUST_SIGMA2:
            weight[p] *= ROBUST_SIGMA2 / z2
    return weight


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _add_up(values: Any, pixels: SamplePixels, weight: Any, normal: Any, right: Any) -> None:
    """Sum up the normal equations of one number for each dark map and one level for each plane."""
    n, rank = len(values), pixels.maps.shape[1] - 1
    normal[:], right[:] = 0.0, 0.0
    for p in range(n):
        level, target = rank + pixels.plane[p], values[p] - pixels.maps[p, 0]
        for r in range(rank):
            part = weight[p] * pixels.maps[p, 1 + r]
            right[r] += part * target
            normal[level, r] += part
            for q in range(r + 1):
                normal[r, q] += part * pixels.maps[p, 1 + q]
        right[level] += weight[p] * target
        normal[level, level] += weight[p]
    for p in range(len(pixels.map_covariance)):
        for r in range(rank):
            right[r] -= weight[p] * pixels.map_covariance[p, r, 0]
            for q in range(r + 1):
                normal[r, q] += weight[p] * pixels.map_covariance[p, r, 1 + q]
    for r in range(len(right)):
        normal[:r, r] = normal[r, :r]
