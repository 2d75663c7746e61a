"""A sub laid beside what the model expects of it: the numbers that a verdict rests on."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import dark_pattern, mean_scatter, strength2_of
from solodark.dark_model.expectation import least_state
from solodark.dark_model.fine_structure import (
    OWN_VARIANCE,
    above_neighbours,
    local_level,
    local_sigma,
    own_sigma,
    prepare,
)
from solodark.dark_model.fingerprint import Agreement, agreement, sampled_rows
from solodark.dark_model.known_noise import KnownNoise, known_noise
from solodark.dark_model.levels import (
    coarse_step,
    remove_levels,
    remove_rows,
    robust_sigma,
    row_profile,
)
from solodark.dark_model.model import DarkModel
from solodark.dark_model.noise import robust_variance
from solodark.dark_model.predict import Prediction, dark_variance
from solodark.dark_model.solve import Solved
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.frames import FrameSource, cfa_planes

__all__ = ["Examination", "examine"]

Image = NDArray[np.float32]

_KNOWN_SIGMAS = 4.0  # maps err by more than their variance says, here and there


@dataclass(frozen=True, eq=False, slots=True)
class Examination:
    """A sub laid beside what the model expects of it.

    Attributes
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        The sub.
    image : ndarray of float32, shape (ny, nx)
        Its pixels, ADU.
    levels : ndarray, shape (n_parts,)
        Its levels, ADU.
    rows : ndarray of int, shape (n,)
        Rows that were looked at.
    n_strips : int
        How many strips of as many rows each they make up.
    frame : ndarray of float32, shape (n, nx)
        Those rows of the sub above its level, ADU.
    pattern : ndarray of float32, shape (n, nx)
        Those rows of the solved pattern, ADU.
    map_variance : ndarray of float32, shape (n, nx)
        What the model may be wrong by there, ADU^2.
    residual : ndarray of float32, shape (n, nx)
        Those rows less the solved pattern, their local level and their banding, ADU.
    banding_adu : float
        Spread of the rows' means beside their neighbours'.
    light : ndarray of float32, shape (n, nx)
        Those rows less the solved pattern, ADU.
    step_adu : float
        Step between its values, where it is coarse beside the noise; else 0.
    variance : float
        Noise of an ordinary pixel, measured within neighbourhoods, ADU^2.
    noise : KnownNoise
        What the library knows of noise.
    level_adu : float
        Mean level of the sub.
    level_excess_adu : float
        Level above what the library lets expect at this state.
    resting_adu : float
        The library's level without dark signal.
    level_ratio : float
        Level without dark signal over the library's.
    highest_level_adu : float
        The highest level of the library's frames.
    level_span_adu : float
        From the lowest to the highest level of the library's frames.
    setting : int
        Gain setting.
    amplitude : float
        Strength of the solved dark signal, 1 for the strongest of the library.
    sigma : float
        Noise and pattern of one pixel, ADU.
    sigmas : ndarray of float32, shape (n, nx)
        The same place by place, where glow brings shot noise, ADU.
    heights : ndarray of float32, shape (n, nx)
        What the sub's pixels stand above their neighbours, in sigmas.
    fine : ndarray of float32, shape (n, nx)
        The sub's fine structure, as `prepare` gives it: 0 where glow is too steep to tell.
    least_state : ndarray, shape (rank,), or None
        State that such an exposure reaches at the very least.
    least_dark : ndarray of float32, shape (n, nx), or None
        Dark signal that such an exposure reaches at the very least, ADU.
    fine_least : ndarray of float32, shape (n, nx), or None
        The fine structure of `least_dark`.
    as_solved : Agreement
        With the pattern at the solved state.
    at_least : Agreement
        With what is known of `least_dark` pixel by pixel.
    """

    model: DarkModel
    sub: FrameSource
    image: Image
    levels: NDArray[np.float64]
    rows: NDArray[np.intp]
    n_strips: int
    frame: Image
    pattern: Image
    map_variance: Image
    residual: Image
    banding_adu: float
    light: Image
    step_adu: float
    variance: float
    noise: KnownNoise
    level_adu: float
    level_excess_adu: float
    resting_adu: float
    level_ratio: float
    highest_level_adu: float
    level_span_adu: float
    setting: int
    amplitude: float
    sigma: float
    sigmas: Image
    heights: Image
    fine: Image
    least_state: NDArray[np.float64] | None
    least_dark: Image | None
    fine_least: Image | None
    as_solved: Agreement
    at_least: Agreement

    @property
    def expected_variance(self) -> float:
        """Noise of an ordinary pixel that the library lets expect at this state, ADU^2."""
        return self.noise.expected(self.amplitude)

    @property
    def above(self) -> Image:
        """All of the sub above its level, ADU, ndarray of float32, shape (ny, nx)."""
        return remove_levels(self.image, self.levels, self.model.level_parts)


def examine(
    model: DarkModel, sub: FrameSource, image: Image, solved: Solved, prediction: Prediction
) -> Examination:
    """Lay a sub beside what the model expects of it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        The new dark.
    image : ndarray of float32, shape (ny, nx)
        Its pixels, ADU.
    solved : Solved
        Its state, noise and levels.
    prediction : Prediction
        The model's word on that state.

    Returns
    -------
    Examination
        What a verdict rests on.
    """
    rows, n_strips = sampled_rows(model.shape)
    frame = image[rows] - model.level_parts.image(solved.levels, rows, model.shape[1])
    pattern = prediction.pattern[rows]
    step_adu = coarse_step(image[cfa_planes(model.acquisition.cfa_pattern)[0]])
    amplitude = float(np.sqrt(max(0.0, strength2_of(model, solved.state))))
    scatter = mean_scatter(model, rows) * np.float32(amplitude**2 + FLOOR_AMPLITUDE2)
    own = _own_structure(frame, step_adu, n_strips)
    return Examination(
        model=model,
        sub=sub,
        image=image,
        levels=solved.levels,
        rows=rows,
        n_strips=n_strips,
        frame=frame,
        pattern=pattern,
        map_variance=prediction.variance[rows] + scatter,
        step_adu=step_adu,
        noise=known_noise(model, solved.setting),
        setting=solved.setting,
        amplitude=amplitude,
        as_solved=agreement(own.fine, prepare(pattern, own.sigmas, n_strips=n_strips)),
        **_residual(frame, pattern, step_adu, own.sigma),
        **_levels(model, solved),
        **own._asdict(),
        **_least(model, least_state(model, sub.acquisition, solved.setting), rows, n_strips, own),
    )


class _Own(NamedTuple):
    """The fine structure of a sub, by the names that an examination gives it."""

    sigma: float
    sigmas: Image
    heights: Image
    fine: Image


def _own_structure(frame: Image, step_adu: float, n_strips: int) -> _Own:
    above = above_neighbours(frame, n_strips)
    sigma = own_sigma(above, step_adu)
    sigmas = local_sigma(above, sigma, n_strips)
    heights = np.nan_to_num(above / sigmas)
    return _Own(sigma, sigmas, heights, prepare(frame, sigmas, step_adu, n_strips, heights=heights))


def _residual(frame: Image, pattern: Image, step_adu: float, sigma: float) -> dict[str, Any]:
    """Take the pattern from a sub, then all that is smooth or of whole rows: noise is left."""
    light = np.nan_to_num(frame - pattern)
    residual = light - local_level(light, step_adu)
    banding = row_profile(residual, sigma)  # it is in no noise that the library knows
    residual = remove_rows(residual, banding)
    return {
        "light": light,
        "residual": residual,
        "banding_adu": robust_sigma(banding),
        "variance": robust_variance(residual, step_adu),
    }


def _least(
    model: DarkModel,
    state: NDArray[np.float64] | None,
    rows: NDArray[np.intp],
    n_strips: int,
    own: _Own,
) -> dict[str, Any]:
    """Look for the dark signal that such an exposure reaches at the very least."""
    if state is None:
        nothing = dict.fromkeys(("least_state", "least_dark", "fine_least"))
        return {**nothing, "at_least": Agreement(0.0, 0.0)}
    dark = dark_pattern(model, state, rows)
    fine = prepare(dark, own.sigmas, n_strips=n_strips)
    known = _what_is_known(fine, dark_variance(model, state, rows) / own.sigmas**2)
    return {
        "least_state": state,
        "least_dark": dark,
        "fine_least": fine,
        "at_least": agreement(own.fine, known),
    }


def _what_is_known(fine: Image, error2: Image) -> Image:
    """Leave out pixels that owe their part in a pattern to the error of its map.

    All others' errors, each of them small, would make up a pattern that no dark shows: glow may lie
    over a sensor whose pixels hardly differ at all.
    """
    return np.where(fine**2 > _KNOWN_SIGMAS**2 * OWN_VARIANCE * error2, fine, np.float32(0.0))


def _levels(model: DarkModel, solved: Solved) -> dict[str, Any]:
    """Tell what is known of the level: the sub's, its excess, and the library's."""

    def level(state: NDArray[np.float64]) -> float:
        return float(np.mean(model.level_maps @ model.design(state, solved.setting)))

    found, resting = float(np.mean(solved.levels)), level(np.zeros(model.rank))
    expected = level(solved.state)
    own = model.library.states[model.library.setting == solved.setting]
    known = [level(state) for state in own]
    return {
        "level_adu": found,
        "level_excess_adu": found - expected,
        "resting_adu": resting,
        "level_ratio": (found - expected + resting) / resting if resting > 0 else 1.0,
        "highest_level_adu": max(known),
        "level_span_adu": max(known) - min(known),
    }
