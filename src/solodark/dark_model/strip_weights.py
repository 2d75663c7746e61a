"""The weight of every frame in the fit of a strip: by its noise, its series and its deviation."""

from typing import Any

import numpy as np

from solodark.compiled import njit
from solodark.dark_model.pixel_numbers import LibraryNumbers
from solodark.dark_model.strip_numbers import (
    ERROR,
    EXCESS,
    INFORMATION,
    MAPS,
    OUTLIER_SIGMA2,
    PRECISION,
    PULL,
    PULLS,
    SCATTER,
    SHARED,
    SUM,
    TARGET,
    TERMS_IN_RANGE,
    TOTAL,
    TYPICAL,
    VALUE,
    WEIGHT,
    Strip,
)
from solodark.dark_model.strips import STRIP, fill, put

__all__ = ["weigh_frames"]

_NEGLIGIBLE = 1e-5
_SATURATED = 1e6  # a saturated value's variance grows so much: it decides only where none else can


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def weigh_frames(  # numpydoc ignore=PR01
    strip: Strip, library: LibraryNumbers, iteration: int
) -> None:
    """Weigh every frame by its noise, the scatter of its series and robustness; add it up."""
    for g in range(library.amplitude2.size):
        frames = range(library.series_start[g], library.series_start[g + 1])
        fill(strip.series[PULL, g], 0.0)
        for f in frames:
            if iteration == 0:
                _begin_with(strip, f, library)
            else:
                _deviate(strip, f, library)
        if iteration > 0:
            _share_of_noise(strip, library, g)
        for f in frames:
            if iteration > 0:
                _weigh_frame(strip, f, library.frame_count[f])
            _accumulate(strip, f, library.design[f])
            for x in range(STRIP):
                strip.series[PULL, g, x] += strip.frames[WEIGHT, f, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _begin_with(strip: Strip, f: int, library: LibraryNumbers) -> None:
    weight, censor_adu = library.frame_count[f] / library.frame_variance[f], library.censor_adu
    saturated = weight / _SATURATED
    for x in range(STRIP):
        value = strip.frames[VALUE, f, x]
        usable = value <= censor_adu  # neither full nor unknown
        strip.frames[TARGET, f, x] = 0.0 if np.isnan(value) else value
        strip.frames[WEIGHT, f, x] = weight if usable else saturated


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _deviate(strip: Strip, f: int, library: LibraryNumbers) -> None:
    """Deviation of a frame from the fit, and its noise there.

    Short of a saturated value the fit is pulled up; beyond it, hardly held where it is, and so
    where a value is unknown.
    """
    floor, slope, censor_adu = library.frame_variance[f], library.slope[f], library.censor_adu
    predicted = strip.rows[TOTAL]
    fill(predicted, 0.0)
    for r in range(strip.maps.shape[1]):
        for x in range(STRIP):
            predicted[x] += library.design[f, r] * strip.maps[MAPS, r, x]
    for x in range(STRIP):
        value, signal = strip.frames[VALUE, f, x], max(predicted[x], 0.0)
        noise = strip.rows[EXCESS, x] * (floor + signal * (slope + library.curvature * signal))
        usable = value <= censor_adu
        beyond = max(predicted[x], value)  # in this order: not a number is never the larger one
        strip.frames[PRECISION, f, x] = 1.0 / (noise if usable else noise * _SATURATED)
        strip.frames[TARGET, f, x] = value if usable else beyond
    for x in range(STRIP):
        strip.frames[ERROR, f, x] = strip.frames[TARGET, f, x] - predicted[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _share_of_noise(strip: Strip, library: LibraryNumbers, g: int) -> None:
    """Noise over noise plus scatter, for the mean of a series and for one of its frames."""
    first = library.series_start[g]
    n = library.frame_count[first : library.series_start[g + 1]].sum()
    precision, scatter = strip.frames[PRECISION, first], library.scatter_grid
    _expect_share(strip, scatter, library.amplitude2[g], precision, strip.rows[TYPICAL])
    if n == 1.0:
        put(strip.rows[TYPICAL], strip.rows[SHARED])
    else:
        _expect_share(strip, scatter, n * library.amplitude2[g], precision, strip.rows[SHARED])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _expect_share(
    strip: Strip, scatter_grid: Any, amplitude2: float, precision: Any, share: Any
) -> None:
    """Sum up ``weight / (1 + scatter * precision)``, as fractions that are divided out rarely."""
    above, below = strip.rows[SUM], strip.rows[TOTAL]
    fill(share, 0.0)
    fill(above, 0.0)
    fill(below, 1.0)
    for t in range(scatter_grid.size):
        weights, term = strip.grid[SCATTER, t], scatter_grid[t] * amplitude2
        for x in range(STRIP):
            weight = weights[x] if weights[x] > _NEGLIGIBLE else 0.0
            total = 1.0 + term * precision[x]
            above[x] = above[x] * total + weight * below[x]
            below[x] *= total
        if t % TERMS_IN_RANGE == TERMS_IN_RANGE - 1 or t == scatter_grid.size - 1:
            for x in range(STRIP):
                share[x] += above[x] / below[x]
                above[x], below[x] = 0.0, 1.0


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _weigh_frame(strip: Strip, f: int, count: float) -> None:
    for x in range(STRIP):
        part = strip.frames[PRECISION, f, x]
        z2 = strip.frames[ERROR, f, x] * strip.frames[ERROR, f, x] * strip.rows[TYPICAL, x] * part
        robust = OUTLIER_SIGMA2 / max(z2, OUTLIER_SIGMA2)
        strip.frames[WEIGHT, f, x] = count * strip.rows[SHARED, x] * part * robust


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _accumulate(strip: Strip, f: int, design: Any) -> None:
    for r in range(design.size):
        if design[r] == 0.0:
            continue
        for x in range(STRIP):
            strip.maps[PULLS, r, x] += (
                design[r] * strip.frames[WEIGHT, f, x] * strip.frames[TARGET, f, x]
            )
        for q in range(r + 1):
            both = design[r] * design[q]
            for x in range(STRIP):
                strip.matrices[INFORMATION, r, q, x] += both * strip.frames[WEIGHT, f, x]
