"""Pixels that new frames show to have changed: what a model remembers of these counts no more.

A pixel that turned hot, or healed, between the library and the new frames is another pixel: what
the old frames tell of it misleads, and is dropped where it is more likely than not that it changed,
by the odds::

    odds = births * mean over w of N(jump; 0, v + w) / sum over t of weight_t N(jump; 0, v + t)

where the jump is how much brighter it is than foretold, at full strength of the dark signal, v the
variance of that by noise and by the error of the maps, t that of its scatter from series to
series, and w that of changes of all sizes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import SECONDS_PER_YEAR, YEARS_IF_UNKNOWN
from solodark.dark_model.past import Past, Places
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.strength import TOO_WEAK, squared_strength

__all__ = ["Since", "find_changes", "since_library"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_TELLING = 0.3  # of the strongest new frame's signal
_CHANGE_FLOOR = 1e-7
_STEPS = 64.0 * 8.0 ** np.arange(8)  # from 8 sigma of a frame to full scale
_FARTHEST = 1000.0  # sigma^2 / 2 beyond which a density would be zero
_SUSPECT2 = 9.0  # of a jump's noise; below three sigma nothing looks like a change
_GROUPS = 9  # so that rays in four of them do no harm
_MEDIAN_VARIANCE = np.pi / 2  # of the median of many values over that of their mean


class Since(NamedTuple):
    """What may have happened to pixels since the library was taken.

    Attributes
    ----------
    years : float
        From the middle of the library's frames to that of the new ones; 1 if unknown.
    changed_share : float
        Share of the pixels that may have changed for good.
    cosmic_share : float
        Share of the pixels that cosmic rays hit in a new frame.
    """

    years: float
    changed_share: float
    cosmic_share: float


def since_library(past: Past, taken_s: Array, exposures_s: Array) -> Since:
    """Tell what may have happened between the library and new frames.

    Parameters
    ----------
    past : Past
        The library behind the model.
    taken_s, exposures_s : ndarray, shape (n_frames,)
        When new frames were taken, seconds since 1970 UTC, and how long; NaN where unknown.

    Returns
    -------
    Since
        Shares of the pixels.
    """
    known_s, years = past.model.library.taken_s, YEARS_IF_UNKNOWN
    if np.isfinite(known_s).any() and np.isfinite(taken_s).any():
        years = abs(float(np.nanmean(taken_s) - np.nanmean(known_s))) / SECONDS_PER_YEAR
    longest_s = float(np.nanmax(exposures_s, initial=0.0))
    return Since(
        years,
        _CHANGE_FLOOR + past.model.births_per_year * years,
        _CHANGE_FLOOR + past.model.cosmic_share_per_s * longest_s,
    )


def find_changes(
    past: Past, fit: SampleFit, values: Image, rows: slice, since: Since
) -> tuple[Array, Array]:
    """Find pixels that are no longer what they were.

    Parameters
    ----------
    past : Past
        The library behind the model.
    fit : SampleFit
        States and noise of the new frames.
    values : ndarray of float32, shape (n_frames, n)
        The new frames at the pixels of some rows, ADU above level and rows.
    rows : slice
        Which rows of the sensor.
    since : Since
        What may have happened in the meantime.

    Returns
    -------
    odds : ndarray, shape (n,)
        Probability that each has changed; 0 where it is as bright as foretold, and where the new
        frames are biases alone.
    jump : ndarray, shape (n,)
        How much brighter it is than foretold at full strength of the dark signal, ADU.
    """
    strength = np.sqrt(squared_strength(fit.states, fit.strength))
    telling = np.flatnonzero(strength > max(_TELLING * strength.max(), TOO_WEAK))
    odds = np.zeros(values.shape[1])
    if not telling.size:
        return odds, np.zeros_like(odds)
    maps = past.maps((rows, slice(None)))
    jump, noise = _jump(fit, values[telling], maps, telling, strength[telling])
    suspect = np.flatnonzero(jump**2 > _SUSPECT2 * noise)
    places = tuple(np.add(np.divmod(suspect, past.model.shape[1]), [[rows.start], [0]]))
    steps = np.median(noise) * _STEPS
    own = noise[suspect]
    own += _map_variance(past, places, fit.design[telling[0]]) / strength[telling[0]] ** 2
    share = since.changed_share, since.cosmic_share if telling.size == 1 else 0.0
    odds[suspect] = _odds(past, places, jump[suspect], own, steps, share)
    return odds, jump


def _odds(
    past: Past, places: Places, jump: Array, noise: Array, steps: Array, shares: tuple[float, float]
) -> Array:
    """Weigh a change of any size against scatter as ever, and a ray in a single frame."""
    as_ever = zip(past.scatter_weights(places).T, past.model.scatter_grid, strict=True)
    unchanged = sum(weight * _normal(jump, noise + scatter) for weight, scatter in as_ever)
    elsewhere = sum(_normal(jump, noise + step) for step in steps) / len(steps)
    changed, hit = (share * elsewhere for share in shares)
    return np.asarray(changed / (unchanged + hit + changed))


def _jump(
    fit: SampleFit, values: Image, maps: Array, frames: NDArray[np.intp], strength: Array
) -> tuple[Array, Array]:
    """Find how much brighter pixels are than foretold, at full strength, and its noise.

    The frames, in a few groups, give as many estimates by least squares; the one in the middle
    speaks, and of two the smaller one: a cosmic ray in one of them is no change. Nor is it one that
    a pixel is full where it is foretold to be more than that.
    """
    groups = np.array_split(np.arange(len(frames)), min(_GROUPS, len(frames)))
    pulls, weights = np.zeros((2, len(groups), values.shape[1]))
    for g, group in enumerate(groups):
        for k in group:
            predicted = maps @ fit.design[frames[k]]
            weight = strength[k] / _noise(fit, frames[k], predicted)
            weights[g] += strength[k] * weight
            beyond = (values[k] > fit.censor_adu) & (predicted > values[k])
            pulls[g] += np.where(beyond, 0.0, values[k] - predicted) * weight
    jumps, variance = pulls / weights, 1.0 / weights.sum(axis=0)
    if len(groups) > 2:
        return np.median(jumps, axis=0), variance * _MEDIAN_VARIANCE
    smaller = np.argmin(np.abs(jumps), axis=0)
    return np.take_along_axis(jumps, smaller[None], axis=0)[0], variance * len(groups)


def _noise(fit: SampleFit, frame: int, signal: Array) -> Array:
    variance = fit.law.frame_variance[frame]
    return fit.law.variance(signal, variance, int(fit.setting[frame]))


def _map_variance(past: Past, places: Places, design: Array) -> Array:
    """Variance of the prediction by the error of the maps of an ordinary pixel, ADU^2."""
    prior = past.model.prior
    covariance = np.linalg.inv(
        past.information(places) + prior.precisions[np.argmax(prior.weights)]
    )
    return np.asarray(np.einsum("r,nrq,q->n", design, covariance, design))


def _normal(deviation: Array, variance: Array) -> Array:
    density = np.exp(-0.5 * np.minimum(deviation**2 / variance, _FARTHEST)) / np.sqrt(variance)
    return np.asarray(density)
