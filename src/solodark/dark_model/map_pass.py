"""The map pass: every pixel of the sensor, by bands of rows, with the states known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.frame_times import NO_MEANS, MeansTaken, frame_times
from solodark.dark_model.full_pixels import stand_full
from solodark.dark_model.kept_bands import ClassSums, keep_band
from solodark.dark_model.kept_codes import encode_residuals
from solodark.dark_model.kept_means import mean_numbers, means_of, starts_after
from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.levels import remove_levels, remove_rows
from solodark.dark_model.model import PixelMaps
from solodark.dark_model.pixel_numbers import Memory, PixelsFound
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.dark_model.telegraph_fit import Band, explain_hops
from solodark.frames import FrameSource, Progress, read_ahead, row_bands

__all__ = ["Before", "map_pass"]

Array = NDArray[np.float64]
_NONE = np.zeros(0, np.intp)
Pixels = NDArray[np.uint16] | NDArray[np.float32]
Recall = Callable[[NDArray[np.float32], slice], tuple[Memory, NDArray[np.intp]]]


@dataclass(frozen=True, eq=False, slots=True)
class Before:
    """What is known of frames seen before, by their means.

    Attributes
    ----------
    means : MeansTaken
        When the frames of each mean were taken.
    recall : callable
        Puts the means of rows ``start:stop``, ADU above level and rows, before the values of the
        frames at hand, (n_means + n_frames, n); gives the `Memory` of their pixels, and which of
        them have changed, so that their means tell nothing of what they are now.
    hopped : TelegraphPixels
        Those that hopped; in the means their hops are taken out.
    """

    means: MeansTaken
    recall: Recall
    hopped: TelegraphPixels


def map_pass(
    sources: Sequence[FrameSource],
    series: NDArray[np.intp],
    survey: Survey,
    fit: SampleFit,
    kept_as: NDArray[np.intp],
    settings: LearnSettings,
    progress: Progress,
    before: Before | None = None,
) -> tuple[PixelMaps, Array]:
    """Fit every pixel to all frames, a band of rows at a time.

    Parameters
    ----------
    sources : sequence of FrameSource
        The library, sorted by series.
    series : ndarray of int, shape (n,)
        Series of each frame.
    survey : Survey
        Levels of the frames.
    fit : SampleFit
        States, prior and noise: of the means of frames seen before, then of the frames.
    kept_as : ndarray of int, shape (n_means + n_series,)
        Mean in which each mean, and then each series, is kept.
    settings : LearnSettings
        How to learn.
    progress : Progress
        Who is told.
    before : Before, optional
        What is known of frames seen before.

    Returns
    -------
    pixels : PixelMaps
        What is known of every pixel.
    class_information : ndarray, shape (k, d, d)
        Mean normal matrix of the pixels of each component, scaled to an information of 1.
    """
    shape, means_taken = sources[0].shape, before.means if before else NO_MEANS
    n_means = len(means_taken.middle_s)
    starts = starts_after(n_means, series)
    times = frame_times(sources, starts, means_taken)
    means = mean_numbers(means_of(fit, starts, kept_as))
    pixels, telegraph = _empty_maps(fit, shape), []
    residuals = np.empty((len(means.design), *shape), np.uint8)
    sums = ClassSums(fit.prior.weights.size, fit.design.shape[1])
    found = None
    bands = list(row_bands(shape, rows=_band_rows(shape, starts, settings)))
    told = progress(bands, "Learning every pixel", len(bands))
    as_read = read_ahead(partial(_read_band, sources), bands)
    for (start, stop), frames in zip(told, as_read, strict=True):
        rows = slice(start, stop)
        values = _above_level(frames, survey.levels, survey.parts.of_rows(start), fit.rows[:, rows])
        memory, changed = before.recall(values, rows) if before else (None, _NONE)
        smooth = fit.smooth.of_rows(rows)
        band = Band(fit, values, smooth, starts, n_means, kept_as, times, memory, changed)
        found = _fit_as_now(band, settings, means.design, found)
        first, last = start * shape[1], stop * shape[1]
        hopped = before.hopped.between(first, last) if before else TelegraphPixels.none()
        hopping = explain_hops(band, found, settings, hopped)
        telegraph.append(replace(hopping, place=np.int32(first) + hopping.place))
        keep_band(found, first, fit.n_settings, pixels, sums)
        codes = residuals.reshape(len(residuals), -1)[:, first:last]
        encode_residuals(found.residuals, found.maps, found.excess, means, codes)
    hopping = TelegraphPixels.joined(telegraph)
    return replace(pixels, telegraph=hopping, residuals=residuals), sums.information


def _fit_as_now(
    band: Band, settings: LearnSettings, kept: Array, room: PixelsFound | None
) -> PixelsFound:
    """Fit pixels, those that have changed without the means of what they were.

    All or nothing: robust weights would side with even a little of a mean that is wrong.
    """
    means = band.values[: band.n_means]
    as_before = means[:, band.changed]
    means[:, band.changed] = np.nan
    found = fit_values(
        band.fit,
        band.values,
        band.smooth,
        band.starts,
        settings,
        band.memory,
        kept_as=band.kept_as,
        room=room,
    )
    stand_full(found, band.values, band.fit, kept)
    means[:, band.changed] = as_before
    return found


def _empty_maps(fit: SampleFit, shape: tuple[int, int]) -> PixelMaps:
    return PixelMaps(
        np.empty((fit.design.shape[1], *shape), np.float32),
        np.empty(shape, np.float32),
        np.empty(shape, np.float32),
        np.empty(shape, np.uint8),
        np.empty((fit.scatter_grid.size, *shape), np.uint8),
        TelegraphPixels.none(),
    )


def _band_rows(shape: tuple[int, int], starts: NDArray[np.intp], settings: LearnSettings) -> int:
    budget = settings.memory_mib * 2**20
    # Frames as read, twice, and as float32; what is left of each series; the fit.
    per_row = shape[1] * (12 * int(starts[-1]) + 8 * len(starts) + 600)
    return max(2, budget // per_row)


def _read_band(sources: Sequence[FrameSource], band: tuple[int, int]) -> list[Pixels]:
    return [source.read_rows(*band) for source in sources]


def _above_level(
    frames: list[Pixels], levels: Array, parts: LevelParts, rows: Array
) -> NDArray[np.float32]:
    """Take level and rows off a band of all frames, (n_means + n_frames, n_pixels).

    The means come first, and are left empty.
    """
    values = np.empty((len(rows), frames[0].size), np.float32)
    n_means = len(rows) - len(frames)
    for f, frame in enumerate(frames):
        above = remove_levels(frame.astype(np.float32, copy=False), levels[f], parts)
        values[n_means + f] = remove_rows(above, rows[n_means + f]).ravel()
    return values
