"""The fit of pixels, compiled: strip by strip, every step a loop over the pixels of a strip."""

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, LibraryNumbers, Memory, PixelsFound
from solodark.dark_model.strips import (
    STRIP,
    Mixture,
    Posterior,
    empty_posterior,
    fill,
    log_of,
    normalise,
    solve_components,
    solve_forward,
)

__all__ = ["fit_strips"]

Array = NDArray[np.float64]

_OUTLIER_SIGMA2 = 9.0  # beyond 3 sigma a single frame loses weight as 1/deviation^2
_NEGLIGIBLE = 1e-5
_SATURATED = 1e6  # a saturated value's variance grows so much: it decides only where none else can
_MAX_LEVERAGE = 0.95
_MOST_SQUARE = 25.0  # in sigmas: what a single frame can tell of a pixel's noise
_RAREST = 1e-12  # share of pixels that scatter by one of the variances, at the least
_TERMS_IN_RANGE = 12  # so many variances can be multiplied without leaving the range of doubles


class _Strip(NamedTuple):
    """The numbers of one strip at work: few arrays, for compilers labour over many.

    The first axis is the quantity, the last counts the pixels.
    """

    frames: Array  # (5, n_frames, STRIP)
    series: Array  # (4, n_series, STRIP)
    grid: Array  # (3, t, STRIP)
    maps: Array  # (4, d, STRIP)
    matrices: Array  # (2, d, d, STRIP)
    rows: Array  # (8, STRIP)


_VALUE, _TARGET, _ERROR, _PRECISION, _WEIGHT = range(5)  # of frames; the fit is drawn to the target
_PULL, _MEAN, _NOISE, _LEVERAGE = range(4)  # of series; a pull is the sum of frames' weights
_SCATTER, _LOG_PRIOR, _LOG_REMEMBERED = range(3)  # of the grid
_MAPS, _PULLS, _RIGHT, _INVERSE = range(4)  # of maps
_INFORMATION, _FACTOR = range(2)  # of matrices
_EXCESS, _EVIDENCE, _SHARED, _TYPICAL, _TOTAL, _SUM, _SQUARES, _DOF = range(8)  # of rows


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def fit_strips(  # numpydoc ignore=PR01
    step: int,
    values: Any,
    library: LibraryNumbers,
    memory: Memory,
    iterations: int,
    found: PixelsFound,
    begin: int,
) -> None:
    """Fit one strip, and each so-many-eth after it."""
    n_frames, n = values.shape
    k, t_all = library.scatter_prior.shape
    d = library.design.shape[1]
    prior = Mixture(library.precisions, library.prior_pulls, library.log_norms)
    strip = _empty_strip(n_frames, d, t_all, library.amplitude2.size)
    posterior = empty_posterior(k, d)
    for first in range(begin * STRIP, n, step * STRIP):
        last = min(first + STRIP, n)
        _load(values[:, first:last], strip)
        for iteration in range(iterations):
            _recall(memory, first, last, strip)
            _weigh(strip, library, iteration)
            _mirror(strip.matrices[_INFORMATION])
            solve_components(strip.matrices[_INFORMATION], strip.maps[_PULLS], prior, posterior)
            _conclude_maps(posterior, library.scatter_prior, strip)
            if iteration == 0:  # before a residual is known, the pixels' classes speak
                for t in range(t_all):
                    _put(strip.grid[_LOG_PRIOR, t], strip.grid[_SCATTER, t])
                normalise(strip.grid[_SCATTER], strip.rows[_EVIDENCE])
            else:
                _choose_factor(posterior, strip)
                _average_series(strip, library)
                _measure_excess(strip, library.series_start)
                _weigh_scatter(strip, library)
        _hand_over(strip, posterior.odds, first, last, found)


@njit(cache=True)
def _hand_over(strip: _Strip, odds: Any, first: int, last: int, found: PixelsFound) -> None:
    d = len(found.maps)
    _put(strip.rows[_EXCESS], found.excess[first:last])
    _put(strip.rows[_EVIDENCE], found.evidence[first:last])
    for r in range(d):
        _put(strip.maps[_MAPS, r], found.maps[r, first:last])
        _put(strip.maps[_PULLS, r], found.pulls[r, first:last])
        for q in range(d):
            _put(strip.matrices[_INFORMATION, r, q], found.information[r, q, first:last])
    for t in range(len(found.scatter)):
        _put(strip.grid[_SCATTER, t], found.scatter[t, first:last])
    for k in range(len(odds)):
        _put(odds[k], found.odds[k, first:last])


@njit(cache=True)
def _put(row: Any, place: Any) -> None:
    """Copy as many pixels as there is a place for, or as there are."""
    for x in range(min(row.size, place.size)):
        place[x] = row[x]


