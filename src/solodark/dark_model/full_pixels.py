"""Pixels that are full: in every frame, or in every frame that is not too weak to show it.

A full value tells only that the pixel would be at least as bright, so the fit hardly lets it count,
and takes a pixel of which it knows nothing but full values and biases for an ordinary one. Such a
pixel would stay white in every light. It is recognised by growing with the dark signal: from its
weakest full frame on, all are full. Then its maps are raised until that frame is foretold full, as
far as the frames that are not full allow it. What is left are pixels that were full in some series
and not in others: these have changed in the meantime, or hop, and may be anything in a new sub.
"""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.model import UNKNOWN_SHARE
from solodark.dark_model.pixel_numbers import PixelsFound
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.strength import TOO_WEAK, squared_strength

__all__ = ["stand_full"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Numbers = NDArray[np.intp]

_EVERY = 16  # pixels will do for a median
_NEARLY = 0.5  # full; known pixels are foretold better than that
_LEAST_FULL = 2  # frames; a single one may be a cosmic ray's


def stand_full(found: PixelsFound, values: Image, fit: SampleFit, means: Array) -> None:
    """Let full pixels stand at least as high as they were seen, or scatter as far.

    Parameters
    ----------
    found : PixelsFound
        Of n pixels; maps, residuals and scatter are overwritten where a pixel is full.
    values : ndarray of float32, shape (n_frames, n)
        ADU above level and rows.
    fit : SampleFit
        States of the frames.
    means : ndarray, shape (m, d)
        Weights of all maps in each mean that is kept.
    """
    place = np.flatnonzero((values > fit.censor_adu).any(axis=0))
    full, usable = values[:, place] > fit.censor_adu, values[:, place] <= fit.censor_adu
    always = ~usable.any(axis=0) & _nothing_known(found, place, fit.n_settings)
    _hold(found, place[always], values[:, place[always]], fit)
    last = _full_to_the_last(full, usable, squared_strength(fit.states, fit.strength))
    for k in np.flatnonzero(last & usable.any(axis=0)):
        pixel = place[k]
        own = values[:, pixel].astype(np.float64)
        raised = _raised(found.maps[pixel], own, full[:, k], usable[:, k], fit)
        found.residuals[pixel] -= means @ (raised - found.maps[pixel])
        found.maps[pixel] = raised
    _scatter(found, place, fit, means)


def _scatter(found: PixelsFound, place: Numbers, fit: SampleFit, means: Array) -> None:
    """Let pixels scatter as far as a mean of full frames lies above what is foretold of it."""
    strength = np.sqrt(squared_strength(means[:, fit.n_settings :], fit.strength))
    foretold = means @ found.maps[place].T
    missed = np.isposinf(found.residuals[place].T) & (foretold < _NEARLY * fit.censor_adu)
    missed &= strength[:, None] > TOO_WEAK
    reach = (fit.censor_adu - foretold) / np.maximum(strength, TOO_WEAK)[:, None]
    least = np.where(missed, reach, np.inf).min(axis=0)
    for pixel, reach_adu in zip(place[missed.any(axis=0)], least[missed.any(axis=0)], strict=True):
        step = min(int(np.searchsorted(fit.scatter_grid, reach_adu**2)), fit.scatter_grid.size - 1)
        found.scatter[pixel] = np.eye(fit.scatter_grid.size)[step]


def _nothing_known(found: PixelsFound, place: Numbers, n_settings: int) -> NDArray[np.bool_]:
    """Tell the pixels of which no frame told anything."""
    bias = slice(0, n_settings)
    usual = np.einsum("nss->n", found.information[::_EVERY, bias, bias])
    told = np.einsum("nss->n", found.information[place, bias, bias])
    return np.asarray(told < UNKNOWN_SHARE * np.median(usual))


def _hold(found: PixelsFound, place: Numbers, values: Image, fit: SampleFit) -> None:
    """Let pixels that are full in every frame be so at any state."""
    found.maps[place] = 0.0
    found.maps[place, : fit.n_settings] = np.nanmean(values, axis=0)[:, None]


def _full_to_the_last(
    full: NDArray[np.bool_], usable: NDArray[np.bool_], strength2: Array
) -> NDArray[np.bool_]:
    """Tell the pixels, (n_frames, n), of which every full frame is stronger than any other."""
    weakest = np.where(full, strength2[:, None], np.inf).min(axis=0)
    strongest = np.where(usable, strength2[:, None], -np.inf).max(axis=0)
    return np.asarray((weakest > strongest) & (np.count_nonzero(full, axis=0) >= _LEAST_FULL))


def _raised(
    maps: Array,
    values: Array,
    full: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    fit: SampleFit,
) -> Array:
    """Raise the maps of a pixel along the strength of the dark signal, if that explains it better.

    Of the frames that are not full the weakest stays as it is foretold, and others come closer; of
    those that are as good as biases their states tell too little.
    """
    left = values - fit.design @ maps
    strongest = fit.states[np.argmax(squared_strength(fit.states, fit.strength))]
    direction = fit.strength @ strongest
    reach = fit.states @ direction
    above = reach - reach[usable].min()
    foretold = fit.design[full] @ maps
    if (foretold > _NEARLY * fit.censor_adu).all() or (above[full] <= 0.0).any():
        return maps
    step = float(np.max(left[full] / above[full]))
    telling = usable & (above > TOO_WEAK)
    if np.sum((left - step * above)[telling] ** 2) > np.sum(left[telling] ** 2):
        return maps
    bias = np.full(fit.n_settings, -reach[usable].min())
    return np.asarray(maps + step * np.concatenate([bias, direction]))
