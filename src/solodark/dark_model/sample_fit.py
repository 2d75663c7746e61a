"""The fit on a sample of pixels: states, prior, noise and what the model cannot explain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.gain_settings import gain_settings
from solodark.dark_model.library_noise import (
    censor_adu,
    cosmic_hits,
    first_variance,
    learn_noise,
)
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.pixel_fit import fit_pixels
from solodark.dark_model.pixel_numbers import LibraryNumbers, Memory, PixelsFound
from solodark.dark_model.prior import MixturePrior, refine_prior, starting_prior
from solodark.dark_model.series import is_bias
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.states import SamplePixels, solve_state, starting_states
from solodark.dark_model.survey import Sample, Survey
from solodark.frames import FrameSource

__all__ = [
    "FLOOR_AMPLITUDE2",
    "SampleFit",
    "count_cosmic_hits",
    "fit_sample",
    "fit_values",
    "learn_scatter",
    "refine",
    "series_amplitude2",
    "series_starts",
]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

FLOOR_AMPLITUDE2 = 0.05**2  # even a bias is not known better than this share of the scatter
_FIRST_SLOPE = 0.5  # ADU^2 per ADU, of the order of most cameras; refined in the first round


@dataclass(frozen=True, eq=False, slots=True)
class SampleFit:
    """The state of the fit on the sample."""

    design: Array
    setting: NDArray[np.intp]
    prior: MixturePrior
    law: NoiseLaw
    scatter_grid: Array
    scatter_prior: Array
    strength: Array
    rows: Array
    level_maps: Array
    cosmic_share_per_s: float
    censor_adu: float
    evidence: float

    @property
    def n_settings(self) -> int:
        """Number of gain settings, and of bias maps."""
        return int(self.design.shape[1]) - len(self.strength)

    @property
    def states(self) -> Array:
        """State of each frame, shape (n_frames, rank)."""
        return self.design[:, self.n_settings :]


def series_starts(series: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find where each series begins among frames sorted by series.

    Parameters
    ----------
    series : ndarray of int, shape (n,)
        Sorted series numbers.

    Returns
    -------
    ndarray of int, shape (n_series + 1,)
        First frame of each series, and the number of frames.
    """
    return np.append(np.searchsorted(series, np.unique(series)), len(series))


def _zero_frames(sources: Sequence[FrameSource]) -> NDArray[np.bool_]:
    """Frames whose state is called zero: the biases, else the shortest exposures."""
    biases = np.array([is_bias(source) for source in sources])
    if biases.any():
        return biases
    exposures = np.array([source.acquisition.exposure_s or 0.0 for source in sources])
    shortest: NDArray[np.bool_] = exposures <= exposures.min() * 1.01
    return shortest


def fit_sample(
    sources: Sequence[FrameSource],
    series: NDArray[np.intp],
    sample: Sample,
    survey: Survey,
    rank: int,
    settings: LearnSettings,
) -> SampleFit:
    """Fit states, prior and noise on the sample, for one rank.

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
    rank : int
        Number of dark maps.
    settings : LearnSettings
        How to learn.

    Returns
    -------
    SampleFit
        The fit, with its evidence.
    """
    starts = series_starts(series)
    exposures_s = np.array([source.acquisition.exposure_s or 0.0 for source in sources])
    fit, values = _first_fit(sources, sample, survey, starts, rank, settings)
    for _ in range(settings.rounds):
        fit, found = refine(fit, values, starts, sample, settings)
        fit = replace(
            fit, strength=_strength(found.maps, fit.design, sample.shares, fit.n_settings)
        )
    hits = count_cosmic_hits(fit, found, values, starts, sample.n_random, exposures_s)
    return replace(
        fit,
        level_maps=_least_squares(fit.design, survey.levels).T,
        cosmic_share_per_s=hits[0] / hits[1] if hits[1] > 0 else 0.0,
    )


