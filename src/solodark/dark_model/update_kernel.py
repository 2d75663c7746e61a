"""The update of every pixel by one new sub, compiled.

The model says ``m`` with variance ``P + scatter`` (the scatter on its grid of variances), the sub
says ``y`` with variance ``V``. Each variance of the grid gets the weight that library and sub
together give it. A bright surprise is either a pixel that has changed since the library was taken,
and is then believed, or a cosmic ray in this one sub, and is then left out: the years since the
library speak for the first, the rate of cosmic rays in the library and bright neighbours (a track)
for the second. The result is the posterior mean: a soft mixture, never a switch.

Pixels are worked on in strips of a row, one step for all pixels of a strip after the other. All
numbers of a strip lie in one array, each quantity at its own constant place, so that the compiler
sees that steps do not disturb each other, and takes many pixels at once.
"""

from math import isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["PixelNumbers", "SubNumbers", "update_pixels"]

_SURPRISE2 = 36.0  # six sigma
# Chance that a bright neighbour stands beside a cosmic ray's pixel, and beside a changed one; and
# that another is near these two, as on a track of three.
_NEIGHBOUR_OF_COSMIC, _TRACK_OF_COSMIC = 0.7, 0.5
_NEIGHBOUR_OF_CHANGED, _TRACK_OF_CHANGED = 0.02, 0.05
_NEAR = 2  # pixels on either side
# A hot pixel, ten sigma of its noise bright, hops and saturates as ordinary ones never do.
_HOT2 = np.float32(100.0)
_HOT_CHANGES = np.float32(1e-3)
# Beyond the linear range, as many pixels fall short of what is foretold as follow it.
_BENT = np.float32(0.5)
# A pixel can do worse than it ever did; a tenth of that by another step of the grid, and so on.
_LEAK = np.float32(0.01)
_LEAK_2 = np.float32(0.001)
_LEAK_3 = np.float32(0.0001)
_KEPT = np.float32(1.0 / (1.0 + 0.01 + 0.001 + 0.0001))
_TAIL = 3
_HALF, _ONE, _ZERO = np.float32(0.5), np.float32(1.0), np.float32(0.0)
_OCTAVES, _LN_2 = np.float32(1.442695041), np.float32(0.693147181)
_MOST_OCTAVES = np.float32(126.0)
_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)  # of a float32's exponent
_F2, _F3, _F4, _F5, _F6 = (np.float32(1.0 / n) for n in (2, 6, 24, 120, 720))

_STRIP = 256  # pixels: their numbers fit into the fastest cache
(
    _SIGNAL,  # as predicted, ADU
    _ERROR,  # the sub's deviation from it
    _HALF_SQUARE,  # of the deviation
    _VARIANCE,  # of the prediction
    _EXCESS,
    _NOISE,  # variance of the sub
    _BORN,  # share that may have changed, or been hit by a cosmic ray
    _REAL,  # how far a surprise is believed
    _WIDEST,  # inverse variance of the widest part of the mixture
    _FIELD,
    _SHARE,  # of the part at hand
    _NEW,  # weight of the library's at the step of the grid at hand, and at those before
    _LAST,
    _LAST_2,
    _LAST_3,
    _SUM,  # of weights that are believed, and below those of the other sums over the mixture
    _KNOWN,
    _DOUBTED,
    _GAIN,
    _LOSS,
    _GAIN_LOSS,
    _SPREAD,
) = (_STRIP * place for place in range(22))
_PLACES = 22 * _STRIP


class PixelNumbers(NamedTuple):
    """What is known of every pixel, and how the sub deviates from it; images of one shape.

    Attributes
    ----------
    pattern : ndarray of float32, shape (ny, nx)
        As the maps foretell it, ADU above the level.
    field : ndarray of float32, shape (ny, nx)
        The smooth part that is new in this sub, ADU.
    deviation : ndarray of float32, shape (ny, nx)
        The sub less both, ADU.
    variance : ndarray of float32, shape (ny, nx)
        Of the pattern, from the maps' own error, ADU^2.
    excess : ndarray of float32, shape (ny, nx)
        Temporal noise over that of an ordinary pixel with the same signal, a variance ratio.
    scatter : ndarray of uint8, shape (t, ny, nx)
        Weight of each variance on the scatter grid, coded.
    """

    pattern: NDArray[np.float32]
    field: NDArray[np.float32]
    deviation: NDArray[np.float32]
    variance: NDArray[np.float32]
    excess: NDArray[np.float32]
    scatter: NDArray[np.uint8]


