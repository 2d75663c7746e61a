"""What one sub tells of its exposure: the state of the sensor, its noise and its levels."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.levels import plane_levels
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.noise import robust_variance
from solodark.dark_model.states import SamplePixels, solve_state
from solodark.dark_model.survey import read_image
from solodark.frames import FrameSource, cfa_plane_index

__all__ = ["Solved", "sample_pixels", "solve", "solve_sample"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """What one sub tells of its exposure.

    Attributes
    ----------
    state : ndarray, shape (rank,)
        Strength of each dark map.
    covariance : ndarray, shape (rank, rank)
        Its covariance.
    frame_variance : float
        Variance of an ordinary pixel of the sub, ADU^2.
    levels : ndarray, shape (n_planes,)
        The sub's own levels, ADU.
    setting : int
        Its gain setting, an index into the model's `settings`.
    """

    state: Array
    covariance: Array
    frame_variance: float
    levels: Array
    setting: int = 0


def solve(model: DarkModel, sub: FrameSource, *, image: Image | None = None) -> Solved:
    """Solve the state of a sub from its pixels.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One dark, as large as the model.
    image : ndarray of float32, shape (ny, nx), optional
        Its pixels, ADU, where they have been read already.

    Returns
    -------
    Solved
        State, noise and levels.

    Raises
    ------
    WrongSubError
        The model does not know the sub's gain setting.
    """
    setting = require_setting(model.settings, sub)
    image = read_image(sub) if image is None else image
    levels = plane_levels(image, model.acquisition.cfa_pattern)
    y, x = model.sample.T
    plane = cfa_plane_index(y, x, model.acquisition.cfa_pattern)
    above = image[y, x] - levels[plane].astype(np.float32)
    return Solved(*solve_sample(model, above, setting), levels, setting)


def solve_sample(
    model: DarkModel, values: NDArray[np.float32], setting: int
) -> tuple[Array, Array, float]:
    """Solve the state of a frame from its sampled pixels.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    values : ndarray of float32, shape (n,)
        The frame at the sampled pixels, ADU above its level.
    setting : int
        Its gain setting.

    Returns
    -------
    state : ndarray, shape (rank,)
        Strength of each dark map.
    covariance : ndarray, shape (rank, rank)
        Its covariance.
    frame_variance : float
        Variance of an ordinary pixel, ADU^2.
    """
    told, pixels = _usable(model, values.astype(np.float64), setting)
    ordinary = slice(0, model.sample_random)
    variance = robust_variance(told[ordinary])
    state = _nearest_state(model, told, pixels)
    covariance = np.eye(model.rank)
    for _ in range(3):
        state, covariance = solve_state(told, pixels, model.law, variance, state, setting=setting)
        error = told - pixels.maps @ np.append(1.0, state)
        error -= np.median(error[ordinary])
        variance = robust_variance(error[ordinary])
    return state, covariance, variance


def _usable(model: DarkModel, values: Array, setting: int) -> tuple[Array, SamplePixels]:
    """Give the sampled pixels and what is known of them; full ones are deaf."""
    pixels = sample_pixels(model, setting)
    silent = ~(values < model.censor_adu)
    told = np.where(silent, 0.0, values)
    return told, replace(pixels, excess=np.where(silent, np.inf, pixels.excess))


def sample_pixels(model: DarkModel, setting: int = 0) -> SamplePixels:
    """Tell what the model knows of the pixels that states are solved from.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    setting : int
        Gain setting whose bias map is wanted.

    Returns
    -------
    SamplePixels
        Maps, error and noise at the sampled pixels.
    """
    y, x = model.sample.T
    plane = np.asarray(cfa_plane_index(y, x, model.acquisition.cfa_pattern))
    scatter = decoded_weights()[model.pixels.scatter[:, y, x].T]
    own = [setting, *range(len(model.settings), len(model.pixels.maps))]
    return SamplePixels(
        model.pixels.maps[:, y, x][own].T.astype(np.float64),
        scatter @ model.scatter_grid,
        model.pixels.excess[y, x].astype(np.float64),
        plane,
    )


def _nearest_state(model: DarkModel, values: Array, pixels: SamplePixels) -> Array:
    """State of the library frame that looks most like the sub."""
    maps = pixels.maps
    spread = np.sqrt(np.median(model.law.frame_variance))
    distances = [
        np.mean(np.minimum(np.abs(values - maps @ np.append(1.0, state)), 30 * spread))
        for state in model.library.states
    ]
    nearest: Array = model.library.states[int(np.argmin(distances))]
    return nearest
