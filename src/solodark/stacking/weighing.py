"""Compiled code for the weighted mean of what rejection left of each pixel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.combine.rule import Planes
from solodark.compiled import njit

__all__ = ["weigh"]

_LANES = 512
_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def weigh(stack: Any, weights: NDArray[np.float64], planes: Planes) -> None:
    """Replace the mean of each pixel's surviving values by their weighted mean.

    Parameters
    ----------
    stack : ndarray of float32, shape (n_frames, n_pixels)
        ADU; not finite where a frame holds no value.
    weights : ndarray of float64, shape (n_frames,)
        Of the frames.
    planes : Planes
        As `combine_stack` left them, of a rule that rejects from both ends: the lowest
        `n_rejected_low` and the highest `n_rejected_high` values of a pixel do not count. Written
        to: `data` and `uncertainty`.
    """
    n_frames, n_pixels = stack.shape
    sums = np.empty((3, _LANES))
    column = np.empty(n_frames)
    for start in range(0, n_pixels, _LANES):
        width = min(_LANES, n_pixels - start)
        centre = planes.data[start : start + width]
        _sum_lanes(stack[:, start : start + width], weights, centre, sums)
        for lane in range(width):
            place = start + lane
            low, high = planes.n_rejected_low[place], planes.n_rejected_high[place]
            if low or high:
                column[:] = stack[:, place] - np.float64(centre[lane])
                _take_off(column, weights, low, -1.0, sums[:, lane])
                _take_off(column, weights, high, 1.0, sums[:, lane])
            n_used = n_frames - np.int64(planes.n_missing[place]) - low - high
            _write(sums[:, lane], n_used, planes, place)


@_compiled
def _sum_lanes(stack: Any, weights: Any, centre: Any, sums: Any) -> None:
    """Sum weights, and deviations from the centre and their squares, weighted."""
    sums[:] = 0.0
    total, sum1, sum2 = sums[0], sums[1], sums[2]
    for frame in range(stack.shape[0]):
        values, weight = stack[frame], weights[frame]
        for lane in range(values.size):
            there = np.isfinite(values[lane])
            away = np.float64(values[lane] - centre[lane]) if there else 0.0
            total[lane] += weight if there else 0.0
            sum1[lane] += weight * away
            sum2[lane] += weight * away * away


@_compiled
def _take_off(column: Any, weights: Any, n: int, side: float, sums: Any) -> None:
    """Take the n outermost values of one side out of the sums and out of the column."""
    for _ in range(n):
        outermost, farthest = -1, -np.inf
        for frame in range(column.size):
            if side * column[frame] > farthest and np.isfinite(column[frame]):
                outermost, farthest = frame, side * column[frame]
        value, weight = column[outermost], weights[outermost]
        sums[0] -= weight
        sums[1] -= weight * value
        sums[2] -= weight * value * value
        column[outermost] = np.nan


@_compiled
def _write(sums: Any, n_used: int, planes: Any, place: int) -> None:
    if n_used == 0:
        return
    mean = sums[1] / sums[0]
    spread = max(sums[2] - sums[1] * mean, 0.0)
    planes.data[place] += mean
    planes.uncertainty[place] = np.sqrt(spread / sums[0] / (n_used - 1))
