"""The noise of a library's frames, learned from what the fit leaves of them."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.noise import NoiseLaw, fit_noise_law, robust_variance, spreads
from solodark.frames import Acquisition

__all__ = [
    "censor_adu",
    "first_variance",
    "learn_noise",
    "least_variance",
]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_QUANTISATION_VARIANCE = 1 / 12  # of a step squared
_NEVER_ZERO = 1e-12  # ADU^2
_FULL_SCALES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16, 18, 20, 24, 32))
_LINEAR_SHARE = 0.75  # sensors are linear to about three quarters of what they or their ADC hold
_MOST_LEVERAGE = 0.9


def first_variance(values: Array, starts: NDArray[np.intp], step_adu: float) -> Array:
    """Variance of each frame from its difference to a neighbour, in its series where it has one.

    Parameters
    ----------
    values : ndarray, shape (n_frames, n_pixels)
        Ordinary pixels, ADU above the level, frames sorted by series.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    step_adu : float
        Step between values, where it is coarse beside the noise; else 0.

    Returns
    -------
    ndarray, shape (n_frames,)
        ADU^2.
    """
    variance = np.zeros(len(values))
    for first, last in pairwise(starts):
        alone = last - first == 1
        low, high = (0, len(values)) if alone else (first, last)
        for f in range(first, last):
            difference = values[f] - values[f + 1 if f + 1 < high else max(f - 1, low)]
            variance[f] = robust_variance(difference - np.median(difference), step_adu) / 2
    return np.maximum(variance, least_variance(step_adu))


def least_variance(step_adu: float) -> float:
    """Variance that quantisation alone brings.

    Parameters
    ----------
    step_adu : float
        Step between values.

    Returns
    -------
    float
        ADU^2, and never zero.
    """
    return max(_QUANTISATION_VARIANCE * step_adu**2, _NEVER_ZERO)


def learn_noise(
    residual: Array,
    predicted: Array,
    leverages: tuple[Array, Array],
    *,
    starts: NDArray[np.intp],
    n_random: int,
    setting: NDArray[np.intp],
    full_adu: float,
    step_adu: float,
) -> NoiseLaw:
    """Learn the noise of ordinary pixels in every frame, and its growth with the signal.

    Parameters
    ----------
    residual, predicted : ndarray, shape (n_frames, n_pixels)
        What the fit leaves of the frames, and what it foretells, ADU.
    leverages : tuple of two ndarrays, shape (n_frames,)
        How much each frame pulled the fit of an ordinary pixel towards itself, and that of a very
        hot one, which nothing else holds.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    n_random : int
        The first so many pixels are a random part of the sensor.
    setting : ndarray of int, shape (n_frames,)
        Gain setting of each frame.
    full_adu : float
        Above this a pixel is full, ADU above the level, and has no noise to tell of.
    step_adu : float
        Step between values, where it is coarse beside the noise; else 0.

    Returns
    -------
    NoiseLaw
        The law.
    """
    leverage, hot_leverage = leverages
    own = np.array([robust_variance(frame[:n_random], step_adu) for frame in residual])
    variance = own / (1.0 - np.clip(leverage, 0.0, _MOST_LEVERAGE))
    variance = np.maximum(variance, least_variance(step_adu))
    deviations, shrink = np.zeros_like(residual), np.zeros(len(residual))
    signal = np.where(np.maximum(predicted, predicted + residual) < full_adu, predicted, 0.0)
    for first, last in pairwise(starts):
        signal[first:last, (signal[first:last] == 0.0).any(axis=0)] = 0.0
        deviations[first:last] = residual[first:last] - residual[first:last].mean(axis=0)
        shrink[first:last] = 1.0 - 1.0 / (last - first)
    tells = (shrink == 0.0) & (hot_leverage < _MOST_LEVERAGE)
    left = np.where(tells, 1.0 - hot_leverage, 0.0)
    told = spreads(signal, deviations, variance, shrink, step_adu=step_adu)
    bounds = spreads(signal, residual, variance, left, step_adu=step_adu)
    return fit_noise_law(told, bounds, variance, setting)


def censor_adu(acquisition: Acquisition, values: Image, levels: Array) -> float:
    """Tell where a pixel is no longer linear: a share of the full scale.

    Parameters
    ----------
    acquisition : Acquisition
        Tells the full scale; else it is the lowest one that holds all values.
    values : ndarray of float32
        Pixels of all frames, ADU above the level.
    levels : ndarray
        The levels, ADU.

    Returns
    -------
    float
        ADU above the level.
    """
    level = float(np.median(levels))
    largest = float(values.max()) + level
    full_scale = acquisition.saturation_adu or next(
        (scale for scale in _FULL_SCALES if scale >= largest), largest
    )
    return _LINEAR_SHARE * full_scale - level
