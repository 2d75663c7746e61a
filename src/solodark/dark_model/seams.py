"""Seams between amplifiers, found where the halves of a sensor drift apart from frame to frame."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.level_parts import NO_SEAMS, LevelParts, Seams
from solodark.dark_model.survey import Sample, Survey, survey_frames
from solodark.frames import FrameSource, Progress, silent

__all__ = ["find_seams", "survey_parts"]

Image = NDArray[np.float32]
Places = NDArray[np.intp]

_BESIDE = 1 / 16  # of the sensor, on either side, is looked at
_ELSEWHERE = (3 / 16, 5 / 16, 11 / 16, 13 / 16)  # no amplifier's half ends there
_LARGER = 4.0  # times what steps elsewhere are
_LEAST_SIGMA = 0.02  # of a pixel's noise: below it no master is the worse for a seam
_LEAST_PAIRS, _MOST_PAIRS = 3, 64


def survey_parts(
    sources: Sequence[FrameSource],
    series: Places,
    sample: Sample,
    progress: Progress = silent,
) -> tuple[Sample, Survey]:
    """Read every frame once, and once more where amplifiers turn out to drift apart.

    Parameters
    ----------
    sources : sequence of FrameSource
        The library, sorted by series.
    series : ndarray of int, shape (n,)
        Series of each frame.
    sample : Sample
        Pixels to keep.
    progress : Progress
        Who is told.

    Returns
    -------
    sample : Sample
        The same, with the parts of the sensor in which they lie.
    survey : Survey
        Levels, rows and sampled pixels of every frame.
    """
    parts = LevelParts(sources[0].acquisition.cfa_pattern)
    survey = survey_frames(sources, sample, parts, progress=progress)
    seams = find_seams(survey, sample, series, sources[0].shape)
    if seams == parts.seams:
        return sample, survey
    parts = replace(parts, seams=seams)
    sample = replace(sample, plane=parts.index(sample.y, sample.x))
    return sample, survey_frames(sources, sample, parts, progress=progress)


def find_seams(survey: Survey, sample: Sample, series: Places, shape: tuple[int, int]) -> Seams:
    """Find the seams across which frames of one series differ by a step that is new in each.

    Half-way down or across a sensor, for that is where amplifiers meet. What rows and slopes do to
    such steps, they do to those elsewhere as well.

    Parameters
    ----------
    survey : Survey
        Of frames sorted by series.
    sample : Sample
        Its pixels.
    series : ndarray of int, shape (n,)
        Series of each frame.
    shape : tuple of int
        Of the sensor, (ny, nx).

    Returns
    -------
    Seams
        None along an axis where the halves keep together, or frames are too few to tell.
    """
    pairs = np.flatnonzero(np.diff(series) == 0)
    if pairs.size < _LEAST_PAIRS:
        return NO_SEAMS
    pairs = pairs[:: -(-pairs.size // _MOST_PAIRS)]
    change = survey.values[pairs + 1] - survey.values[pairs]
    (y, x), (ny, nx) = (sample.y, sample.x), shape
    return Seams(_seam(change, y, ny, x < nx // 2), _seam(change, x, nx, y < ny // 2))


def _seam(change: Image, place: Places, length: int, half: NDArray[np.bool_]) -> int | None:
    """First row or column beyond the middle, if changes step there."""
    middle, noise = length // 2, float(np.median(np.abs(change))) / 0.6745
    size = partial(_step_size, change, place, int(_BESIDE * length), half)
    elsewhere = max(size(round(share * length)) for share in _ELSEWHERE)
    return middle if size(middle) > max(_LARGER * elsewhere, _LEAST_SIGMA * noise) else None


def _step_size(change: Image, place: Places, reach: int, half: NDArray[np.bool_], at: int) -> float:
    """Root mean square of the steps of all changes at one place, in both halves of the other axis.

    Each on its own, for the halves may have drifted apart themselves.
    """
    before, after = (place >= at - reach) & (place < at), (place >= at) & (place < at + reach)
    steps = [
        np.median(change[:, after & own], axis=1) - np.median(change[:, before & own], axis=1)
        for own in (half, ~half)
        if (after & own).any() and (before & own).any()
    ]
    return float(np.sqrt(np.mean(np.square(steps, dtype=np.float64)))) if steps else 0.0
