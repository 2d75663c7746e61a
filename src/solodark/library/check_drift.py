"""What changes inside a series: the first sub that is still settling, and jumps of the level."""

import numpy as np
from numpy.typing import NDArray

from solodark.frames import FrameKind
from solodark.library.dark_group import DarkGroup, DarkSeries
from solodark.library.findings import Finding, Severity
from solodark.library.robust import scatter, straight_line
from solodark.library.wording import exposure_text

__all__ = ["find_level_jumps", "find_settling_first_subs"]

Values = NDArray[np.float64]

FEWEST = 4
"""Frames from which a trend can be told from one odd frame."""
LEAST_PATTERN_STEP = 0.02
LEAST_LEVEL_STEP = 0.3
"""In units of the noise: smaller steps cost a master nothing."""
STEPS = 3.0
"""A first step must be this many times the usual one."""
LEAST_JUMP = 1.0
JUMP_SIGMAS = 8.0


def find_settling_first_subs(group: DarkGroup) -> list[Finding]:
    """Find series whose first sub differs from the second by more than later ones do.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain.

    Returns
    -------
    list of Finding
        Code "first-sub-settling", a note.
    """
    found = []
    for series in group.series:
        if len(series.frames) >= FEWEST:
            change = _pattern_change(series) or _level_change(series)
            if change:
                found.append(_first_sub(series, change))
    return found


def _pattern_change(series: DarkSeries) -> str | None:
    """Say how the pattern of the first sub differs, or nothing."""
    if not series.is_sure or np.any(series.amplitudes <= 0.0):
        return None
    steps = np.diff(np.log(series.amplitudes))
    noise = np.sqrt(2.0) * series.error / series.amplitude
    if abs(steps[0]) < max(LEAST_PATTERN_STEP, STEPS * noise, STEPS * _usual(steps)):
        return None
    direction = "weaker" if steps[0] > 0 else "stronger"
    return f"its dark pattern is {abs(np.expm1(steps[0])):.0%} {direction}"


def _level_change(series: DarkSeries) -> str | None:
    levels = _levels(series)
    steps = np.diff(levels)
    noise = series.median_of(lambda frame: frame.statistics.mean_noise_adu)
    if abs(steps[0]) < max(LEAST_LEVEL_STEP * noise, STEPS * _usual(steps)):
        return None
    return f"its level is {abs(steps[0]):.1f} ADU {'lower' if steps[0] > 0 else 'higher'}"


def _usual(steps: Values) -> float:
    """Median size of the steps after the first."""
    return float(np.median(np.abs(steps[1:])))


def _levels(series: DarkSeries) -> Values:
    return np.array([frame.statistics.mean_level_adu for frame in series.frames])


def _first_sub(series: DarkSeries, change: str) -> Finding:
    kind = series.key.kind
    return Finding(
        "first-sub-settling",
        Severity.NOTE,
        (series.frames[0].path,),
        f"the first {kind} of {exposure_text(series.key.exposure_s)} was taken while the camera "
        f"was still settling: {change} than in the next one, and later ones differ far less; "
        "leave it out where you can spare it",
    )


def find_level_jumps(group: DarkGroup) -> list[Finding]:
    """Find frames whose level leaves the trend of their series.

    A level that drifts evenly is no fault, and neither is a jump without a change of the pattern:
    a master's level is taken out before it is judged. So this is a note.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain, without light leaks.

    Returns
    -------
    list of Finding
        Code "level-jump".
    """
    found = []
    for series in group.series:
        levels = _levels(series)
        if levels.size < FEWEST or series.key.kind not in (FrameKind.DARK, FrameKind.BIAS):
            continue
        order = np.arange(levels.size, dtype=np.float64)
        slope, start = straight_line(order, levels)
        off = levels - start - slope * order
        noise = series.median_of(lambda frame: frame.statistics.mean_noise_adu)
        limit = max(LEAST_JUMP * noise, JUMP_SIGMAS * scatter(off))
        jumps = (np.abs(off) > limit) & (series.warmth * off <= 0.0)
        found += [_jump(series, n, off[n]) for n in np.flatnonzero(jumps).tolist()]
    return found


def _jump(series: DarkSeries, place: int, off_adu: float) -> Finding:
    return Finding(
        "level-jump",
        Severity.NOTE,
        (series.frames[place].path,),
        f"its level lies {abs(off_adu):.1f} ADU {'above' if off_adu > 0 else 'below'} the trend "
        f"of its series of {exposure_text(series.key.exposure_s)}, while its pattern is as usual; "
        "match levels when you combine, or leave it out",
    )
