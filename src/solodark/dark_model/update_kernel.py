"""The update of every pixel by one new sub, compiled.

The model says ``m`` with variance ``P + scatter`` (the scatter on its grid of variances), the sub
says ``y`` with variance ``V``. Each variance of the grid gets the weight that library and sub
together give it. A bright surprise is either a pixel that has changed since the library was taken,
and is then believed, or a cosmic ray in this one sub, and is then left out: the years since the
library speak for the first, the rate of cosmic rays in the library and bright neighbours (a track)
for the second. The result is the posterior mean: a soft mixture, never a switch.
"""

from math import exp, isfinite, log
from typing import Any

import numpy as np
from numba import njit, prange

__all__ = ["update_pixels"]

_SURPRISE2 = 36.0  # six sigma
# Chance that a bright neighbour stands beside a cosmic ray's pixel, and beside a changed one.
_NEIGHBOUR_OF_COSMIC = 0.7
_NEIGHBOUR_OF_CHANGED = 0.02
# A hot pixel, ten sigma of its noise bright, hops and saturates as ordinary ones never do.
_HOT2 = 100.0
_HOT_CHANGES = 1e-3
_LEAK = 0.03  # a pixel can do worse than it ever did; a tenth of that by another step, and so on
_NEGLIGIBLE = 1e-7  # a part of the mixture that can weigh no more than this is not looked at
_KEPT = 1.0 / (1.0 + _LEAK * 1.11)  # what the tail of three steps leaves


@njit(cache=True, parallel=True, error_model="numpy")
def update_pixels(  # numpydoc ignore=PR01
    predicted: Any,
    observed: Any,
    parameter_variance: Any,
    excess: Any,
    scatter: Any,
    weight_of_code: Any,
    scatter_grid: Any,
    amplitude2: float,
    frame_variance: float,
    slope: float,
    curvature: float,
    censor_adu: float,
    changed_share: float,
    cosmic_share: float,
    changed_grid: Any,
) -> Any:
    """Posterior mean, variance and chance of change of all pixels.

    Images are (rows, columns); `scatter` is (t, rows, columns), coded.
    """
    ny, nx = predicted.shape
    mean = np.empty((ny, nx), np.float32)
    variance = np.empty((ny, nx), np.float32)
    changed = np.empty((ny, nx), np.float32)
    t_all, c_all = scatter_grid.size, changed_grid.size
    bright = np.zeros((ny, nx), np.bool_)
    for y in prange(ny):
        for x in range(nx):
            error = observed[y, x] - predicted[y, x]
            known = parameter_variance[y, x]
            known += _noise(predicted[y, x], excess[y, x], frame_variance, slope, curvature)
            if error > 0.0 and error * error > _SURPRISE2 * known:
                known += amplitude2 * _mean_scatter(scatter[:, y, x], weight_of_code, scatter_grid)
                bright[y, x] = error * error > _SURPRISE2 * known
    for y in prange(ny):
        odds = np.empty(t_all + c_all)
        gain = np.empty(t_all + c_all)
        noise = np.empty(t_all + c_all)
        for x in range(nx):
            m = predicted[y, x]
            error = observed[y, x] - m
            if m > censor_adu and observed[y, x] > censor_adu:  # what a full pixel shows, it shows
                mean[y, x] = observed[y, x]
                variance[y, x] = _noise(m, excess[y, x], frame_variance, slope, curvature)
                changed[y, x] = 0.0
                continue
            if not isfinite(error):
                mean[y, x], changed[y, x] = m, 0.0
                variance[y, x] = parameter_variance[y, x] + amplitude2 * _mean_scatter(
                    scatter[:, y, x], weight_of_code, scatter_grid
                )
                continue
            beside = _has_bright_neighbour(bright, y, x)
            v = _noise(m, excess[y, x], frame_variance, slope, curvature)
            unsteady = m > 0.0 and m * m > _HOT2 * v
            born = changed_share * (_NEIGHBOUR_OF_CHANGED if beside else 1 - _NEIGHBOUR_OF_CHANGED)
            if unsteady:  # its neighbours are often bright too, by bleeding
                born = max(born, _HOT_CHANGES)
            hit = cosmic_share * (_NEIGHBOUR_OF_COSMIC if beside else 1 - _NEIGHBOUR_OF_COSMIC)
            # Cosmic rays only ever brighten, so that half of their distribution counts double.
            hit = 2.0 * hit if error > 0.0 else 0.0
            # Sharpened: a mean of both would leave a seventh of every hot pixel that is likely one.
            real = born**3 / (born**3 + hit**3)
            least = excess[y, x] * frame_variance
            best, negligible2 = -1e300, 0.0
            for t in range(t_all + c_all):
                if t < t_all:
                    share = _share_with_tail(scatter[:, y, x], weight_of_code, t)
                    prior = parameter_variance[y, x] + scatter_grid[t] * amplitude2
                else:
                    share = (born + hit) / c_all
                    prior = parameter_variance[y, x] + changed_grid[t - t_all]
                if share * share <= negligible2 * (prior + least):
                    odds[t] = -1e300
                    continue
                v = _noise(m, excess[y, x], frame_variance, slope, curvature)
                k = prior / (prior + v)
                v = _noise(m + k * error, excess[y, x], frame_variance, slope, curvature)
                gain[t], noise[t] = prior / (prior + v), v
                odds[t] = 0.5 * (log(share * share / (prior + v)) - error * error / (prior + v))
                if odds[t] > best:
                    best = odds[t]
                    negligible2 = _NEGLIGIBLE * _NEGLIGIBLE * exp(2.0 * best)
            total, k_mean, spread, new = 0.0, 0.0, 0.0, 0.0
            for t in range(t_all + c_all):
                if odds[t] <= -1e299:
                    continue
                weight = exp(odds[t] - best)
                total += weight
                believed = weight if t < t_all else weight * real
                k_mean += believed * gain[t]
                spread += believed * (gain[t] * noise[t] + (gain[t] * error) ** 2)
                if t >= t_all:
                    new += believed
                    spread += (weight - believed) * parameter_variance[y, x]
            k_mean /= total
            mean[y, x] = m + k_mean * error
            variance[y, x] = max(spread / total - (k_mean * error) ** 2, 0.0)
            changed[y, x] = new / total
    return mean, variance, changed


@njit(cache=True, error_model="numpy")
def _noise(
    signal: float, excess: float, frame_variance: float, slope: float, curvature: float
) -> float:
    positive = max(signal, 0.0)
    variance: float = excess * (frame_variance + slope * positive + curvature * positive * positive)
    return variance


@njit(cache=True, error_model="numpy")
def _share_with_tail(codes: Any, weight_of_code: Any, t: int) -> float:
    """Weight of one variance, with a tail: a pixel can always do worse than it ever did."""
    share: float = _KEPT * weight_of_code[codes[t]]
    leak = _LEAK
    for back in range(1, 4):
        if t >= back:
            share += leak * weight_of_code[codes[t - back]]
        leak *= 0.1
    return share


@njit(cache=True, error_model="numpy")
def _mean_scatter(codes: Any, weight_of_code: Any, grid: Any) -> float:
    total = 0.0
    for t in range(grid.size):
        total += weight_of_code[codes[t]] * grid[t]
    return total


@njit(cache=True, error_model="numpy")
def _has_bright_neighbour(bright: Any, y: int, x: int) -> bool:
    ny, nx = bright.shape
    for j in range(max(y - 1, 0), min(y + 2, ny)):
        for i in range(max(x - 1, 0), min(x + 2, nx)):
            if bright[j, i] and not (j == y and i == x):
                return True
    return False
