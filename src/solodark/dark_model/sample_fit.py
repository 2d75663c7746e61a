"""The fit on a sample of pixels: states, prior, noise and what the model cannot explain."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.cosmic_rays import cosmic_share_per_s
from solodark.dark_model.library_noise import learn_noise
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.pixel_fit import fit_pixels
from solodark.dark_model.pixel_numbers import LibraryNumbers, Memory, PixelsFound
from solodark.dark_model.posterior import map_covariances
from solodark.dark_model.prior import MixturePrior, refine_prior
from solodark.dark_model.sample_numbers import SampleFit, series_amplitude2
from solodark.dark_model.scatter_prior import refine_scatter
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.states import SamplePixels, solve_state
from solodark.dark_model.survey import Sample

__all__ = ["fit_values", "refine", "share_of_cosmic_rays"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_FIRST_PRIOR_STEPS, _PRIOR_STEPS = 300, 24


def refine(
    fit: SampleFit,
    values: Image,
    starts: NDArray[np.intp],
    sample: Sample,
    settings: LearnSettings,
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

    Returns
    -------
    fit : SampleFit
        States, prior and noise.
    found : PixelsFound
        The sampled pixels, on which they rest.
    """
    found = fit_values(fit, values, fit.smooth.at(sample.y, sample.x), starts, settings)
    predicted = fit.design @ found.maps.T
    law = learn_noise(
        values - predicted,
        predicted,
        _leverages(fit),
        starts=starts,
        n_random=sample.n_random,
        setting=fit.setting,
        full_adu=fit.censor_adu,
        step_adu=fit.step_adu,
    )
    scatter_variance = found.scatter @ fit.scatter_grid
    pixels = SamplePixels(
        found.maps, scatter_variance, found.excess, sample.plane, _covariances(fit.prior, found)
    )
    refined = replace(
        fit,
        design=_solve_states(fit, values, pixels, law),
        prior=_refine_prior(fit.prior, found, sample, len(fit.strength)),
        law=law,
        scatter_prior=refine_scatter(fit.scatter_prior, found.scatter, found.odds, sample.shares),
    )
    return refined, found


def _refine_prior(
    prior: MixturePrior, found: PixelsFound, sample: Sample, rank: int
) -> MixturePrior:
    """Learn the pixels' distribution with one map; each further one changes it little."""
    most = _FIRST_PRIOR_STEPS if rank == 1 else _PRIOR_STEPS
    return refine_prior(prior, found.information, found.pulls, sample.shares, most_steps=most)


def _covariances(prior: MixturePrior, found: PixelsFound) -> Array:
    """Covariance of the maps of each pixel, shape (n, d, d)."""
    information = np.ascontiguousarray(np.moveaxis(found.information, 0, -1))
    pulls = np.ascontiguousarray(found.pulls.T)
    covariances: Array = map_covariances(
        information, pulls, prior.precisions, prior.pulls, prior.log_norms
    )
    return covariances


def share_of_cosmic_rays(
    fit: SampleFit,
    found: PixelsFound,
    values: Image,
    starts: NDArray[np.intp],
    n_random: int,
    exposures_s: Array,
) -> float:
    """Tell how often cosmic rays hit, by the random part of the sample.

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
    float
        Share of the pixels that they hit in one second.
    """
    predicted = fit.design @ found.maps[:n_random].T
    law = fit.law
    variance = np.stack(
        [
            law.variance(signal, own, int(setting))
            for signal, own, setting in zip(predicted, law.frame_variance, fit.setting, strict=True)
        ]
    )
    return cosmic_share_per_s(values[:, :n_random] - predicted, variance, starts, exposures_s)


def _solve_states(fit: SampleFit, values: Image, pixels: SamplePixels, law: NoiseLaw) -> Array:
    dark = range(fit.n_settings, pixels.maps.shape[1])
    at = [_at_setting(pixels, [g, *dark]) for g in range(fit.n_settings)]

    def solve(f: int) -> Array:  # numpydoc ignore=GL08
        g, full = int(fit.setting[f]), ~(values[f] < fit.censor_adu)
        own = np.where(full, 0.0, values[f].astype(np.float64))  # deaf, as in a new sub
        known = at[g]._replace(excess=np.where(full, np.inf, at[g].excess))
        start, variance = fit.states[f], law.frame_variance[f]
        return solve_state(own, known, law, variance, start, setting=g, rounds=2)[0]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        states = list(threads.map(solve, range(len(values))))
    return np.hstack([fit.design[:, : fit.n_settings], np.array(states)])


def _at_setting(pixels: SamplePixels, maps: list[int]) -> SamplePixels:
    """Leave out the bias maps of other gain settings."""
    covariance = pixels.map_covariance[:, maps[1:]][..., maps]
    return pixels._replace(
        maps=np.ascontiguousarray(pixels.maps[:, maps]),
        map_covariance=np.ascontiguousarray(covariance),
    )


def fit_values(
    fit: SampleFit,
    values: Image,
    smooth: Image,
    starts: NDArray[np.intp],
    settings: LearnSettings,
    memory: Memory | None = None,
    *,
    kept_as: NDArray[np.intp] | None = None,
    room: PixelsFound | None = None,
) -> PixelsFound:
    """Fit every pixel of a block.

    Parameters
    ----------
    fit : SampleFit
        States, prior and noise.
    values : ndarray of float32, shape (n_frames, n_pixels)
        ADU above level and rows, frames sorted by series.
    smooth : ndarray of float32, shape (d, n_pixels)
        Smooth part of their maps.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    settings : LearnSettings
        How to learn.
    memory : Memory, optional
        What frames seen before tell of the noise of these pixels.
    kept_as : ndarray of int, shape (n_series,), optional
        Mean in which each series is to be kept; none is asked for without.
    room : PixelsFound, optional
        Of another block, no longer needed: what is found takes its place, if both are as large.

    Returns
    -------
    PixelsFound
        What was found.
    """
    amplitude2 = series_amplitude2(fit.states, fit.strength, starts)
    library = LibraryNumbers(
        design=np.ascontiguousarray(fit.design),
        frame_variance=fit.law.frame_variance,
        slope=fit.law.slope[fit.setting],
        curvature=fit.law.curvature,
        censor_adu=fit.censor_adu,
        frame_count=fit.frame_count,
        series_start=starts,
        amplitude2=amplitude2 / fit.series_count[starts[:-1]],
        kept_as=np.zeros(0, np.intp) if kept_as is None else kept_as,
        precisions=fit.prior.precisions,
        prior_pulls=fit.prior.pulls,
        log_norms=fit.prior.log_norms,
        scatter_grid=fit.scatter_grid,
        scatter_prior=fit.scatter_prior,
    )
    memory = Memory.none() if memory is None else memory
    return fit_pixels(
        values, library, memory, iterations=settings.iterations, smooth=smooth, room=room
    )


def _leverages(fit: SampleFit) -> tuple[Array, Array]:
    """How much each frame pulls the fit of an ordinary and of a very hot pixel towards itself."""
    ordinary = int(np.argmax(fit.prior.weights))
    widest = int(np.argmin(np.linalg.det(fit.prior.precisions)))
    weighted = fit.design / fit.law.frame_variance[:, None]

    def pull(known: Array) -> Array:  # numpydoc ignore=GL08
        covariance = np.linalg.inv(fit.design.T @ weighted + known)
        return np.asarray(np.einsum("fr,rq,fq->f", weighted, covariance, fit.design))

    return pull(fit.prior.precisions[ordinary]), pull(fit.prior.precisions[widest])
