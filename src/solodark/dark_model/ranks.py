"""The fits of growing rank: one dark map, then one more as long as that foretells better."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.first_fit import (
    SampledLibrary,
    first_fit,
    smooth_maps,
    strength_form,
    with_design,
)
from solodark.dark_model.map_worth import judge_last_map, narrowed, of_most_pixels
from solodark.dark_model.next_map import with_another_map
from solodark.dark_model.sample_fit import refine, share_of_cosmic_rays
from solodark.dark_model.sample_numbers import SampleFit, series_starts
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Sample, Survey
from solodark.dark_model.zero_state import at_zero
from solodark.frames import FrameSource, Progress, silent

__all__ = ["fit_best_rank", "fit_ranks"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_WORTH_A_MAP = 0.01  # nats of a pixel over all series; frames of one map show up to 0.007
_LONGEST_STEP = 6.0  # rounds that one extrapolation stands for, at most


def fit_ranks(
    sources: Sequence[FrameSource],
    series: NDArray[np.intp],
    sample: Sample,
    survey: Survey,
    settings: LearnSettings,
    *,
    progress: Progress = silent,
) -> dict[int, SampleFit]:
    """Fit states, prior and noise on the sample, for growing numbers of dark maps.

    Parameters
    ----------
    sources : sequence of FrameSource
        The library, sorted by series.
    series : ndarray of int, shape (n,)
        Series of each frame.
    sample : Sample
        The sampled pixels.
    survey : Survey
        Their values.
    settings : LearnSettings
        How to learn, with the ranks to try.
    progress : Progress
        Who is told.

    Returns
    -------
    dict of int to SampleFit
        By rank, up to the first that is not worth its map. The evidence of each is that of the one
        before, and what the further map adds in most pixels to a fit that is otherwise the same.
    """
    library = SampledLibrary(sources, sample, survey, series_starts(series), settings)
    ranks = _possible_ranks(settings.ranks, series)
    fits: dict[int, SampleFit] = {}
    fit, values = first_fit(library)
    evidence = 0.0
    tried = range(1, max(ranks) + 1)
    for rank in progress(tried, "Choosing the rank", len(tried)):
        if rank > 1:
            fit, values = with_another_map(fit, values, library)
        fit, values, gain = _refined(fit, values, library)
        evidence += of_most_pixels(gain, sample.n_random) / (len(library.starts) - 1)
        if rank in ranks:
            fits[rank] = replace(fit, evidence=evidence)
            if _best_rank(fits, series) != rank:
                break
    return fits


def fit_best_rank(fits: dict[int, SampleFit], series: NDArray[np.intp]) -> SampleFit:
    """Choose the largest rank of which every map is worth itself.

    Parameters
    ----------
    fits : dict of int to SampleFit
        By rank.
    series : ndarray of int, shape (n,)
        Series of each frame.

    Returns
    -------
    SampleFit
        The one to keep.
    """
    return fits[_best_rank(fits, series)]


def _best_rank(fits: dict[int, SampleFit], series: NDArray[np.intp]) -> int:
    """Go up as long as each further map foretells all left-out series so much better."""
    ranks = sorted(fits)
    for low, high in pairwise(ranks):
        if (fits[high].evidence - fits[low].evidence) * int(series.max()) < _WORTH_A_MAP:
            return low
    return ranks[-1]


def _refined(
    fit: SampleFit, values: Image, library: SampledLibrary
) -> tuple[SampleFit, Image, Array]:
    """Go a few rounds between pixels, prior, noise and states, then count cosmic rays.

    Gives the logarithm of each pixel's evidence, too; of several maps, what the last one gains.
    """
    sample, starts = library.sample, library.starts
    designs, rounds = [fit.design], library.settings.rounds
    for step in range(1, rounds + 1):
        smooth = smooth_maps(fit.design, fit.law.frame_variance, fit.rows, library)
        judged = replace(fit, smooth=smooth)
        fit, found = refine(judged, values, starts, sample, library.settings)
        fit = at_zero(fit, library.zero)
        designs.append(fit.design)
        if step % 2 == 0 and step < rounds:
            designs = [_further(*designs)]
            fit = replace(fit, design=designs[0])
        strength = strength_form(found.maps, fit.design, sample.shares, fit.n_settings)
        fit = replace(fit, strength=strength)
    rays = share_of_cosmic_rays(fit, found, values, starts, sample.n_random, library.exposures_s)
    fit = replace(fit, cosmic_share_per_s=rays)
    gain = found.evidence.copy()
    if len(fit.strength) > 1:
        width, gain = judge_last_map(gain, judged, values, library)
        fit = replace(fit, prior=narrowed(fit.prior, width))
    return *with_design(fit, fit.design, library), gain


def _further(first: Array, second: Array, third: Array) -> Array:
    """Go on where three rounds point to, each state along its own map by its own step.

    Rounds between states and maps creep: the error of a state shrinks by a steady factor, close to
    one where a map is seen in few pixels. Two steps tell that factor, and with it the end (squared
    extrapolation, Varadhan & Roland 2008, Scand. J. Statist. 35, 335). No step is shorter than the
    rounds' own, nor longer than `_LONGEST_STEP` of them.
    """
    ahead, bend = second - first, third - 2.0 * second + first
    ratio = np.linalg.norm(ahead, axis=0) / np.maximum(np.linalg.norm(bend, axis=0), 1e-300)
    step = np.clip(ratio, 1.0, _LONGEST_STEP)
    return np.asarray(first + 2.0 * step * ahead + step**2 * bend)


def _possible_ranks(ranks: tuple[int, ...], series: NDArray[np.intp]) -> list[int]:
    most = max(1, int(series.max()) - 1)  # one series is left out, one tells the bias
    return [rank for rank in ranks if rank <= most] or [1]
