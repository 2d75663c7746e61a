"""From the maps of a pixel back to what its frames told, compiled.

The maps are the mean of the posterior under the mixture prior. As a function of the pull b of the
frames (the right-hand side of the normal equations) that mean is the gradient of a convex function,
the logarithm of the evidence; so one b, and only one, leads to the maps. Newton's method finds it,
at the bottom of that function less ``b . maps``.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from solodark.dark_model.posterior import component_posteriors, posterior_moments
from solodark.dark_model.small_matrices import cholesky, solve_cholesky

__all__ = ["find_pulls"]

_CHUNKS = 32
_STEPS = 60
_CLOSE = 1e-6  # of the posterior's own width


@njit(cache=True, parallel=True, error_model="numpy")
def find_pulls(  # numpydoc ignore=PR01
    maps: Any, information: Any, precisions: Any, prior_pulls: Any, log_norms: Any
) -> Any:
    """Find the pulls (n, d) whose posterior mean under the prior is `maps` (n, d).

    `information` is (n, d, d), the normal matrices; the rest is the prior's.
    """
    n, dims = maps.shape
    k_all = log_norms.size
    pulls = np.zeros((n, dims))
    for chunk in prange(_CHUNKS):
        factors = np.zeros((k_all, dims, dims))
        centres = np.zeros((k_all, dims))
        odds = np.zeros(k_all)
        for i in range(chunk * n // _CHUNKS, (chunk + 1) * n // _CHUNKS):
            pulls[i] = np.sum(information[i] * maps[i], axis=1)
            _descend(
                maps[i],
                pulls[i],
                information[i],
                precisions,
                prior_pulls,
                log_norms,
                factors,
                centres,
                odds,
            )
    return pulls


@njit(cache=True, error_model="numpy")
def _descend(
    target: Any,
    pull: Any,
    information: Any,
    precisions: Any,
    prior_pulls: Any,
    log_norms: Any,
    factors: Any,
    centres: Any,
    odds: Any,
) -> None:
    """Move one pixel's pull by Newton's method until its posterior mean is the target."""
    dims = target.size
    spread, factor = np.empty((dims, dims)), np.empty((dims, dims))
    mean, step, trial = np.empty(dims), np.zeros(dims), np.empty(dims)
    lowest, scale = np.inf, 0.0
    for _ in range(_STEPS):
        trial[:] = pull + scale * step
        height = component_posteriors(
            information, trial, precisions, prior_pulls, log_norms, factors, centres, odds
        )
        height -= np.sum(trial * target)
        if height > lowest:  # too far: back, and half as far
            scale *= 0.5
            continue
        lowest, scale = height, 1.0
        pull[:] = trial
        posterior_moments(factors, centres, odds, mean, spread)
        cholesky(spread, dims, factor)
        if solve_cholesky(factor, dims, target - mean, step) < _CLOSE * _CLOSE:
            break
