"""The state of a light, from its own warm pixels: the sensor is its own thermometer.

A light shows the dark signal beneath the sky. Against the mean of its neighbours in the same CFA
plane a warm pixel still stands out as far as it does in a dark, while sky, gradients and vignetting
cancel: the same local operator, applied to the learned maps, leaves a problem that is linear in the
state. Neighbours in opposite pairs cancel a slope exactly; where they disagree beyond their noise
there is a star or the edge of a nebula, and the pixel is left out. What is left of the sky on a
pixel does not know how warm that pixel is, so it adds noise, and no bias.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import (
    dark_pattern,
    library_strength2,
    strength2_of,
    strongest_state,
)
from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.levels import part_levels, robust_sigma
from solodark.dark_model.master import full_scale_adu
from solodark.dark_model.model import DarkModel
from solodark.dark_model.neighbours import PAIRS, Neighbours
from solodark.dark_model.noise import robust_variance
from solodark.dark_model.sample_state import sample_pixels
from solodark.dark_model.solve import Solved
from solodark.dark_model.states import SamplePixels, solve_state
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.dark_model.survey import read_image
from solodark.errors import WrongSubError
from solodark.frames import FrameSource

__all__ = [
    "Thermometer",
    "find_thermometer",
    "learned_maps",
    "solve_light",
]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Places = NDArray[np.intp]

_MIN_PAIRS = 2
_N_ORDINARY = 4_000
_WARM_SIGMA = 4.0
_QUIET_SIGMA = 3.0
_QUIET_EXCESS = 3.0
_FLAT = 3.0  # variance of neighbours over that of noise; noise alone exceeds it once in 300
_MEDIAN_OF_VARIANCE = 0.92  # median over mean of a variance from 4 to 8 values, as most have
_LINEAR_SHARE = 0.9
_DARKEST = 0.3  # of a light's mean variance: what a corner without any sky still has
_STARTS = (0.25, 0.5, 1.0, 2.0)  # lights need not be as long as the library's darks
_PIXELS_TO_START = 4_000
_TELLING_SIGMA = 5.0
_MIN_TELLING = 20
_SEEN_SIGMA = 4.0
_PLAIN_SIGMA = 12.0
_LEFT_OVER = 0.1  # of the coldest dark; a sensor is that cold only 25 C below it


@dataclass(frozen=True, eq=False, slots=True)
class Thermometer:
    """The pixels that tell the state of a light; the same for all lights of a gain setting.

    Attributes
    ----------
    neighbours : Neighbours
        Where they are, and what they are compared with.
    pixels : SamplePixels
        What the model knows of them; the maps are contrasts to the neighbours.
    n_random : int
        The first so many are a random part of the sensor, the others its hottest.
    setting : int
        Gain setting of the lights.
    """

    neighbours: Neighbours
    pixels: SamplePixels
    n_random: int
    setting: int


def find_thermometer(model: DarkModel, setting: int = 0) -> Thermometer:
    """Choose the pixels that tell the state of a light, warm and ordinary ones.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    setting : int
        Gain setting of the lights.

    Returns
    -------
    Thermometer
        Those of the model's sample that have enough quiet neighbours of their own CFA plane.

    Notes
    -----
    Of ordinary pixels few are taken, to tell the sky's noise and its mean contrast. What the maps
    hold of the others is in part smooth, amplifier glow above all, and a contrast does not see it:
    as regressors they would weaken the state.
    """
    strongest = dark_pattern(model, strongest_state(model))
    chosen, neighbours = _choose(model, strongest)
    known = sample_pixels(model, setting)
    around = np.stack([neighbours.mean(one) for one in learned_maps(model, setting)], axis=1)
    pixels = SamplePixels(
        known.maps[chosen] - around,
        known.model_variance[chosen],
        known.excess[chosen] * (1.0 + 0.5 / neighbours.used.sum(axis=0)),
        known.plane[chosen],
    )
    n_random = int(np.count_nonzero(chosen < model.sample_random))
    return Thermometer(neighbours, pixels, n_random, setting)


def solve_light(
    model: DarkModel, light: FrameSource, thermometer: Thermometer | None = None
) -> Solved:
    """Solve the state of a light from its own warm pixels.

    Stars, edges of nebulae and slopes of the sky do not enter, nor does vignetting; the light must
    be as the sensor gave it, neither calibrated nor moved.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    light : FrameSource
        A light, as large as the model.
    thermometer : Thermometer, optional
        From `find_thermometer`, to find it once for many lights.

    Returns
    -------
    Solved
        State with its covariance; noise and levels are those of the light, the sky in them.

    Raises
    ------
    WrongSubError
        Nothing of the learned pattern is in the light, though it should be plain; or it is too
        bright to tell.
    """
    thermometer = thermometer or find_thermometer(model, require_setting(model.settings, light))
    setting = thermometer.setting
    image = read_image(light)
    values, pixels, variance = _contrasts(model, image, thermometer)
    if values.size < _MIN_TELLING:
        raise WrongSubError(
            f"{light.name} has {values.size} pixels with a flat and unsaturated neighbourhood, "
            f"expected at least {_MIN_TELLING} to tell its dark signal from; it is overexposed, or "
            "full of stars"
        )
    state = _nearest_state(model, values, pixels)
    covariance = np.eye(model.rank)
    for _ in range(3):
        weighed = _at_strength(model, pixels, state)
        state, covariance = solve_state(
            values, weighed, model.law, variance, state, setting=setting
        )
    misfit = _misfit(model, values, weighed, variance, state, setting)
    levels = part_levels(image, model.level_parts)
    solved = Solved(state, misfit * covariance, variance, levels, setting)
    _require_pattern(model, light, solved)
    return solved


def learned_maps(model: DarkModel, setting: int = 0) -> tuple[Image, ...]:
    """Look up what is learned of every pixel.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    setting : int
        Gain setting whose level map is wanted.

    Returns
    -------
    tuple of ndarray of float32, shape (ny, nx)
        Level map, then the dark maps.
    """
    return (model.pixels.maps[setting], *model.pixels.maps[len(model.settings) :])


def _choose(model: DarkModel, strongest: Image) -> tuple[Places, Neighbours]:
    """Warm and some ordinary pixels with enough quiet neighbours, and which these are."""
    step = 1 if model.acquisition.cfa_pattern is None else 2
    reach = _reach(model, strongest)
    y, x = model.sample.T
    ny, nx = model.shape
    wanted = (y >= step) & (y < ny - step) & (x >= step) & (x < nx - step)
    warm = np.abs(strongest[y, x] - np.median(strongest)) > _WARM_SIGMA * reach
    wanted &= warm | (np.arange(y.size) < min(_N_ORDINARY, model.sample_random))
    chosen = np.flatnonzero(wanted)
    every = np.ones((len(PAIRS), chosen.size), dtype=np.bool_)
    quiet = np.abs(strongest - np.median(strongest)) <= _QUIET_SIGMA * reach
    quiet &= model.pixels.excess < _QUIET_EXCESS
    one, other = Neighbours(y[chosen], x[chosen], step, every).sides(quiet)
    used = (one > 0) & (other > 0)
    enough = used.sum(axis=0) >= _MIN_PAIRS
    chosen = chosen[enough]
    return chosen, Neighbours(y[chosen], x[chosen], step, used[:, enough])


def _reach(model: DarkModel, strongest: Image) -> float:
    """How far ordinary pixels spread in the strongest dark, or its noise if that is more."""
    noise2 = float(np.median(model.law.frame_variance))
    return max(float(np.sqrt(noise2)), robust_sigma(strongest))


def _contrasts(
    model: DarkModel, image: Image, thermometer: Thermometer
) -> tuple[Array, SamplePixels, float]:
    """Contrast of pixels whose neighbourhood is flat, what the model knows of them, their noise."""
    near, pixels = thermometer.neighbours, thermometer.pixels
    here = image[near.y, near.x].astype(np.float64)
    background = near.mean(image)
    spread = near.spread(image, background)
    usable = (
        np.isfinite(here) & np.isfinite(spread) & (here < _LINEAR_SHARE * full_scale_adu(model))
    )
    usable &= here - background < model.censor_adu
    slope = float(model.law.slope[thermometer.setting])
    variance, relative = _noise(slope, background, spread, usable & _random(thermometer))
    kept = usable & (spread <= _FLAT * variance * relative)
    known = SamplePixels(
        pixels.maps[kept],
        pixels.model_variance[kept],
        (pixels.excess * relative)[kept],
        pixels.plane[kept],
    )
    return (here - background)[kept], known, variance


def _random(thermometer: Thermometer) -> NDArray[np.bool_]:
    return np.arange(thermometer.pixels.plane.size) < thermometer.n_random


def _noise(
    slope: float, background: Array, spread: Array, where: NDArray[np.bool_]
) -> tuple[float, Array]:
    """Variance of an ordinary pixel, and each pixel's over it: a brighter sky is noisier."""
    if not where.any():
        return 1.0, np.ones_like(background)
    typical = float(np.median(background[where]))
    sky = np.nan_to_num(slope * (background - typical))
    variance = float(np.median((spread - sky)[where])) / _MEDIAN_OF_VARIANCE
    return variance, np.maximum(1.0 + sky / variance, _DARKEST)


