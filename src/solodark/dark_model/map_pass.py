"""The map pass: every pixel of the sensor, by bands of rows, with the states known."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.band_fit import BandFit, Before
from solodark.dark_model.fit_rows import Library
from solodark.dark_model.kept_bands import ClassSums, keep_band
from solodark.dark_model.kept_frames import KeptFrames
from solodark.dark_model.model import PixelMaps
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.frames import FrameSource, Progress, read_ahead, row_bands

__all__ = ["map_pass"]

Array = NDArray[np.float64]
Pixels = NDArray[np.uint16] | NDArray[np.float32]


def map_pass(
    library: Library,
    kept_as: NDArray[np.intp],
    survey: Survey,
    settings: LearnSettings,
    progress: Progress,
    before: Before | None = None,
) -> tuple[PixelMaps, Array]:
    """Fit every pixel to all frames, a band of rows at a time.

    Parameters
    ----------
    library : Library
        The frames; those that are not gone are read.
    kept_as : ndarray of int, shape (n,)
        Mean in which each frame is kept.
    survey : Survey
        Levels of the frames.
    settings : LearnSettings
        How to learn.
    progress : Progress
        Who is told.
    before : Before, optional
        What is known of frames that are gone.

    Returns
    -------
    pixels : PixelMaps
        What is known of every pixel.
    class_information : ndarray, shape (k, d, d)
        Mean normal matrix of the pixels of each component, scaled to an information of 1.
    """
    fit, sources = library.fit, library.sources[library.n_gone :]
    shape, band_fit = sources[0].shape, BandFit(library, kept_as, survey, settings, before)
    residuals = np.empty((kept_as.max() + 1, *shape), np.uint8)
    pixels, telegraph, kept = _empty_maps(fit, shape), [], []
    sums = ClassSums(fit.prior.weights.size, fit.design.shape[1])
    bands = list(row_bands(shape, rows=_band_rows(shape, library, kept_as, settings)))
    told = progress(bands, "Learning every pixel", len(bands))
    as_read = read_ahead(partial(_read_band, sources), bands)
    for (start, stop), frames in zip(told, as_read, strict=True):
        first, last = start * shape[1], stop * shape[1]
        band = band_fit.fit(slice(start, stop), frames)
        telegraph.append(band.telegraph.moved(first))
        kept.append(band.kept.moved(first))
        keep_band(band.found, first, fit.n_settings, pixels, sums)
        band_fit.encode(band, residuals.reshape(len(residuals), -1)[:, first:last])
    return replace(
        pixels,
        telegraph=TelegraphPixels.joined(telegraph),
        residuals=residuals,
        kept=KeptFrames.joined(kept),
    ), sums.information


def _empty_maps(fit: SampleFit, shape: tuple[int, int]) -> PixelMaps:
    return PixelMaps(
        np.empty((fit.design.shape[1], *shape), np.float32),
        np.empty(shape, np.float32),
        np.empty(shape, np.float32),
        np.empty(shape, np.uint8),
        np.empty((fit.scatter_grid.size, *shape), np.uint8),
        TelegraphPixels.none(),
    )


def _band_rows(
    shape: tuple[int, int], library: Library, kept_as: NDArray[np.intp], settings: LearnSettings
) -> int:
    budget, n_gone = settings.memory_mib * 2**20, library.n_gone
    n_means = np.unique(library.kept_until_now).size
    n_rows = n_means + len(kept_as) - n_gone
    n_series = n_means + np.unique(library.series[n_gone:]).size
    # Frames as read, twice, and as float32; what is left of each series; the fit.
    per_row = shape[1] * (12 * n_rows + 8 * (n_series + 1) + 600)
    return max(2, budget // per_row)


def _read_band(sources: Sequence[FrameSource], band: tuple[int, int]) -> list[Pixels]:
    return [source.read_rows(*band) for source in sources]
