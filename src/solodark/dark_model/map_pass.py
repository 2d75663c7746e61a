"""The map pass: every pixel of the sensor, by bands of rows, with the states known."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.kept_bands import ClassSums, keep_band
from solodark.dark_model.levels import remove_levels, remove_rows
from solodark.dark_model.model import UNKNOWN_SHARE, PixelMaps
from solodark.dark_model.pixel_numbers import Memory, PixelsFound
from solodark.dark_model.sample_fit import SampleFit, fit_values, series_starts
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.dark_model.telegraph_fit import explain_hops, frame_gaps
from solodark.frames import FrameSource, Progress, read_ahead, row_bands

__all__ = ["map_pass"]

Array = NDArray[np.float64]
Pixels = NDArray[np.uint16] | NDArray[np.float32]
_EVERY = 16  # pixels will do for a median
Recall = Callable[[NDArray[np.float32], slice], Memory]


def map_pass(
    sources: Sequence[FrameSource],
    series: NDArray[np.intp],
    survey: Survey,
    fit: SampleFit,
    settings: LearnSettings,
    progress: Progress,
    recall: Recall | None = None,
    hopped: TelegraphPixels | None = None,
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
        States, prior and noise.
    settings : LearnSettings
        How to learn.
    progress : Progress
        Who is told.
    recall : callable, optional
        Gives the `Memory` of rows ``start:stop`` from their values and the numbers of the rows.
    hopped : TelegraphPixels, optional
        Those that frames seen before told.

    Returns
    -------
    pixels : PixelMaps
        What is known of every pixel.
    class_information : ndarray, shape (k, d, d)
        Mean normal matrix of the pixels of each component, scaled to an information of 1.
    """
    shape = sources[0].shape
    starts = series_starts(series)
    pixels, sums = _empty_maps(fit, shape), ClassSums(fit.prior.weights.size, fit.design.shape[1])
    gaps_s, telegraph = frame_gaps(sources, starts), []
    bands = list(row_bands(shape, rows=_band_rows(shape, len(sources), settings)))
    found = None
    told = progress(bands, "Learning every pixel", len(bands))
    as_read = read_ahead(partial(_read_band, sources), bands)
    for (start, stop), frames in zip(told, as_read, strict=True):
        values = _above_level(sources, frames, survey, fit.rows[:, start:stop])
        memory = recall(values, slice(start, stop)) if recall else None
        found = fit_values(fit, values, starts, settings, memory, room=found)
        first, last = start * shape[1], stop * shape[1]
        before = hopped.between(first, last) if hopped else None
        hopping = explain_hops(fit, values, found, starts, gaps_s, settings, memory, before)
        telegraph.append(replace(hopping, place=np.int32(first) + hopping.place))
        _stand_full(found, values, fit)
        keep_band(found, first, fit.n_settings, pixels, sums)
    return replace(pixels, telegraph=TelegraphPixels.joined(telegraph)), sums.information


def _stand_full(found: PixelsFound, values: NDArray[np.float32], fit: SampleFit) -> None:
    """Let pixels that are full in every frame stand as high as they were seen, at any state."""
    full = np.flatnonzero((values > fit.censor_adu).all(axis=0))
    bias = slice(0, fit.n_settings)
    usual = np.einsum("nss->n", found.information[::_EVERY, bias, bias])
    told = np.einsum("nss->n", found.information[full, bias, bias])
    full = full[told < UNKNOWN_SHARE * np.median(usual)]
    found.maps[full] = 0.0
    found.maps[full, bias] = values[:, full].mean(axis=0)[:, None]


def _empty_maps(fit: SampleFit, shape: tuple[int, int]) -> PixelMaps:
    return PixelMaps(
        np.empty((fit.design.shape[1], *shape), np.float32),
        np.empty(shape, np.float32),
        np.empty(shape, np.float32),
        np.empty(shape, np.uint8),
        np.empty((fit.scatter_grid.size, *shape), np.uint8),
        TelegraphPixels.none(),
    )


def _band_rows(shape: tuple[int, int], n_frames: int, settings: LearnSettings) -> int:
    budget = settings.memory_mib * 2**20
    per_row = shape[1] * (12 * n_frames + 600)  # frames as read, twice, as float32, and the fit
    return max(2, budget // per_row)


def _read_band(sources: Sequence[FrameSource], band: tuple[int, int]) -> list[Pixels]:
    return [source.read_rows(*band) for source in sources]


def _above_level(
    sources: Sequence[FrameSource], frames: list[Pixels], survey: Survey, rows: Array
) -> NDArray[np.float32]:
    """Take level and rows off a band of all frames, (n_frames, n_pixels)."""
    values = np.empty((len(frames), frames[0].size), np.float32)
    for f, source in enumerate(sources):
        band = frames[f].astype(np.float32, copy=False)
        above = remove_levels(band, survey.levels[f], source.acquisition.cfa_pattern)
        values[f] = remove_rows(above, rows[f]).ravel()
    return values
