"""A model grows: new darks are learned on top of what the frames before them told.

A model keeps the sample of its frames, from which states, rank, prior and noise are learned; so
these are learned anew from all frames, old and new. Of all other pixels it keeps the means of its
frames, and these stand for them beside the new frames, in whatever states they have now.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import births_per_year
from solodark.dark_model.fit import FRAMES_AT_FULL_SAMPLE, describe_library, finished
from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.kept_means import join_series, means_of, starts_after
from solodark.dark_model.map_pass import Before, map_pass
from solodark.dark_model.model import SAME_SENSOR, DarkModel, LibraryFrames, PixelMaps
from solodark.dark_model.past import Past
from solodark.dark_model.pixel_numbers import Memory
from solodark.dark_model.ranks import fit_best_rank, fit_ranks
from solodark.dark_model.recall import find_changes, since_library
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.sample_state import solve_sample
from solodark.dark_model.series import by_series
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.strength import squared_strength
from solodark.dark_model.survey import Survey, survey_frames
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.errors import ModelFileError, NotEnoughFramesError
from solodark.frames import Acquisition, FrameSource, Progress, silent
from solodark.frames.matching import require_matching

__all__ = ["grow"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Numbers = NDArray[np.intp]

_LIKELY = 0.5


def grow(
    model: DarkModel,
    sources: Sequence[FrameSource],
    *,
    settings: LearnSettings | None = None,
    hashes: Sequence[str] = (),
    progress: Progress = silent,
) -> DarkModel:
    """Add new darks and biases to a model, without the frames it was learned from.

    States, rank, prior and noise are learned from the sampled pixels of all frames. Every pixel is
    fitted to the new frames and to the means of the old ones. Where a pixel is no longer what it
    was, the old frames count no more. Gain settings stay.

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
    ModelFileError
        The model has forgotten the sample of its frames, or their means.
    """
    settings = settings or LearnSettings()
    if not sources:
        raise NotEnoughFramesError("found no new dark to add to the model, expected at least one")
    require_matching([model, *sources], SAME_SENSOR)
    sources, series, hashes = by_series(sources, hashes)
    setting = [require_setting(model.settings, source) for source in sources]
    past = Past(_with_room_for(model, len(sources)))
    survey = survey_frames(sources, past.sample, past.model.level_parts, progress=progress)
    new = _NewFrames(sources, series, setting, list(hashes), survey)
    joined, all_series = new.survey_after(past), new.series_after(past)
    fits = _fit_all(past, new, joined, all_series, settings, progress)
    fit = fit_best_rank(fits, all_series)
    stand = _with_means(past, fit)
    kept_as = join_series(stand, starts_after(past.n_means, new.series))
    library = _library_of_all(past, new, fit, kept_as)
    pixels, class_information = _add_to_pixels(
        past, new, library, stand, kept_as, settings, progress
    )
    return finished(
        replace(
            _known_of_all(past, joined, library, fit),
            pixels=pixels,
            class_information=class_information,
            evidence={rank: tried.evidence for rank, tried in fits.items()},
        )
    )


@dataclass(frozen=True, eq=False, slots=True)
class _NewFrames:
    """The frames that are added, sorted by series."""

    sources: Sequence[FrameSource]
    series: Numbers
    setting: list[int]
    hashes: list[str]
    survey: Survey

    def series_after(self, past: Past) -> Numbers:
        """Series of all frames; the new ones are series of their own."""
        old = past.model.library.series
        return np.concatenate([old, self.series + 1 + old.max()])

    def survey_after(self, past: Past) -> Survey:
        """Give the sample of all frames."""
        old, new = past.survey, self.survey
        return Survey(
            np.concatenate([old.levels, new.levels]),
            np.concatenate([old.profiles, new.profiles]),
            np.concatenate([old.values, new.values]),
            np.concatenate([old.blocks, new.blocks]),
            old.parts,
        )


@dataclass(frozen=True, eq=False, slots=True)
class _Remembered:
    """A frame of which all is known but its pixels."""

    name: str
    shape: tuple[int, int]
    acquisition: Acquisition

    def read_rows(self, start: int, stop: int) -> Image:
        """Refuse: the pixels are gone."""
        raise NotImplementedError(f"rows {start} to {stop} of {self.name} are not remembered")


def _with_room_for(model: DarkModel, n_new: int) -> DarkModel:
    """Thin out the sample where frames have become many, so that memory stays bounded."""
    if model.survey is None or model.pixels.residuals is None:
        raise ModelFileError(
            "the model keeps no sample and no means of its frames, expected one of this version; "
            "learn it anew with `solodark learn` from all darks"
        )
    share = FRAMES_AT_FULL_SAMPLE / (len(model.library.names) + n_new)
    usual = LearnSettings()
    most = int(share * (usual.n_random + usual.n_hot))
    if len(model.sample) <= most:
        return model
    kept = np.unique(np.linspace(0, len(model.sample) - 1, most).astype(np.intp))
    values = np.ascontiguousarray(model.survey.values[:, kept])
    return replace(
        model,
        sample=model.sample[kept],
        sample_random=int(np.count_nonzero(kept < model.sample_random)),
        survey=replace(model.survey, values=values),
    )


def _fit_all(
    past: Past,
    new: _NewFrames,
    survey: Survey,
    series: Numbers,
    settings: LearnSettings,
    progress: Progress,
) -> dict[int, SampleFit]:
    """Fit states, prior and noise to the samples of all frames, for growing rank."""
    taken = [
        replace(source.acquisition, **asdict(past.model.settings[own]))
        for source, own in zip(new.sources, new.setting, strict=True)
    ]
    frames = [
        _Remembered(f"frame {k}", past.model.shape, acquisition)
        for k, acquisition in enumerate([*past.acquisitions, *taken])
    ]
    return fit_ranks(frames, series, past.sample, survey, settings, progress=progress)


def _with_means(past: Past, fit: SampleFit) -> SampleFit:
    """Let means stand for the old frames, above the rows that are theirs now; then the new ones."""
    n_old = len(past.design)
    means = means_of(fit.of(slice(0, n_old)), past.starts, past.kept_as)
    means = replace(means, rows=means.rows - past.means.rows)
    return means.followed_by(fit.of(slice(n_old, None)))


def _add_to_pixels(
    past: Past,
    new: _NewFrames,
    library: LibraryFrames,
    fit: SampleFit,
    kept_as: Numbers,
    settings: LearnSettings,
    progress: Progress,
) -> tuple[PixelMaps, Array]:
    """Fit every pixel to the new frames and to the means of the old ones."""
    foretold, n_old = _as_before(past, new), len(past.design)
    since = since_library(past, library.taken_s[n_old:], library.exposure_s[n_old:])
    raised = -fit.rows[: past.n_means, :, None].astype(np.float32)

    def recall(values: Image, rows: slice) -> tuple[Memory, Numbers]:  # numpydoc ignore=GL08
        means, new_values = np.split(values, [past.n_means])
        means[:] = past.values(rows)
        means.reshape(past.n_means, -1, past.model.shape[1])[:] += raised[:, rows]
        changed = find_changes(past, foretold, new_values, rows, since)[0] > _LIKELY
        changed[past.hopping(rows)] = False  # at another level a pixel is what it was
        memory = Memory(*(np.where(changed, 0.0, own) for own in past.memory(rows)))
        return memory, np.flatnonzero(changed)

    before = Before(past.means_taken, recall, _hopped(past, fit))
    return map_pass(new.sources, new.series, new.survey, fit, kept_as, settings, progress, before)


def _hopped(past: Past, fit: SampleFit) -> TelegraphPixels:
    """Give the known telegraph pixels, their hops at what is full strength now."""
    pixels, means = past.model.pixels.telegraph, past.means.states
    before = squared_strength(means, past.model.strength).sum()
    now = squared_strength(fit.states[: past.n_means], fit.strength).sum()
    ratio = np.float32(now / before if before > 0.0 else 1.0)
    return replace(
        pixels, rise_adu=pixels.rise_adu / np.sqrt(ratio), rest_adu2=pixels.rest_adu2 / ratio
    )


def _library_of_all(past: Past, new: _NewFrames, fit: SampleFit, kept_as: Numbers) -> LibraryFrames:
    """Describe all frames, with their states and the means they are kept in now."""
    old, n_old = past.model.library, len(past.design)
    own = describe_library(
        new.sources,
        new.hashes,
        new.series_after(past)[n_old:],
        fit.of(slice(n_old, None)),
        kept_as[past.n_means + new.series],
    )
    return _joined(replace(old, states=fit.states[:n_old], kept_as=kept_as[old.kept_as]), own)


def _known_of_all(past: Past, survey: Survey, library: LibraryFrames, fit: SampleFit) -> DarkModel:
    """Give the model what is known of all frames; its pixels are still the old ones."""
    return replace(
        past.model,
        prior=fit.prior,
        law=fit.law,
        scatter_grid=fit.scatter_grid,
        level_maps=fit.level_maps,
        strength=fit.strength,
        library=library,
        cosmic_share_per_s=fit.cosmic_share_per_s,
        births_per_year=births_per_year(past.sample, survey, fit, library.taken_s),
        censor_adu=fit.censor_adu,
        survey=survey,
    )


def _as_before(past: Past, new: _NewFrames) -> SampleFit:
    """States and noise of the new frames by the maps as they were: what the model foretold."""
    model, setting = past.model, new.setting
    looks = zip(new.survey.values, setting, strict=True)
    solved = [solve_sample(model, frame, own) for frame, own in looks]
    pairs = zip(solved, setting, strict=True)
    return replace(
        past.fit,
        design=np.array([model.design(found[0], own) for found, own in pairs]),
        setting=np.array(setting),
        law=replace(model.law, frame_variance=np.array([found[2] for found in solved])),
        rows=np.zeros_like(new.survey.profiles),
    )


def _joined(old: LibraryFrames, new: LibraryFrames) -> LibraryFrames:
    arrays = {
        field.name: np.concatenate([getattr(old, field.name), getattr(new, field.name)])
        for field in fields(LibraryFrames)
        if field.name not in ("names", "hashes")
    }
    return LibraryFrames(names=old.names + new.names, hashes=old.hashes + new.hashes, **arrays)