@njit(cache=True)
def _empty_strip(n_frames: int, d: int, t: int, n_series: int) -> _Strip:
    return _Strip(
        np.zeros((5, n_frames, STRIP)),
        np.zeros((4, n_series, STRIP)),
        np.zeros((3, t, STRIP)),
        np.zeros((4, d, STRIP)),
        np.zeros((2, d, d, STRIP)),
        np.zeros((8, STRIP)),
    )


@njit(cache=True)
def _load(values: Any, strip: _Strip) -> None:
    """Take the values in; places beyond the last pixel keep those of the strip before."""
    for f in range(len(values)):
        _put(values[f], strip.frames[_VALUE, f])
    fill(strip.rows[_EXCESS], 1.0)


@njit(cache=True)
def _recall(memory: Memory, first: int, last: int, strip: _Strip) -> None:
    """Begin the sums with what frames seen before told."""
    d = strip.maps.shape[1]
    for r in range(d):
        fill(strip.maps[_PULLS, r], 0.0)
        for q in range(d):
            fill(strip.matrices[_INFORMATION, r, q], 0.0)
    if not memory.dof.size:
        return
    for r in range(d):
        _put(memory.pulls[r, first:last], strip.maps[_PULLS, r])
        for q in range(d):
            _put(memory.information[r, q, first:last], strip.matrices[_INFORMATION, r, q])
    for t in range(len(memory.log_scatter)):
        _put(memory.log_scatter[t, first:last], strip.grid[_LOG_REMEMBERED, t])
    _put(memory.squares[first:last], strip.rows[_SQUARES])
    _put(memory.dof[first:last], strip.rows[_DOF])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _weigh(strip: _Strip, library: LibraryNumbers, iteration: int) -> None:
    """Weigh every frame by its noise, the scatter of its series and robustness; add it up."""
    for g in range(library.amplitude2.size):
        frames = range(library.series_start[g], library.series_start[g + 1])
        fill(strip.series[_PULL, g], 0.0)
        for f in frames:
            if iteration == 0:
                _begin_with(strip, f, library.frame_variance[f], library.censor_adu)
            else:
                _deviate(strip, f, library)
        if iteration > 0:
            _share_of_noise(strip, library, g)
        for f in frames:
            if iteration > 0:
                _weigh_frame(strip, f)
            _accumulate(strip, f, library.design[f])
            for x in range(STRIP):
                strip.series[_PULL, g, x] += strip.frames[_WEIGHT, f, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _begin_with(strip: _Strip, f: int, variance: float, censor_adu: float) -> None:
    saturated = variance * _SATURATED
    for x in range(STRIP):
        value = strip.frames[_VALUE, f, x]
        strip.frames[_TARGET, f, x] = value
        strip.frames[_WEIGHT, f, x] = 1.0 / (saturated if value > censor_adu else variance)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _deviate(strip: _Strip, f: int, library: LibraryNumbers) -> None:
    """Deviation of a frame from the fit, and its noise there.

    Short of a saturated value the fit is pulled up; beyond it, hardly held where it is.
    """
    floor, slope, censor_adu = library.frame_variance[f], library.slope[f], library.censor_adu
    predicted = strip.rows[_TOTAL]
    fill(predicted, 0.0)
    for r in range(strip.maps.shape[1]):
        for x in range(STRIP):
            predicted[x] += library.design[f, r] * strip.maps[_MAPS, r, x]
    for x in range(STRIP):
        value, signal = strip.frames[_VALUE, f, x], max(predicted[x], 0.0)
        noise = strip.rows[_EXCESS, x] * (floor + signal * (slope + library.curvature * signal))
        full = value > censor_adu
        strip.frames[_PRECISION, f, x] = 1.0 / (noise * _SATURATED if full else noise)
        strip.frames[_TARGET, f, x] = max(value, predicted[x]) if full else value
    for x in range(STRIP):
        strip.frames[_ERROR, f, x] = strip.frames[_TARGET, f, x] - predicted[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _share_of_noise(strip: _Strip, library: LibraryNumbers, g: int) -> None:
    """Noise over noise plus scatter, for the mean of a series and for one of its frames."""
    first = library.series_start[g]
    n = library.series_start[g + 1] - first
    precision, scatter = strip.frames[_PRECISION, first], library.scatter_grid
    _expect_share(strip, scatter, library.amplitude2[g], precision, strip.rows[_TYPICAL])
    if n == 1:
        _put(strip.rows[_TYPICAL], strip.rows[_SHARED])
    else:
        _expect_share(strip, scatter, n * library.amplitude2[g], precision, strip.rows[_SHARED])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _expect_share(
    strip: _Strip, scatter_grid: Any, amplitude2: float, precision: Any, share: Any
) -> None:
    """Sum up ``weight / (1 + scatter * precision)``, as fractions that are divided out rarely."""
    above, below = strip.rows[_SUM], strip.rows[_TOTAL]
    fill(share, 0.0)
    fill(above, 0.0)
    fill(below, 1.0)
    for t in range(scatter_grid.size):
        weights, term = strip.grid[_SCATTER, t], scatter_grid[t] * amplitude2
        for x in range(STRIP):
            weight = weights[x] if weights[x] > _NEGLIGIBLE else 0.0
            total = 1.0 + term * precision[x]
            above[x] = above[x] * total + weight * below[x]
            below[x] *= total
        if t % _TERMS_IN_RANGE == _TERMS_IN_RANGE - 1 or t == scatter_grid.size - 1:
            for x in range(STRIP):
                share[x] += above[x] / below[x]
                above[x], below[x] = 0.0, 1.0


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _weigh_frame(strip: _Strip, f: int) -> None:
    for x in range(STRIP):
        part = strip.frames[_PRECISION, f, x]
        z2 = (
            strip.frames[_ERROR, f, x] * strip.frames[_ERROR, f, x] * strip.rows[_TYPICAL, x] * part
        )
        robust = _OUTLIER_SIGMA2 / max(z2, _OUTLIER_SIGMA2)
        strip.frames[_WEIGHT, f, x] = strip.rows[_SHARED, x] * part * robust


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _accumulate(strip: _Strip, f: int, design: Any) -> None:
    for r in range(design.size):
        if design[r] == 0.0:
            continue
        for x in range(STRIP):
            strip.maps[_PULLS, r, x] += (
                design[r] * strip.frames[_WEIGHT, f, x] * strip.frames[_TARGET, f, x]
            )
        for q in range(r + 1):
            both = design[r] * design[q]
            for x in range(STRIP):
                strip.matrices[_INFORMATION, r, q, x] += both * strip.frames[_WEIGHT, f, x]


@njit(cache=True)
def _mirror(matrix: Any) -> None:
    for r in range(len(matrix)):
        for q in range(r):
            _put(matrix[r, q], matrix[q, r])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _conclude_maps(posterior: Posterior, scatter_prior: Any, strip: _Strip) -> None:
    """Average the components: maps, and the logarithms of the scatter's prior."""
    for r in range(strip.maps.shape[1]):
        fill(strip.maps[_MAPS, r], 0.0)
        for k in range(len(posterior.odds)):
            odds, centres, average = (
                posterior.odds[k],
                posterior.centres[k, r],
                strip.maps[_MAPS, r],
            )
            for x in range(STRIP):
                average[x] += odds[x] * centres[x]
    for t in range(strip.grid.shape[1]):
        prior, remembered = strip.grid[_LOG_PRIOR, t], strip.grid[_LOG_REMEMBERED, t]
        fill(prior, _RAREST)
        for k in range(len(posterior.odds)):
            odds, often = posterior.odds[k], scatter_prior[k, t]
            for x in range(STRIP):
                prior[x] += odds[x] * often
        for x in range(STRIP):
            prior[x] = log_of(prior[x]) + remembered[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _choose_factor(posterior: Posterior, strip: _Strip) -> None:
    """Take the factors of each pixel's likeliest component."""
    best = strip.rows[_TOTAL]
    fill(best, -1.0)
    for k in range(len(posterior.odds)):
        better = posterior.odds[k] > best
        for r in range(strip.maps.shape[1]):
            _take(better, posterior.inverses[k, r], strip.maps[_INVERSE, r])
            for q in range(r):
                _take(better, posterior.factors[k, r, q], strip.matrices[_FACTOR, r, q])
        _take(better, posterior.odds[k], best)


@njit(cache=True)
def _take(where: Any, new: Any, row: Any) -> None:
    for x in range(STRIP):
        row[x] = new[x] if where[x] else row[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _average_series(strip: _Strip, library: LibraryNumbers) -> None:
    """Mean residual of each series, its variance from noise alone, and its pull on the fit."""
    for g in range(library.amplitude2.size):
        first, last = library.series_start[g], library.series_start[g + 1]
        fill(strip.series[_NOISE, g], 0.0)
        fill(strip.series[_MEAN, g], 0.0)
        for f in range(first, last):
            _residual(strip, f, library.design[f])
            _put(strip.frames[_PRECISION, f], strip.rows[_SUM])
            if last - first > 2:
                _lower_outliers(strip.frames[_ERROR, f], strip.rows[_SUM])
            for x in range(STRIP):
                strip.series[_NOISE, g, x] += strip.rows[_SUM, x]
                strip.series[_MEAN, g, x] += strip.rows[_SUM, x] * strip.frames[_ERROR, f, x]
        for x in range(STRIP):
            strip.series[_NOISE, g, x] = 1.0 / strip.series[_NOISE, g, x]
            strip.series[_MEAN, g, x] *= strip.series[_NOISE, g, x]
        # The states of one series are close to each other: the middle one speaks for all.
        _find_leverage(strip, library.design[(first + last) // 2], g)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _lower_outliers(error: Any, precision: Any) -> None:
    """Let no frame pull the mean of its series by more than three of its sigmas."""
    for x in range(STRIP):
        z2 = error[x] * error[x] * precision[x]
        precision[x] *= sqrt(_OUTLIER_SIGMA2 / max(z2, _OUTLIER_SIGMA2))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _residual(strip: _Strip, f: int, design: Any) -> None:
    _put(strip.frames[_TARGET, f], strip.frames[_ERROR, f])
    for r in range(design.size):
        for x in range(STRIP):
            strip.frames[_ERROR, f, x] -= design[r] * strip.maps[_MAPS, r, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _find_leverage(strip: _Strip, design: Any, g: int) -> None:
    for r in range(design.size):
        fill(strip.maps[_RIGHT, r], design[r])
    solve_forward(strip.matrices[_FACTOR], strip.maps[_RIGHT])
    fill(strip.rows[_TOTAL], 0.0)
    for r in range(design.size):
        half_solved, inverse = strip.maps[_RIGHT, r], strip.maps[_INVERSE, r]
        for x in range(STRIP):
            strip.rows[_TOTAL, x] += half_solved[x] * half_solved[x] * inverse[x]
    for x in range(STRIP):
        strip.series[_LEVERAGE, g, x] = min(
            strip.rows[_TOTAL, x] * strip.series[_PULL, g, x], _MAX_LEVERAGE
        )


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _measure_excess(strip: _Strip, series_start: Any) -> None:
    """Noise of each pixel over that of its class, from the scatter inside series."""
    own_dof = 0.0
    fill(strip.rows[_TOTAL], 0.0)
    for g in range(series_start.size - 1):
        first, last = series_start[g], series_start[g + 1]
        if last - first < 2:
            continue
        own_dof += last - first - 1
        for f in range(first, last):
            for x in range(STRIP):
                deviation = strip.frames[_ERROR, f, x] - strip.series[_MEAN, g, x]
                square = deviation * deviation * strip.frames[_PRECISION, f, x]
                strip.rows[_TOTAL, x] += min(square, _MOST_SQUARE)
    for x in range(STRIP):
        squares = (
            EXCESS_PRIOR_DOF
            + strip.rows[_SQUARES, x]
            + strip.rows[_TOTAL, x] * strip.rows[_EXCESS, x]
        )
        strip.rows[_EXCESS, x] = squares / (EXCESS_PRIOR_DOF + strip.rows[_DOF, x] + own_dof)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _weigh_scatter(strip: _Strip, library: LibraryNumbers) -> None:
    """Posterior of the series scatter on its grid, from residuals that left their series out."""
    n_series, left_out = library.amplitude2.size, strip.rows[_SUM]
    product, squares = strip.rows[_TOTAL], strip.rows[_SHARED]  # fractions, rarely divided out
    fill(left_out, 0.0)
    for g in range(n_series):
        for x in range(STRIP):  # from here on: the squared mean residual over what is left
            left = 1.0 - strip.series[_LEVERAGE, g, x]
            left_out[x] += 0.5 * log_of(left)
            strip.series[_MEAN, g, x] *= strip.series[_MEAN, g, x] / left
    for t in range(library.scatter_grid.size):
        likelihood = strip.grid[_SCATTER, t]
        for x in range(STRIP):
            likelihood[x] = strip.grid[_LOG_PRIOR, t, x] + left_out[x]
            product[x], squares[x] = 1.0, 0.0
        for g in range(n_series):
            term = library.scatter_grid[t] * library.amplitude2[g]
            for x in range(STRIP):
                spread = strip.series[_NOISE, g, x] + term
                squares[x] = squares[x] * spread + strip.series[_MEAN, g, x] * product[x]
                product[x] *= spread
            if g % _TERMS_IN_RANGE == _TERMS_IN_RANGE - 1 or g == n_series - 1:
                for x in range(STRIP):
                    likelihood[x] -= 0.5 * (log_of(product[x]) + squares[x] / product[x])
                    product[x], squares[x] = 1.0, 0.0
    normalise(strip.grid[_SCATTER], strip.rows[_EVIDENCE])