def _nearest_state(model: DarkModel, values: Array, pixels: SamplePixels) -> Array:
    """State of the library's frames, scaled or not, that looks most like the light."""
    strength = np.abs(pixels.maps[:, 1:]).sum(axis=1)
    warm = np.argsort(strength)[-_PIXELS_TO_START:]
    spread = 30.0 * np.sqrt(np.median(model.law.frame_variance))
    states = np.concatenate([scale * np.unique(model.library.states, axis=0) for scale in _STARTS])
    target = values[warm] - pixels.maps[warm, 0]
    distances = [
        np.mean(np.minimum(np.abs(target - pixels.maps[warm, 1:] @ state), spread))
        for state in states
    ]
    nearest: Array = states[int(np.argmin(distances))]
    return nearest


def _at_strength(model: DarkModel, pixels: SamplePixels, state: Array) -> SamplePixels:
    """Pixels whose model error is that of this state: it grows as the dark signal does."""
    amplitude2 = strength2_of(model, state) + FLOOR_AMPLITUDE2
    return pixels._replace(model_variance=pixels.model_variance * amplitude2)


def _misfit(
    model: DarkModel,
    values: Array,
    pixels: SamplePixels,
    variance: float,
    state: Array,
    setting: int,
) -> float:
    """How much more the telling pixels vary than noise and model foresee, never below one."""
    predicted = pixels.maps[:, 1:] @ state
    foreseen = (
        model.law.variance(predicted, variance, setting) * pixels.excess + pixels.model_variance
    )
    z = (values - pixels.maps[:, 0] - predicted) / np.sqrt(foreseen)
    telling = np.abs(predicted) > _TELLING_SIGMA * np.sqrt(variance)
    found = [robust_variance(z - np.median(z))]
    if np.count_nonzero(telling) >= _MIN_TELLING:
        found.append(robust_variance(z[telling]))
    return max(1.0, *found)


