"""A model grows: new darks are learned on top of what the frames before them told.

A model keeps the sample of its frames, from which states, rank, prior and noise are learned; so
these are learned anew from all frames, old and new. Of pixels that may hop it keeps the frames as
well, and these are fitted as if all were there again. Of all others it keeps the means of its
frames, which stand for them beside the new frames, in whatever states they have now.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import births_per_year
from solodark.dark_model.fit import FRAMES_AT_FULL_SAMPLE, describe_library, finished
from solodark.dark_model.fit_rows import FitRows, Library
from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.kept_frames import KeptFrames
from solodark.dark_model.map_pass import map_pass
from solodark.dark_model.model import SAME_SENSOR, DarkModel, LibraryFrames
from solodark.dark_model.past import Chosen, Past
from solodark.dark_model.pixel_numbers import Memory
from solodark.dark_model.ranks import fit_best_rank, fit_ranks
from solodark.dark_model.recall import Since, find_changes, since_library
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.sample_state import solve_sample
from solodark.dark_model.series import by_series
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Survey, survey_frames
from solodark.errors import ModelFileError, NotEnoughFramesError
from solodark.frames import Acquisition, FrameSource, Progress, silent
from solodark.frames.matching import require_matching

__all__ = ["grow"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Numbers = NDArray[np.intp]
Pixels = NDArray[np.uint16] | NDArray[np.float32]

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
    fitted to the new frames and to the means of the old ones; those that may hop, to all frames.
    Where a pixel is no longer what it was, the old frames count no more. Gain settings stay.

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
        The model has forgotten what it has to keep of its frames.
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
    joined = new.survey_after(past)
    frames, series = new.sources_after(past), new.series_after(past)
    fits = fit_ranks(frames, series, past.sample, joined, settings, progress=progress)
    fit = fit_best_rank(fits, series)
    all_frames = Library(frames, series, fit, past.model.library.kept_as, past.fit)
    kept_as = all_frames.joined()
    library = _library_of_all(past, new, all_frames, kept_as)
    before = _Gone(past, _as_before(past, new), _since_library(past, library))
    pixels, class_information = map_pass(all_frames, kept_as, joined, settings, progress, before)
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

    def sources_after(self, past: Past) -> list[FrameSource]:
        """All frames, the new ones at the gain settings that they are taken for."""
        shape, settings = past.model.shape, past.model.settings
        gone = [_Frame(f"frame {k}", shape, taken) for k, taken in enumerate(past.acquisitions)]
        pairs = zip(self.sources, self.setting, strict=True)
        taken = ((new, replace(new.acquisition, **asdict(settings[own]))) for new, own in pairs)
        return [*gone, *(_Frame(new.name, shape, known, new) for new, known in taken)]

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
class _Frame:
    """A frame, or one of which all is known but its pixels."""

    name: str
    shape: tuple[int, int]
    acquisition: Acquisition
    source: FrameSource | None = None

    def read_rows(self, start: int, stop: int) -> Pixels:
        """Read some rows; of a frame that is gone there are none."""
        if self.source is None:
            raise NotImplementedError(f"rows {start} to {stop} of {self.name} are not remembered")
        return self.source.read_rows(start, stop)


@dataclass(frozen=True, eq=False, slots=True)
class _Gone:
    """What is known of the pixels of frames that are gone, as `band_fit.Before`.

    With it come states and noise of the new frames as they were foretold, and what may have
    happened in between.
    """

    past: Past
    foretold: SampleFit
    since: Since

    @property
    def kept(self) -> KeptFrames:
        """The frames of those pixels of which they are not gone."""
        return self.past.kept

    def recall(self, rows: FitRows, band: slice, place: Chosen) -> tuple[Image, Memory]:
        """Remember some pixels of a band."""
        memory = self.past.memory(rows.since, band, place)
        return self.past.values(rows, band, place), memory

    def find_changed(self, values: Image, band: slice) -> Numbers:
        """Find the pixels that have changed; at another level a pixel is what it was."""
        odds = find_changes(self.past, self.foretold, values, band, self.since)[0]
        odds[self.past.hopping(band)] = 0.0
        return np.flatnonzero(odds > _LIKELY)


def _with_room_for(model: DarkModel, n_new: int) -> DarkModel:
    """Thin out the sample where frames have become many, so that memory stays bounded."""
    if model.survey is None or model.pixels.residuals is None or model.pixels.kept is None:
        raise ModelFileError(
            "the model does not keep enough of its frames, expected one of this version; learn it "
            "anew with `solodark learn` from all darks"
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


def _library_of_all(
    past: Past, new: _NewFrames, frames: Library, kept_as: Numbers
) -> LibraryFrames:
    """Describe all frames, with their states and the means they are kept in now."""
    gone, there = slice(0, past.n_frames), slice(past.n_frames, None)
    old = replace(past.model.library, states=frames.fit.states[gone], kept_as=kept_as[gone])
    own = describe_library(
        new.sources, new.hashes, frames.series[there], frames.fit.of(there), kept_as[there]
    )
    return _joined(old, own)


def _since_library(past: Past, library: LibraryFrames) -> Since:
    new = slice(past.n_frames, None)
    return since_library(past, library.taken_s[new], library.exposure_s[new])


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
