"""Numbers on another scale: another gain, bit depth or averaging than the library's."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.causes import Cause, Weight
from solodark.dark_model.examination import Examination
from solodark.dark_model.light_signs import brought_by_light
from solodark.dark_model.master import STRONG
from solodark.dark_model.noise import robust_variance

__all__ = ["find_gain", "find_shot_noise", "power_of_two"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_LEAST_LEVEL_SIGMAS = 5.0  # a level nearer to zero is no yardstick
_FITS = 0.7  # noise within a factor of two of what a scale or light makes of it
_ROWS = 64
_OCTAVE = 0.08  # levels drift by a few per cent
_STEADY_EXCESS = 2.0
_SHOT_DOMINANCE = (1.0, 2.0, 4.0, 10.0, np.inf)  # bounds of shot noise over the frame's own
_LEAST_RATIO = 0.01
_LEAST_PIXELS = 500  # then chance moves their median square by 10 %
_MEDIAN_OF_SQUARE = 0.454936  # of chi-squared with one degree of freedom
_MEDIAN_ERROR = 2.33  # of the median square of n of them, relative, times the root of n
_RATIO_SIGMAS = 1.0
_ALIKE = 1.5  # ratios of pixels of different brightness
_SHOT_NOISE = (0.5**0.5, 2.0**0.5)  # half way from this gain to half and to double of it
_SAME_INSTANT_S = 0.01  # headers give thousandths of a second or whole ones
_LEVEL_SIGMAS = 5.0  # a library's own levels drift by less


def find_gain(exam: Examination) -> list[Cause]:
    """Look for another gain, bit depth or offset.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    list of Cause
        At most one; empty where scale and noise are the library's.
    """
    factor = power_of_two(exam)
    if factor != 1.0:
        return [_scaled(exam, factor)]
    # One of the library's own darks has drawn the maps to itself: its noise tells nothing.
    if brought_by_light(exam) or _of_the_library(exam):
        return []
    cause = _noise(exam) or find_shot_noise(exam) or _level(exam)
    return [cause] if cause else []


def power_of_two(exam: Examination) -> float:
    """Find the factor between the sub's numbers and the library's, from the level without signal.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    float
        2, 4, 8 ... or their inverse; 1 where the level is no such multiple, or where light
        explains its noise better.
    """
    resting = exam.resting_adu
    quietest = float(np.sqrt(exam.model.law.frame_variance.min()))
    if resting < _LEAST_LEVEL_SIGMAS * quietest or exam.level_ratio <= 0:
        return 1.0
    octaves = float(np.log2(exam.level_ratio))
    factor = 2.0 ** round(octaves)
    if factor == 1.0 or abs(octaves - round(octaves)) > _OCTAVE:
        return 1.0
    scaled = factor**2 * exam.noise.expected(exam.amplitude / factor)
    lit = exam.expected_variance + max(0.0, exam.noise.slope_adu * exam.level_excess_adu)
    as_scaled, as_lit = (abs(np.log(exam.variance / guess)) for guess in (scaled, lit))
    clean_steps = factor > 1.0 and _common_step(exam) % factor == 0
    if as_scaled < as_lit or clean_steps:
        return factor
    return factor if as_scaled < _FITS < as_lit else 1.0


def _common_step(exam: Examination) -> int:
    """Largest whole number that all values are multiples of; 1 where they are no integers."""
    values = exam.sub.read_rows(0, min(_ROWS, exam.sub.shape[0])).astype(np.float64)
    whole = np.rint(values[np.isfinite(values)])
    if not np.array_equal(whole, values[np.isfinite(values)]):
        return 1
    return max(1, int(np.gcd.reduce(whole.astype(np.int64).ravel())))


def _scaled(exam: Examination, factor: float) -> Cause:
    times = f"{factor:g} times" if factor > 1 else f"1/{1 / factor:g} of"
    return Cause(
        f"holds numbers {times} the library's (level {exam.level_adu:.0f} ADU, expected "
        f"{exam.resting_adu:.0f}); it was stored with another bit depth or gain: save it as the "
        "library's darks were",
        Weight.REFUSED,
    )


def _noise(exam: Examination) -> Cause | None:
    # What few darks taught is off by as much as they were noisy, and a sub differs from it by both.
    error2 = float(np.median(exam.map_variance))
    ratio = exam.variance / (exam.noise.most(exam.amplitude) + error2)
    if ratio > exam.noise.margin:
        times = np.sqrt(exam.variance / (exam.expected_variance + error2))
        return Cause(
            f"has {times:.1f} times the noise that the library's darks have at this dark signal; "
            "another gain or ISO than the library's, a dark that the camera has subtracted, or "
            "light has leaked in",
            Weight.REFUSED,
        )
    least = exam.noise.least(exam.amplitude)
    if least > exam.noise.margin * exam.variance:
        return Cause(
            f"has only {np.sqrt(exam.variance / least):.2f} times the noise that the library's "
            "darks have at this dark signal; another gain or ISO than the library's, or several "
            "subs in one",
            Weight.REFUSED,
        )
    return None


def find_shot_noise(exam: Examination) -> Cause | None:
    """Look for hot pixels whose noise does not follow their signal as at the library's gain.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    Cause or None
        A doubt; none where chance may have made the difference.
    """
    shot = exam.noise.slope_adu * exam.pattern
    known = exam.map_variance < exam.variance + np.maximum(shot, 0.0)
    known &= exam.pattern < exam.model.censor_adu
    known &= exam.model.pixels.excess[exam.rows] < _STEADY_EXCESS
    brightness = (
        known & (shot > least * exam.variance) & (shot <= most * exam.variance)
        for least, most in pairwise(_SHOT_DOMINANCE)
    )
    classes = [told for told in brightness if np.count_nonzero(told) >= _LEAST_PIXELS]
    if not classes:
        return None
    ratio = _common_ratio(*np.transpose([_shot_ratios(exam, shot, told) for told in classes]))
    if _SHOT_NOISE[0] < ratio < _SHOT_NOISE[1]:
        return None
    return Cause(
        f"has hot pixels with {ratio:.2f} times the variance that their signal brings at the "
        "library's gain; it may be at another gain or ISO than its header says",
        Weight.DOUBT,
    )


def _common_ratio(least: Array, most: Array) -> float:
    """Find what pixels of all brightnesses agree on, from the least and the most that each allows.

    What the maps miss of a night unlike the library adds to the noise, the more the brighter the
    pixels. It hides no noise that is too low, and no gain makes it.
    """
    if most.min() < 1.0:
        return float(max(most.min(), _LEAST_RATIO))
    alike = least.size > 1 and least.max() < _ALIKE * least.min()
    return float(max(least.min(), 1.0)) if alike else 1.0


def _shot_ratios(exam: Examination, shot: Image, told: NDArray[np.bool_]) -> tuple[float, float]:
    """Shot noise of some pixels over what is expected, if the maps are off as foretold, or not.

    The least and the most of it that chance leaves possible.
    """
    shot, error2, residual = shot[told], exam.map_variance[told], exam.residual[told]
    steady = max(0.0, exam.variance - float(np.median(exam.map_variance)))

    def ratio(rest: Image | float, sigmas: float) -> float:  # numpydoc ignore=GL08
        if exam.step_adu > 0.0:  # a median would stick to a step
            found = robust_variance(residual, exam.step_adu) / float(np.median(shot + rest))
        else:
            found = float(np.median(residual**2 / (shot + rest))) / _MEDIAN_OF_SQUARE
        found *= 1.0 + sigmas * _MEDIAN_ERROR / float(np.sqrt(shot.size))
        return 1.0 + (found - 1.0) / float(np.mean(shot / (shot + rest)))

    return ratio(error2 + exam.variance, -_RATIO_SIGMAS), ratio(steady, _RATIO_SIGMAS)


def _of_the_library(exam: Examination) -> bool:
    """Tell whether the library holds a dark of the same instant and exposure."""
    taken, library = exam.sub.acquisition, exam.model.library
    if taken.date_obs is None or taken.exposure_s is None:
        return False
    same_instant = np.abs(library.taken_s - taken.date_obs.timestamp()) < _SAME_INSTANT_S
    return bool(np.any(same_instant & np.isclose(library.exposure_s, taken.exposure_s)))


def _level(exam: Examination) -> Cause | None:
    if exam.amplitude > STRONG:  # of the level of stronger darks nothing is known
        return None
    span = max(_LEVEL_SIGMAS * np.sqrt(exam.expected_variance), exam.level_span_adu)
    if abs(exam.level_excess_adu) <= span:
        return None
    return Cause(
        f"has a level of {exam.level_adu:.0f} ADU, expected "
        f"{exam.level_adu - exam.level_excess_adu:.0f}; if the offset was changed, the master has "
        "the library's",
        Weight.DOUBT,
    )
