"""Darks without the sensor's pattern: the camera subtracted a dark itself, or they are biases."""

from collections.abc import Sequence

import numpy as np

from solodark.frames import FrameKind
from solodark.library.dark_group import SURE, DarkGroup, DarkSeries
from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord
from solodark.library.robust import scatter
from solodark.library.wording import exposure_text

__all__ = ["find_bare_darks", "find_darks_among_biases"]

WEAK_SHARE, BARE_SHARE = 0.25, 0.08
"""Less of the pattern than this is suspicious, and next to none. A subtracted dark keeps 13 % where
the sensor cooled by 1 C between the camera's two exposures."""
NOISIER = 1.15
"""A subtracted dark has 1.41 times the noise of a dark; a short one has less than one."""
HOLES_SHARE = 0.3
"""Cold pixels per hot one from which hot pixels look subtracted: a real dark of half a minute has
fewer than one in a hundred, because nothing makes pixels cold."""
FEWEST_HOLES = 20
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
    weak = [(one.part([n]), share) for one in darks for n, share in _weak_frames(one, group)]
    suspects = {path for one, _ in weak for path in one.paths}
    normal = sorted(
        (
            (float(amplitude), frame)
            for one in group.series
            for amplitude, frame in zip(one.amplitudes, one.frames, strict=True)
            if frame.path not in suspects
        ),
        key=lambda pair: pair[0],
    )
    verdicts = (_explain(one, share, normal) for one, share in weak)
    return [verdict for verdict in verdicts if verdict is not None]


def _weak_frames(series: DarkSeries, group: DarkGroup) -> list[tuple[int, float]]:
    """Find the frames that hold far less of the pattern than predicted, and how much of it."""
    witnesses = group.witnesses(series)
    if not witnesses and not series.is_sure:
        return []
    predictions = group.carried_log_rates(witnesses, series)
    rate = float(np.median(predictions)) if witnesses else series.log_rate
    expected = series.exposure_s * np.exp(rate)
    shares = np.abs(series.amplitudes) / expected
    weak = (shares < WEAK_SHARE) & (expected > 2.0 * SURE * series.errors)
    return [(n, float(shares[n])) for n in np.flatnonzero(weak).tolist()]


def _explain(
    one: DarkSeries, share: float, normal: Sequence[tuple[float, FrameRecord]]
) -> Finding | None:
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
    if noise > NOISIER * _usual_noise(one, normal) or frame.is_clipped or _has_holes(frame):
        return _error(
            "camera-side-subtraction",
            frame,
            f"found next to none of the hot pixels that other darks show after {exposure}, but the "
            f"noise of two exposures ({noise:.1f} ADU): the camera subtracted a dark of its own; "
            "switch off long-exposure noise reduction, and leave this frame out",
        )
    if share > BARE_SHARE:
        return None
    return _error(
        "wrong-exposure",
        frame,
        f"found next to none of the sensor's hot pixels, where the header's {exposure} promises "
        "them: it looks like a bias or a far shorter dark; correct the header, or leave it out",
    )


def _error(code: str, frame: FrameRecord, text: str) -> Finding:
    return Finding(code, Severity.ERROR, (frame.path,), text)


def _usual_noise(one: DarkSeries, normal: Sequence[tuple[float, FrameRecord]]) -> float:
    """Carry the noise of the other frames to this amplitude.

    Variance grows with the dark signal or faster, so a straight line between weaker and stronger
    frames is an upper limit.
    """
    if not normal:
        return np.inf
    amplitudes = [amplitude for amplitude, _ in normal]
    variances = [frame.statistics.mean_noise_adu**2 for _, frame in normal]
    return float(np.sqrt(np.interp(one.amplitude, amplitudes, variances)))


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