def _require_pattern(model: DarkModel, light: FrameSource, solved: Solved) -> None:
    """Refuse a light in which nothing is seen of a pattern that should be plain."""
    expected = _weakest_state(model, light.acquisition.exposure_s)
    ruler = model.strength @ expected
    scale = float(expected @ ruler)
    seen = float(solved.state @ ruler)
    sigma = float(np.sqrt(ruler @ solved.covariance @ ruler))
    if scale > _PLAIN_SIGMA * sigma and seen < max(_SEEN_SIGMA * sigma, _LEFT_OVER * scale):
        raise WrongSubError(
            f"{light.name} shows nothing of this sensor's warm pixels, which should be plain in "
            "it; it is of another camera, was turned, moved or calibrated already, or its sky is "
            "too bright. Give lights as the camera wrote them"
        )


def _weakest_state(model: DarkModel, exposure_s: float | None) -> Array:
    """State of the library's coldest dark, scaled to an exposure."""
    states = model.library.states
    exposures_s = np.nan_to_num(model.library.exposure_s)
    strength2 = library_strength2(model)
    darks = np.flatnonzero((strength2 > FLOOR_AMPLITUDE2) & (exposures_s > 0))
    if exposure_s is None or not darks.size:
        return np.asarray(np.median(states, axis=0))
    weakest = darks[np.argmin(np.sqrt(strength2[darks]) / exposures_s[darks])]
    weak: Array = states[weakest] * (exposure_s / exposures_s[weakest])
    return weak
