"""A master dark from one new sub, or from a state alone."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.levels import (
    plane_levels,
    remove_levels,
    remove_rows,
    row_profile,
)
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.noise import robust_variance
from solodark.dark_model.smooth_field import smooth_field
from solodark.dark_model.states import SamplePixels, solve_state
from solodark.dark_model.survey import read_image
from solodark.dark_model.update import update_pixels
from solodark.dark_model.trust import judge, require_same_camera
from solodark.errors import WrongSubError
from solodark.frames import (
    Acquisition,
    FrameKind,
    FrameSource,
    InputRecord,
    MasterDark,
    PixelFlags,
    Provenance,
    Verdict,
    cfa_plane_index,
    cfa_planes,
)

__all__ = ["Prediction", "Solved", "generate", "predict", "solve", "update"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_BIRTHS_PER_YEAR = 1e-4  # share of pixels that turn hot; cameras differ tenfold either way
_CHANGED_FLOOR = 1e-7
_COSMIC_FLOOR = 1e-7
_YEARS_IF_UNKNOWN = 1.0
_SECONDS_PER_YEAR = 365.25 * 86_400
_CHANGED_STEPS = 64.0 * 8.0 ** np.arange(8)  # from 8 sigma of a sub to full scale
_FLOOR_AMPLITUDE2 = 0.05**2
_FULL_SCALE_16_BIT = 65_535
_HOT_SIGMA = 10.0  # a hot pixel stands this far out of one sub's noise
_TELEGRAPH_EXCESS = 4.0  # twice the noise of its class


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
    """

    state: Array
    covariance: Array
    frame_variance: float
    levels: Array


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """The model's word on a state, before any sub is looked at.

    Attributes
    ----------
    pattern : ndarray of float32, shape (ny, nx)
        ADU above the level.
    variance : ndarray of float32, shape (ny, nx)
        Variance of the pattern from the maps' own error, ADU^2.
    """

    pattern: Image
    variance: Image


def generate(
    model: DarkModel, sub: FrameSource, *, force: bool = False, sub_sha256: str = ""
) -> MasterDark:
    """Make a master dark from one new sub.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One new dark of the same camera and gain.
    force : bool
        Give a master even where the sub deserves doubt; a sub that is plainly not of this sensor,
        or not in this orientation, is refused all the same.
    sub_sha256 : str
        Hash of the sub's file, kept with the master.

    Returns
    -------
    MasterDark
        Level of the library, pattern of the sensor in the sub's state, one sigma for each pixel.

    Raises
    ------
    WrongSubError
        The model cannot explain the sub; says why.
    """
    require_same_camera(model, sub)
    solved = solve(model, sub)
    prediction = predict(model, solved.state, solved.covariance)
    strength2 = float(solved.state @ model.strength @ solved.state)
    image = read_image(sub)
    above = remove_levels(image, solved.levels, model.acquisition.cfa_pattern)
    verdict = judge(model, sub, above, prediction.pattern, solved.frame_variance, strength2)
    if verdict.reasons and verdict.reasons[0].startswith(sub.name) and not force:
        raise WrongSubError(verdict.reasons[0])
    pattern, variance, changed = update(model, sub, solved, prediction)
    flags = _flags(model, image, pattern, changed, solved, verdict)
    ordinary = model.pixels.component == np.argmax(model.prior.weights)
    noise = float(np.mean(model.pixels.excess[ordinary])) * solved.frame_variance
    return MasterDark(
        data=pattern + level_image(model, solved.state),
        uncertainty=np.sqrt(variance),
        flags=flags,
        acquisition=replace(_describe(model, sub), gain_e_per_adu=sub.acquisition.gain_e_per_adu),
        origin="generated",
        provenance=Provenance(
            action="generate",
            inputs=(InputRecord(sub.name, sub_sha256),),
            model_id=model.model_id,
            settings={"rank": str(model.rank), "library frames": str(len(model.library.names))},
        ),
        equivalent_subs=noise / float(np.mean(variance[ordinary], dtype=np.float64)),
        verdict=verdict,
    )


