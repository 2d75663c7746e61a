"""Telegraph pixels found in a library, and what is left of it when their hops are taken out.

Pixels whose frames differ by far more than their noise are fitted anew as hopping between two
levels. Where that explains them better, the hops are subtracted from their frames, and their maps
learned once more: of all frames then, at all levels, as if the pixel had stood at its mean. One
that turned hot for good is learned from the frames that saw it hot, as soon as these are enough.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.band import Band
from solodark.dark_model.level_chain import MEMORIES_S, Chain
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, Memory, PixelsFound
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.telegraph import TelegraphPixels, hop_direction
from solodark.dark_model.two_levels import Rival, TwoLevels, find_two_levels

__all__ = ["explain_hops", "gains_by_hops", "restless_pixels", "restlessness"]

Array = NDArray[np.float64]

_RESTLESS2 = 0.3  # as many times its noise a pixel varies at full strength to be looked at
_CHANCE_SIGMA = 4.0  # noise measured in few frames looks restless by chance alone
_MOST_SHARE = 0.03  # of the pixels of a band, the most restless: no sensor has more that hop
_NEARLY_SURE = (0.005, 0.995)  # that a pixel stays where it is
_TURNS = 2  # of levels and maps, each by the other
_BETTER = 5.0  # nats by which two levels must explain a pixel better than none


def explain_hops(
    band: Band, found: PixelsFound, settings: LearnSettings, place: NDArray[np.intp]
) -> TelegraphPixels:
    """Find telegraph pixels among some pixels of a band, and learn their maps without their hops.

    Parameters
    ----------
    band : Band
        The pixels.
    found : PixelsFound
        Of these pixels; maps and information are overwritten where hops are taken out, and
        residuals are those of the new maps, hops and all. Excess and scatter still tell how
        restless a pixel is.
    settings : LearnSettings
        How to learn.
    place : ndarray of int, shape (n,)
        The pixels to look at, as `restless_pixels` gives them.

    Returns
    -------
    TelegraphPixels
        With places counted within the band.
    """
    if not place.size:
        return TelegraphPixels.none()
    chain = _chain(band)
    sought = _find_levels(band, chain, found, settings, place)
    hopping = np.flatnonzero(sought.levels.gain > _BETTER)
    chosen = sought.where(hopping)
    chosen = chosen._replace(levels=_standing_last(chosen.levels, chosen.high[:, chain.order[-1]]))
    pixels = _table(place[hopping], chosen.levels)
    settled = np.flatnonzero(pixels.settled)
    if settled.size:
        own, levels = pixels.where(settled), chosen.where(settled)
        steady = _learn_anew(band, chain, own, levels, settings)
        kept = band.rows.kept.design
        found.residuals[own.place] -= (steady.maps - found.maps[own.place]) @ kept.T
        found.maps[own.place], found.information[own.place] = steady.maps, steady.information
        pixels.rest_adu2[settled] = steady.scatter @ band.fit.scatter_grid
    return pixels


class _Levels(NamedTuple):
    """Two levels of pixels, the chance of the high one in every frame, and the maps they are of."""

    levels: TwoLevels
    high: Array
    maps: Array

    def where(self, chosen: NDArray[np.intp]) -> "_Levels":
        """Choose some pixels."""
        levels = TwoLevels(*(part[chosen] for part in self.levels))
        return _Levels(levels, self.high[chosen], self.maps[chosen])

    def or_better(self, other: "_Levels") -> "_Levels":
        """Take for each pixel what explains it better."""
        better = other.levels.gain > self.levels.gain
        pairs = zip(self.levels, other.levels, strict=True)
        levels = TwoLevels(*(np.where(better, new, old) for old, new in pairs))
        high = np.where(better[:, None], other.high, self.high)
        return _Levels(levels, high, np.where(better[:, None], other.maps, self.maps))


def _find_levels(
    band: Band,
    chain: Chain,
    found: PixelsFound,
    settings: LearnSettings,
    place: NDArray[np.intp],
) -> _Levels:
    """Find levels and maps of some pixels in turn.

    Maps that were learned with the hops in them may bend after these, so that neither level is
    proportional to the dark signal any more; those that are learned without do not.
    """
    maps = found.maps[place]
    rival = _rival(band, found, place)
    levels, high = find_two_levels(rival.residual, rival.signal, rival, chain)
    sought = _Levels(levels, high, maps)
    for _ in range(_TURNS):
        pixels = _table(place, sought.levels)
        steady = _learn_anew(band, chain, pixels, sought, settings)
        signal = np.ascontiguousarray(steady.maps @ band.fit.design.T)
        residual = rival.residual + rival.signal - signal
        levels, high = find_two_levels(residual, signal, rival, chain)
        sought = sought.or_better(_Levels(levels, high, steady.maps))
    return sought


def gains_by_hops(band: Band, found: PixelsFound) -> Array:
    """Tell by how much two levels explain pixels better than none.

    Parameters
    ----------
    band : Band
        The pixels.
    found : PixelsFound
        Of these pixels.

    Returns
    -------
    ndarray, shape (n,)
        In nats; 0 where a pixel varies by no more than its noise.
    """
    gains = np.zeros(len(found.maps))
    place = restless_pixels(restlessness(band, found), band.rows.starts)
    rival = _rival(band, found, place)
    gains[place] = find_two_levels(rival.residual, rival.signal, rival, _chain(band))[0].gain
    return gains


def _standing_last(levels: TwoLevels, high: Array) -> TwoLevels:
    """Take for the duty of pixels that stay for months where they stood in the end.

    Such a pixel, born halfway through the library, is hot for good; the mean of what it was and
    what it is would be wrong in every night to come.
    """
    pixels = _table(np.zeros(levels.gain.size, np.intp), levels)
    stays = pixels.lasting & ~pixels.hopping
    return levels._replace(duty=np.where(stays, np.clip(high, *_NEARLY_SURE), levels.duty))


def _table(place: NDArray[np.intp], levels: TwoLevels) -> TelegraphPixels:
    rise = levels.high - levels.low
    duty = np.where(rise < 0.0, 1.0 - levels.duty, levels.duty)
    memory_s = MEMORIES_S[levels.memory.astype(np.intp)]
    columns = (np.abs(rise), duty, memory_s, levels.looks, np.zeros(place.size))
    return TelegraphPixels(place.astype(np.int32), *(c.astype(np.float32) for c in columns))


def _above_mean(band: Band, pixels: TelegraphPixels, sought: _Levels) -> Array:
    """Tell how far above the mean of their duty pixels stood in each frame, in rises.

    A mean stands between the levels, as near to where it is as it can be; but that of a pixel that
    stays stands at one level, as a frame does.
    """
    low, high = sought.levels.low, sought.levels.high
    duty = pixels.duty.astype(np.float64)[:, None]
    above: Array = np.where((high < low)[:, None], 1.0 - sought.high, sought.high) - duty
    between = pixels.hopping
    means = above[:, : band.rows.n_means]
    means[between] = _between_levels(band, pixels, sought.maps, np.minimum(low, high)).T[between]
    return above


def _between_levels(band: Band, pixels: TelegraphPixels, maps: Array, low: Array) -> Array:
    """Tell where means lie between two levels, beyond the duty, (n_means, n)."""
    n_means = band.rows.n_means
    amplitude = _amplitude(band.fit)[:n_means, None]
    foretold = band.fit.design[:n_means] @ maps.T
    beyond = band.means[:, pixels.place] - foretold - amplitude * low
    reach = np.maximum(amplitude * pixels.rise_adu, 1e-12)
    return np.asarray(np.clip(beyond / reach, 0.0, 1.0) - pixels.duty)


def _without_hops(band: Band, chain: Chain, pixels: TelegraphPixels, above: Array) -> Array:
    """Give what pixels would have shown at the mean of their duty.

    What a pixel that stays showed at its other level is left out where as many series as there are
    dark maps saw it at this one: hops are not quite proportional to the dark signal.
    """
    reach: Array = chain.amplitude * pixels.rise_adu[:, None]
    tells, there = reach**2 > chain.floor, np.abs(above) < 0.5
    series = np.logical_or.reduceat(tells & there, band.rows.starts[:-1], axis=1)
    alone = ~pixels.hopping & (np.count_nonzero(series, axis=1) >= len(band.fit.strength))
    steady: Array = band.values[:, pixels.place].T - reach * above
    return np.where(alone[:, None] & tells & ~there, np.nan, steady)


def _amplitude(fit: SampleFit) -> Array:
    """Strength of the hops in each frame; no frame has less than none, whatever its state."""
    return np.maximum(fit.states @ hop_direction(fit.strength, fit.states), 0.0)


def _learn_anew(
    band: Band, chain: Chain, pixels: TelegraphPixels, sought: _Levels, settings: LearnSettings
) -> PixelsFound:
    """Learn pixels whose hops are taken out."""
    place = pixels.place
    steady = _without_hops(band, chain, pixels, _above_mean(band, pixels, sought))
    memory = Memory(*(part[place] for part in band.memory)) if band.memory else None
    values = np.ascontiguousarray(steady.T, dtype=np.float32)
    smooth = np.ascontiguousarray(band.smooth[:, place])
    return fit_values(band.fit, values, smooth, band.rows.starts, settings, memory)


def _chain(band: Band) -> Chain:
    """Give the means and the frames; a mean is no firmer than one of its frames."""
    fit, times = band.fit, band.rows.times
    amplitude = _amplitude(fit)
    amplitude[times.biases] = 0.0  # the error of their states is none of the pixels'
    return Chain(
        amplitude=amplitude,
        order=times.order,
        kept=np.exp(-times.gaps_s / MEMORIES_S[:, None]),
        floor=fit.law.frame_variance,
        slope=fit.law.slope[fit.setting],
        curvature=fit.law.curvature,
        censor_adu=fit.censor_adu,
        series_start=band.rows.starts,
    )


def restlessness(band: Band, found: PixelsFound) -> Array:
    """Tell by how much pixels vary at the library's strongest frame beyond their noise.

    Parameters
    ----------
    band : Band
        The pixels.
    found : PixelsFound
        Of these pixels.

    Returns
    -------
    ndarray, shape (n,)
        Times the variance of their noise.
    """
    fit = band.fit
    amplitude = np.where(band.rows.times.biases, 0.0, _amplitude(fit))
    strongest = int(np.argmax(amplitude))
    signal = found.maps @ fit.design[strongest]
    setting = int(fit.setting[strongest])
    noise = fit.law.variance(signal, fit.law.frame_variance[strongest], setting)
    return np.asarray((found.scatter @ fit.scatter_grid) / noise + found.excess - 1.0)


def restless_pixels(restless: Array, starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find the pixels that may hop between two levels.

    Parameters
    ----------
    restless : ndarray, shape (n,)
        By how much pixels vary beyond their noise, as `restlessness` tells it.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins that they were fitted to.

    Returns
    -------
    ndarray of int
        Their places, ascending.
    """
    by_chance = np.sqrt(2.0 / (EXCESS_PRIOR_DOF + starts[-1] - (starts.size - 1)))
    most = max(1, int(_MOST_SHARE * restless.size))
    bound = max(_RESTLESS2, _CHANCE_SIGMA * by_chance, np.partition(restless, -most)[-most])
    return np.flatnonzero(restless >= bound)


def _rival(band: Band, found: PixelsFound, place: NDArray[np.intp]) -> Rival:
    """Give some pixels as they were fitted, without levels."""
    values = np.ascontiguousarray(band.values[:, place].T, dtype=np.float64)
    signal = np.ascontiguousarray(found.maps[place] @ band.fit.design.T)
    scatter = found.scatter[place] @ band.fit.scatter_grid
    return Rival(values - signal, signal, np.ascontiguousarray(found.excess[place]), scatter)
