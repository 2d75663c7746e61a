"""What frames and the prior together say of the maps of one pixel, compiled.

Frames tell normal equations, the prior is a mixture of Gaussians; so the posterior is a mixture of
Gaussians too, and here are its components, its mean and its covariance.
"""

from math import exp, log
from typing import Any

import numpy as np
from numba import prange

from solodark.compiled import njit
from solodark.dark_model.small_matrices import cholesky, solve_cholesky
from solodark.dark_model.strips import (
    STRIP,
    Mixture,
    empty_posterior,
    inverse_of,
    load_normal,
    mean_of,
    solve_components,
)

__all__ = ["component_posteriors", "map_covariances", "posterior_moments"]

_CHUNKS = 32
_LEAST_ODDS = 1e-12


@njit(cache=True, error_model="numpy")
def component_posteriors(  # numpydoc ignore=PR01
    information: Any,
    pull: Any,
    precisions: Any,
    prior_pulls: Any,
    log_norms: Any,
    factors: Any,
    centres: Any,
    odds: Any,
) -> float:
    """Posterior of one pixel under each component: Cholesky factors, centres and odds.

    Gives the logarithm of the evidence, but for what does not depend on the pull.
    """
    k_all, dims = prior_pulls.shape
    matrix = np.empty((dims, dims))
    right = np.empty(dims)
    best = -1e300
    for k in range(k_all):
        for r in range(dims):
            right[r] = pull[r] + prior_pulls[k, r]
            for q in range(r + 1):
                matrix[r, q] = information[r, q] + precisions[k, r, q]
        log_determinant = cholesky(matrix, dims, factors[k])
        length = solve_cholesky(factors[k], dims, right, centres[k])
        odds[k] = log_norms[k] - 0.5 * log_determinant + 0.5 * length
        best = max(best, odds[k])
    total = 0.0
    for k in range(k_all):
        odds[k] = exp(odds[k] - best)
        total += odds[k]
    for k in range(k_all):
        odds[k] /= total
    return best + log(total)


@njit(cache=True, error_model="numpy")
def posterior_moments(  # numpydoc ignore=PR01
    factors: Any, centres: Any, odds: Any, mean: Any, spread: Any
) -> None:
    """Mean and covariance of the posterior from those of its components."""
    k_all, dims = centres.shape
    unit, column = np.zeros(dims), np.zeros(dims)
    mean[:] = 0.0
    spread[:] = 0.0
    for k in range(k_all):
        for r in range(dims):
            mean[r] += odds[k] * centres[k, r]
    for k in range(k_all):
        if odds[k] < _LEAST_ODDS:
            continue
        for r in range(dims):
            unit[:] = 0.0
            unit[r] = 1.0
            solve_cholesky(factors[k], dims, unit, column)
            for q in range(dims):
                between = (centres[k, r] - mean[r]) * (centres[k, q] - mean[q])
                spread[r, q] += odds[k] * (column[q] + between)


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def map_covariances(  # numpydoc ignore=PR01
    information: Any, pulls: Any, precisions: Any, prior_pulls: Any, log_norms: Any
) -> Any:
    """Covariance (n, d, d) of the maps of n pixels, known by their normal equations.

    `information` is (d, d, n), `pulls` (d, n); the rest is the prior's.
    """
    d, n = pulls.shape
    covariances = np.empty((n, d, d))
    for chunk in prange(_CHUNKS):
        prior = Mixture(precisions, prior_pulls, log_norms)
        found = empty_posterior(log_norms.size, d)
        own, covariance = np.zeros((d, d, STRIP)), np.zeros((d, d, STRIP))
        triangle, total = np.zeros((d, d, STRIP)), np.zeros((d, d, STRIP))
        right, mean = np.zeros((d, STRIP)), np.zeros((d, STRIP))
        for begin in range(chunk * STRIP, n, _CHUNKS * STRIP):
            last = min(begin + STRIP, n)
            load_normal(information[:, :, begin:last], pulls[:, begin:last], own, right)
            solve_components(own, right, prior, found)
            mean_of(found, mean)
            total[:] = 0.0
            for k in range(log_norms.size):
                inverse_of(found.factors[k], found.inverses[k], triangle, covariance)
                _add_spread(found.odds[k], found.centres[k], mean, covariance, total)
            for x in range(last - begin):
                for r in range(d):
                    for q in range(d):
                        covariances[begin + x, r, q] = total[max(r, q), min(r, q), x]
    return covariances


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_spread(odds: Any, centres: Any, mean: Any, covariance: Any, total: Any) -> None:
    """Add the covariance inside one component, and that of its centre about the mean."""
    for r in range(len(mean)):
        for q in range(r + 1):
            for x in range(STRIP):
                between = (centres[r, x] - mean[r, x]) * (centres[q, x] - mean[q, x])
                total[r, q, x] += odds[x] * (covariance[r, q, x] + between)
