"""The first fit of a library's sample, with one dark map: crude numbers that rounds refine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.first_states import starting_states
from solodark.dark_model.gain_settings import gain_settings
from solodark.dark_model.levels import coarse_step
from solodark.dark_model.library_noise import censor_adu, first_variance
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.prior import starting_prior
from solodark.dark_model.row_pattern import rows_beyond
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.scatter_prior import first_scatter_prior, scatter_grid
from solodark.dark_model.series import is_bias
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.smooth_maps import SmoothMaps
from solodark.dark_model.strength import squared_strength
from solodark.dark_model.survey import Sample, Survey
from solodark.frames import FrameSource

__all__ = ["SampledLibrary", "first_fit", "smooth_maps", "strength_form", "with_design"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_FIRST_SLOPE = 0.5  # ADU^2 per ADU, of the order of most cameras; refined in the first round


@dataclass(frozen=True, eq=False)
class SampledLibrary:
    """A library as its sample shows it, frames sorted by series.

    Attributes
    ----------
    sources : sequence of FrameSource
        The frames.
    sample : Sample
        The sampled pixels.
    survey : Survey
        Their values.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    settings : LearnSettings
        How to learn.
    """

    sources: Sequence[FrameSource]
    sample: Sample
    survey: Survey
    starts: NDArray[np.intp]
    settings: LearnSettings

    @property
    def first(self) -> NDArray[np.intp]:
        """First frame of each series."""
        return self.starts[:-1]

    @property
    def exposures_s(self) -> Array:
        """Exposure of each frame; 0 where unknown."""
        return np.array([source.acquisition.exposure_s or 0.0 for source in self.sources])

    @property
    def zero(self) -> NDArray[np.bool_]:
        """Frames whose state is zero: the biases."""
        return np.array([is_bias(source) for source in self.sources])


def first_fit(library: SampledLibrary) -> tuple[SampleFit, Image]:
    """Make a first, crude fit with one dark map.

    Parameters
    ----------
    library : SampledLibrary
        What to fit.

    Returns
    -------
    fit : SampleFit
        States, prior and noise.
    values : ndarray of float32, shape (n_frames, n)
        The sample above level and rows, ADU.
    """
    sample, survey = library.sample, library.survey
    raw = survey.values.astype(np.float64)
    step_adu = max(coarse_step(frame) for frame in raw[:, sample.plane == sample.plane[0]])
    variance = first_variance(raw[:, : sample.n_random], library.starts, step_adu)
    known, setting = gain_settings(library.sources)
    design = starting_states(
        raw,
        variance,
        _FIRST_SLOPE,
        library.zero,
        starts=library.starts,
        levels=np.eye(len(known))[setting],
    )
    rows, level_maps, values = _levels_and_rows(design, library)
    smooth = smooth_maps(design, variance, rows, library)
    maps = _least_squares(design, values.astype(np.float64)).T
    weights = np.linalg.pinv(design)
    noise = (weights * variance) @ weights.T
    grid = scatter_grid(float(variance.min()), float(np.abs(values).max()))
    own = maps - smooth.at(sample.y, sample.x).T
    n_components = library.settings.n_components
    prior = starting_prior(own, noise, sample.shares, n_components, n_settings=len(known))
    fit = SampleFit(
        design=design,
        setting=setting,
        frame_count=np.ones(len(design)),
        series_count=np.ones(len(design)),
        smooth=smooth,
        prior=prior,
        law=NoiseLaw(variance, np.full(len(known), _FIRST_SLOPE), 0.0),
        scatter_grid=grid,
        scatter_prior=first_scatter_prior(prior.weights.size, grid.size),
        strength=strength_form(maps, design, sample.shares, len(known)),
        rows=rows,
        level_maps=level_maps,
        cosmic_share_per_s=0.0,
        censor_adu=censor_adu(library.sources[0].acquisition, values, survey.levels),
        evidence=-np.inf,
        step_adu=step_adu,
    )
    return fit, values


def with_design(fit: SampleFit, design: Array, library: SampledLibrary) -> tuple[SampleFit, Image]:
    """Give a fit other states, and the levels and rows that follow from them.

    Parameters
    ----------
    fit : SampleFit
        Where to begin.
    design : ndarray, shape (n_frames, d)
        Gain settings and states.
    library : SampledLibrary
        What is fitted.

    Returns
    -------
    fit : SampleFit
        With the states; its prior, the smooth maps beyond which that is one, and its strength are
        as they were.
    values : ndarray of float32, shape (n_frames, n)
        The sample above level and rows, ADU.
    """
    rows, level_maps, values = _levels_and_rows(design, library)
    return replace(fit, design=design, rows=rows, level_maps=level_maps), values


def smooth_maps(design: Array, variance: Array, rows: Array, library: SampledLibrary) -> SmoothMaps:
    """Find what is smooth in the maps that belong to some states.

    Parameters
    ----------
    design : ndarray, shape (n_frames, d)
        Gain settings and states.
    variance : ndarray, shape (n_frames,)
        Noise of the frames, ADU^2.
    rows : ndarray, shape (n_frames, ny)
        Banding of each frame, ADU.
    library : SampledLibrary
        What is fitted.

    Returns
    -------
    SmoothMaps
        Of the sensor.
    """
    return SmoothMaps.of(library.survey, rows, design, variance, library.sources[0].shape)


def _levels_and_rows(design: Array, library: SampledLibrary) -> tuple[Array, Array, Image]:
    """Rows beyond the sensor's own row pattern, level maps, and the sample above both."""
    survey = library.survey
    rows = rows_beyond(design, survey.profiles)
    level_maps = _least_squares(design, survey.levels).T
    return rows, level_maps, survey.values - rows[:, library.sample.y].astype(np.float32)


def _least_squares(design: Array, values: Array) -> Array:
    return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=np.float64)


def strength_form(maps: Array, design: Array, shares: Array, n_settings: int) -> Array:
    """Quadratic form of the state that measures the dark signal.

    Parameters
    ----------
    maps : ndarray, shape (n, d)
        Of the sampled pixels.
    design : ndarray, shape (n_frames, d)
        Gain settings and states.
    shares : ndarray, shape (n,)
        How many pixels of the sensor each stands for.
    n_settings : int
        Number of bias maps.

    Returns
    -------
    ndarray, shape (rank, rank)
        The form, 1 for the strongest frame.
    """
    dark, states = maps[:, n_settings:], design[:, n_settings:]
    level = dark @ states.mean(axis=0)
    warm = level >= np.quantile(level[shares == shares.max()], 0.99)
    form = dark[warm].T @ dark[warm] / np.count_nonzero(warm)
    strongest = squared_strength(states, form).max()
    scaled: Array = form / max(strongest, 1e-12)
    return scaled
