"""The fits of growing rank: one dark map, then one more as long as that foretells better."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.first_fit import SampledLibrary, first_fit, strength_form, with_design
from solodark.dark_model.next_map import with_another_map
from solodark.dark_model.sample_fit import SampleFit, count_cosmic_hits, refine, series_starts
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Sample, Survey
from solodark.frames import FrameSource, Progress, silent

__all__ = ["fit_ranks"]

Image = NDArray[np.float32]


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
        By rank, up to the first that foretells left-out series worse than the one before.
    """
    library = SampledLibrary(sources, sample, survey, series_starts(series), settings)
    ranks = _possible_ranks(settings.ranks, series)
    fits: dict[int, SampleFit] = {}
    fit, values = first_fit(library)
    for rank in progress(range(1, max(ranks) + 1), "Choosing the rank", max(ranks)):
        if rank > 1:
            fit, values = with_another_map(fit, values, library)
        fit, values = _refined(fit, values, library)
        if rank in ranks:
            fits[rank] = fit
            if fit.evidence < max(tried.evidence for tried in fits.values()):
                break
    return fits


def _refined(fit: SampleFit, values: Image, library: SampledLibrary) -> tuple[SampleFit, Image]:
    """Go a few rounds between pixels, prior, noise and states, then count cosmic rays."""
    sample, starts = library.sample, library.starts
    for _ in range(library.settings.rounds):
        fit, found = refine(fit, values, starts, sample, library.settings)
        strength = strength_form(found.maps, fit.design, sample.shares, fit.n_settings)
        fit = replace(fit, strength=strength)
    hits = count_cosmic_hits(fit, found, values, starts, sample.n_random, library.exposures_s)
    fit = replace(fit, cosmic_share_per_s=hits[0] / hits[1] if hits[1] > 0 else 0.0)
    return with_design(fit, fit.design, library)


def _possible_ranks(ranks: tuple[int, ...], series: NDArray[np.intp]) -> list[int]:
    most = max(1, int(series.max()) - 1)  # one series is left out, one tells the bias
    return [rank for rank in ranks if rank <= most] or [1]
