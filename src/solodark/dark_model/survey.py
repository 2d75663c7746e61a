"""The sample pass: every frame is read once, for its level, its rows and a sample of its pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.block_levels import block_levels
from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.levels import (
    coarse_step,
    part_levels,
    remove_levels,
    robust_sigma,
    row_profile,
)
from solodark.errors import FrameFormatError
from solodark.frames import (
    FrameSource,
    Progress,
    read_ahead,
    row_bands,
    silent,
)

__all__ = ["Sample", "Survey", "choose_sample", "survey_frames"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_LEAST_STEP = 4  # rows
_BAND_ROWS = 64
_PIXELS_FOR_SIGMA = 131_072  # tell it to three thousandths
_LONGEST = 3  # a median of three drops cosmic rays from the choice of hot pixels


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """A fixed choice of pixels: a random part of the sensor, and its hottest.

    Attributes
    ----------
    y, x : ndarray of int, shape (n,)
        Where they are.
    plane : ndarray of int, shape (n,)
        Part of the sensor, with a level of its own, in which each lies.
    shares : ndarray, shape (n,)
        How many of the sensor's pixels each stands for.
    n_random : int
        The first so many are the random part.
    """

    y: NDArray[np.intp]
    x: NDArray[np.intp]
    plane: NDArray[np.intp]
    shares: Array
    n_random: int


@dataclass(frozen=True, eq=False, slots=True)
class Survey:
    """What the sample pass found.

    Attributes
    ----------
    levels : ndarray, shape (n_frames, n_parts)
        Level of each part, ADU.
    profiles : ndarray, shape (n_frames, ny)
        Robust mean of each row above the level, ADU.
    values : ndarray of float32, shape (n_frames, n)
        Sampled pixels above the level, ADU.
    blocks : ndarray of float32, shape (n_frames, n_planes, n_down, n_across)
        Blocks of pixels of one colour above the level, ADU.
    parts : LevelParts
        Parts of the sensor that have a level of their own.
    """

    levels: Array
    profiles: Array
    values: Image
    blocks: Image
    parts: LevelParts


def read_image(source: FrameSource) -> Image:
    """Read all rows of a frame as float32.

    Parameters
    ----------
    source : FrameSource
        The frame.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU.
    """
    return source.read_rows(0, source.shape[0]).astype(np.float32, copy=False)


def _read_finite(source: FrameSource) -> Image:
    pixels = source.read_rows(0, source.shape[0])
    holes = 0 if pixels.dtype.kind == "u" else np.count_nonzero(~np.isfinite(pixels))
    if holes:
        raise FrameFormatError(
            f"{source.name} holds {holes} pixels without a finite value, expected none in a frame "
            "to learn from; leave it out"
        )
    return pixels.astype(np.float32, copy=False)


def choose_sample(
    sources: Sequence[FrameSource],
    *,
    n_random: int,
    n_hot: int,
    rng: np.random.Generator,
) -> Sample:
    """Choose the pixels that states and prior are learned from.

    Parameters
    ----------
    sources : sequence of FrameSource
        The library.
    n_random, n_hot : int
        How many of each; fewer on a small sensor.
    rng : numpy.random.Generator
        The dice.

    Returns
    -------
    Sample
        The choice.
    """
    by_exposure = sorted(sources, key=lambda s: s.acquisition.exposure_s or 0.0)
    pattern = _middle_of(by_exposure[-_LONGEST:])
    total = pattern.size
    n_hot = min(n_hot, total // 20)
    hot = np.argpartition(pattern.ravel(), total - n_hot)[total - n_hot :]
    ordinary = np.ones(total, dtype=bool)
    ordinary[hot] = False
    rest = np.flatnonzero(ordinary)
    n_random = min(n_random, rest.size)
    chosen = np.concatenate([np.sort(rng.choice(rest, n_random, replace=False)), np.sort(hot)])
    y, x = np.unravel_index(chosen, pattern.shape)
    shares = np.concatenate([np.full(n_random, rest.size / n_random), np.ones(n_hot)])
    parts = LevelParts(sources[0].acquisition.cfa_pattern)
    return Sample(y, x, parts.index(y, x), shares, n_random)


def _middle_of(sources: Sequence[FrameSource]) -> Image:
    """Give the median of three frames: a minimum and two maxima, ten times as fast as a median."""
    middle = np.empty(sources[0].shape, np.float32)
    for start, stop in row_bands(middle.shape, rows=_BAND_ROWS):
        one, other, third = (source.read_rows(start, stop) for source in sources)
        low, high = np.minimum(one, other), np.maximum(one, other)
        middle[start:stop] = np.maximum(low, np.minimum(high, third))
    return middle


def survey_frames(
    sources: Sequence[FrameSource],
    sample: Sample,
    parts: LevelParts,
    *,
    progress: Progress = silent,
) -> Survey:
    """Read every frame once.

    Parameters
    ----------
    sources : sequence of FrameSource
        The library.
    sample : Sample
        Pixels to keep.
    parts : LevelParts
        Parts of the sensor that have a level of their own.
    progress : Progress
        Who is told.

    Returns
    -------
    Survey
        Levels, rows and sampled pixels of every frame.
    """
    levels, profiles, values, blocks = [], [], [], []
    images = read_ahead(_read_finite, sources)
    told = progress(sources, "Reading darks", len(sources))
    for _, image in zip(told, images, strict=True):
        step_adu = coarse_step(image[parts.slices[0]])
        levels.append(part_levels(image, parts, step_adu=step_adu))
        above = remove_levels(image, levels[-1], parts)
        some = above[:: max(_LEAST_STEP, above.size // _PIXELS_FOR_SIGMA)]
        sigma = max(robust_sigma(some), 0.5 * step_adu)
        profiles.append(row_profile(above, sigma))
        values.append(above[sample.y, sample.x])
        blocks.append(block_levels(above, parts.cfa_pattern, sigma))
    return Survey(
        np.array(levels),
        np.array(profiles),
        np.array(values, dtype=np.float32),
        np.array(blocks),
        parts,
    )
