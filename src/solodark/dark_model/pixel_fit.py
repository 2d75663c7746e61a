"""The fit of every pixel's maps to the frames of a library, compiled.

For pixel i and frame f of series g, with the state ``x_f`` of the frame known::

    y_if = x_f . theta_i + d_ig + noise_if          theta_i ~ mixture prior of the sensor

``d_ig`` is what the model cannot explain in a whole series (a drift, a telegraph level that
lasted, a pixel that is not linear); its scale is unknown for each pixel and is carried as weights
on a grid. Robust weights lower single outliers such as cosmic rays. Saturated values are censored:
they pull the fit up where it falls short of them, and hold nothing where it does not.

All that frames tell is summed up in a few numbers for each pixel (`Memory`). A fit may begin with
those of frames seen before, and ends as it would have had they been there again.
"""

from math import exp, log
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from solodark.dark_model.prior import component_posteriors
from solodark.dark_model.small_matrices import solve_cholesky

__all__ = ["EXCESS_PRIOR_DOF", "Memory", "fit_pixels"]

Array = NDArray[np.float64]

_OUTLIER_SIGMA2 = 9.0  # beyond 3 sigma a single frame loses weight as 1/deviation^2
_NEGLIGIBLE = 1e-5
_SATURATED = 1e6  # a saturated value's variance grows so much: it decides only where none else can
_MAX_LEVERAGE = 0.95
EXCESS_PRIOR_DOF = 12.0
"""How firmly a pixel's noise is held to its class, in degrees of freedom."""


class Memory(NamedTuple):
    """What frames seen before tell of each pixel.

    Attributes
    ----------
    information : ndarray, shape (n, d, d)
        Normal matrices.
    pulls : ndarray, shape (n, d)
        Right-hand sides of the normal equations.
    log_scatter : ndarray, shape (n, t)
        Log likelihood of each variance on the scatter grid.
    squares, dof : ndarray, shape (n,)
        Squared deviations from the series' means over the noise of the pixel's class, and their
        degrees of freedom.
    """

    information: Array
    pulls: Array
    log_scatter: Array
    squares: Array
    dof: Array

    @classmethod
    def none(cls, n: int, d: int, t: int) -> "Memory":
        """Remember no frames.

        Parameters
        ----------
        n, d, t : int
            Pixels, maps and variances on the scatter grid.

        Returns
        -------
        Memory
            All zero.
        """
        zeros = np.zeros(n)
        return cls(np.zeros((n, d, d)), np.zeros((n, d)), np.zeros((n, t)), zeros, zeros)


