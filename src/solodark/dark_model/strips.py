"""Arithmetic on strips of pixels, compiled: many small problems of one kind, side by side.

A strip is an array whose last axis counts pixels. Each step is a loop over that axis without calls
and branches, so that the processor takes as many pixels at once as its registers hold; exponential
and logarithm are of arithmetic alone for the same reason.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = [
    "STRIP",
    "Mixture",
    "Posterior",
    "empty_posterior",
    "exp_of",
    "fill",
    "inverse_of",
    "load_normal",
    "log_of",
    "mean_of",
    "normalise",
    "put",
    "solve_components",
    "solve_forward",
]

Array = NDArray[np.float64]

STRIP = 128
"""Pixels of a strip: their numbers stay in the second-level cache."""

_FLOOR = 1e-30  # keeps a direction that no frame constrains from dividing by zero
_LOG_2_HIGH, _LOG_2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_OCTAVES = 1.4426950408889634
_FARTHEST = 700.0  # beyond, the exponential leaves the range of doubles
_BIAS, _MANTISSA_BITS = np.int64(1023), np.int64(52)
_MANTISSA, _ONE_BITS = np.int64((1 << 52) - 1), np.int64(1023 << 52)
_SQRT_2 = 1.4142135623730951


class Mixture(NamedTuple):
    """A mixture prior, as the normal equations need it.

    Attributes
    ----------
    precisions : ndarray, shape (k, d, d)
        Inverse covariances.
    pulls : ndarray, shape (k, d)
        Precision times mean.
    log_norms : ndarray, shape (k,)
        Logarithm of weight and normalisation.
    """

    precisions: Array
    pulls: Array
    log_norms: Array


class Posterior(NamedTuple):
    """What a strip's normal equations and a mixture prior make of each component.

    Attributes
    ----------
    factors : ndarray, shape (k, d, d, STRIP)
        Factors L of the matrices L D L', below the diagonal, where L is one.
    inverses : ndarray, shape (k, d, STRIP)
        One over the diagonals D.
    centres : ndarray, shape (k, d, STRIP)
        Solutions.
    odds : ndarray, shape (k, STRIP)
        They sum to one.
    told : ndarray, shape (STRIP,)
        Logarithm of what they summed to before: of the likelihood, but for what no prior changes.
    """

    factors: Array
    inverses: Array
    centres: Array
    odds: Array
    told: Array


@njit(cache=True)
def empty_posterior(k: int, d: int) -> Posterior:  # numpydoc ignore=PR01
    """Give room for k components of d maps."""
    return Posterior(
        np.zeros((k, d, d, STRIP)),
        np.zeros((k, d, STRIP)),
        np.zeros((k, d, STRIP)),
        np.zeros((k, STRIP)),
        np.zeros(STRIP),
    )


@njit(cache=True)
def fill(row: Any, value: float) -> None:  # numpydoc ignore=PR01
    """Set a strip to one value."""
    for x in range(STRIP):
        row[x] = value


@njit(cache=True)
def put(row: Any, place: Any) -> None:  # numpydoc ignore=PR01
    """Copy as many pixels as there is a place for, or as there are."""
    for x in range(min(row.size, place.size)):
        place[x] = row[x]


@njit(cache=True)
def load_normal(information: Any, pulls: Any, own: Any, right: Any) -> None:  # numpydoc ignore=PR01
    """Take in the normal equations of a strip, the lower half of (d, d, n) and (d, n)."""
    for r in range(len(pulls)):
        put(pulls[r], right[r])
        for q in range(r + 1):
            put(information[r, q], own[r, q])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def exp_of(x: float) -> float:  # numpydoc ignore=PR01
    """Exponential, good to 1e-12."""
    bounded = min(max(x, -_FARTHEST), _FARTHEST)
    whole = np.floor(bounded * _OCTAVES + 0.5)
    rest = bounded - whole * _LOG_2_HIGH - whole * _LOG_2_LOW
    high = 1 / 5040 + rest * (1 / 40320 + rest * (1 / 362880 + rest * (1 / 3628800)))
    middle = 1 / 24 + rest * (1 / 120 + rest * (1 / 720 + rest * high))
    series = 1.0 + rest * (1.0 + rest * (1 / 2 + rest * (1 / 6 + rest * middle)))
    power = np.int64((np.int64(whole) + _BIAS) << _MANTISSA_BITS)
    result: float = series * power.view(np.float64)
    return result


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def log_of(x: float) -> float:  # numpydoc ignore=PR01
    """Logarithm of a positive number, good to 1e-13."""
    bits = np.float64(x).view(np.int64)
    exponent = float((bits >> _MANTISSA_BITS) - _BIAS)
    mantissa = np.int64((bits & _MANTISSA) | _ONE_BITS).view(np.float64)
    over = mantissa > _SQRT_2
    exponent += 1.0 if over else 0.0
    mantissa *= 0.5 if over else 1.0
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    high = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z / 17)))
    series = 1.0 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * high)))
    result: float = exponent * _LOG_2_HIGH + (2.0 * s * series + exponent * _LOG_2_LOW)
    return result


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def normalise(logarithms: Any, total: Any) -> None:  # numpydoc ignore=PR01
    """Turn logarithms, (n, STRIP), into weights that sum to 1; `total` takes the log of the sum."""
    best = np.empty(STRIP)
    for x in range(STRIP):
        best[x] = logarithms[0, x]
        total[x] = 0.0
    for t in range(1, len(logarithms)):
        for x in range(STRIP):
            best[x] = max(best[x], logarithms[t, x])
    for t in range(len(logarithms)):
        for x in range(STRIP):
            logarithms[t, x] = exp_of(logarithms[t, x] - best[x])
            total[x] += logarithms[t, x]
    for t in range(len(logarithms)):
        for x in range(STRIP):
            logarithms[t, x] /= total[x]
    for x in range(STRIP):
        total[x] = best[x] + log_of(total[x])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def solve_components(  # numpydoc ignore=PR01
    information: Any, pulls: Any, prior: Mixture, found: Posterior
) -> None:
    """Solve ``(information + precision) centre = pulls + prior pulls`` for each component.

    `information` is (d, d, STRIP), `pulls` (d, STRIP); `found` is filled.
    """
    for k in range(len(prior.log_norms)):
        factor, inverse, centre = found.factors[k], found.inverses[k], found.centres[k]
        odds = found.odds[k]
        for r in range(len(pulls)):
            for q in range(r + 1):
                for x in range(STRIP):
                    factor[r, q, x] = information[r, q, x] + prior.precisions[k, r, q]
            for x in range(STRIP):
                centre[r, x] = pulls[r, x] + prior.pulls[k, r]
        _factorise(factor, inverse, odds)
        solve_forward(factor, centre)
        _weigh_component(prior.log_norms[k], inverse, centre, odds)
        _solve_back(factor, inverse, centre)
    normalise(found.odds, found.told)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _weigh_component(log_norm: float, inverse: Any, half_solved: Any, odds: Any) -> None:
    """Logarithm of a component's odds, in place of the determinant of its matrix."""
    for x in range(STRIP):
        odds[x] = log_norm - 0.5 * log_of(odds[x])
    for r in range(len(half_solved)):
        for x in range(STRIP):
            odds[x] += 0.5 * half_solved[r, x] * half_solved[r, x] * inverse[r, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _factorise(factor: Any, inverse: Any, determinant: Any) -> None:
    """Factors L and one over D of a matrix L D L', in place of its lower half; and det D.

    There is no root in it, which takes as long as all the rest. Each row is first L D, then L.
    """
    fill(determinant, 1.0)
    for i in range(len(inverse)):
        for j in range(1, i):
            for k in range(j):
                for x in range(STRIP):
                    factor[i, j, x] -= factor[i, k, x] * factor[j, k, x]
        for k in range(i):
            for x in range(STRIP):
                whole = factor[i, k, x]
                factor[i, k, x] = whole * inverse[k, x]
                factor[i, i, x] -= whole * factor[i, k, x]
        for x in range(STRIP):
            pivot = max(factor[i, i, x], _FLOOR)
            determinant[x] *= pivot
            inverse[i, x] = 1.0 / pivot


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def solve_forward(factor: Any, right: Any) -> None:  # numpydoc ignore=PR01
    """Solve with the factor L, in place of the right-hand side, (d, STRIP)."""
    for i in range(len(right)):
        for k in range(i):
            for x in range(STRIP):
                right[i, x] -= factor[i, k, x] * right[k, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _solve_back(factor: Any, inverse: Any, right: Any) -> None:
    """Solve with D and the transpose of L, in place."""
    for i in range(len(right) - 1, -1, -1):
        for x in range(STRIP):
            right[i, x] *= inverse[i, x]
        for k in range(i + 1, len(right)):
            for x in range(STRIP):
                right[i, x] -= factor[k, i, x] * right[k, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def inverse_of(  # numpydoc ignore=PR01
    factor: Any, inverse: Any, triangle: Any, result: Any
) -> None:
    """Invert a matrix L D L' into the lower half of `result`, (d, d, STRIP).

    `triangle`, as large, takes the inverse of L, but for its diagonal of ones.
    """
    _invert_factor(factor, triangle)
    for r in range(len(inverse)):
        for q in range(r + 1):
            for x in range(STRIP):
                result[r, q, x] = inverse[r, x] * (triangle[r, q, x] if q < r else 1.0)
            for k in range(r + 1, len(inverse)):
                for x in range(STRIP):
                    result[r, q, x] += triangle[k, r, x] * triangle[k, q, x] * inverse[k, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _invert_factor(factor: Any, triangle: Any) -> None:
    for j in range(len(factor)):
        for i in range(j + 1, len(factor)):
            for x in range(STRIP):
                triangle[i, j, x] = -factor[i, j, x]
            for k in range(j + 1, i):
                for x in range(STRIP):
                    triangle[i, j, x] -= factor[i, k, x] * triangle[k, j, x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def mean_of(found: Posterior, mean: Any) -> None:  # numpydoc ignore=PR01
    """Average the centres of a strip's components, (d, STRIP)."""
    for r in range(len(mean)):
        fill(mean[r], 0.0)
        for k in range(len(found.odds)):
            odds, centres = found.odds[k], found.centres[k, r]
            for x in range(STRIP):
                mean[r, x] += odds[x] * centres[x]
