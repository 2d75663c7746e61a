"""The fit on a sample of pixels: states, prior, noise and what the model cannot explain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.gain_settings import gain_settings
from solodark.dark_model.noise import NoiseLaw, fit_noise_law, robust_variance
from solodark.dark_model.pixel_fit import fit_pixels
from solodark.dark_model.prior import MixturePrior, refine_prior, starting_prior
from solodark.dark_model.series import is_bias
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.states import SamplePixels, solve_state, starting_states
from solodark.dark_model.survey import Sample, Survey
from solodark.frames import Acquisition, FrameSource

__all__ = ["FLOOR_AMPLITUDE2", "SampleFit", "fit_sample", "fit_values", "series_starts"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

FLOOR_AMPLITUDE2 = 0.05**2  # even a bias is not known better than this share of the scatter
_CHUNKS = 32
_FIRST_SLOPE = 0.5  # ADU^2 per ADU, of the order of most cameras; refined in the first round
_QUANTISATION_VARIANCE = 1 / 12
_FULL_SCALES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16, 18, 20, 24, 32))
_LINEAR_SHARE = 0.75  # sensors are linear to about three quarters of what they or their ADC hold
_COSMIC_SIGMA = 7.0
_QUIET_SIGMA = 4.0
_QUIET_EXCESS = 3.0


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
        fit = _round(fit, values, starts, sample, settings, exposures_s)
    return replace(fit, level_maps=_least_squares(fit.design, survey.levels).T)


def _first_fit(
    sources: Sequence[FrameSource],
    sample: Sample,
    survey: Survey,
    starts: NDArray[np.intp],
    rank: int,
    settings: LearnSettings,
) -> tuple[SampleFit, Image]:
    raw = survey.values.astype(np.float64)
    variance = _first_variance(raw[:, : sample.n_random], starts)
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
        censor_adu=_censor_adu(sources[0].acquisition, values, survey.levels),
        evidence=-np.inf,
    )
    return fit, values


def _censor_adu(acquisition: Acquisition, values: Image, levels: Array) -> float:
    """Where a pixel is no longer linear, ADU above the level: a share of the full scale.

    A full scale that the files do not tell is the lowest one that holds all values.
    """
    level = float(np.median(levels))
    largest = float(values.max()) + level
    full_scale = acquisition.saturation_adu or next(
        (scale for scale in _FULL_SCALES if scale >= largest), largest
    )
    return _LINEAR_SHARE * full_scale - level


def _first_variance(values: Array, starts: NDArray[np.intp]) -> Array:
    """Variance of each frame from its difference to a neighbour, in its series where it has one."""
    variance = np.zeros(len(values))
    for first, last in pairwise(starts):
        alone = last - first == 1
        low, high = (0, len(values)) if alone else (first, last)
        for f in range(first, last):
            difference = values[f] - values[f + 1 if f + 1 < high else max(f - 1, low)]
            variance[f] = robust_variance(difference - np.median(difference)) / 2
    return np.maximum(variance, _QUANTISATION_VARIANCE)


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


def _amplitude2(states: Array, strength: Array, starts: NDArray[np.intp]) -> Array:
    frames = np.einsum("fr,rq,fq->f", states, strength, states)
    series = np.add.reduceat(frames, starts[:-1]) / np.diff(starts)
    amplitude2: Array = series + FLOOR_AMPLITUDE2
    return amplitude2


def _round(
    fit: SampleFit,
    values: Image,
    starts: NDArray[np.intp],
    sample: Sample,
    settings: LearnSettings,
    exposures_s: Array,
) -> SampleFit:
    """Pixels, prior, noise and states, each from the others, once around."""
    result = fit_values(fit, values, starts, settings)
    maps, excess, information, pulls, scatter, odds, evidence = result
    random = slice(0, sample.n_random)
    law = _learn_noise(fit, maps, values, starts, sample)
    pixels = SamplePixels(maps, scatter @ fit.scatter_grid, excess, sample.plane)
    design = _solve_states(fit, values, pixels, law)
    return replace(
        fit,
        design=design,
        prior=refine_prior(fit.prior, information, pulls, sample.shares, steps=8),
        law=law,
        scatter_prior=_learn_scatter(scatter, odds, sample.shares),
        strength=_strength(maps, design, sample.shares, fit.n_settings),
        cosmic_share_per_s=_cosmic_share_per_s(
            fit, maps[random], values[:, random], excess[random], law, starts, exposures_s
        ),
        evidence=float(np.mean(evidence[random]) / (len(starts) - 1)),
    )


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


def _cosmic_share_per_s(
    fit: SampleFit,
    maps: Array,
    values: Image,
    excess: Array,
    law: NoiseLaw,
    starts: NDArray[np.intp],
    exposures_s: Array,
) -> float:
    """Bright outliers of one frame of a series, for each pixel and second."""
    hits, pixel_seconds = 0, 0.0
    for first, last in pairwise(starts):
        if last - first < 3:
            continue
        predicted = fit.design[first:last] @ maps.T
        error = values[first:last] - predicted
        noise = law.frame_variance[first:last, None]
        variance = law.variance(predicted, noise, int(fit.setting[first]))
        z = (error - np.median(error, axis=0)) / np.sqrt(variance * excess)
        brightest = z.max(axis=0)
        calm = np.count_nonzero(np.abs(z) > _QUIET_SIGMA, axis=0) == 1
        hits += int(np.count_nonzero((brightest > _COSMIC_SIGMA) & calm & (excess < _QUIET_EXCESS)))
        pixel_seconds += z.shape[1] * float(exposures_s[first:last].sum())
    return hits / pixel_seconds if pixel_seconds > 0 else 0.0


def fit_values(
    fit: SampleFit, values: Image, starts: NDArray[np.intp], settings: LearnSettings
) -> tuple[Array, ...]:
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

    Returns
    -------
    tuple of ndarray
        As `solodark.dark_model.pixel_fit.fit_pixels` gives it.
    """
    result: tuple[Array, ...] = fit_pixels(
        np.ascontiguousarray(values.T, dtype=np.float32),
        fit.design,
        fit.law.frame_variance,
        fit.law.slope[fit.setting],
        fit.law.curvature,
        fit.censor_adu,
        starts,
        _amplitude2(fit.states, fit.strength, starts),
        fit.prior.precisions,
        fit.prior.pulls,
        fit.prior.log_norms,
        fit.scatter_grid,
        fit.scatter_prior,
        settings.iterations,
        _CHUNKS,
    )
    return result


