"""What one more dark map is worth, and how wide it is: what foretells most pixels best.

A map is judged by the same fit without it. The fit of one map less would be no fair rival: states
and noise have not been refined as often there, and a few more rounds tell of most pixels as much as
a map that is none.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.band import Band
from solodark.dark_model.first_fit import SampledLibrary
from solodark.dark_model.fit_rows import FitRows
from solodark.dark_model.frame_times import frame_times
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.telegraph_fit import gains_by_hops

__all__ = ["judge_last_map", "narrowed", "of_most_pixels"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_APART = 0.01  # share of the pixels, at either end
_NARROWER = 0.7  # width of a prior over that of the one before
_NARROWEST = 0.1  # a map as small as that is none


def judge_last_map(
    evidence: Array, fit: SampleFit, values: Image, library: SampledLibrary
) -> tuple[float, Array]:
    """Tell what the last dark map of a fit gains in each pixel, and how wide its prior should be.

    The states of a weak map follow the noise of the pixels that they are learned from, and its
    prior becomes as wide as if that noise was a part of the map. It is narrowed as long as that
    foretells the left-out series better.

    Pixels that turned hot while the library was taken, or hop, gain much by a map of their own,
    which tells the nights before from those after; of a new sub it tells nothing.

    Parameters
    ----------
    evidence : ndarray, shape (n,)
        Logarithm of the evidence of each pixel with the map.
    fit : SampleFit
        The fit, with two dark maps or more.
    values : ndarray of float32, shape (n_frames, n)
        The sample above level and rows, ADU.
    library : SampledLibrary
        What is fitted.

    Returns
    -------
    width : float
        Of the prior of that map, over that in the fit.
    gain : ndarray, shape (n,)
        In nats; NaN where two levels in time explain more than the map does.
    """
    sample = library.sample
    smooth = np.ascontiguousarray(fit.smooth.at(sample.y, sample.x))
    without, hops = _explained_otherwise(fit, values, smooth, library)

    def gain_of(evidence: Array) -> Array:  # numpydoc ignore=GL08
        gain = evidence - without
        return np.where(hops > np.maximum(gain, 0.0), np.nan, gain)

    width, gain = 1.0, gain_of(evidence)
    while width > _NARROWEST:
        tried = replace(fit, prior=narrowed(fit.prior, width * _NARROWER))
        told = fit_values(tried, values, smooth, library.starts, library.settings)
        narrower = gain_of(told.evidence)
        if of_most_pixels(narrower, sample.n_random) <= of_most_pixels(gain, sample.n_random):
            break
        width, gain = width * _NARROWER, narrower
    return width, gain


def narrowed(prior: MixturePrior, width: float) -> MixturePrior:
    """Let the last map be smaller, alike in all components.

    Parameters
    ----------
    prior : MixturePrior
        Of all maps.
    width : float
        Of the last map, over what it is.

    Returns
    -------
    MixturePrior
        The same of all other maps.

    Examples
    --------
    >>> prior = MixturePrior(np.ones(1), np.ones((1, 2)), np.eye(2)[None])
    >>> narrowed(prior, 0.5).means, np.linalg.inv(narrowed(prior, 0.5).precisions)[0, 1, 1]
    (array([[1. , 0.5]]), np.float64(0.25))
    """
    scale = np.ones(prior.means.shape[1])
    scale[-1] = width
    return MixturePrior(
        prior.weights, prior.means * scale, prior.precisions / np.outer(scale, scale)
    )


def of_most_pixels(gain: Array, n_random: int) -> float:
    """Weigh the hottest pixels as much as all others, and none of either that stands apart.

    Parameters
    ----------
    gain : ndarray, shape (n,)
        Of each pixel; NaN where it does not count.
    n_random : int
        The first so many pixels are a random part of the sensor, the others its hottest.

    Returns
    -------
    float
        Mean gain.

    Examples
    --------
    >>> of_most_pixels(np.array([1.0, 1.0, 1.0, 3.0, np.nan]), 3)
    2.0
    """
    told = [np.sort(part[~np.isnan(part)]) for part in np.split(gain, [n_random])]
    parts = [part for part in told if part.size]
    apart = [int(_APART * part.size) for part in parts]
    middles = [part[cut : part.size - cut] for part, cut in zip(parts, apart, strict=True)]
    return float(np.mean([middle.mean() for middle in middles]))


def _explained_otherwise(
    fit: SampleFit, values: Image, smooth: Image, library: SampledLibrary
) -> tuple[Array, Array]:
    """Logarithm of the evidence without the last map, and what two levels in time add to that."""
    less, starts, settings = _without_last_map(fit), library.starts, library.settings
    found = fit_values(less, values, smooth[:-1], starts, settings)
    rows = FitRows(0, less, starts, frame_times(library.sources, starts))
    return found.evidence, gains_by_hops(Band(rows, values, smooth[:-1]), found)


def _without_last_map(fit: SampleFit) -> SampleFit:
    """Take the last dark map out, and leave all else as it is."""
    prior = fit.prior
    covariances = np.linalg.inv(prior.precisions)[:, :-1, :-1]
    less = MixturePrior(prior.weights, prior.means[:, :-1], np.linalg.inv(covariances))
    strength = fit.strength[:-1, :-1]
    return replace(fit, design=fit.design[:, :-1], strength=strength, prior=less)