@njit(cache=True, parallel=True, error_model="numpy")
def fit_pixels(  # numpydoc ignore=PR01
    values: Any,
    design: Any,
    frame_variance: Any,
    slope: Any,
    curvature: float,
    censor_adu: float,
    series_start: Any,
    amplitude2: Any,
    precisions: Any,
    prior_pulls: Any,
    log_norms: Any,
    scatter_grid: Any,
    scatter_prior: Any,
    memory: Memory,
    iterations: int,
    n_chunks: int,
) -> Any:
    """Fit all pixels of a block.

    `values` is (n_pixels, n_frames) float32, frames sorted by series; `design` (n_frames, d);
    `slope` (n_frames,) growth of the noise with the signal;
    values above `censor_adu` are saturated; `series_start` (n_series + 1); `amplitude2` the
    squared strength of the dark signal in each series; `scatter_grid` (t) variances of ``d``;
    `scatter_prior` (k, t) their prior by component; `memory` of frames seen before.

    Returns maps (n, d), noise excess (n), information (n, d, d), pulls (n, d), scatter weights
    (n, t), component odds (n, k) and log evidence (n).
    """
    n, n_frames = values.shape
    dims = design.shape[1]
    k_all, t_all = scatter_prior.shape
    n_series = series_start.size - 1
    maps = np.zeros((n, dims))
    excess = np.ones(n)
    information = np.zeros((n, dims, dims))
    pulls = np.zeros((n, dims))
    scatter = np.zeros((n, t_all))
    odds_out = np.zeros((n, k_all))
    evidence = np.zeros(n)
    for chunk in prange(n_chunks):
        factors = np.zeros((k_all, dims, dims))
        centres = np.zeros((k_all, dims))
        odds = np.zeros(k_all)
        variance = np.zeros(n_frames)
        weight = np.zeros(n_frames)
        error = np.zeros(n_frames)
        target = np.zeros(n_frames)
        column = np.zeros(dims)
        prior_t = np.zeros(t_all)
        series_mean = np.zeros(n_series)
        series_var = np.zeros(n_series)
        leverage = np.zeros(n_series)
        low = chunk * n // n_chunks
        high = (chunk + 1) * n // n_chunks
        for i in range(low, high):
            theta = maps[i]
            weights_t = scatter[i]
            for iteration in range(iterations):
                _weigh(
                    values[i],
                    design,
                    theta,
                    frame_variance,
                    slope,
                    curvature,
                    censor_adu,
                    excess[i],
                    series_start,
                    amplitude2,
                    scatter_grid,
                    weights_t,
                    iteration,
                    variance,
                    error,
                    weight,
                    target,
                )
                information[i] = memory.information[i]
                pulls[i] = memory.pulls[i]
                _accumulate(target, design, weight, information[i], pulls[i])
                component_posteriors(
                    information[i],
                    pulls[i],
                    precisions,
                    prior_pulls,
                    log_norms,
                    factors,
                    centres,
                    odds,
                )
                best = 0
                for r in range(dims):
                    theta[r] = 0.0
                for k in range(k_all):
                    if odds[k] > odds[best]:
                        best = k
                    for r in range(dims):
                        theta[r] += odds[k] * centres[k, r]
                for t in range(t_all):
                    prior_t[t] = 0.0
                    for k in range(k_all):
                        prior_t[t] += odds[k] * scatter_prior[k, t]
                    prior_t[t] = log(max(prior_t[t], 1e-12)) + memory.log_scatter[i, t]
                if iteration == 0:  # before a residual is known of this pixel, its class speaks
                    _normalise(prior_t, weights_t)
                    continue
                _series_means(
                    target,
                    design,
                    theta,
                    variance,
                    weight,
                    series_start,
                    factors[best],
                    column,
                    error,
                    series_mean,
                    series_var,
                    leverage,
                )
                excess[i] = _noise_excess(
                    error,
                    variance,
                    series_start,
                    series_mean,
                    excess[i],
                    memory.squares[i],
                    memory.dof[i],
                )
                evidence[i] = _scatter_weights(
                    series_mean, series_var, leverage, amplitude2, scatter_grid, prior_t, weights_t
                )
            odds_out[i] = odds
    return maps, excess, information, pulls, scatter, odds_out, evidence


@njit(cache=True, error_model="numpy")
def _weigh(
    values: Any,
    design: Any,
    theta: Any,
    frame_variance: Any,
    slope: Any,
    curvature: float,
    censor_adu: float,
    excess: float,
    series_start: Any,
    amplitude2: Any,
    scatter_grid: Any,
    weights_t: Any,
    iteration: int,
    variance: Any,
    error: Any,
    weight: Any,
    target: Any,
) -> None:
    """Weight of every frame: noise, scatter of its series, and robustness."""
    if iteration == 0:
        for f in range(weight.size):
            target[f] = values[f]
            variance[f] = frame_variance[f]
            if values[f] > censor_adu:
                variance[f] *= _SATURATED
            weight[f] = 1.0 / variance[f]
        return
    _deviations(values, design, theta, error)
    for f in range(weight.size):
        signal = max(values[f] - error[f], 0.0)
        variance[f] = excess * (frame_variance[f] + slope[f] * signal + curvature * signal * signal)
        target[f] = values[f]
        if values[f] > censor_adu:
            # Short of a saturated value the fit is pulled up; beyond it, hardly held where it is.
            variance[f] *= _SATURATED
            if error[f] < 0.0:
                target[f] = values[f] - error[f]
                error[f] = 0.0
    for g in range(series_start.size - 1):
        first, last = series_start[g], series_start[g + 1]
        shared, typical = _share_of_noise(
            variance[first], last - first, amplitude2[g], scatter_grid, weights_t
        )
        for f in range(first, last):
            z2 = error[f] * error[f] * typical / variance[f]
            weight[f] = shared / variance[f]
            if z2 > _OUTLIER_SIGMA2:
                weight[f] *= _OUTLIER_SIGMA2 / z2


