"""Whether a sub shows this sensor's fingerprint in its place, and if not, why."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.causes import Cause, Weight
from solodark.dark_model.dark_signal import dark_pattern, strongest_state
from solodark.dark_model.examination import Examination
from solodark.dark_model.fine_structure import above_neighbours, local_level, local_sigma, prepare
from solodark.dark_model.fingerprint import part_agreements, slope_in
from solodark.dark_model.geometry import Geometry, find_geometry
from solodark.dark_model.light_signs import is_too_bright
from solodark.dark_model.noise import robust_variance
from solodark.frames.bright_peaks import find_peaks

__all__ = ["find_identity", "is_missing", "is_seen"]

Image = NDArray[np.float32]

_SEEN_SIGMAS = 6.0  # chance gets there once in a billion subs
_TELLING_SIGMAS = 18.0  # then even a third of what is expected would be seen
_LEAST_SLOPE = 1.0 / 3.0
_LANDMARK_SIGMAS = 6.0
_LEAST_LANDMARKS = 50
_RESTLESS = 2.0  # hot pixels keep their shot noise when their signal is subtracted
_LEAST_HOT = 100  # a sensor has so many hot pixels of offset alone, which no dark shows
_KNOWN_SIGMAS = 3.0
_NOISE_SIGMAS = 3.0
# A CCD leaves up to a fifth behind on its way out, resampling half and more.
_NEIGHBOURS_SHARE = 0.3


def is_seen(exam: Examination) -> bool:
    """Tell whether the sensor's pattern is there, in its place.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    bool
        False too where the pattern is too faint to tell.
    """
    return exam.as_solved.sigmas > _SEEN_SIGMAS


def is_missing(exam: Examination) -> bool:
    """Tell whether a dark signal that must be there is not, or far too weak.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    bool
        False too where nothing can be expected.
    """
    least = exam.at_least
    return least.significance > _TELLING_SIGMAS and least.slope < _LEAST_SLOPE


def find_identity(exam: Examination, *, lit: bool, scaled: bool) -> list[Cause]:
    """Ask whether the sub is of this sensor, this way up and complete.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.
    lit, scaled : bool
        Whether there are signs of light, or of another scale, which explain a pattern that is too
        weak.

    Returns
    -------
    list of Cause
        At most one; empty where the fingerprint is in its place.
    """
    seen, missing = is_seen(exam), is_missing(exam)
    if seen and not missing:
        cause = _smeared(exam) or (None if lit else _resampled(exam)) or _in_part(exam)
    elif seen:
        cause = None if scaled else _subtracted(exam) or (None if lit else _too_weak(exam))
    else:
        lit = lit and is_too_bright(exam)
        cause = (None if lit else _resampled(exam)) or _moved(exam)
        cause = cause or _not_seen(exam, missing and not scaled, lit)
    return [cause] if cause else []


def _not_seen(exam: Examination, missing: bool, lit: bool) -> Cause:
    if not missing and not _is_hot_elsewhere(exam):
        return _too_faint()
    subtracted = _subtracted(exam)
    if subtracted is not None or not lit:
        return subtracted or _foreign(exam)
    return Cause(
        "holds light, and nothing of this sensor's dark signal; it is a light or a flat, or of "
        "another camera, expected a dark",
        Weight.WRONG,
    )


def _too_faint() -> Cause:
    return Cause(
        "holds too little dark signal to tell whether it is of this sensor; a longer or warmer "
        "dark would",
        Weight.DOUBT,
    )


def _search(exam: Examination) -> Geometry | None:
    """Look for the model's dark signal, then its bias pattern, anywhere in the whole frame."""
    frame = _fine(exam.above, exam, exam.step_adu)
    bias = exam.model.pixels.maps[exam.setting]
    state = exam.least_state if exam.least_state is not None else strongest_state(exam.model)
    for pattern in (dark_pattern(exam.model, state), bias):
        found = find_geometry(frame, _fine(pattern, exam))
        if found is not None:
            return found
    return None


def _fine(image: Image, exam: Examination, step_adu: float = 0.0) -> Image:
    """Keep the fine structure of a whole frame, in noise of its own where that is the larger."""
    above = above_neighbours(image)
    sigmas = local_sigma(above, exam.sigma)
    return prepare(image, sigmas, step_adu, heights=np.nan_to_num(above / sigmas))


def _moved(exam: Examination) -> Cause | None:
    geometry = _search(exam)
    if geometry is None or not str(geometry):
        return None
    cfa = exam.model.acquisition.cfa_pattern
    if geometry.orientation:
        helps = "check ROWORDER, or the program that wrote it"
    elif cfa and max(abs(geometry.dy), abs(geometry.dx)) == 1:
        helps = f"the phase of its colour filters is no longer {cfa}; crop by even numbers only"
    else:
        helps = "it is another crop of the sensor; take it at the library's region of interest"
    return Cause(
        f"shows this sensor's dark signal {geometry}; expected the place and the way up of the "
        f"library's darks: {helps}",
        Weight.WRONG,
    )


def _is_hot_elsewhere(exam: Examination) -> bool:
    """Whether most of its hot pixels are none of this sensor's, cosmic rays apart."""
    if exam.least_state is None and exam.sub.acquisition.exposure_s is not None:
        return False  # a bias shows pixels with an offset of their own, which darks do not
    plane_step = 1 if exam.model.acquisition.cfa_pattern is None else 2
    hot = find_peaks(exam.heights, plane_step)[0]
    rays = exam.model.cosmic_share_per_s * (exam.sub.acquisition.exposure_s or 0.0) * hot.size
    count = np.count_nonzero(hot)
    known = dark_pattern(exam.model, strongest_state(exam.model), exam.rows)
    known += exam.model.pixels.maps[exam.setting, exam.rows]
    n_known = np.count_nonzero(known[hot] > _KNOWN_SIGMAS * exam.sigma)
    return bool(count - rays > _LEAST_HOT and n_known < _LEAST_SLOPE * (count - rays))


