"""Darks without the sensor's pattern: the camera subtracted a dark itself, or they are biases."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solodark.frames import FrameKind
from solodark.library.check_pixels import is_clipped
from solodark.library.dark_group import SURE, DarkGroup, DarkSeries
from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord
from solodark.library.robust import scatter
from solodark.library.wording import exposure_text

__all__ = ["find_bare_darks", "find_darks_among_biases"]

BARE_SHARE = 0.08
"""A dark with less of the pattern than this has lost it: a subtracted one keeps 5 % at most, where
the sensor cooled between the camera's two exposures."""
NOISIER = 1.15
"""A subtracted dark has 1.41 times the noise of a dark; a bias has less than one."""
HOLES_SHARE = 0.3
"""Cold pixels per hot one from which hot pixels look subtracted: a real dark of half a minute has
fewer than one in a hundred, because nothing makes pixels cold."""
FEWEST_HOLES = 20
NEAREST = 5
BRIGHT = 10.0
LONG_S = 30.0
LEAST_BIAS_AMPLITUDE_S = 2.0


def find_bare_darks(group: DarkGroup) -> list[Finding]:
    """Find darks in which the pattern that their peers predict is missing.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain.

    Returns
    -------
    list of Finding
        Codes "camera-side-subtraction", and "wrong-exposure" for what looks like a bias.
    """
    darks = [one for one in group.series if one.key.kind is FrameKind.DARK and one.exposure_s > 0]
    if not group.has_pattern:
        return [_by_holes(frame) for one in darks for frame in one.frames if _has_holes(frame)]
    bare = [(one, n) for one in darks for n in np.flatnonzero(_is_bare(one, group)).tolist()]
    suspects = {one.frames[n].path for one, n in bare}
    normal = [
        (float(amplitude), frame)
        for one in group.series
        for amplitude, frame in zip(one.amplitudes, one.frames, strict=True)
        if frame.path not in suspects
    ]
    return [_explain(one.part([n]), normal) for one, n in bare]


def _is_bare(series: DarkSeries, group: DarkGroup) -> NDArray[np.bool_]:
    """Mark the frames that hold far less of the pattern than predicted."""
    witnesses = group.witnesses(series)
    if not witnesses and not series.is_sure:
        return np.zeros(series.n_frames, dtype=np.bool_)
    predictions = group.carried_log_rates(witnesses, series)
    rate = float(np.median(predictions)) if witnesses else series.log_rate
    expected = series.exposure_s * np.exp(rate)
    weak: NDArray[np.bool_] = np.abs(series.amplitudes) < BARE_SHARE * expected
    weak &= expected > 2.0 * SURE * series.errors
    return weak


def _explain(one: DarkSeries, normal: Sequence[tuple[float, FrameRecord]]) -> Finding:
    """Say what became of the pattern of one frame, by its level and noise."""
    frame, exposure = one.frames[0], exposure_text(one.exposure_s)
    noise, level = frame.statistics.mean_noise_adu, frame.statistics.mean_level_adu
    highest = max((other.statistics.mean_level_adu for _, other in normal), default=np.inf)
    if level > highest + BRIGHT * noise:
        return _error(
            "light-among-darks",
            frame,
            f"found a level of {level:.0f} ADU, where no dark exceeds {highest:.0f}, and none of "
            "the sensor's hot pixels; it is a light or a flat, move it out of the darks",
        )
    if noise > NOISIER * _usual_noise(one, normal) or is_clipped(frame) or _has_holes(frame):
        return _error(
            "camera-side-subtraction",
            frame,
            f"found none of the sensor's hot pixels, which other darks show after {exposure}, but "
            f"the noise of two exposures ({noise:.1f} ADU): the camera subtracted a dark of its "
            "own; switch off long-exposure noise reduction, and leave this frame out",
        )
    return _error(
        "wrong-exposure",
        frame,
        f"found next to none of the sensor's hot pixels, where the header's {exposure} promises "
        "them: it looks like a bias or a far shorter dark; correct the header, or leave it out",
    )


def _error(code: str, frame: FrameRecord, text: str) -> Finding:
    return Finding(code, Severity.ERROR, (frame.path,), text)


def _usual_noise(one: DarkSeries, normal: Sequence[tuple[float, FrameRecord]]) -> float:
    """Noise of the frames in which the pattern shows as little: biases, else the weakest darks."""
    nearest = sorted(normal, key=lambda pair: abs(pair[0] - one.amplitude))[:NEAREST]
    noises = [frame.statistics.mean_noise_adu for _, frame in nearest]
    return float(np.median(noises)) if noises else np.inf


def _has_holes(frame: FrameRecord) -> bool:
    """Pixels turned cold in such numbers as only a subtraction makes."""
    found = frame.statistics
    n_cold = found.fraction_cold * found.shape[0] * found.shape[1]
    long = (frame.acquisition.exposure_s or 0.0) >= LONG_S
    return long and n_cold > FEWEST_HOLES and found.fraction_cold > HOLES_SHARE * found.fraction_hot


def _by_holes(frame: FrameRecord) -> Finding:
    found = frame.statistics
    return Finding(
        "camera-side-subtraction",
        Severity.DOUBT,
        (frame.path,),
        f"found {found.fraction_cold:.2%} of the pixels dark holes and {found.fraction_hot:.2%} "
        "hot, where a dark has hot ones only: the camera seems to have subtracted a dark of its "
        "own; switch off long-exposure noise reduction",
    )


def find_darks_among_biases(group: DarkGroup) -> list[Finding]:
    """Find biases in which the pattern of a dark shows.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain.

    Returns
    -------
    list of Finding
        Code "dark-among-biases".
    """
    biases = [one for one in group.series if one.key.kind is FrameKind.BIAS]
    if not group.has_pattern or not biases:
        return []
    amplitudes = np.concatenate([one.amplitudes for one in biases])
    errors = np.concatenate([one.errors for one in biases])
    frames = [frame for one in biases for frame in one.frames]
    least = np.maximum(2.0 * SURE * errors, 20.0 * scatter(amplitudes))
    odd = amplitudes - np.median(amplitudes) > np.maximum(least, LEAST_BIAS_AMPLITUDE_S)
    return [
        Finding(
            "dark-among-biases",
            Severity.ERROR,
            (frames[n].path,),
            f"found the hot pixels of a dark of about {amplitudes[n]:.2g} s, where a bias has "
            "none; move it to the darks and correct its exposure, or leave it out",
        )
        for n in np.flatnonzero(odd)
    ]
