"""Where the telegraph pixels of a sensor stand in a new sub, and what the night will see of them.

A sub tells the level of a pixel by Bayes' rule, and the level tells more than the sub: it is known
from all of the library. What is seen in frames beside the sub, over as long a time as the library's
series take, is the level as far as the pixel remembers it, and its mean in the long run for the
rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import hop_strength, usual_span_s
from solodark.dark_model.model import DarkModel
from solodark.dark_model.predict import Prediction
from solodark.dark_model.solve import Solved
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.dark_model.telegraph import TelegraphPixels, series_memory

__all__ = ["Settled", "Standing", "hop_levels", "settle_hops", "stand"]

Array = NDArray[np.float64]
Numbers = NDArray[np.float32]

_NEITHER = 1e-3  # chance that a pixel stands at neither of its levels any more
_FARTHEST2 = 1400.0  # sigma^2 beyond which a density would be zero


class Standing(NamedTuple):
    """Where pixels stand.

    Attributes
    ----------
    high : ndarray, shape (n,)
        Chance of the high level.
    known : ndarray, shape (n,)
        Chance that they are at one of their two levels at all.
    """

    high: Array
    known: Array


class Settled(NamedTuple):
    """What a sub told of the telegraph pixels.

    Attributes
    ----------
    place : ndarray of int, shape (n,)
        Index into the flattened sensor.
    deviation, variance : ndarray, shape (n,)
        From the mean in the long run, ADU, and its variance, ADU^2.
    known : ndarray, shape (n,)
        Chance that they are at one of their two levels at all.
    """

    place: NDArray[np.int32]
    deviation: Array
    variance: Array
    known: Array


def stand(before: Array, deviations: Array, levels: Array, variances: Array) -> Standing:
    """Tell the levels of pixels by one look at them.

    Parameters
    ----------
    before : ndarray, shape (n,)
        Chance of the high level, before the look.
    deviations : ndarray, shape (n,)
        What was seen, ADU.
    levels, variances : ndarray, shape (2, n)
        What is seen at the low and at the high level, ADU, and with what variance, ADU^2.

    Returns
    -------
    Standing
        By Bayes' rule; the third way is a density as wide as both levels lie apart, with the tails
        of Cauchy's.
    """
    shares = np.stack([1.0 - before, before])
    at = shares * _normal(deviations - levels, variances)
    wide = np.sqrt(variances.max(axis=0)) + np.abs(levels[1] - levels[0])
    beyond = (deviations - levels.mean(axis=0)) / wide
    neither = _NEITHER / (wide * (1.0 + beyond**2))
    told = np.maximum(at.sum(axis=0), 1e-300)
    return Standing(at[1] / told, told / (told + neither))


def settle_hops(
    model: DarkModel, solved: Solved, prediction: Prediction, deviation: Numbers
) -> Settled:
    """Tell where the telegraph pixels stand in a sub, and what is to be expected beside it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    solved : Solved
        State of the sub.
    prediction : Prediction
        The model's word on it.
    deviation : ndarray of float32, shape (ny, nx)
        The sub less prediction, level, rows and smooth field, ADU.

    Returns
    -------
    Settled
        Of all of them; those that the sub does not show are at their mean.
    """
    pixels = model.pixels.telegraph.where(model.pixels.telegraph.settled)
    strength, duty = hop_strength(model, solved.state), pixels.duty.astype(np.float64)
    levels = hop_levels(pixels, strength)
    seen = deviation.ravel()[pixels.place].astype(np.float64)
    shown, seen = np.isfinite(seen), np.nan_to_num(seen)
    common = prediction.variance.ravel()[pixels.place].astype(np.float64)
    own = common + pixels.rest_adu2 * (strength**2 + FLOOR_AMPLITUDE2)
    signal = prediction.pattern.ravel()[pixels.place] + levels
    variance = own + model.law.variance(signal, solved.frame_variance, solved.setting)
    standing = stand(duty, seen, levels, variance)
    told = np.where(shown, 1.0 / variance, 0.0)
    kept = series_memory(pixels.memory_s, usual_span_s(model.library))
    after = _beside(np.where(shown, standing.high, duty), duty, kept)
    at = np.stack([levels + own * told * (seen - levels),
                   levels[::-1] + common * told * (seen - levels)])  # fmt: skip
    left = np.stack([own - own**2 * told, own - common**2 * told])
    mean = np.sum(after * at, axis=(0, 1))
    return Settled(
        place=pixels.place,
        deviation=mean,
        variance=np.sum(after * (left + (at - mean) ** 2), axis=(0, 1)),
        known=np.where(shown, standing.known, 1.0),
    )


def _beside(high: Array, duty: Array, kept: Array) -> Array:
    """Tell the chance that pixels stay where they are, or are at the other level, beside the sub.

    Shape (2, 2, n): first whether they stay or not, then from the low or from the high level. What
    a sub tells of one level is little news of the other: it shares the maps, but not the rest.
    """
    now, long_run = np.stack([1.0 - high, high]), np.stack([1.0 - duty, duty])
    leaves = now * (1.0 - kept) * (1.0 - long_run)
    return np.stack([now - leaves, leaves])


def hop_levels(pixels: TelegraphPixels, strength: float) -> Array:
    """Tell what telegraph pixels show beyond their mean in the long run.

    Parameters
    ----------
    pixels : TelegraphPixels
        The pixels.
    strength : float
        Of the dark signal, as `hop_strength` gives it.

    Returns
    -------
    ndarray, shape (2, n)
        At the low and at the high level, ADU.
    """
    rise, duty = strength * pixels.rise_adu.astype(np.float64), pixels.duty.astype(np.float64)
    return np.stack([-duty * rise, (1.0 - duty) * rise])


def _normal(deviation: Array, variance: Array) -> Array:
    square = np.minimum(deviation**2 / variance, _FARTHEST2)
    return np.asarray(np.exp(-0.5 * square) / np.sqrt(variance))
