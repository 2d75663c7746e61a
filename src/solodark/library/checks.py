"""Which frames do not belong, and why: all checks, in the order in which they help each other."""

from collections.abc import Callable, Iterable, Sequence

from solodark.frames import FrameKind
from solodark.library.check_drift import find_level_jumps, find_settling_first_subs
from solodark.library.check_exposure import (
    find_misread_temperatures,
    find_odd_frames,
    find_odd_series,
)
from solodark.library.check_files import find_duplicates
from solodark.library.check_folder import find_strangers
from solodark.library.check_leaks import find_leaks
from solodark.library.check_masters import find_masters
from solodark.library.check_pattern import find_bare_darks, find_darks_among_biases
from solodark.library.check_pixels import find_clipped, find_useless
from solodark.library.check_sensor import find_foreign_sensors
from solodark.library.check_stars import find_starry_darks
from solodark.library.dark_group import DarkGroup
from solodark.library.findings import Finding, merged
from solodark.library.records import FrameRecord
from solodark.library.sensor_units import SensorUnit, find_units
from solodark.library.series import Sensor

__all__ = ["find_misfits"]

GroupCheck = Callable[[DarkGroup], list[Finding]]

# Each check sees only what the ones before it found sound: an odd frame must not be the measure of
# the others, and one cause is told once.
_GROUP_CHECKS: tuple[GroupCheck, ...] = (
    find_bare_darks,
    find_darks_among_biases,
    find_leaks,
    find_masters,
    find_misread_temperatures,
    find_odd_frames,
    find_odd_series,
)
_NOTES: tuple[GroupCheck, ...] = (find_level_jumps, find_settling_first_subs)


def find_misfits(frames: Sequence[FrameRecord]) -> list[Finding]:
    """Find the frames that do not belong with the others.

    Nothing is read: all judgements come from headers and statistics, and all thresholds are
    relative to the frames' own noise and to the scatter of their peers, so they hold on any sensor.

    Parameters
    ----------
    frames : sequence of FrameRecord
        Frames of any cameras and kinds. Darks and biases are compared with each other; masters
        only with what every frame must be.

    Returns
    -------
    list of Finding
        Errors first, then doubts, then notes.
    """
    found = find_duplicates(frames) + find_strangers(frames)
    useless = find_useless(frames)
    found += useless
    sound = _without([frame for frame in frames if not frame.is_master], useless)
    for sensor_frames in _by_sensor(_without(sound, found)).values():
        found += _check_sensor(sensor_frames)
    judged = {path for finding in found for path in finding.paths}
    found += find_clipped(frame for frame in sound if frame.path not in judged)
    return merged(found)


def _by_sensor(frames: Iterable[FrameRecord]) -> dict[Sensor, list[FrameRecord]]:
    sensors: dict[Sensor, list[FrameRecord]] = {}
    for frame in frames:
        sensors.setdefault(Sensor.of(frame), []).append(frame)
    return sensors


def _check_sensor(frames: list[FrameRecord]) -> list[Finding]:
    """Check the frames of one camera name, size and binning."""
    found = find_starry_darks(frames)
    darks = [
        frame for frame in frames if frame.acquisition.kind in (FrameKind.DARK, FrameKind.BIAS)
    ]
    units = find_units(_without(darks, found))
    found += find_foreign_sensors(units)
    for unit in units:
        for group in _by_gain(unit, found):
            found += _check_group(group)
    return found


def _by_gain(unit: SensorUnit, found: Sequence[Finding]) -> Iterable[list[FrameRecord]]:
    errors = [finding for finding in found if finding.code != "two-sensors"]
    gains: dict[tuple[float | None, int | None], list[FrameRecord]] = {}
    for frame in _without(unit.frames, errors):
        taken = frame.acquisition
        gains.setdefault((taken.gain_setting, taken.iso), []).append(frame)
    return gains.values()


def _check_group(frames: list[FrameRecord]) -> list[Finding]:
    found: list[Finding] = []
    group = DarkGroup.of(frames)
    for check in _GROUP_CHECKS + _NOTES:
        new = check(group)
        found += new
        sound = _without(frames, found)
        if not sound:
            break
        if new:
            group = DarkGroup.of(sound)
    return found


def _without(frames: Iterable[FrameRecord], found: Iterable[Finding]) -> list[FrameRecord]:
    named = {path for finding in found for path in finding.paths}
    return [frame for frame in frames if frame.path not in named]
