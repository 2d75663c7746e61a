"""A model grows: new darks are learned on top of what the frames before them told."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.fit import describe_library, finished
from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.map_pass import map_pass
from solodark.dark_model.model import SAME_SENSOR, DarkModel, LibraryFrames
from solodark.dark_model.past import Past
from solodark.dark_model.pixel_numbers import Memory
from solodark.dark_model.recall import Since, find_changes, recall, since_library
from solodark.dark_model.sample_fit import (
    SampleFit,
    count_cosmic_hits,
    refine,
    series_starts,
)
from solodark.dark_model.sample_state import solve_sample
from solodark.dark_model.series import by_series
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Survey, survey_frames
from solodark.errors import NotEnoughFramesError
from solodark.frames import FrameSource, Progress, silent
from solodark.frames.matching import require_matching

__all__ = ["grow"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]


def grow(
    model: DarkModel,
    sources: Sequence[FrameSource],
    *,
    settings: LearnSettings | None = None,
    hashes: Sequence[str] = (),
    progress: Progress = silent,
) -> DarkModel:
    """Add new darks and biases to a model, without the frames it was learned from.

    The normal equations of every pixel, its noise and its scatter are put together again from the
    model, and the new frames are added to them. Where a pixel is no longer what it was, the old
    frames count no more. Rank and gain settings stay.

    Parameters
    ----------
    model : DarkModel
        What is known; stays as it is.
    sources : sequence of FrameSource
        New darks and biases of the same sensor, at gain settings the model knows, one at least.
    settings : LearnSettings, optional
        How to learn.
    hashes : sequence of str
        SHA-256 of each source's file, kept with the model.
    progress : Progress
        Who is told.

    Returns
    -------
    DarkModel
        The grown model.

    Raises
    ------
    NotEnoughFramesError
        There is no new frame.
    FrameMismatchError
        A frame is of another camera, size or binning; names those that differ.
    WrongSubError
        A frame is of a gain setting the model does not know.
    """
    settings = settings or LearnSettings()
    if not sources:
        raise NotEnoughFramesError("found no new dark to add to the model, expected at least one")
    require_matching([model, *sources], SAME_SENSOR)
    sources, series, hashes = by_series(sources, hashes)
    past = Past(model)
    survey = survey_frames(sources, past.sample, progress=progress)
    fit, since, births = _grown_fit(past, sources, series, survey, settings)

    def of_rows(values: Image, rows: slice) -> Memory:  # numpydoc ignore=GL08
        return recall(past, fit, values, (rows, slice(None)), since)

    pixels, class_information = map_pass(
        sources, series, survey, fit, settings, progress, of_rows, model.pixels.telegraph
    )
    grown = replace(
        model,
        pixels=pixels,
        prior=fit.prior,
        class_information=class_information,
        law=past.with_noise_of(fit.law, fit.design),
        level_maps=fit.level_maps,
        library=_joined(model.library, describe_library(sources, hashes, series, fit)),
        cosmic_share_per_s=fit.cosmic_share_per_s,
        births_per_year=births,
    )
    return finished(grown)


def _grown_fit(
    past: Past,
    sources: Sequence[FrameSource],
    series: NDArray[np.intp],
    survey: Survey,
    settings: LearnSettings,
) -> tuple[SampleFit, Since, float]:
    """Fit states, prior and noise on the sample; tell also what may have changed since."""
    starts, sample = series_starts(series), past.sample
    fit, values = _first_fit(past, sources, survey)
    new = describe_library(sources, [""] * len(sources), series, fit)
    since = since_library(past, new.taken_s, new.exposure_s)
    for _ in range(settings.rounds):
        memory = recall(past, fit, values, (sample.y, sample.x), since)
        fit, found = refine(fit, values, starts, sample, settings, memory)
    exposures_s = np.nan_to_num(new.exposure_s)
    hits = count_cosmic_hits(fit, found, values, starts, sample.n_random, exposures_s)
    levels = past.continue_least_squares(past.model.level_maps.T, fit.design, survey.levels)
    rate = past.cosmic_share_per_s(*hits)
    odds, jump = find_changes(past, fit, values, (sample.y, sample.x), since)
    born = float(np.sum(sample.shares * odds * np.sign(jump)))
    fit = replace(fit, level_maps=levels.T, cosmic_share_per_s=rate)
    return fit, since, past.births_per_year(born, since.years)


def _first_fit(
    past: Past, sources: Sequence[FrameSource], survey: Survey
) -> tuple[SampleFit, Image]:
    """States and noise of the new frames by the maps as they are."""
    model = past.model
    setting = np.array([require_setting(model.settings, source) for source in sources])
    solved = [
        solve_sample(model, frame, int(own))
        for frame, own in zip(survey.values, setting, strict=True)
    ]
    design = np.array(
        [model.design(s[0], int(own)) for s, own in zip(solved, setting, strict=True)]
    )
    profiles = past.continue_least_squares(past.profiles, design, survey.profiles)
    rows = survey.profiles - design @ profiles
    fit = SampleFit(
        design=design,
        setting=setting,
        prior=model.prior,
        law=replace(model.law, frame_variance=np.array([s[2] for s in solved])),
        scatter_grid=model.scatter_grid,
        scatter_prior=past.scatter_prior,
        strength=model.strength,
        rows=rows,
        level_maps=model.level_maps,
        cosmic_share_per_s=model.cosmic_share_per_s,
        censor_adu=model.censor_adu,
        evidence=-np.inf,
    )
    return fit, survey.values - rows[:, past.sample.y].astype(np.float32)


def _joined(old: LibraryFrames, new: LibraryFrames) -> LibraryFrames:
    """All frames; the new ones are series of their own."""
    later = replace(new, series=new.series + 1 + old.series.max())
    arrays = {
        field.name: np.concatenate([getattr(old, field.name), getattr(later, field.name)])
        for field in fields(LibraryFrames)
        if field.name not in ("names", "hashes")
    }
    return LibraryFrames(names=old.names + new.names, hashes=old.hashes + new.hashes, **arrays)