def _describe(model: DarkModel, sub: FrameSource) -> Acquisition:
    return replace(sub.acquisition, kind=FrameKind.DARK, kind_source="model", n_combined=None)


def _flags(
    model: DarkModel, image: Image, pattern: Image, changed: Image, solved: Solved,
    verdict: Verdict,
) -> NDArray[np.uint8]:  # fmt: skip
    full_scale = model.acquisition.saturation_adu or _FULL_SCALE_16_BIT
    sigma = np.sqrt(solved.frame_variance)
    flags = np.zeros(model.shape, np.uint8)
    for flag, where in (
        (PixelFlags.HOT, pattern > _HOT_SIGMA * sigma),
        (PixelFlags.TELEGRAPH, model.pixels.excess > _TELEGRAPH_EXCESS),
        (PixelFlags.CHANGED, changed > 0.5),
        (PixelFlags.SATURATED, image >= full_scale),
        (PixelFlags.DEAD, ~np.isfinite(image)),
        (PixelFlags.EXTRAPOLATED, np.full(model.shape, any("extra" in r for r in verdict.reasons))),
    ):
        flags[where] |= flag.value
    return flags


def solve(model: DarkModel, sub: FrameSource) -> Solved:
    """Solve the state of a sub from its pixels.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One dark, as large as the model.

    Returns
    -------
    Solved
        State, noise and levels.
    """
    image = read_image(sub)
    levels = plane_levels(image, model.acquisition.cfa_pattern)
    above = remove_levels(image, levels, model.acquisition.cfa_pattern)
    y, x = model.sample.T
    pixels = sample_pixels(model)
    values = above[y, x].astype(np.float64)
    unknown = ~np.isfinite(values)
    values[unknown] = 0.0
    pixels = replace(pixels, excess=np.where(unknown, np.inf, pixels.excess))
    variance = robust_variance(values[: model.sample_random])
    state = _nearest_state(model, values, pixels)
    covariance = np.eye(model.rank)
    for _ in range(3):
        state, covariance = solve_state(values, pixels, model.law, variance, state)
        error = values - pixels.maps @ np.append(1.0, state)
        error -= np.median(error[: model.sample_random])
        variance = robust_variance(error[: model.sample_random])
    return Solved(state, covariance, variance, levels)


