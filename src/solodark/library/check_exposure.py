"""Exposures in headers that the dark pattern contradicts, and temperatures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.frames import FrameKind
from solodark.library.coverage import temperature_of
from solodark.library.dark_group import SURE, DarkGroup, DarkSeries
from solodark.library.findings import Finding, Severity
from solodark.library.robust import scatter
from solodark.library.wording import exposure_text

__all__ = ["find_misread_temperatures", "find_odd_frames", "find_odd_series"]

Values = NDArray[np.float64]

GAP = float(np.log(1.35))
"""Within a series only the temperature moves the pattern, and from one sub to the next by less:
3 C make 1.35, and cameras that alternate between two states stay below. Nobody mistakes 60 s for
70 s, but for 30 or 120 s."""
COOLED_TOLERANCE = float(np.log(1.35))
SAME_NIGHT_TOLERANCE = float(np.log(1.45))
UNCOOLED_TOLERANCE = float(np.log(1.6))
OTHER_NIGHT_TOLERANCE = float(np.log(2.5))
"""Without a cooler the header's temperature lags the sensor by up to 4 C: a factor of 1.5. Within a
night the lag is much the same in all series; two nights alone may differ by twice as much."""
FIRST_COOLED, FIRST_UNCOOLED = float(np.log(1.4)), float(np.log(2.0))
"""The first subs of a series may be this far off because the sensor is still settling: without a
cooler it warms by 5 C and more in a series."""
FIRST_SUBS = 3
GROSS = float(np.log(1.5))
ODD_STEP_C = 4.0
LAG_C = 8.0
"""Beyond this no lag of the thermometer explains a pattern."""
SAME_EXPOSURE = 0.1


def find_odd_frames(group: DarkGroup) -> list[Finding]:
    """Find darks whose pattern is stronger or weaker than in most of their series.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain.

    Returns
    -------
    list of Finding
        Code "wrong-exposure".
    """
    found = []
    for series in group.series:
        clumps = _clumps(series, group) if series.is_sure else []
        most = max(clumps, key=lambda clump: clump.n_frames, default=None)
        if most is None or 2 * most.n_frames <= series.n_frames:
            continue
        for clump in clumps:
            deviation = clump.log_rate - float(group.carried_log_rates([most], clump)[0])
            limit = GAP + group.slope_per_c[1] * _distance_c(clump, [most])
            if abs(deviation) > limit and not _is_settling(clump, series, deviation):
                found.append(_wrong_exposure(clump, group, deviation, "the rest of its series"))
    return found


def _is_settling(clump: DarkSeries, series: DarkSeries, deviation: float) -> bool:
    """Whether these are the first subs of a series, while the sensor still warmed or cooled."""
    first = clump.frames == series.frames[: clump.n_frames] and clump.n_frames <= FIRST_SUBS
    limit = FIRST_COOLED if _is_cooled(series) else FIRST_UNCOOLED
    return first and abs(deviation) < limit


def _is_cooled(series: DarkSeries) -> bool:
    return series.key.setpoint_temperature_c is not None


def _clumps(series: DarkSeries, group: DarkGroup) -> list[DarkSeries]:
    """Cut a series where amplitudes, carried to one temperature, leave a gap between them."""
    logs = np.log(np.maximum(series.amplitudes, 1e-3 * series.amplitude))
    logs -= group.slope_per_c[0] * _warmth(series)
    order = np.argsort(logs)
    relative = float(np.median(series.errors)) / series.amplitude
    gaps = np.diff(logs[order]) > max(GAP, SURE * relative)
    pieces = np.split(order, np.flatnonzero(gaps) + 1)
    return [series.part(sorted(piece.tolist())) for piece in pieces]


def _warmth(series: DarkSeries) -> Values:
    """Header temperatures less their median; zeros where one is missing."""
    known = [t for frame in series.frames if (t := temperature_of(frame)) is not None]
    if len(known) < series.n_frames:
        return np.zeros(series.n_frames)
    temperatures = np.array(known, dtype=np.float64)
    return temperatures - np.median(temperatures)


def find_misread_temperatures(group: DarkGroup) -> list[Finding]:
    """Find darks whose header temperature leaps while their pattern does not.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain.

    Returns
    -------
    list of Finding
        Code "wrong-temperature".
    """
    found = []
    for series in group.series:
        if series.is_sure and series.n_frames >= 3:
            leaps = _leaps(_warmth(series))
            logs = np.log(np.maximum(series.amplitudes, 1e-3 * series.amplitude))
            felt = _leaps(logs)
            unfelt = np.abs(leaps - felt / group.slope_per_c[0]) >= ODD_STEP_C
            odd = (np.abs(leaps) >= ODD_STEP_C) & unfelt & (np.abs(felt) < GAP)
            found += [
                _wrong_temperature(series.part([n]), -leaps[n])
                for n in np.flatnonzero(odd).tolist()
            ]
    return found


def _leaps(values: Values) -> Values:
    """Each value less the median of the five around it: a drift is no leap."""
    size = values.size
    firsts = [min(max(0, n - 2), max(0, size - 5)) for n in range(size)]
    around: Values = np.array([np.median(values[first : first + 5]) for first in firsts])
    return values - around


@dataclass(frozen=True, slots=True)
class _Judgement:
    """How far a series is off, as a logarithm and in tolerances."""

    series: DarkSeries
    deviation: float
    strength: float
    n_witnesses: int


def find_odd_series(group: DarkGroup) -> list[Finding]:
    """Find series whose pattern does not fit their exposure and temperature.

    Amplitude over exposure is compared with that of all other series, carried to the same
    temperature. The series that is furthest off is taken out first, because it speaks against the
    others as loudly as they against it.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain, without frames already known to be odd.

    Returns
    -------
    list of Finding
        Codes "wrong-exposure" and "wrong-temperature", one per series.
    """
    clumps = [_clumps(one, group) if one.is_sure else [one] for one in group.series]
    rest = DarkGroup(tuple(part for parts in clumps for part in parts), group.has_pattern)
    found: list[Finding] = []
    while True:
        judged = [_judge(one, rest) for one in rest.series if one.is_sure]
        odd = [one for one in judged if one is not None and one.strength > 1.0]
        if not odd:
            return found
        # Where only two are left they are equally far off; the one with fewer frames is asked.
        worst = max(odd, key=lambda one: (round(one.strength, 3), -one.series.n_frames))
        found.append(_series_finding(worst, rest))
        if worst.n_witnesses < 2:
            return found
        rest = rest.without(worst.series)


def _judge(series: DarkSeries, group: DarkGroup) -> _Judgement | None:
    witnesses = group.witnesses(series)
    tonight = [one for one in witnesses if one.key.night == series.key.night]
    if len(tonight) >= 3:
        witnesses = tonight
    if not witnesses:
        return None
    predictions = group.carried_log_rates(witnesses, series)
    deviation = series.log_rate - float(np.median(predictions))
    tolerance = max(
        _tolerance(series, witnesses),
        5.0 * scatter(predictions),
        SURE * series.error / series.amplitude,
    )
    tolerance += group.slope_per_c[1] * _distance_c(series, witnesses)
    return _Judgement(series, deviation, abs(deviation) / tolerance, len(witnesses))


def _tolerance(series: DarkSeries, witnesses: Sequence[DarkSeries]) -> float:
    if _is_cooled(series):
        return COOLED_TOLERANCE
    if all(one.key.night == series.key.night for one in witnesses):
        return SAME_NIGHT_TOLERANCE
    return UNCOOLED_TOLERANCE if len(witnesses) >= 3 else OTHER_NIGHT_TOLERANCE


def _distance_c(series: DarkSeries, witnesses: Sequence[DarkSeries]) -> float:
    """Median distance to the temperatures of the witnesses."""
    own = series.temperature_c
    known = [t for one in witnesses if (t := one.temperature_c) is not None]
    return 0.0 if own is None or not known else float(np.median([abs(own - t) for t in known]))


def _series_finding(judged: _Judgement, group: DarkGroup) -> Finding:
    series, deviation = judged.series, judged.deviation
    if judged.n_witnesses < 2:
        return _wrong_exposure(series, group, deviation, "the only other series", sure=False)
    off_c = deviation / group.slope_per_c[0]
    if _blames_temperature(series, group, off_c):
        return _wrong_temperature(series, off_c)
    return _wrong_exposure(series, group, deviation, "the other series")


def _blames_temperature(series: DarkSeries, group: DarkGroup, off_c: float) -> bool:
    """Whether a wrong thermometer is the simpler story."""
    own = series.temperature_c
    if own is None:
        return False
    true = _temperature_of_the_night(series, group)
    if true is not None:
        return abs(own - true) >= ODD_STEP_C and abs(own + off_c - true) < ODD_STEP_C
    fits = _known_exposure(series, group, off_c * group.slope_per_c[0]) is not None
    return abs(off_c) <= LAG_C and not fits


def _temperature_of_the_night(series: DarkSeries, group: DarkGroup) -> float | None:
    """Give the cooler's target, else what the other series of the night say."""
    if series.key.setpoint_temperature_c is not None:
        return series.key.setpoint_temperature_c
    night = [one for one in group.witnesses(series) if one.key.night == series.key.night]
    known = [t for one in night if (t := one.temperature_c) is not None]
    return float(np.median(known)) if known else None


