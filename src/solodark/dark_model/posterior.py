"""What frames and the prior together say of the maps of one pixel, compiled.

Frames tell normal equations, the prior is a mixture of Gaussians; so the posterior is a mixture of
Gaussians too, and here are its components, its mean and its covariance.
"""

from math import exp, log
from typing import Any

import numpy as np
from numba import njit, prange

from solodark.dark_model.small_matrices import cholesky, solve_cholesky

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


@njit(cache=True, parallel=True, error_model="numpy")
def map_covariances(  # numpydoc ignore=PR01
    information: Any, pulls: Any, precisions: Any, prior_pulls: Any, log_norms: Any
) -> Any:
    """Covariance (n, d, d) of the maps of n pixels, known by their normal equations.

    `information` is (n, d, d), `pulls` (n, d); the rest is the prior's.
    """
    n, dims = pulls.shape
    k_all = log_norms.size
    covariances = np.empty((n, dims, dims))
    for chunk in prange(_CHUNKS):
        factors, centres = np.zeros((k_all, dims, dims)), np.zeros((k_all, dims))
        odds, mean = np.zeros(k_all), np.zeros(dims)
        for i in range(chunk * n // _CHUNKS, (chunk + 1) * n // _CHUNKS):
            own, pull = information[i], pulls[i]
            component_posteriors(
                own, pull, precisions, prior_pulls, log_norms, factors, centres, odds
            )
            posterior_moments(factors, centres, odds, mean, covariances[i])
    return covariances