def _subtracted(exam: Examination) -> Cause | None:
    """Hot pixels without signal that are as restless as ever."""
    if exam.least_dark is None:
        return None
    told = exam.fine != 0.0
    least = above_neighbours(exam.least_dark, exam.n_strips)
    landmarks = told & (least > _LANDMARK_SIGMAS * exam.sigmas)
    n = np.count_nonzero(landmarks)
    if n < _LEAST_LANDMARKS:
        return None
    squares = np.square(np.clip(exam.heights, -_LANDMARK_SIGMAS, _LANDMARK_SIGMAS))
    ratio = float(squares[landmarks].mean()) / float(squares[told].mean())
    holes = float(np.mean(exam.heights[landmarks] < -_LANDMARK_SIGMAS / 2))
    if ratio < _RESTLESS * (1.0 + 6.0 * np.sqrt(2.0 / n)):
        return None
    return Cause(
        "lacks the dark signal of this sensor's hot pixels, which are as noisy as ever, "
        f"{holes:.0%} of them holes; the camera has subtracted a dark already: switch its "
        "long-exposure noise reduction off",
        Weight.WRONG,
    )


def _too_weak(exam: Examination) -> Cause:
    return Cause(
        f"holds {max(0.0, exam.at_least.slope):.0%} of the dark signal that the library's weakest "
        "dark of like exposure has; its header's exposure or temperature is wrong, or the camera "
        "has subtracted a dark already",
        Weight.REFUSED,
    )


def _smeared(exam: Examination) -> Cause | None:
    """Hot pixels whose signal has run over into their neighbours."""
    dark = exam.fine_least
    if dark is None or exam.at_least.sigmas < _TELLING_SIGMAS:
        return None
    neighbours = ((0, 1), (0, -1), (1, 0), (-1, 0))
    whole = slope_in(exam.fine, dark)
    # Charge that is left behind on its way out smears the sensor's own pattern too.
    share = max(
        slope_in(np.roll(exam.fine, by, (0, 1)), dark) / whole
        - slope_in(np.roll(dark, by, (0, 1)), dark)
        for by in neighbours
    )
    if share < _NEIGHBOURS_SHARE:
        return None
    return _resampled_to_size(f"shows {share:.0%} of each pixel's dark signal in its neighbours")


def _resampled_to_size(found: str) -> Cause:
    return Cause(
        f"{found}, expected none; it was binned, debayered or resampled to this size: take it as "
        "the library's darks were",
        Weight.WRONG,
    )


def _resampled(exam: Examination) -> Cause | None:
    """Neighbours that share their noise."""
    sigma = np.float32(np.sqrt(exam.variance))
    told = (np.abs(exam.residual) < _NOISE_SIGMAS * sigma) & (exam.fine != 0.0)
    if not told.any():
        return None
    noise = np.where(told, exam.residual / sigma, 0)
    noise -= noise.mean(axis=1, keepdims=True)
    noise -= noise.mean(axis=0)
    energy = float(np.mean(noise**2, dtype=np.float64))
    across = float(np.mean(noise[:, 1:] * noise[:, :-1], dtype=np.float64)) / energy
    down = float(np.mean(noise[1:] * noise[:-1], dtype=np.float64)) / energy
    shared = max(across, down)
    if shared < _NEIGHBOURS_SHARE:
        return None
    return _resampled_to_size(f"has neighbouring pixels that share {shared:.0%} of their noise")


def _in_part(exam: Examination) -> Cause | None:
    """Parts of the frame that lack the dark signal the rest shows."""
    if exam.fine_least is None:
        return None
    whole = min(1.0, slope_in(exam.fine, exam.fine_least))
    parts = part_agreements(exam.fine, exam.fine_least)
    telling = [part for part in parts if part.significance * whole > _TELLING_SIGMAS]
    lacking = sum(part.slope < _LEAST_SLOPE * whole for part in telling)
    if not lacking:
        return None
    return Cause(
        f"lacks this sensor's dark signal in {lacking} of {len(telling)} parts of the frame; it is "
        "a crop that was filled up, or a damaged frame",
        Weight.WRONG,
    )


def _foreign(exam: Examination) -> Cause:
    found = "shows nothing of this sensor's dark signal in any orientation or place"
    model, own = exam.model.acquisition.camera.model, exam.sub.acquisition.camera.model
    if model is None or own is None or not _noise_fits(exam):
        return Cause(
            f"{found}; it is of another camera, no dark, or at another binning", Weight.WRONG
        )
    return Cause(
        f"{found}, though camera name and noise fit; it is of another unit of the same camera "
        "model: learn a model of that one",
        Weight.WRONG,
    )


def _noise_fits(exam: Examination) -> bool:
    """Whether noise and pattern together are as large as in some frame of the library."""
    model = exam.model
    own = model.library.setting == exam.setting
    quietest, noisiest = (float(pick(model.law.frame_variance[own])) for pick in (np.min, np.max))
    dark = dark_pattern(model, strongest_state(model), exam.rows)
    largest = noisiest + robust_variance(dark - local_level(dark))
    return quietest / 2.0 < exam.sigma**2 < 2.0 * largest
