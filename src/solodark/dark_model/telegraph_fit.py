"""Telegraph pixels found in a library, and what is left of it when their hops are taken out.

Pixels whose frames differ by far more than their noise are fitted anew as hopping between two
levels. Where that explains them better, the hops are subtracted from their frames, and their maps
learned once more: of all frames then, at all levels, as if the pixel had stood at its mean. One
that turned hot for good is learned from the frames that saw it hot, as soon as these are enough.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.frame_times import FrameTimes
from solodark.dark_model.level_chain import MEMORIES_S, Chain
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, Memory, PixelsFound
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.telegraph import TelegraphPixels, hop_direction
from solodark.dark_model.two_levels import TwoLevels, find_two_levels

__all__ = ["Band", "explain_hops", "gains_by_hops"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_RESTLESS2 = 0.3  # as many times its noise a pixel varies at full strength to be looked at
_CHANCE_SIGMA = 4.0  # noise measured in few frames looks restless by chance alone
_MOST_SHARE = 0.03  # of the pixels of a band, the most restless: no sensor has more that hop
_MEMORY_STEP = MEMORIES_S[1] / MEMORIES_S[0]
_NEARLY_SURE = (0.005, 0.995)  # that a pixel stays where it is
_BETTER = 5.0  # nats by which two levels must explain a pixel better than none


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """Pixels of a band, as they are fitted.

    Attributes
    ----------
    fit : SampleFit
        States, prior and noise: of the means of frames seen before, then of the frames.
    values : ndarray of float32, shape (n_means + n_frames, n)
        ADU above level and rows, frames sorted by series.
    smooth : ndarray of float32, shape (d, n)
        Smooth part of their maps.
    starts : ndarray of int, shape (n_means + n_series + 1,)
        Where each series begins; each mean is one of its own.
    n_means : int
        Number of the means; in these, known hops are taken out.
    kept_as : ndarray of int, shape (n_means + n_series,)
        Mean in which each series is kept.
    times : FrameTimes
        When the means and the frames were taken.
    memory : Memory, optional
        What frames seen before tell of the noise of these pixels.
    changed : ndarray of int, shape (m,)
        Those that are no longer what they were, or stand at another level.
    """

    fit: SampleFit
    values: Image
    smooth: Image
    starts: NDArray[np.intp]
    n_means: int
    kept_as: NDArray[np.intp]
    times: FrameTimes
    memory: Memory | None = None
    changed: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))


def explain_hops(
    band: Band, found: PixelsFound, settings: LearnSettings, known: TelegraphPixels
) -> TelegraphPixels:
    """Find the telegraph pixels of a band, and learn their maps anew without their hops.

    Parameters
    ----------
    band : Band
        The pixels.
    found : PixelsFound
        Of these pixels; maps, information and residuals are overwritten where hops are taken out.
        Excess and scatter still tell how restless a pixel is.
    settings : LearnSettings
        How to learn.
    known : TelegraphPixels
        Those that frames seen before told, with places counted within the band.

    Returns
    -------
    TelegraphPixels
        With places counted within the band.
    """
    fit, chain = band.fit, _chain(band)
    looked_at = (_restless(fit, chain, found), known.place, band.changed)
    place = np.unique(np.concatenate(looked_at))
    before = _as_known(place, known, _offsets(band, found, known))
    looks = np.ascontiguousarray(band.values[:, place].T, dtype=np.float64)
    looks[before.looks > 0.0, : band.n_means] = np.nan  # these are counted already
    levels, high = _two_levels(fit, chain, looks, found, place, before)
    hopping = np.flatnonzero(levels.gain > _least_gain(place, known, len(looks.T) - band.n_means))
    levels = TwoLevels(*(part[hopping] for part in levels))
    levels = _standing_last(levels, high[hopping, chain.order[-1]])
    pixels = _table(place[hopping], levels)
    settled = np.flatnonzero(pixels.settled)
    if settled.size:
        levels = TwoLevels(*(part[settled] for part in levels))
        own = pixels.where(pixels.settled)
        above = _above_mean(band, found, own, levels, high[hopping[settled]], known)
        steady = _without_hops(band, chain, own, above)
        pixels.rest_adu2[settled] = _learn_anew(band, steady, found, own.place, settings)
    return pixels


def gains_by_hops(band: Band, found: PixelsFound) -> Array:
    """Tell by how much two levels explain pixels better than none.

    Parameters
    ----------
    band : Band
        The pixels, of which nothing is known from frames seen before.
    found : PixelsFound
        Of these pixels.

    Returns
    -------
    ndarray, shape (n,)
        In nats; 0 where a pixel varies by no more than its noise.
    """
    chain, gains = _chain(band), np.zeros(len(found.maps))
    place = _restless(band.fit, chain, found)
    own = np.ascontiguousarray(band.values[:, place].T, dtype=np.float64)
    unknown = TwoLevels(*np.zeros((len(TwoLevels._fields), place.size)))
    levels, _ = _two_levels(band.fit, chain, own, found, place, unknown)
    gains[place] = levels.gain
    return gains


def _standing_last(levels: TwoLevels, high: Array) -> TwoLevels:
    """Take for the duty of pixels that stay for months where they stood in the end.

    Such a pixel, born halfway through the library, is hot for good; the mean of what it was and
    what it is would be wrong in every night to come.
    """
    pixels = _table(np.zeros(levels.gain.size, np.intp), levels)
    stays = pixels.settled & ~pixels.hopping
    return levels._replace(duty=np.where(stays, np.clip(high, *_NEARLY_SURE), levels.duty))


def _least_gain(place: NDArray[np.intp], known: TelegraphPixels, n_frames: int) -> Array:
    """Choose by how much two levels must explain each pixel better than none, in nats.

    One that is known to hop is forgotten only where the levels fail: in one night it may well stand
    at one of them, and a night's frames are explained by a little more noise just as well.
    """
    least = np.full(place.size, _BETTER)
    failing = np.where(known.settled, np.maximum(n_frames, _BETTER), _BETTER)
    least[np.searchsorted(place, known.place)] = -failing
    return least


def _table(place: NDArray[np.intp], levels: TwoLevels) -> TelegraphPixels:
    rise = levels.high - levels.low
    duty = np.where(rise < 0.0, 1.0 - levels.duty, levels.duty)
    memory_s = MEMORIES_S[levels.memory.astype(np.intp)]
    columns = (np.abs(rise), duty, memory_s, levels.looks, np.zeros(place.size))
    return TelegraphPixels(place.astype(np.int32), *(c.astype(np.float32) for c in columns))


def _above_mean(
    band: Band,
    found: PixelsFound,
    pixels: TelegraphPixels,
    levels: TwoLevels,
    high: Array,
    known: TelegraphPixels,
) -> Array:
    """Tell how far above the mean of their duty pixels stood in each frame, in rises.

    Hops that were known are taken out of the means already, by the duty they had. Others stand
    between the levels, as near to where they are as they can be; but those of pixels that stay
    stand at one level, as a frame does.
    """
    duty = pixels.duty.astype(np.float64)[:, None]
    above: Array = np.where((levels.high < levels.low)[:, None], 1.0 - high, high) - duty
    means = above[:, : band.n_means]
    between = pixels.hopping | np.isin(pixels.place, known.place)
    low = np.minimum(levels.low, levels.high)
    means[between] = _between_levels(band, found, pixels, low).T[between]
    before = known.where(known.settled & np.isin(known.place, pixels.place))
    at = np.searchsorted(pixels.place, before.place)
    means[at] = (before.duty - pixels.duty[at])[:, None]
    return above


def _between_levels(band: Band, found: PixelsFound, pixels: TelegraphPixels, low: Array) -> Array:
    """Tell where means lie between two levels, beyond the duty, (n_means, n)."""
    amplitude = _amplitude(band.fit)[: band.n_means, None]
    beyond = _left_of_means(band, found, pixels.place) - amplitude * low
    reach = np.maximum(amplitude * pixels.rise_adu, 1e-12)
    return np.asarray(np.clip(beyond / reach, 0.0, 1.0) - pixels.duty)


def _without_hops(band: Band, chain: Chain, pixels: TelegraphPixels, above: Array) -> Array:
    """Give what pixels would have shown at the mean of their duty.

    What a pixel that stays showed at its other level is left out where as many series as there are
    dark maps saw it at this one: hops are not quite proportional to the dark signal.
    """
    reach: Array = chain.amplitude * pixels.rise_adu[:, None]
    tells, there = reach**2 > chain.floor, np.abs(above) < 0.5
    series = np.logical_or.reduceat(tells & there, band.starts[:-1], axis=1)
    alone = ~pixels.hopping & (np.count_nonzero(series, axis=1) >= len(band.fit.strength))
    steady: Array = band.values[:, pixels.place].T - reach * above
    return np.where(alone[:, None] & tells & ~there, np.nan, steady)


def _left_of_means(band: Band, found: PixelsFound, place: NDArray[np.integer[Any]]) -> Array:
    """Give what the means of some pixels show beyond their maps, ADU, (n_means, n)."""
    foretold = band.fit.design[: band.n_means] @ found.maps[place].T
    return np.asarray(band.values[: band.n_means, place] - foretold)


def _amplitude(fit: SampleFit) -> Array:
    """Strength of the hops in each frame; no frame has less than none, whatever its state."""
    return np.maximum(fit.states @ hop_direction(fit.strength, fit.states), 0.0)


def _learn_anew(
    band: Band,
    values: Array,
    found: PixelsFound,
    place: NDArray[np.integer[Any]],
    settings: LearnSettings,
) -> NDArray[np.float32]:
    """Learn the maps of pixels whose hops are taken out; gives what is left between series."""
    memory = Memory(*(part[place] for part in band.memory)) if band.memory else None
    own = np.ascontiguousarray(values.T, dtype=np.float32)
    smooth = np.ascontiguousarray(band.smooth[:, place])
    steady = fit_values(band.fit, own, smooth, band.starts, settings, memory, kept_as=band.kept_as)
    for name in ("maps", "information", "residuals"):
        getattr(found, name)[place] = getattr(steady, name)
    return (steady.scatter @ band.fit.scatter_grid).astype(np.float32)


def _offsets(band: Band, found: PixelsFound, known: TelegraphPixels) -> Array:
    """Find where the long-run mean of known pixels lies above their new maps, ADU at strength 1.

    New frames at one level draw the maps there, but the means without hops stay where they are.
    """
    amplitude = _amplitude(band.fit)[: band.n_means]
    left = _left_of_means(band, found, known.place)
    weight = amplitude * band.fit.weight[: band.n_means]
    weights = np.where(np.isnan(left), 0.0, weight[:, None])
    told = np.maximum(amplitude @ weights, 1e-12)
    return np.where(known.settled, np.sum(weights * np.nan_to_num(left), axis=0) / told, 0.0)


def _as_known(place: NDArray[np.intp], known: TelegraphPixels, offsets: Array) -> TwoLevels:
    """Tell what is known of pixels before the frames at hand; no looks at those that are new."""
    numbers, own = np.zeros((7, place.size)), np.searchsorted(place, known.place)
    memory = np.log(known.memory_s / MEMORIES_S[0]) / np.log(_MEMORY_STEP)
    low, high = offsets - known.duty * known.rise_adu, offsets + (1 - known.duty) * known.rise_adu
    numbers[:6, own] = low, high, known.duty, np.rint(memory), known.rest_adu2, known.looks
    return TwoLevels(*numbers)


def _chain(band: Band) -> Chain:
    """Give the means and the frames; a mean is no firmer than one of its frames."""
    fit, times = band.fit, band.times
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
        series_start=band.starts,
    )


def _restless(fit: SampleFit, chain: Chain, found: PixelsFound) -> NDArray[np.intp]:
    """Pixels that vary at the library's strongest frame by more than their noise."""
    strongest = int(np.argmax(chain.amplitude))
    signal = found.maps @ fit.design[strongest]
    setting = int(fit.setting[strongest])
    noise = fit.law.variance(signal, fit.law.frame_variance[strongest], setting)
    restless = (found.scatter @ fit.scatter_grid) / noise + found.excess - 1.0
    starts = chain.series_start
    by_chance = np.sqrt(2.0 / (EXCESS_PRIOR_DOF + starts[-1] - (starts.size - 1)))
    most = max(1, int(_MOST_SHARE * restless.size))
    bound = max(_RESTLESS2, _CHANCE_SIGMA * by_chance, np.partition(restless, -most)[-most])
    return np.flatnonzero(restless >= bound)


def _two_levels(
    fit: SampleFit,
    chain: Chain,
    values: Array,
    found: PixelsFound,
    place: NDArray[np.intp],
    before: TwoLevels,
) -> tuple[TwoLevels, Array]:
    signal = np.ascontiguousarray(found.maps[place] @ fit.design.T)
    scatter, excess = found.scatter[place] @ fit.scatter_grid, found.excess[place]
    excess = np.ascontiguousarray(excess)
    return find_two_levels(values - signal, signal, excess, scatter, chain, before)
