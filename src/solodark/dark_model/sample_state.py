"""The state of a frame, solved from its sampled pixels alone."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.levels import coarse_step
from solodark.dark_model.library_noise import least_variance
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.noise import robust_variance
from solodark.dark_model.states import SamplePixels, solve_state

__all__ = ["sample_pixels", "solve_sample"]

Array = NDArray[np.float64]


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
    step_adu = coarse_step(values[pixels.plane == pixels.plane[0]])
    variance = robust_variance(told[ordinary], step_adu)
    state = _nearest_state(model, told, pixels)
    covariance = np.eye(model.rank)
    for _ in range(3):
        state, covariance = solve_state(told, pixels, model.law, variance, state, setting=setting)
        error = told - pixels.maps @ np.append(1.0, state)
        error -= np.median(error[ordinary])
        variance = max(robust_variance(error[ordinary], step_adu), least_variance(step_adu))
    return state, covariance, variance


def _usable(model: DarkModel, values: Array, setting: int) -> tuple[Array, SamplePixels]:
    """Give the sampled pixels and what is known of them; full ones are deaf."""
    pixels = sample_pixels(model, setting)
    silent = ~(values < model.censor_adu)
    told = np.where(silent, 0.0, values)
    return told, pixels._replace(excess=np.where(silent, np.inf, pixels.excess))


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
    scatter = decoded_weights()[model.pixels.scatter[:, y, x].T]
    own = [setting, *range(len(model.settings), len(model.pixels.maps))]
    return SamplePixels(
        model.pixels.maps[:, y, x][own].T.astype(np.float64),
        scatter @ model.scatter_grid,
        model.pixels.excess[y, x].astype(np.float64),
        model.level_parts.index(y, x),
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
