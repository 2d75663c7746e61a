"""Light on a sub: stars, and shot noise that only photons bring.

A sensor's level and its smooth field may drift without any light. But light cannot come without
its shot noise: where it adds S to the level it adds ``slope * S`` to the variance (the photon
transfer method, EMVA 1288). A drift adds none, and glow belongs to the state.
"""

import numpy as np

from solodark.dark_model.causes import Cause, Weight
from solodark.dark_model.examination import Examination
from solodark.dark_model.fine_structure import block_medians
from solodark.frames.bright_peaks import find_peaks

__all__ = ["brought_by_light", "find_light", "is_too_bright"]

_BLOBS_PER_MEGAPIXEL = 2.0
"""Of real darks; tracks of cosmic rays that look like stars."""
_RISE = 0.2  # share of the noise that light may bring unseen: as much as libraries misjudge it
_AGREES = 2.0  # level and noise tell the same amount of light within this factor
_USUAL_SLOPE_ADU, _AGREES_IF_UNKNOWN = 1.5, 10.0  # cameras hold 0.07 to 7 e- in an ADU
_PRNU = 0.03  # light also brings the sensor's uneven response, at most so much of itself
_GRADIENT_SIGMAS = (1.0, 2.0)  # settling cameras drift by 0.5 of the noise
_DRIFT_SPAN = 5.0  # spans of fields that are new in every frame, over their root mean square
_ANY_DARK = 2.5  # a longer or warmer dark than the library's lifts the level so much further
_FLAT_SIGMAS = 30.0  # no leak: the shutter was open


def find_light(exam: Examination) -> list[Cause]:
    """Look for signs of light.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    list of Cause
        Stars, an open shutter, a gradient, an even leak; empty in the dark.
    """
    found = (_stars(exam), _open_shutter(exam), _gradient(exam), _even_leak(exam))
    return [cause for cause in found if cause is not None]


def brought_by_light(exam: Examination) -> bool:
    """Tell whether level and noise have risen together as light raises them.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    bool
        Where the library does not know how noise follows signal, any camera's law will do for an
        open shutter, and a leak cannot be told from a level that drifts.
    """
    level_adu, known_slope_adu = exam.level_excess_adu, exam.noise.slope_adu
    shot = (known_slope_adu or _USUAL_SLOPE_ADU) * level_adu
    if level_adu <= 0 or shot <= _RISE * exam.expected_variance:
        return False
    if _is_sky(exam):  # with vignetting and dust on top
        agrees = _AGREES if known_slope_adu else _AGREES_IF_UNKNOWN
        return bool(exam.variance - exam.expected_variance >= shot / agrees)
    rise = exam.variance - exam.noise.most(exam.amplitude)
    highest = shot * _AGREES + (_PRNU * level_adu) ** 2
    return bool(known_slope_adu and shot / _AGREES <= rise <= highest)


def is_too_bright(exam: Examination) -> bool:
    """Tell whether the level is beyond any dark's, whatever its state.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    bool
        False for the level that an unknown sensor's dark signal may reach, too.
    """
    noisiest = float(np.sqrt(exam.model.law.frame_variance.max()))
    rise_adu = _ANY_DARK * max(0.0, exam.highest_level_adu - exam.resting_adu)
    return exam.level_adu > exam.resting_adu + max(rise_adu, _FLAT_SIGMAS * noisiest)


def _stars(exam: Examination) -> Cause | None:
    heights = np.ascontiguousarray(exam.residual / np.float32(np.sqrt(exam.variance)))
    plane_step = 1 if exam.model.acquisition.cfa_pattern is None else 2
    stars = find_peaks(heights, plane_step)[1]
    usual = _BLOBS_PER_MEGAPIXEL * heights.size / 1e6
    if stars <= 3.0 + usual + 6.0 * np.sqrt(usual):
        return None
    return Cause(
        f"shows {stars} stars, expected none in a dark; it is a light, or the cap was off",
        Weight.REFUSED,
    )


def _open_shutter(exam: Examination) -> Cause | None:
    if not (brought_by_light(exam) and _is_sky(exam)):
        return None
    return Cause(f"{_lit(exam)}; it is a light or a flat, expected a dark", Weight.REFUSED)


def _even_leak(exam: Examination) -> Cause | None:
    if not brought_by_light(exam) or _is_sky(exam):
        return None
    much = exam.variance > exam.noise.margin * exam.noise.most(exam.amplitude)
    return Cause(
        f"{_lit(exam)}; light has leaked in: cap the camera, cover the viewfinder and take it anew",
        Weight.REFUSED if much else Weight.DOUBT,
    )


def _is_sky(exam: Examination) -> bool:
    """Tell whether there is more light than any leak brings."""
    return exam.level_excess_adu > _FLAT_SIGMAS * float(np.sqrt(exam.expected_variance))


def _lit(exam: Examination) -> str:
    level_adu = exam.level_excess_adu
    return f"lies {level_adu:.0f} ADU above the library's level, with the shot noise of light"


def _gradient(exam: Examination) -> Cause | None:
    blocks = block_medians(exam.light, exam.step_adu)
    if min(blocks.shape) < 4:
        return None
    low, high = np.percentile(blocks, (5, 95))
    drift_adu = _DRIFT_SPAN * float(np.sqrt(exam.model.drift.of_frame))
    span = float(high - low) / (
        float(np.hypot(np.sqrt(exam.variance), exam.banding_adu)) + drift_adu
    )
    if span <= _GRADIENT_SIGMAS[0]:
        return None
    return Cause(
        f"is brighter by {high - low:.0f} ADU on its {_brightest_side(blocks)} than the model "
        "expects; light has leaked in there, or an amplifier glows as in no dark of the library",
        Weight.REFUSED if span > _GRADIENT_SIGMAS[1] else Weight.DOUBT,
    )


def _brightest_side(blocks: np.typing.NDArray[np.float32]) -> str:
    ny, nx = blocks.shape
    sides = {
        "top": blocks[: ny // 4],
        "bottom": blocks[-(ny // 4) :],
        "left": blocks[:, : nx // 4],
        "right": blocks[:, -(nx // 4) :],
    }
    return max(sides, key=lambda side: float(np.median(sides[side])))
