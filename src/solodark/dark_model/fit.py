"""Learn a dark model from a library of darks and biases."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import births_per_year
from solodark.dark_model.drift import NO_DRIFT, Drift, measure_drift
from solodark.dark_model.fit_rows import Library
from solodark.dark_model.gain_settings import GainSetting, gain_settings
from solodark.dark_model.kept_precision import keep_precision
from solodark.dark_model.map_pass import map_pass
from solodark.dark_model.model import SAME_SENSOR, DarkModel, LibraryFrames
from solodark.dark_model.ranks import fit_best_rank, fit_ranks
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.seams import survey_parts
from solodark.dark_model.series import BIAS_EXPOSURE_S, by_series, is_bias
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import choose_sample
from solodark.errors import NotEnoughFramesError
from solodark.frames import Acquisition, FrameSource, Progress, silent
from solodark.frames.matching import require_matching

__all__ = ["learn"]

Array = NDArray[np.float64]

_MIN_FRAMES = 4
_MIN_DARKS = 2
_MIN_FRAMES_PER_SETTING = 3
_TELLING_SPAN_C = 3.0  # by which dark signals differ by a quarter at least
FRAMES_AT_FULL_SAMPLE = 400
"""Larger libraries get a smaller sample, so that memory is bounded."""


def learn(
    sources: Sequence[FrameSource],
    *,
    rng: np.random.Generator,
    settings: LearnSettings | None = None,
    hashes: Sequence[str] = (),
    progress: Progress = silent,
) -> DarkModel:
    """Learn a sensor's dark signal from darks and biases of any exposure and temperature.

    Frames of several gain settings or ISOs share the dark maps; each setting has a bias map of its
    own, and one with few frames borrows from the others what their bias patterns have in common.

    Parameters
    ----------
    sources : sequence of FrameSource
        Darks and biases of one camera, in any order.
    rng : numpy.random.Generator
        Chooses the sample of pixels.
    settings : LearnSettings, optional
        How to learn.
    hashes : sequence of str
        SHA-256 of each source's file, kept with the model.
    progress : Progress
        Who is told.

    Returns
    -------
    DarkModel
        The model.

    Raises
    ------
    FrameMismatchError
        The frames are not of one camera, size and binning, or fewer than three are of a gain
        setting; names those that differ.
    NotEnoughFramesError
        Fewer than four frames or two darks, or all too much alike to tell bias from dark.
    """
    settings = settings or LearnSettings()
    require_matching(sources, SAME_SENSOR)
    _require_settings(sources)
    _require_library(sources)
    sources, series, hashes = by_series(sources, hashes)
    scale = min(1.0, FRAMES_AT_FULL_SAMPLE / len(sources))
    sample = choose_sample(
        sources,
        n_random=int(settings.n_random * scale),
        n_hot=int(settings.n_hot * scale),
        rng=rng,
    )
    sample, survey = survey_parts(sources, series, sample, progress)
    fits = fit_ranks(sources, series, sample, survey, settings, progress=progress)
    fit = fit_best_rank(fits, series)
    frames = Library(sources, series, fit)
    kept_as = frames.joined()
    pixels, class_information = map_pass(frames, kept_as, survey, settings, progress)
    library = describe_library(sources, hashes, series, fit, kept_as)
    model = DarkModel(
        _shared_acquisition(sources),
        gain_settings(sources)[0],
        pixels,
        fit.prior,
        class_information,
        fit.law,
        fit.scatter_grid,
        fit.level_maps,
        fit.strength,
        np.stack([sample.y, sample.x], axis=1),
        sample.n_random,
        library,
        fit.cosmic_share_per_s,
        births_per_year(sample, survey, fit, library.taken_s),
        fit.censor_adu,
        {rank: tried.evidence for rank, tried in fits.items()},
        seams=survey.parts.seams,
        survey=survey,
    )
    return finished(model)


def finished(model: DarkModel) -> DarkModel:
    """Give a newly learned model the precision that it has, and the identity that its maps make.

    Parameters
    ----------
    model : DarkModel
        The model; its maps are rounded where they lie.

    Returns
    -------
    DarkModel
        With its `model_id`.
    """
    keep_precision(model)
    digest = hashlib.sha256(model.pixels.maps.tobytes())
    return replace(model, model_id=digest.hexdigest()[:16], drift=_drift(model))


def _drift(model: DarkModel) -> Drift:
    """Measure how the darks of a library drift, on the random part of its sample."""
    library, n = model.library, model.sample_random
    if model.survey is None:
        return NO_DRIFT
    y, x = model.sample[:n].T
    maps, silent = model.pixels.maps[:, y, x], np.isnan(library.exposure_s)
    darks = np.flatnonzero(silent | (library.exposure_s > BIAS_EXPOSURE_S))
    residuals = (
        model.survey.values[f, :n] - model.design(library.states[f], library.setting[f]) @ maps
        for f in darks
    )
    return measure_drift(residuals, (y, x), model.shape, library.series[darks])


def _require_settings(sources: Sequence[FrameSource]) -> None:
    """Refuse a stray frame of another gain setting: it was hardly meant to be there."""
    counts = np.bincount(gain_settings(sources)[1])
    if counts.size > 1 and counts.min() < _MIN_FRAMES_PER_SETTING:
        require_matching(sources, [field.name for field in fields(GainSetting)])


def _require_library(sources: Sequence[FrameSource]) -> None:
    if len(sources) < _MIN_FRAMES:
        raise NotEnoughFramesError(
            f"found {len(sources)} darks, expected at least {_MIN_FRAMES}; "
            "add darks of several exposures or temperatures, and biases if you have them"
        )
    n_darks = sum(not is_bias(source) for source in sources)
    if n_darks < _MIN_DARKS:
        raise NotEnoughFramesError(
            f"found {len(sources) - n_darks} biases and {n_darks or 'no'} dark, expected at least "
            f"{_MIN_DARKS} darks, to tell hot pixels from cosmic rays; add darks"
        )
    exposures = {_exposure_in_words(source) for source in sources}
    if len(exposures) < 2 and _temperature_span_c(sources) < _TELLING_SPAN_C:
        raise NotEnoughFramesError(
            f"all {len(sources)} frames are {exposures.pop()}, expected at least two exposures, or "
            f"temperatures {_TELLING_SPAN_C:g} C apart, to tell the bias from the dark signal; add "
            "biases, or shorter darks"
        )


def _temperature_span_c(sources: Sequence[FrameSource]) -> float:
    """From the coldest frame to the warmest, as far as headers tell."""
    told = [source.acquisition.sensor_temperature_c for source in sources]
    known = [temperature_c for temperature_c in told if temperature_c is not None]
    return max(known) - min(known) if known else 0.0


def _exposure_in_words(source: FrameSource) -> str:
    exposure_s = source.acquisition.exposure_s
    if is_bias(source):
        return "biases"
    return "of an unknown exposure" if exposure_s is None else f"darks of {exposure_s:.3g} s"


def describe_library(
    sources: Sequence[FrameSource],
    hashes: Sequence[str],
    series: NDArray[np.intp],
    fit: SampleFit,
    kept_as: NDArray[np.intp],
) -> LibraryFrames:
    """Describe the frames that a model is learned from.

    Parameters
    ----------
    sources : sequence of FrameSource
        The frames, sorted by series.
    hashes : sequence of str
        SHA-256 of each file, or "".
    series : ndarray of int, shape (n,)
        Series of each.
    fit : SampleFit
        Their states.
    kept_as : ndarray of int, shape (n,)
        Mean of frames in which each is kept.

    Returns
    -------
    LibraryFrames
        What the model keeps of them.
    """
    acquisitions = [source.acquisition for source in sources]
    return LibraryFrames(
        tuple(source.name for source in sources),
        tuple(hashes),
        _column(a.exposure_s for a in acquisitions),
        _column(a.sensor_temperature_c for a in acquisitions),
        series,
        fit.setting,
        fit.states,
        _column(_unix_s(a.date_obs) for a in acquisitions),
        kept_as,
    )


def _column(values: Iterable[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _unix_s(date: datetime | None) -> float | None:
    return None if date is None else date.timestamp()


def _shared_acquisition(sources: Sequence[FrameSource]) -> Acquisition:
    first = max(sources, key=lambda s: s.acquisition.exposure_s or 0.0).acquisition
    return replace(
        first,
        kind=None,
        kind_source="",
        gain_setting=None,
        offset_setting=None,
        iso=None,
        exposure_s=None,
        sensor_temperature_c=None,
        setpoint_temperature_c=None,
        date_obs=None,
        n_combined=None,
        notes=(),
    )
