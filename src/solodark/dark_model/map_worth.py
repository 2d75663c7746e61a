"""What one more dark map is worth: how much better it foretells most pixels.

A map is judged by the same fit without it. The fit of one map less would be no fair rival: states
and noise have not been refined as often there, and a few more rounds tell of most pixels as much as
a map that is none.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.first_fit import SampledLibrary
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.telegraph_fit import Band, frame_times, gains_by_hops

__all__ = ["gain_of_last_map", "of_most_pixels"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_APART = 0.01  # share of the pixels, at either end
_NO_MEANS = np.zeros(0, np.intp)


def gain_of_last_map(
    evidence: Array, fit: SampleFit, values: Image, library: SampledLibrary
) -> Array:
    """Tell what the last dark map of a fit gains in each pixel.

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
    ndarray, shape (n,)
        In nats; NaN where two levels in time explain more than the map does.
    """
    less, sample, starts = _without_last_map(fit), library.sample, library.starts
    smooth = np.ascontiguousarray(fit.smooth.at(sample.y, sample.x)[:-1])
    found = fit_values(less, values, smooth, starts, library.settings)
    times = frame_times(library.sources, starts)
    hops = gains_by_hops(Band(less, values, smooth, starts, 0, _NO_MEANS, times), found)
    gain = evidence - found.evidence
    return np.where(hops > np.maximum(gain, 0.0), np.nan, gain)


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


def _without_last_map(fit: SampleFit) -> SampleFit:
    """Take the last dark map out, and leave all else as it is."""
    prior = fit.prior
    covariances = np.linalg.inv(prior.precisions)[:, :-1, :-1]
    less = MixturePrior(prior.weights, prior.means[:, :-1], np.linalg.inv(covariances))
    strength = fit.strength[:-1, :-1]
    return replace(fit, design=fit.design[:, :-1], strength=strength, prior=less)
