"""The update of a prediction by the one new sub."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import years_from_library
from solodark.dark_model.dark_signal import strength2_of
from solodark.dark_model.levels import coarse_step, part_levels, row_profile
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.predict import Prediction
from solodark.dark_model.smooth_field import smooth_field
from solodark.dark_model.solve import Solved
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.dark_model.survey import read_image
from solodark.dark_model.telegraph_update import Settled, settle_hops
from solodark.dark_model.update_kernel import PixelNumbers, SubNumbers, update_pixels
from solodark.frames import FrameSource

__all__ = ["update"]

Image = NDArray[np.float32]

_CHANGED_FLOOR = 1e-7
_COSMIC_FLOOR = 1e-7
_CEILING_SIGMA = 4.0  # rows and smooth fields are removed, so that full pixels differ a little
_CHANGED_STEPS = 64.0 * 8.0 ** np.arange(8)  # from 8 sigma of a sub to full scale


def update(
    model: DarkModel,
    sub: FrameSource,
    solved: Solved,
    prediction: Prediction,
    *,
    image: Image | None = None,
) -> tuple[Image, Image, NDArray[np.bool_]]:
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
    image : ndarray of float32, shape (ny, nx), optional
        The sub's pixels, ADU, where they have been read already.

    Returns
    -------
    pattern : ndarray of float32, shape (ny, nx)
        ADU above the level.
    variance : ndarray of float32, shape (ny, nx)
        ADU^2.
    changed : ndarray of bool, shape (ny, nx)
        Whether the pixel is more likely than not unlike what the library knew.
    """
    image = read_image(sub) if image is None else image
    field, deviation = _compare(model, image, prediction.pattern, solved.frame_variance)
    numbers = _sub_numbers(model, sub, image, solved)
    hops = settle_hops(model, solved, prediction, deviation)
    steady = prediction.pattern.ravel()[hops.place] + field.ravel()[hops.place]
    full = steady + deviation.ravel()[hops.place] >= numbers.ceiling_adu  # at whatever level
    hops = hops._replace(known=np.where(full, 0.0, hops.known))
    pattern, variance, changed = update_pixels(
        PixelNumbers(
            prediction.pattern,
            field,
            deviation,
            prediction.variance,
            model.pixels.excess,
            model.pixels.scatter,
        ),
        decoded_weights().astype(np.float32),
        model.scatter_grid * (strength2_of(model, solved.state) + FLOOR_AMPLITUDE2),
        solved.frame_variance * _CHANGED_STEPS,
        numbers,
    )
    _stand_where_they_hopped(hops, steady, pattern, variance, changed)
    return pattern, variance, changed


def _stand_where_they_hopped(
    hops: Settled, steady: Image, pattern: Image, variance: Image, changed: NDArray[np.bool_]
) -> None:
    """Put telegraph pixels to the levels they were seen at, where they were at one of them."""
    place, known = hops.place, hops.known
    before, expected = pattern.flat[place], steady + hops.deviation
    pattern.flat[place] = known * expected + (1 - known) * before
    spread = known * (1 - known) * (expected - before) ** 2
    variance.flat[place] = known * hops.variance + (1 - known) * variance.flat[place] + spread
    changed.flat[place] &= known < 0.5


def _sub_numbers(model: DarkModel, sub: FrameSource, image: Image, solved: Solved) -> SubNumbers:
    exposure_s = sub.acquisition.exposure_s or 0.0
    return SubNumbers(
        frame_variance=solved.frame_variance,
        slope=float(model.law.slope[solved.setting]),
        curvature=model.law.curvature,
        censor_adu=model.censor_adu,
        ceiling_adu=_ceiling_adu(sub, image, solved),
        changed_share=_changed_share(model, sub),
        cosmic_share=_COSMIC_FLOOR + model.cosmic_share_per_s * exposure_s,
    )


def _changed_share(model: DarkModel, sub: FrameSource) -> float:
    """Share of the pixels that may have changed for good since the library was taken."""
    taken = sub.acquisition.date_obs
    years = years_from_library(model.library.taken_s, taken.timestamp() if taken else None)
    return _CHANGED_FLOOR + model.births_per_year * years


def _ceiling_adu(sub: FrameSource, image: Image, solved: Solved) -> float:
    """Value above the level, less its noise, of a full pixel: the largest that the frame shows."""
    largest = sub.acquisition.saturation_adu or float(np.nanmax(image))
    noise = _CEILING_SIGMA * float(np.sqrt(solved.frame_variance))
    return largest - float(np.max(solved.levels)) - noise


def _compare(
    model: DarkModel, image: Image, pattern: Image, frame_variance: float
) -> tuple[Image, Image]:
    """Compare a sub with its prediction, less what belongs to this exposure alone.

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
    field : ndarray of float32, shape (ny, nx)
        The smooth part that is new in this night, ADU: as much of it as frames of one night share.
    deviation : ndarray of float32, shape (ny, nx)
        The sub less its level, the banding of its rows, the pattern and its smooth part, ADU.
    """
    parts, sigma = model.level_parts, float(np.sqrt(frame_variance))
    deviation = image - pattern
    levels = part_levels(deviation, parts, step_adu=coarse_step(image[parts.slices[0]]))
    for part, level in zip(parts.slices, levels, strict=True):
        deviation[part] -= np.float32(level)
    field = smooth_field(deviation, sigma)
    deviation -= field
    deviation -= row_profile(deviation, sigma)[:, None].astype(np.float32)
    field *= np.float32(model.drift.share_of_night)
    return field, deviation
