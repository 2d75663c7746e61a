"""What the fit of a strip leaves: each pixel's noise, and its scatter from series to series."""

from math import sqrt
from typing import Any

import numpy as np

from solodark.compiled import njit
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, LibraryNumbers
from solodark.dark_model.strip_numbers import (
    DOF,
    ERROR,
    EVIDENCE,
    EXCESS,
    FACTOR,
    INVERSE,
    LEVERAGE,
    LOG_PRIOR,
    MAPS,
    MEAN,
    NOISE,
    OUTLIER_SIGMA2,
    PRECISION,
    PULL,
    RIGHT,
    SCATTER,
    SHARED,
    SQUARES,
    SUM,
    TARGET,
    TERMS_IN_RANGE,
    TOTAL,
    VALUE,
    WEIGHT,
    Strip,
)
from solodark.dark_model.strips import STRIP, Posterior, fill, log_of, normalise, put, solve_forward

__all__ = ["average_series", "choose_factor", "keep_means", "measure_excess", "weigh_scatter"]

_MAX_LEVERAGE = 0.95
_MOST_SQUARE = 25.0  # in sigmas: what a single frame can tell of a pixel's noise


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def choose_factor(posterior: Posterior, strip: Strip) -> None:  # numpydoc ignore=PR01
    """Take the factors of each pixel's likeliest component."""
    best = strip.rows[TOTAL]
    fill(best, -1.0)
    for k in range(len(posterior.odds)):
        better = posterior.odds[k] > best
        for r in range(strip.maps.shape[1]):
            _take(better, posterior.inverses[k, r], strip.maps[INVERSE, r])
            for q in range(r):
                _take(better, posterior.factors[k, r, q], strip.matrices[FACTOR, r, q])
        _take(better, posterior.odds[k], best)