def sample_pixels(model: DarkModel) -> SamplePixels:
    """What the model knows of the pixels that states are solved from.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    SamplePixels
        Maps, error and noise at the sampled pixels.
    """
    y, x = model.sample.T
    plane = np.asarray(cfa_plane_index(y, x, model.acquisition.cfa_pattern))
    scatter = decoded_weights()[model.pixels.scatter[:, y, x].T]
    return SamplePixels(
        model.pixels.maps[:, y, x].T.astype(np.float64),
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


def predict(model: DarkModel, state: Array, covariance: Array | None = None) -> Prediction:
    """Dark pattern of a state, from the maps alone.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.
    covariance : ndarray, shape (rank, rank), optional
        Uncertainty of the state.

    Returns
    -------
    Prediction
        Pattern and its variance.
    """
    x = np.append(1.0, state)
    pattern = np.einsum("d,dyx->yx", x.astype(np.float32), model.pixels.maps)
    variance = np.empty_like(pattern)
    for k in range(model.prior.weights.size):
        here = model.pixels.component == k
        variance[here] = _component_variance(model, k, x, model.pixels.information[here])
    if covariance is not None:
        dark = model.pixels.maps[1:]
        variance += np.einsum(
            "ryx,rq,qyx->yx", dark, covariance.astype(np.float32), dark, optimize=True
        )
    return Prediction(pattern, variance)


def _component_variance(model: DarkModel, k: int, x: Array, information: Image) -> Image:
    """``x (information * class + precision)^-1 x`` for all pixels of one component.

    Both matrices are made diagonal at once, so that no pixel needs an inverse of its own.
    """
    lower = np.linalg.cholesky(model.prior.precisions[k])
    whiten = np.linalg.inv(lower)
    strengths, turn = np.linalg.eigh(whiten @ model.class_information[k] @ whiten.T)
    parts = (turn.T @ whiten @ x) ** 2
    total = np.zeros(information.shape, np.float32)
    for part, strength in zip(parts, strengths, strict=True):
        total += np.float32(part) / (1.0 + np.float32(strength) * information)
    return total


def update(
    model: DarkModel, sub: FrameSource, solved: Solved, prediction: Prediction
) -> tuple[Image, Image, Image]:
    """Update the prediction by the sub, pixel by pixel.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One dark.
    solved : Solved
        Its state.
    prediction : Prediction
        The model's word on that state.

    Returns
    -------
    pattern : ndarray of float32, shape (ny, nx)
        ADU above the level.
    variance : ndarray of float32, shape (ny, nx)
        ADU^2.
    changed : ndarray of float32, shape (ny, nx)
        Chance that the pixel is unlike what the library knew.
    """
    image, expected = clean(model, read_image(sub), prediction.pattern, solved.frame_variance)
    amplitude2 = float(solved.state @ model.strength @ solved.state) + _FLOOR_AMPLITUDE2
    exposure_s = sub.acquisition.exposure_s or 0.0
    pattern, variance, changed = update_pixels(
        expected,
        image,
        prediction.variance,
        model.pixels.excess,
        model.pixels.scatter,
        decoded_weights(),
        model.scatter_grid,
        amplitude2,
        solved.frame_variance,
        model.law.slope,
        model.law.curvature,
        _changed_share(model, sub),
        _COSMIC_FLOOR + model.cosmic_share_per_s * exposure_s,
        solved.frame_variance * _CHANGED_STEPS,
    )
    return pattern, variance, changed


def _changed_share(model: DarkModel, sub: FrameSource) -> float:
    """Share of the pixels that may have changed for good since the library was taken."""
    taken, known_s = sub.acquisition.date_obs, model.library.taken_s
    years = _YEARS_IF_UNKNOWN
    if taken is not None and np.isfinite(known_s).any():
        years = float(np.nanmin(np.abs(known_s - taken.timestamp()))) / _SECONDS_PER_YEAR
    return _CHANGED_FLOOR + _BIRTHS_PER_YEAR * years


def clean(
    model: DarkModel, image: Image, pattern: Image, frame_variance: float
) -> tuple[Image, Image]:
    """Remove what belongs to this exposure alone: its level and the banding of its rows.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    image : ndarray of float32, shape (ny, nx)
        The sub, ADU.
    pattern : ndarray of float32, shape (ny, nx)
        What is expected in it, ADU above the level.
    frame_variance : float
        Variance of one of its ordinary pixels, ADU^2.

    Returns
    -------
    cleaned : ndarray of float32, shape (ny, nx)
        ADU above the level, comparable with `expected`.
    expected : ndarray of float32, shape (ny, nx)
        `pattern` and the smooth part that is new in this exposure, ADU.
    """
    cfa, sigma = model.acquisition.cfa_pattern, float(np.sqrt(frame_variance))
    residual = image - pattern
    residual = remove_levels(residual, plane_levels(residual, cfa), cfa)
    field = smooth_field(residual, sigma)
    rows = row_profile(residual - field, sigma)
    return remove_rows(residual, rows) + pattern, pattern + field


def level_image(model: DarkModel, state: Array) -> Image:
    """Level of every pixel's plane at a state, as the library knew it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU.
    """
    levels = model.level_maps @ np.append(1.0, state)
    image = np.empty(model.shape, np.float32)
    for plane, level in zip(cfa_planes(model.acquisition.cfa_pattern), levels, strict=True):
        image[plane] = level
    return image