def _first_fit(
    sources: Sequence[FrameSource],
    sample: Sample,
    survey: Survey,
    starts: NDArray[np.intp],
    rank: int,
    settings: LearnSettings,
) -> tuple[SampleFit, Image]:
    raw = survey.values.astype(np.float64)
    variance = first_variance(raw[:, : sample.n_random], starts)
    known, setting = gain_settings(sources)
    design = starting_states(
        raw,
        variance,
        _FIRST_SLOPE,
        _zero_frames(sources),
        rank,
        starts=starts,
        levels=np.eye(len(known))[setting],
    )
    rows = _row_offsets(survey.profiles, design)
    values = survey.values - rows[:, sample.y].astype(np.float32)
    maps = _least_squares(design, values.astype(np.float64)).T
    grid = _scatter_grid(float(variance.min()), float(np.abs(values).max()))
    fit = SampleFit(
        design=design,
        setting=setting,
        prior=starting_prior(maps, sample.shares, settings.n_components, n_settings=len(known)),
        law=NoiseLaw(variance, np.full(len(known), _FIRST_SLOPE), 0.0),
        scatter_grid=grid,
        scatter_prior=_first_scatter_prior(settings.n_components, grid.size),
        strength=_strength(maps, design, sample.shares, len(known)),
        rows=rows,
        level_maps=_least_squares(design, survey.levels).T,
        cosmic_share_per_s=0.0,
        censor_adu=censor_adu(sources[0].acquisition, values, survey.levels),
        evidence=-np.inf,
    )
    return fit, values


def _least_squares(design: Array, values: Array) -> Array:
    return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=np.float64)


def _row_offsets(profiles: Array, design: Array) -> Array:
    """Find what the rows of each frame show beyond the sensor's own row pattern."""
    offsets: Array = profiles - design @ _least_squares(design, profiles)
    return offsets


def _scatter_grid(variance: float, largest: float) -> Array:
    steps = max(4, int(np.ceil(np.log(largest**2 / (variance / 16)) / np.log(8))) + 1)
    return np.concatenate([[0.0], variance / 16 * 8.0 ** np.arange(steps)])


def _first_scatter_prior(k: int, t: int) -> Array:
    shares = 0.5 ** np.arange(1, t + 1)
    return np.tile(shares / shares.sum(), (k, 1))


def _strength(maps: Array, design: Array, shares: Array, n_settings: int) -> Array:
    """Quadratic form of the state that measures the dark signal; 1 for the strongest frame."""
    dark, states = maps[:, n_settings:], design[:, n_settings:]
    level = dark @ states.mean(axis=0)
    warm = level >= np.quantile(level[shares == shares.max()], 0.99)
    form = dark[warm].T @ dark[warm] / np.count_nonzero(warm)
    strongest = np.einsum("fr,rq,fq->f", states, form, states).max()
    scaled: Array = form / max(strongest, 1e-12)
    return scaled


def series_amplitude2(states: Array, strength: Array, starts: NDArray[np.intp]) -> Array:
    """Squared strength of each series, with a floor.

    Parameters
    ----------
    states : ndarray, shape (n_frames, rank)
        State of each frame.
    strength : ndarray, shape (rank, rank)
        Form that measures the dark signal of a state.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.

    Returns
    -------
    ndarray, shape (n_series,)
        In units of the strongest frame's.
    """
    frames = np.einsum("fr,rq,fq->f", states, strength, states)
    series = np.add.reduceat(frames, starts[:-1]) / np.diff(starts)
    amplitude2: Array = series + FLOOR_AMPLITUDE2
    return amplitude2


def refine(
    fit: SampleFit,
    values: Image,
    starts: NDArray[np.intp],
    sample: Sample,
    settings: LearnSettings,
    memory: Memory | None = None,
) -> tuple[SampleFit, PixelsFound]:
    """Pixels, prior, noise and states, each from the others, once around.

    Parameters
    ----------
    fit : SampleFit
        States, prior and noise so far.
    values : ndarray of float32, shape (n_frames, n)
        The sample, ADU above level and rows, frames sorted by series.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    sample : Sample
        The sampled pixels.
    settings : LearnSettings
        How to learn.
    memory : Memory, optional
        What frames seen before tell of the sample.

    Returns
    -------
    fit : SampleFit
        States, prior and noise.
    found : PixelsFound
        The sampled pixels, on which they rest.
    """
    found = fit_values(fit, values, starts, settings, memory)
    predicted = fit.design @ found.maps.T
    law = learn_noise(
        values - predicted,
        predicted,
        _leverage(fit, memory),
        starts=starts,
        n_random=sample.n_random,
        setting=fit.setting,
    )
    scatter_variance = found.scatter @ fit.scatter_grid
    pixels = SamplePixels(found.maps, scatter_variance, found.excess, sample.plane)
    refined = replace(
        fit,
        design=_solve_states(fit, values, pixels, law),
        prior=refine_prior(fit.prior, found.information, found.pulls, sample.shares, steps=8),
        law=law,
        scatter_prior=learn_scatter(found.scatter, found.odds, sample.shares),
        evidence=float(np.mean(found.evidence[: sample.n_random]) / (len(starts) - 1)),
    )
    return refined, found