def _known_exposure(series: DarkSeries, group: DarkGroup, deviation: float) -> float | None:
    """Find an exposure of this camera that the pattern fits."""
    implied = series.exposure_s * np.exp(deviation)
    used = {one.exposure_s for one in group.series if one.key.kind is FrameKind.DARK}
    near = [t for t in used - {series.exposure_s} if abs(t / implied - 1.0) < SAME_EXPOSURE]
    return min(near, key=lambda t: abs(t / implied - 1.0), default=None)


def _wrong_exposure(
    series: DarkSeries, group: DarkGroup, deviation: float, witness: str, *, sure: bool = True
) -> Finding:
    known = _known_exposure(series, group, deviation)
    implied = f"about {exposure_text(series.exposure_s * float(np.exp(deviation)))}"
    helps = (
        "correct the header, or leave it out"
        if sure
        else "one of the two headers is wrong, and darks of a third exposure would tell which"
    )
    return Finding(
        "wrong-exposure",
        Severity.ERROR if sure and abs(deviation) > GROSS else Severity.DOUBT,
        series.paths,
        f"found a dark pattern {np.exp(deviation):.2g} times as strong as {witness} make expect "
        f"after the header's {exposure_text(series.exposure_s)}, which fits "
        f"{implied if known is None else exposure_text(known)}; {helps}",
    )


def _wrong_temperature(series: DarkSeries, off_c: float) -> Finding:
    header = series.temperature_c or 0.0
    return Finding(
        "wrong-temperature",
        Severity.DOUBT,
        series.paths,
        f"found the dark pattern of a sensor at about {header + off_c:.0f} C, where the header "
        f"says {header:.1f} C; do not choose darks by this temperature, or check the exposure",
    )
