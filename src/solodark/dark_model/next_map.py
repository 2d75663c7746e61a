"""One more dark map: where the fit so far fails, and fails alike in many pixels.

Of every pixel and series there is left the mean of the frames less what is foretold, over the
uncertainty that noise and the pixel's own scatter give it. What one more map could explain lies in
one direction over the series, the same for all pixels, and is the principal component of these
residuals. Telegraph pixels, births and noise have each a direction of their own; a pixel whose
residuals are larger than its uncertainty foresees counts no more than others.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.first_fit import SampledLibrary, strength_form, with_design
from solodark.dark_model.first_states import solve_each, zero_points
from solodark.dark_model.pixel_numbers import PixelsFound
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.sample_numbers import SampleFit, series_amplitude2

__all__ = ["with_another_map"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_RANDOM_WEIGHT = 0.4  # an ordinary pixel tells of a further map little more than noise
_MOST_RESIDUAL2 = 3.0  # mean square, over its variance, that a pixel's residuals count with
_LEAST_SHARE = 1e-3  # of the variance by noise, for that of a map over a component's pixels
_NEVER = 1e-30  # inverse variance of a pixel that is saturated in all frames of a series


def with_another_map(
    fit: SampleFit, values: Image, library: SampledLibrary
) -> tuple[SampleFit, Image]:
    """Give a fit one more dark map, with first states and a first prior for it.

    Parameters
    ----------
    fit : SampleFit
        The fit so far.
    values : ndarray of float32, shape (n_frames, n)
        The sample above level and rows, ADU.
    library : SampledLibrary
        What is fitted.

    Returns
    -------
    fit : SampleFit
        With the map; nothing is refined yet.
    values : ndarray of float32, shape (n_frames, n)
        The sample above level and rows, ADU.
    """
    sample, starts = library.sample, library.starts
    smooth = fit.smooth.at(sample.y, sample.x)
    found = fit_values(fit, values, smooth, starts, library.settings)
    residual, variance = _residuals(fit, found, values, library)
    design = np.add.reduceat(fit.design, starts[:-1]) / np.diff(starts)[:, None]
    means = residual + design @ found.maps.T
    residual -= design @ solve_each(design, 1.0 / variance, residual).T
    weight = _pixel_weights(residual**2 / variance, design, sample.n_random)
    state = _direction(residual / np.sqrt(variance) * weight)
    state *= np.median(np.sqrt(variance[:, : sample.n_random]), axis=1)
    design = np.column_stack([design, state])
    zero = _zero_of_last(design, means, 1.0 / variance, fit.n_settings, library.zero[starts[:-1]])
    scale = np.sqrt(np.mean((state - zero) ** 2))
    design[:, -1] = (state - zero) / scale
    reach = _coefficients(state / scale, residual, variance)
    prior = _with_map(fit.prior, found.odds, *reach, weight)
    grown, values = with_design(fit, _of_frames(fit, design[:, -1], starts), library)
    maps = solve_each(design, 1.0 / variance, means)
    strength = strength_form(maps, grown.design, sample.shares, fit.n_settings)
    return replace(grown, prior=prior, strength=strength), values


def _residuals(
    fit: SampleFit, found: PixelsFound, values: Image, library: SampledLibrary
) -> tuple[Array, Array]:
    """Give what the fit leaves of the mean of each series, (n_series, n), and its variance."""
    residuals, variances = [], []
    for first, last in pairwise(library.starts):
        total, weights = np.zeros(len(found.maps)), np.full(len(found.maps), _NEVER)
        for f in range(first, last):
            predicted = found.maps @ fit.design[f]
            noise = fit.law.variance(predicted, fit.law.frame_variance[f], int(fit.setting[f]))
            weight = np.where(values[f] > fit.censor_adu, 0.0, 1.0 / (noise * found.excess))
            total = total + weight * (values[f] - predicted)
            weights = weights + weight
        residuals.append(total / weights)
        variances.append(1.0 / weights)
    amplitude2 = series_amplitude2(fit.states, fit.strength, library.starts)
    scatter = np.outer(amplitude2, found.scatter @ fit.scatter_grid)
    return np.array(residuals), np.array(variances) + scatter


def _pixel_weights(squares: Array, design: Array, n_random: int) -> Array:
    """Weigh each pixel, shape (n,), by its kind and by how well its uncertainty fits."""
    most = _MOST_RESIDUAL2 * max(1, len(design) - design.shape[1])
    weight = np.sqrt(np.minimum(1.0, most / np.maximum(squares.sum(axis=0), _NEVER)))
    weight[:n_random] *= _RANDOM_WEIGHT
    return np.asarray(weight)


def _direction(residuals: Array) -> Array:
    """Principal component over the series, the same sign on every machine."""
    first: Array = np.linalg.eigh(residuals @ residuals.T)[1][:, -1]
    return np.asarray(first * np.sign(first.sum() or 1.0))


def _coefficients(state: Array, residual: Array, variance: Array) -> tuple[Array, Array]:
    """Least squares of the new map of each pixel, and its variance by noise."""
    information = (state[:, None] ** 2 / variance).sum(axis=0)
    return (state[:, None] * residual / variance).sum(axis=0) / information, 1.0 / information


def _with_map(
    prior: MixturePrior, odds: Array, map_adu: Array, variance: Array, weight: Array
) -> MixturePrior:
    """Let each component know how far the new map reaches in it, beyond its noise."""
    mass = odds * (weight / weight.max())[:, None] ** 2 + _NEVER
    noise = np.average(np.tile(variance[:, None], mass.shape[1]), axis=0, weights=mass)
    reach = np.average(np.tile(map_adu[:, None] ** 2, mass.shape[1]), axis=0, weights=mass)
    own = np.maximum(reach - noise, _LEAST_SHARE * noise)
    k, d = prior.means.shape
    precisions = np.zeros((k, d + 1, d + 1))
    precisions[:, :d, :d] = prior.precisions
    precisions[:, d, d] = 1.0 / own
    return MixturePrior(prior.weights, np.column_stack([prior.means, np.zeros(k)]), precisions)


def _zero_of_last(
    design: Array, means: Array, weight: Array, n_settings: int, zero: NDArray[np.bool_]
) -> Array:
    """Last state of each series, shape (n_series,), that is to be called zero."""
    settings, states = np.hsplit(design, [n_settings])
    bias, dark = np.hsplit(solve_each(design, weight, means), [n_settings])
    last: Array = settings @ zero_points(states, settings, zero, bias, dark)[:, -1]
    return last


def _of_frames(fit: SampleFit, state: Array, starts: NDArray[np.intp]) -> Array:
    return np.column_stack([fit.design, np.repeat(state, np.diff(starts))])