@njit(cache=True, error_model="numpy")
def _share_of_noise(
    variance: float, n: int, amplitude2: float, scatter_grid: Any, weights_t: Any
) -> Any:
    """Noise over noise plus scatter, for the mean of n frames and for one of them."""
    shared, typical = 0.0, 0.0
    for t in range(weights_t.size):
        if weights_t[t] > _NEGLIGIBLE:
            term = scatter_grid[t] * amplitude2
            shared += weights_t[t] * variance / (variance + n * term)
            typical += weights_t[t] * variance / (variance + term)
    return shared, typical


@njit(cache=True, error_model="numpy")
def _deviations(values: Any, design: Any, theta: Any, error: Any) -> None:
    for f in range(error.size):
        predicted = 0.0
        for r in range(theta.size):
            predicted += design[f, r] * theta[r]
        error[f] = values[f] - predicted


@njit(cache=True, error_model="numpy")
def _accumulate(values: Any, design: Any, weight: Any, matrix: Any, right: Any) -> None:
    dims = right.size
    for f in range(weight.size):
        for r in range(dims):
            term = weight[f] * design[f, r]
            right[r] += term * values[f]
            for q in range(r + 1):
                matrix[r, q] += term * design[f, q]
    for r in range(dims):
        for q in range(r):
            matrix[q, r] = matrix[r, q]


@njit(cache=True, error_model="numpy")
def _series_means(
    values: Any,
    design: Any,
    theta: Any,
    variance: Any,
    weight: Any,
    series_start: Any,
    factor: Any,
    column: Any,
    error: Any,
    series_mean: Any,
    series_var: Any,
    leverage: Any,
) -> None:
    """Mean residual of each series, its variance from noise alone, and its pull on the fit."""
    _deviations(values, design, theta, error)
    for g in range(series_start.size - 1):
        first, last = series_start[g], series_start[g + 1]
        total, mean, pull = 0.0, 0.0, 0.0
        for f in range(first, last):
            part = 1.0 / variance[f]
            z2 = error[f] * error[f] * part
            if last - first > 2 and z2 > _OUTLIER_SIGMA2:
                part *= (_OUTLIER_SIGMA2 / z2) ** 0.5
            total += part
            mean += part * error[f]
            pull += weight[f]
        series_mean[g] = mean / total
        series_var[g] = 1.0 / total
        # The states of one series are close to each other: the middle one speaks for all.
        lever = pull * solve_cholesky(factor, theta.size, design[(first + last) // 2], column)
        leverage[g] = min(lever, _MAX_LEVERAGE)


@njit(cache=True, error_model="numpy")
def _noise_excess(
    error: Any,
    variance: Any,
    series_start: Any,
    series_mean: Any,
    excess: float,
    squares: float,
    dof: float,
) -> float:
    """Noise of this pixel over that of its class, from the scatter inside series."""
    for g in range(series_start.size - 1):
        n = series_start[g + 1] - series_start[g]
        if n < 2:
            continue
        dof += n - 1
        for f in range(series_start[g], series_start[g + 1]):
            deviation = error[f] - series_mean[g]
            squares += min(deviation * deviation / variance[f], 25.0) * excess
    return (EXCESS_PRIOR_DOF + squares) / (EXCESS_PRIOR_DOF + dof)


@njit(cache=True, error_model="numpy")
def _scatter_weights(
    series_mean: Any,
    series_var: Any,
    leverage: Any,
    amplitude2: Any,
    scatter_grid: Any,
    log_prior: Any,
    weights: Any,
) -> float:
    """Posterior of the series scatter on its grid, from residuals that left their series out."""
    for t in range(scatter_grid.size):
        log_like, product = log_prior[t], 1.0
        for g in range(series_mean.size):
            left = 1.0 - leverage[g]
            spread = (series_var[g] + scatter_grid[t] * amplitude2[g]) / left
            residual = series_mean[g] / left
            log_like -= 0.5 * residual * residual / spread
            product *= spread
            if product > 1e200 or product < 1e-200 or g == series_mean.size - 1:
                log_like -= 0.5 * log(product)
                product = 1.0
        weights[t] = log_like
    return _normalise(weights, weights)


@njit(cache=True, error_model="numpy")
def _normalise(logarithms: Any, weights: Any) -> float:
    """Turn logarithms into weights that sum to 1, and tell the logarithm of their sum."""
    best, total = -1e300, 0.0
    for t in range(logarithms.size):
        best = max(best, logarithms[t])
    for t in range(logarithms.size):
        weights[t] = exp(logarithms[t] - best)
        total += weights[t]
    for t in range(logarithms.size):
        weights[t] /= total
    return best + log(total)
