"""Telegraph pixels found in a library, and what is left of it when their hops are taken out.

Pixels whose frames differ by far more than their noise are fitted anew as hopping between two
levels. Where that explains them better, the hops are subtracted from their frames, and their maps
learned once more: of all frames then, at all levels, as if the pixel had stood at its mean.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, Memory, PixelsFound
from solodark.dark_model.sample_fit import SampleFit, fit_values
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.telegraph import TelegraphPixels, hop_direction
from solodark.dark_model.two_levels import MEMORIES_S, Chain, TwoLevels, find_two_levels
from solodark.frames import FrameSource

__all__ = ["explain_hops", "frame_gaps"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_RESTLESS2 = 0.3  # as many times its noise a pixel varies at full strength to be looked at
_CHANCE_SIGMA = 4.0  # noise measured in few frames looks restless by chance alone
_MOST_SHARE = 0.03  # of the pixels of a band, the most restless: no sensor has more that hop
_MEMORY_STEP = MEMORIES_S[1] / MEMORIES_S[0]
_BETTER = 5.0  # nats by which two levels must explain a pixel better than none


def frame_gaps(sources: Sequence[FrameSource], starts: NDArray[np.intp]) -> Array:
    """Time from each frame's middle to the next.

    Parameters
    ----------
    sources : sequence of FrameSource
        Sorted by series.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.

    Returns
    -------
    ndarray, shape (n_frames,)
        Since the frame before, s. Without dates frames of a series follow each other at once, and
        a series knows nothing of the one before: infinite, as it is for the first of all.
    """
    taken = [source.acquisition for source in sources]
    exposure_s = np.array([one.exposure_s or 0.0 for one in taken])
    begun_s = np.array([one.date_obs.timestamp() if one.date_obs else np.nan for one in taken])
    gaps = np.abs(np.diff(begun_s + 0.5 * exposure_s, prepend=np.nan))
    at_once = 0.5 * (exposure_s + np.roll(exposure_s, 1))
    at_once[starts[:-1]] = np.inf
    return np.where(np.isfinite(gaps), gaps, at_once)


def explain_hops(
    fit: SampleFit,
    values: Image,
    found: PixelsFound,
    starts: NDArray[np.intp],
    gaps_s: Array,
    settings: LearnSettings,
    memory: Memory | None = None,
    known: TelegraphPixels | None = None,
) -> TelegraphPixels:
    """Find the telegraph pixels of a band, and learn their maps anew without their hops.

    Parameters
    ----------
    fit : SampleFit
        States, prior and noise.
    values : ndarray of float32, shape (n_frames, n)
        ADU above level and rows, frames sorted by series.
    found : PixelsFound
        Of these pixels; maps and information are overwritten where hops are taken out. Excess and
        scatter still tell how restless a pixel is.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    gaps_s : ndarray, shape (n_frames,)
        Time since the frame before.
    settings : LearnSettings
        How to learn.
    memory : Memory, optional
        What frames seen before tell of these pixels.
    known : TelegraphPixels, optional
        Those that frames seen before told, with places counted within the band.

    Returns
    -------
    TelegraphPixels
        With places counted within the band.
    """
    known = known or TelegraphPixels.none()
    chain = _chain(fit, starts, gaps_s)
    place = np.union1d(_restless(fit, chain, found), known.place)
    before = _as_known(place, known)
    own = np.ascontiguousarray(values[:, place].T, dtype=np.float64)
    levels, high = _two_levels(fit, chain, own, found, place, before)
    hopping = np.flatnonzero(levels.gain > np.where(before.looks > 0.0, -_BETTER, _BETTER))
    levels = TwoLevels(*(part[hopping] for part in levels))
    pixels = _table(place[hopping], levels)
    settled = np.flatnonzero(pixels.settled)
    if settled.size:
        chosen = hopping[settled]
        rise, duty = (levels.high - levels.low)[settled, None], levels.duty[settled, None]
        steady = own[chosen] - chain.amplitude * rise * (high[chosen] - duty)
        own_memory = _at_new_mean(fit, memory, pixels.where(pixels.settled), known)
        rest = _learn_anew(fit, steady, found, place[chosen], starts, settings, own_memory)
        pixels.rest_adu2[settled] = rest
    return pixels


def _table(place: NDArray[np.intp], levels: TwoLevels) -> TelegraphPixels:
    rise = levels.high - levels.low
    duty = np.where(rise < 0.0, 1.0 - levels.duty, levels.duty)
    memory_s = MEMORIES_S[levels.memory.astype(np.intp)]
    columns = (np.abs(rise), duty, memory_s, levels.looks, np.zeros(place.size))
    return TelegraphPixels(place.astype(np.int32), *(c.astype(np.float32) for c in columns))


def _at_new_mean(
    fit: SampleFit, memory: Memory | None, pixels: TelegraphPixels, known: TelegraphPixels
) -> Memory | None:
    """Give what is remembered of pixels, those of known hops at the mean of their new duty."""
    if memory is None or not memory.dof.size:
        return None
    own = Memory(*(part[pixels.place] for part in memory))
    before = known.where(known.settled & np.isin(known.place, pixels.place))
    at = np.searchsorted(pixels.place, before.place)
    raised = np.zeros(pixels.place.size)
    raised[at] = pixels.rise_adu[at] * (pixels.duty[at] - before.duty)
    direction = np.zeros(fit.design.shape[1])
    direction[fit.n_settings :] = hop_direction(fit.strength, fit.states)
    pulls = own.pulls + raised[:, None] * (own.information @ direction)
    # Their scatter was that of hops, which are now explained.
    return own._replace(pulls=pulls, log_scatter=np.zeros_like(own.log_scatter))


def _learn_anew(
    fit: SampleFit,
    values: Array,
    found: PixelsFound,
    place: NDArray[np.intp],
    starts: NDArray[np.intp],
    settings: LearnSettings,
    memory: Memory | None,
) -> NDArray[np.float32]:
    """Learn the maps of pixels whose hops are taken out; gives what is left between series."""
    own = np.ascontiguousarray(values.T, dtype=np.float32)
    steady = fit_values(fit, own, starts, settings, memory)
    found.maps[place], found.information[place] = steady.maps, steady.information
    return (steady.scatter @ fit.scatter_grid).astype(np.float32)


def _as_known(place: NDArray[np.intp], known: TelegraphPixels) -> TwoLevels:
    """Tell what is known of pixels before the frames at hand; no looks at those that are new."""
    numbers, own = np.zeros((6, place.size)), np.searchsorted(place, known.place)
    memory = np.log(known.memory_s / MEMORIES_S[0]) / np.log(_MEMORY_STEP)
    low, high = -known.duty * known.rise_adu, (1 - known.duty) * known.rise_adu
    numbers[:5, own] = low, high, known.duty, np.rint(memory), known.looks
    return TwoLevels(*numbers)


def _chain(fit: SampleFit, starts: NDArray[np.intp], gaps_s: Array) -> Chain:
    return Chain(
        amplitude=fit.states @ hop_direction(fit.strength, fit.states),
        kept=np.exp(-gaps_s / MEMORIES_S[:, None]),
        floor=fit.law.frame_variance,
        slope=fit.law.slope[fit.setting],
        curvature=fit.law.curvature,
        censor_adu=fit.censor_adu,
        series_start=starts,
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