def _learn_scatter(scatter: Array, odds: Array, shares: Array) -> Array:
    mass = np.einsum("nk,nt,n->kt", odds, scatter, shares) + 1e-2
    return np.asarray(mass / mass.sum(axis=1, keepdims=True), dtype=np.float64)


def _learn_noise(
    fit: SampleFit, maps: Array, values: Image, starts: NDArray[np.intp], sample: Sample
) -> NoiseLaw:
    predicted = fit.design @ maps.T
    residual = values - predicted
    leverage = _leverage(fit)
    variance = np.array(
        [
            robust_variance(residual[f, : sample.n_random]) / (1.0 - leverage[f])
            for f in range(len(values))
        ]
    )
    deviations, shrink = np.zeros_like(residual), np.zeros(len(values))
    for first, last in pairwise(starts):
        deviations[first:last] = residual[first:last] - residual[first:last].mean(axis=0)
        shrink[first:last] = 1.0 - 1.0 / (last - first)
    return fit_noise_law(predicted, deviations, variance, shrink=shrink, setting=fit.setting)


def _leverage(fit: SampleFit) -> Array:
    """How much each frame pulls the fit of an ordinary pixel towards itself."""
    ordinary = fit.prior.precisions[np.argmax(fit.prior.weights)]
    weighted = fit.design / fit.law.frame_variance[:, None]
    covariance = np.linalg.inv(fit.design.T @ weighted + ordinary)
    pull: Array = np.einsum("fr,rq,fq->f", weighted, covariance, fit.design)
    return np.clip(pull, 0.0, 0.9)
