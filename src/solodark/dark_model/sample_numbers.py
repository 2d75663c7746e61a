"""What a fit of frames consists of: their states and noise, and what all pixels have in common."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.smooth_maps import SmoothMaps
from solodark.dark_model.strength import FLOOR_AMPLITUDE2, squared_strength

__all__ = ["SampleFit", "series_amplitude2", "series_starts"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class SampleFit:
    """The state of the fit on the sample.

    Attributes
    ----------
    design : ndarray, shape (n_frames, d)
        Weights of all maps in each frame: its gain setting, and its state.
    setting : ndarray of int, shape (n_frames,)
        Gain setting of each.
    frame_count, series_count : ndarray, shape (n_frames,)
        Each stands for so many frames, of so many series: for one, but where it is a mean.
    smooth : SmoothMaps
        The smooth part of the maps.
    prior : MixturePrior
        What the pixels have in common beyond it.
    law : NoiseLaw
        Temporal noise.
    scatter_grid : ndarray, shape (t,)
        Variances of what a pixel does from series to series, at full strength, ADU^2.
    scatter_prior : ndarray, shape (k, t)
        How often each occurs in each component of the prior.
    strength : ndarray, shape (rank, rank)
        ``state @ strength @ state`` is the squared strength of the dark signal.
    rows : ndarray, shape (n_frames, ny)
        Banding of each frame alone, ADU.
    level_maps : ndarray, shape (n_planes, d)
        Level of each CFA plane, ADU.
    cosmic_share_per_s : float
        Share of the pixels that cosmic rays hit in one second.
    censor_adu : float
        Above this a pixel is saturated, ADU above the level.
    evidence : float
        Mean logarithm for one series that was left out, of most pixels.
    step_adu : float
        Step between values, where it is coarse beside the noise; else 0.
    """

    design: Array
    setting: NDArray[np.intp]
    frame_count: Array
    series_count: Array
    smooth: SmoothMaps
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
    step_adu: float = 0.0

    @property
    def n_settings(self) -> int:
        """Number of gain settings, and of bias maps."""
        return int(self.design.shape[1]) - len(self.strength)

    @property
    def states(self) -> Array:
        """State of each frame, shape (n_frames, rank)."""
        return self.design[:, self.n_settings :]

    @property
    def weight(self) -> Array:
        """Frames that each stands for, over their variance, 1/ADU^2, shape (n_frames,)."""
        return self.frame_count / self.law.frame_variance

    def of(self, frames: slice) -> "SampleFit":
        """Give the fit of some of the frames.

        Parameters
        ----------
        frames : slice
            Which ones.

        Returns
        -------
        SampleFit
            What all have in common stays.
        """
        return replace(
            self,
            design=self.design[frames],
            setting=self.setting[frames],
            frame_count=self.frame_count[frames],
            series_count=self.series_count[frames],
            rows=self.rows[frames],
            law=replace(self.law, frame_variance=self.law.frame_variance[frames]),
        )

    def followed_by(self, later: "SampleFit") -> "SampleFit":
        """Append further frames.

        Parameters
        ----------
        later : SampleFit
            Of these frames, and of the same maps.

        Returns
        -------
        SampleFit
            Of all.
        """
        variances = [self.law.frame_variance, later.law.frame_variance]
        return replace(
            self,
            design=np.concatenate([self.design, later.design]),
            setting=np.concatenate([self.setting, later.setting]),
            frame_count=np.concatenate([self.frame_count, later.frame_count]),
            series_count=np.concatenate([self.series_count, later.series_count]),
            rows=np.concatenate([self.rows, later.rows]),
            law=replace(self.law, frame_variance=np.concatenate(variances)),
        )


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
    frames = squared_strength(states, strength)
    series = np.add.reduceat(frames, starts[:-1]) / np.diff(starts)
    amplitude2: Array = series + FLOOR_AMPLITUDE2
    return amplitude2