class SubNumbers(NamedTuple):
    """What holds for all pixels of one sub.

    Attributes
    ----------
    frame_variance, slope, curvature : float
        Noise of an ordinary pixel without signal, ADU^2, and its growth with signal.
    censor_adu, ceiling_adu : float
        Above the one a pixel may no longer be linear, above the other it is full.
    changed_share, cosmic_share : float
        Share of the pixels that have changed, and that a cosmic ray hit in this sub.
    """

    frame_variance: float
    slope: float
    curvature: float
    censor_adu: float
    ceiling_adu: float
    changed_share: float
    cosmic_share: float


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def update_pixels(  # numpydoc ignore=PR01
    pixels: PixelNumbers,
    weight_of_code: Any,
    scatter_variances: Any,
    changed_variances: Any,
    sub: SubNumbers,
) -> Any:
    """Posterior mean and variance of all pixels, and whether each is likelier changed than not.

    The variances of scatter and changes are those at the strength of the sub's dark signal. Mean
    and variance take the place of `deviation` and `field`: fresh memory would cost more time than
    all of the arithmetic.
    """
    ny, nx = pixels.pattern.shape
    mean, variance = pixels.deviation, pixels.field
    changed = np.empty((ny, nx), np.bool_)
    bright = _find_bright(pixels, weight_of_code, scatter_variances, sub)
    for y in prange(ny):
        work = np.zeros(_PLACES, np.float32)
        for first in range(0, nx, _STRIP):
            here = slice(first, min(first + _STRIP, nx))
            around = bright[y : y + 2 * _NEAR + 1, first : here.stop + 2 * _NEAR]
            _put(pixels.pattern[y, here], work, _SIGNAL)
            _put(pixels.field[y, here], work, _FIELD)
            _put(pixels.deviation[y, here], work, _ERROR)
            _put(pixels.variance[y, here], work, _VARIANCE)
            _put(pixels.excess[y, here], work, _EXCESS)
            _begin(work, changed_variances[-1], sub)
            _expect_change(work, around, sub)
            codes = pixels.scatter[:, y, here]
            _add_library(work, codes, weight_of_code, scatter_variances, sub)
            _add_changes(work, changed_variances, sub)
            _conclude(work, sub, mean[y, here], variance[y, here], changed[y, here])
            for i in range(here.stop - first):
                if not isfinite(work[_ERROR + i]):
                    scatter = _mean_scatter(codes[:, i], weight_of_code, scatter_variances)
                    mean[y, first + i], changed[y, first + i] = work[_SIGNAL + i], False
                    variance[y, first + i] = work[_VARIANCE + i] + scatter
    return mean, variance, changed


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _find_bright(
    pixels: PixelNumbers, weight_of_code: Any, scatter_variances: Any, sub: SubNumbers
) -> Any:
    """Mark pixels that are brighter than six sigma foresee; an edge of `_NEAR` pixels has none."""
    ny, nx = pixels.pattern.shape
    bright = np.zeros((ny + 2 * _NEAR, nx + 2 * _NEAR), np.uint8)
    floor, slope, curvature = _noise_numbers(sub)
    for y in prange(ny):
        for x in range(nx):
            error = pixels.deviation[y, x]
            if error > 0.0:
                signal = pixels.pattern[y, x] + pixels.field[y, x]
                known = _noise(signal, pixels.excess[y, x], floor, slope, curvature)
                known += pixels.variance[y, x]
                if error * error > _SURPRISE2 * known:
                    codes = pixels.scatter[:, y, x]
                    known += _mean_scatter(codes, weight_of_code, scatter_variances)
                    bright[y + _NEAR, x + _NEAR] = error * error > _SURPRISE2 * known
    return bright


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _put(values: Any, work: Any, place: int) -> None:
    for i in range(values.size):
        work[place + i] = values[i]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _begin(work: Any, widest: float, sub: SubNumbers) -> None:
    """Deviations, noise and empty sums."""
    most = np.float32(widest)
    floor, slope, curvature = _noise_numbers(sub)
    for i in range(_STRIP):
        work[_SIGNAL + i] += work[_FIELD + i]
        work[_HALF_SQUARE + i] = _HALF * work[_ERROR + i] * work[_ERROR + i]
        work[_NOISE + i] = _noise(work[_SIGNAL + i], work[_EXCESS + i], floor, slope, curvature)
        work[_WIDEST + i] = _ONE / (work[_VARIANCE + i] + work[_NOISE + i] + most)
    for i in range(_SUM, _PLACES):
        work[i] = _ZERO
    for i in range(_NEW, _SUM):
        work[i] = _ZERO


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _expect_change(work: Any, bright: Any, sub: SubNumbers) -> None:
    """Chance of a change and of a cosmic ray, and how far a surprise is believed."""
    censor_adu = np.float32(sub.censor_adu)
    for i in range(bright.shape[1] - 2 * _NEAR):
        work[_BORN + i], work[_REAL + i] = _chances(bright, i, sub)
    for i in range(_STRIP):
        born, signal = work[_BORN + i], max(work[_SIGNAL + i], _ZERO)
        if signal * signal > _HOT2 * work[_NOISE + i]:  # its neighbours are often bright too
            born = max(born, _HOT_CHANGES)
        # Cosmic rays only ever brighten, so that half of their distribution counts double.
        hit = work[_REAL + i] + work[_REAL + i] if work[_ERROR + i] > _ZERO else _ZERO
        if min(signal, signal + work[_ERROR + i]) > censor_adu:
            born, hit = _BENT, _ZERO
        work[_BORN + i] = born + hit
        # Sharpened: a mean of both would leave a seventh of every hot pixel that is likely one.
        work[_REAL + i] = born * born * born / (born * born * born + hit * hit * hit)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _chances(bright: Any, i: int, sub: SubNumbers) -> Any:
    """Share of the pixels that changed, and of those a ray hit, among such bright neighbours."""
    born, hit = sub.changed_share, sub.cosmic_share
    if not _count(bright, i, 1):
        born, hit = born * (1.0 - _NEIGHBOUR_OF_CHANGED), hit * (1.0 - _NEIGHBOUR_OF_COSMIC)
    elif _count(bright, i, _NEAR) < 2:
        born *= _NEIGHBOUR_OF_CHANGED * (1.0 - _TRACK_OF_CHANGED)
        hit *= _NEIGHBOUR_OF_COSMIC * (1.0 - _TRACK_OF_COSMIC)
    else:
        born *= _NEIGHBOUR_OF_CHANGED * _TRACK_OF_CHANGED
        hit *= _NEIGHBOUR_OF_COSMIC * _TRACK_OF_COSMIC
    return np.float32(born), np.float32(hit)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _count(bright: Any, i: int, reach: int) -> Any:
    """Count bright pixels around pixel i of the middle row, itself left out."""
    total = 0
    for y in range(_NEAR - reach, _NEAR + reach + 1):
        for x in range(i + _NEAR - reach, i + _NEAR + reach + 1):
            total += int(bright[y, x])
    return total - int(bright[_NEAR, i + _NEAR])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_library(
    work: Any, codes: Any, weight_of_code: Any, variances: Any, sub: SubNumbers
) -> None:
    """Add what the library knows: each variance of its grid, with a tail towards larger ones."""
    idle = _TAIL + 1  # steps of the grid since the last that any pixel of the strip had
    for t in range(variances.size):
        idle = 0 if codes[t].any() else idle + 1
        if idle > _TAIL:
            continue
        for i in range(codes.shape[1]):
            work[_NEW + i] = weight_of_code[codes[t, i]]
        for i in range(_STRIP):
            share = _KEPT * work[_NEW + i] + _LEAK * work[_LAST + i]
            work[_SHARE + i] = share + _LEAK_2 * work[_LAST_2 + i] + _LEAK_3 * work[_LAST_3 + i]
            work[_LAST_3 + i] = work[_LAST_2 + i]
            work[_LAST_2 + i] = work[_LAST + i]
            work[_LAST + i] = work[_NEW + i]
        _add_part(work, np.float32(variances[t]), False, sub)
    for i in range(_STRIP):
        work[_KNOWN + i] = work[_SUM + i]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_changes(work: Any, variances: Any, sub: SubNumbers) -> None:
    """Add that a pixel has changed by as much as each variance says, or that a ray hit it."""
    each = np.float32(1.0 / variances.size)
    for i in range(_STRIP):
        work[_SHARE + i] = work[_BORN + i] * each
    for variance in variances:
        _add_part(work, np.float32(variance), True, sub)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_part(work: Any, extra: Any, is_change: bool, sub: SubNumbers) -> None:
    """Add a part of the mixture: a pixel that is uncertain by a variance more than its maps are."""
    floor, slope, curvature = _noise_numbers(sub)
    for i in range(_STRIP):
        prior = work[_VARIANCE + i] + extra
        expected = work[_SIGNAL + i] + prior / (prior + work[_NOISE + i]) * work[_ERROR + i]
        noise = _noise(expected, work[_EXCESS + i], floor, slope, curvature)
        inverse = _ONE / (prior + noise)
        weight = work[_SHARE + i] * sqrt(inverse)
        weight *= _exp(work[_HALF_SQUARE + i] * (work[_WIDEST + i] - inverse))
        believed = weight * work[_REAL + i] if is_change else weight
        gain, loss = prior * inverse, noise * inverse
        work[_SUM + i] += believed
        work[_DOUBTED + i] += weight - believed
        work[_GAIN + i] += believed * gain
        work[_LOSS + i] += believed * loss
        work[_GAIN_LOSS + i] += believed * gain * loss
        work[_SPREAD + i] += believed * gain * noise


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _conclude(work: Any, sub: SubNumbers, mean: Any, variance: Any, changed: Any) -> None:
    """Mean and variance of the mixture; what is doubted leaves a pixel as predicted.

    The parts' gains differ by what no difference of squares would keep in single precision.
    """
    censor_adu, ceiling_adu = np.float32(sub.censor_adu), np.float32(sub.ceiling_adu)
    for i in range(mean.size):
        signal, error = work[_SIGNAL + i], work[_ERROR + i]
        bent = min(signal, signal + error) > censor_adu
        full = bent and signal + error > ceiling_adu  # what a full pixel shows, it shows
        total = _ONE / (work[_SUM + i] + work[_DOUBTED + i])
        gain = work[_GAIN + i] * total
        loss = (work[_LOSS + i] + work[_DOUBTED + i]) * total
        between = max(gain * loss - work[_GAIN_LOSS + i] * total, _ZERO)
        spread = (work[_SPREAD + i] + work[_DOUBTED + i] * work[_VARIANCE + i]) * total
        mean[i] = signal + (error if full else gain * error)
        variance[i] = work[_NOISE + i] if full else spread + between * error * error
        changed[i] = not bent and (work[_SUM + i] - work[_KNOWN + i]) * total > _HALF


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _noise_numbers(sub: SubNumbers) -> Any:
    return np.float32(sub.frame_variance), np.float32(sub.slope), np.float32(sub.curvature)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _noise(signal: Any, excess: Any, floor: Any, slope: Any, curvature: Any) -> Any:
    positive = max(signal, _ZERO)
    return excess * (floor + positive * (slope + curvature * positive))


@njit(cache=True, error_model="numpy")
def _mean_scatter(codes: Any, weight_of_code: Any, variances: Any) -> float:
    total = 0.0
    for t in range(variances.size):
        total += weight_of_code[codes[t]] * variances[t]
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _exp(x: Any) -> Any:
    """Exponential in single precision, of arithmetic alone, so that it is of many at once."""
    octaves = min(max(x * _OCTAVES, -_MOST_OCTAVES), _MOST_OCTAVES)
    whole = np.floor(octaves + _HALF)
    rest = (octaves - whole) * _LN_2
    series = _ONE + rest * (
        _ONE + rest * (_F2 + rest * (_F3 + rest * (_F4 + rest * (_F5 + rest * _F6))))
    )
    exponent = np.int32((np.int32(whole) + _BIAS) << _MANTISSA_BITS)
    return series * exponent.view(np.float32)