def count_cosmic_hits(
    fit: SampleFit,
    found: PixelsFound,
    values: Image,
    starts: NDArray[np.intp],
    n_random: int,
    exposures_s: Array,
) -> tuple[int, float]:
    """Count cosmic rays in the random part of the sample.

    Parameters
    ----------
    fit : SampleFit
        States and noise.
    found : PixelsFound
        The sampled pixels.
    values : ndarray of float32, shape (n_frames, n)
        The sample, ADU above level and rows, frames sorted by series.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    n_random : int
        The first so many pixels are the random part.
    exposures_s : ndarray, shape (n_frames,)
        Exposure of each frame.

    Returns
    -------
    hits : int
        In all series of three frames or more.
    pixel_seconds : float
        In so many pixels times seconds.
    """
    predicted = fit.design @ found.maps[:n_random].T
    law = fit.law
    variance = np.stack(
        [
            law.variance(signal, own, int(setting))
            for signal, own, setting in zip(predicted, law.frame_variance, fit.setting, strict=True)
        ]
    )
    error = values[:, :n_random] - predicted
    return cosmic_hits(error, variance, found.excess[:n_random], starts, exposures_s)


def _solve_states(fit: SampleFit, values: Image, pixels: SamplePixels, law: NoiseLaw) -> Array:
    bias, dark = np.hsplit(pixels.maps, [fit.n_settings])
    at = [replace(pixels, maps=np.hstack([own[:, None], dark])) for own in bias.T]
    states = [
        solve_state(
            frame.astype(np.float64), at[g], law, variance, before, setting=int(g), rounds=2
        )[0]
        for frame, variance, before, g in zip(
            values, law.frame_variance, fit.states, fit.setting, strict=True
        )
    ]
    return np.hstack([fit.design[:, : fit.n_settings], np.array(states)])


def fit_values(
    fit: SampleFit,
    values: Image,
    starts: NDArray[np.intp],
    settings: LearnSettings,
    memory: Memory | None = None,
) -> PixelsFound:
    """Fit every pixel of a block.

    Parameters
    ----------
    fit : SampleFit
        States, prior and noise.
    values : ndarray of float32, shape (n_frames, n_pixels)
        ADU above level and rows, frames sorted by series.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    settings : LearnSettings
        How to learn.
    memory : Memory, optional
        What frames seen before tell of these pixels.

    Returns
    -------
    PixelsFound
        What was found.
    """
    library = LibraryNumbers(
        design=np.ascontiguousarray(fit.design),
        frame_variance=fit.law.frame_variance,
        slope=fit.law.slope[fit.setting],
        curvature=fit.law.curvature,
        censor_adu=fit.censor_adu,
        series_start=starts,
        amplitude2=series_amplitude2(fit.states, fit.strength, starts),
        precisions=fit.prior.precisions,
        prior_pulls=fit.prior.pulls,
        log_norms=fit.prior.log_norms,
        scatter_grid=fit.scatter_grid,
        scatter_prior=fit.scatter_prior,
    )
    memory = Memory.none() if memory is None else memory
    return fit_pixels(values, library, memory, iterations=settings.iterations)


def learn_scatter(scatter: Array, odds: Array, shares: Array) -> Array:
    """Learn how the scatter of each component's pixels is spread over the grid.

    Parameters
    ----------
    scatter : ndarray, shape (n, t)
        Weights of the scatter grid of each pixel.
    odds : ndarray, shape (n, k)
        Of the prior's components.
    shares : ndarray, shape (n,)
        How many pixels of the sensor each stands for.

    Returns
    -------
    ndarray, shape (k, t)
        The prior of the scatter.
    """
    mass = np.einsum("nk,nt,n->kt", odds, scatter, shares) + 1e-2
    return np.asarray(mass / mass.sum(axis=1, keepdims=True), dtype=np.float64)


def _leverage(fit: SampleFit, memory: Memory | None) -> Array:
    """How much each frame pulls the fit of an ordinary pixel towards itself."""
    known = fit.prior.precisions[np.argmax(fit.prior.weights)]
    if memory is not None:
        known = known + np.median(memory.information, axis=0)
    weighted = fit.design / fit.law.frame_variance[:, None]
    covariance = np.linalg.inv(fit.design.T @ weighted + known)
    pull: Array = np.einsum("fr,rq,fq->f", weighted, covariance, fit.design)
    return pull