@njit(cache=True)
def _take(where: Any, new: Any, row: Any) -> None:
    for x in range(STRIP):
        row[x] = new[x] if where[x] else row[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def average_series(strip: Strip, library: LibraryNumbers) -> None:  # numpydoc ignore=PR01
    """Mean residual of each series, its variance from noise alone, and its pull on the fit."""
    for g in range(library.amplitude2.size):
        first, last = library.series_start[g], library.series_start[g + 1]
        fill(strip.series[NOISE, g], 0.0)
        fill(strip.series[MEAN, g], 0.0)
        for f in range(first, last):
            _residual(strip, f, library.design[f])
            for x in range(STRIP):
                strip.rows[SUM, x] = library.frame_count[f] * strip.frames[PRECISION, f, x]
            if last - first > 2:
                _lower_outliers(strip.frames[ERROR, f], strip.rows[SUM])
            for x in range(STRIP):
                strip.series[NOISE, g, x] += strip.rows[SUM, x]
                strip.series[MEAN, g, x] += strip.rows[SUM, x] * strip.frames[ERROR, f, x]
        for x in range(STRIP):
            strip.series[NOISE, g, x] = 1.0 / strip.series[NOISE, g, x]
            strip.series[MEAN, g, x] *= strip.series[NOISE, g, x]
        # The states of one series are close to each other: the middle one speaks for all.
        _find_leverage(strip, library.design[(first + last) // 2], g)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def keep_means(  # numpydoc ignore=PR01
    strip: Strip, library: LibraryNumbers, residuals: Any
) -> None:
    """Average what the maps leave of the series that are kept in one mean, as the fit weighed them.

    Infinite where all frames are full, and NaN where all are unknown.
    """
    total, weights, seen = strip.rows[TOTAL], strip.rows[SUM], strip.rows[SHARED]
    for m in range(len(residuals)):
        fill(total, 0.0)
        fill(weights, 0.0)
        fill(seen, np.nan)
        for g in range(library.kept_as.size):
            if library.kept_as[g] != m:
                continue
            for f in range(library.series_start[g], library.series_start[g + 1]):
                _add_residual(strip, f, library.censor_adu, total, weights, seen)
        for x in range(min(STRIP, residuals.shape[1])):
            residuals[m, x] = total[x] / weights[x] if seen[x] == 0.0 else seen[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_residual(
    strip: Strip, f: int, censor_adu: float, total: Any, weights: Any, seen: Any
) -> None:
    """Add a frame to a mean; `seen` is 0 where one is usable, infinite where only full ones are."""
    for x in range(STRIP):
        value, weight = strip.frames[VALUE, f, x], strip.frames[WEIGHT, f, x]
        total[x] += weight * strip.frames[ERROR, f, x]
        weights[x] += weight
        full = value > censor_adu and seen[x] != 0.0
        seen[x] = np.inf if full else seen[x]
        seen[x] = 0.0 if value <= censor_adu else seen[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _lower_outliers(error: Any, precision: Any) -> None:
    """Let no frame pull the mean of its series by more than three of its sigmas."""
    for x in range(STRIP):
        z2 = error[x] * error[x] * precision[x]
        precision[x] *= sqrt(OUTLIER_SIGMA2 / max(z2, OUTLIER_SIGMA2))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _residual(strip: Strip, f: int, design: Any) -> None:
    put(strip.frames[TARGET, f], strip.frames[ERROR, f])
    for r in range(design.size):
        for x in range(STRIP):
            strip.frames[ERROR, f, x] -= design[r] * strip.maps[MAPS, r, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _find_leverage(strip: Strip, design: Any, g: int) -> None:
    for r in range(design.size):
        fill(strip.maps[RIGHT, r], design[r])
    solve_forward(strip.matrices[FACTOR], strip.maps[RIGHT])
    fill(strip.rows[TOTAL], 0.0)
    for r in range(design.size):
        half_solved, inverse = strip.maps[RIGHT, r], strip.maps[INVERSE, r]
        for x in range(STRIP):
            strip.rows[TOTAL, x] += half_solved[x] * half_solved[x] * inverse[x]
    for x in range(STRIP):
        strip.series[LEVERAGE, g, x] = min(
            strip.rows[TOTAL, x] * strip.series[PULL, g, x], _MAX_LEVERAGE
        )


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def measure_excess(strip: Strip, series_start: Any) -> None:  # numpydoc ignore=PR01
    """Noise of each pixel over that of its class, from the scatter inside series."""
    own_dof = 0.0
    fill(strip.rows[TOTAL], 0.0)
    for g in range(series_start.size - 1):
        first, last = series_start[g], series_start[g + 1]
        if last - first < 2:
            continue
        own_dof += last - first - 1
        for f in range(first, last):
            for x in range(STRIP):
                deviation = strip.frames[ERROR, f, x] - strip.series[MEAN, g, x]
                square = deviation * deviation * strip.frames[PRECISION, f, x]
                strip.rows[TOTAL, x] += min(square, _MOST_SQUARE)
    for x in range(STRIP):
        squares = (
            EXCESS_PRIOR_DOF + strip.rows[SQUARES, x] + strip.rows[TOTAL, x] * strip.rows[EXCESS, x]
        )
        strip.rows[EXCESS, x] = squares / (EXCESS_PRIOR_DOF + strip.rows[DOF, x] + own_dof)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def weigh_scatter(strip: Strip, library: LibraryNumbers) -> None:  # numpydoc ignore=PR01
    """Posterior of the series scatter on its grid, from residuals that left their series out."""
    n_series, left_out = library.amplitude2.size, strip.rows[SUM]
    product, squares = strip.rows[TOTAL], strip.rows[SHARED]  # fractions, rarely divided out
    fill(left_out, 0.0)
    for g in range(n_series):
        for x in range(STRIP):  # from here on: the squared mean residual over what is left
            left = 1.0 - strip.series[LEVERAGE, g, x]
            left_out[x] += 0.5 * log_of(left)
            strip.series[MEAN, g, x] *= strip.series[MEAN, g, x] / left
    for t in range(library.scatter_grid.size):
        likelihood = strip.grid[SCATTER, t]
        for x in range(STRIP):
            likelihood[x] = strip.grid[LOG_PRIOR, t, x] + left_out[x]
            product[x], squares[x] = 1.0, 0.0
        for g in range(n_series):
            term = library.scatter_grid[t] * library.amplitude2[g]
            for x in range(STRIP):
                spread = strip.series[NOISE, g, x] + term
                squares[x] = squares[x] * spread + strip.series[MEAN, g, x] * product[x]
                product[x] *= spread
            if g % TERMS_IN_RANGE == TERMS_IN_RANGE - 1 or g == n_series - 1:
                for x in range(STRIP):
                    likelihood[x] -= 0.5 * (log_of(product[x]) + squares[x] / product[x])
                    product[x], squares[x] = 1.0, 0.0
    normalise(strip.grid[SCATTER], strip.rows[EVIDENCE])
