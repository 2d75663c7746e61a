"""Frames whose hot pixels are another sensor's, or lie mirrored."""

from collections.abc import Sequence

from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord
from solodark.library.sensor_units import SensorUnit, find_flip
from solodark.library.wording import counted

__all__ = ["find_foreign_sensors"]

FEW = 0.25
"""A second sensor with at most this share of the frames is a mistake; with more it is a camera."""


def find_foreign_sensors(units: Sequence[SensorUnit]) -> list[Finding]:
    """Compare the sensors behind one camera name.

    Parameters
    ----------
    units : sequence of SensorUnit
        Largest first, as `find_units` gives them.

    Returns
    -------
    list of Finding
        Codes "flipped", "other-sensor" and "two-sensors".
    """
    main = units[0]
    return [_compare(unit, main) for unit in units[1:]]


def _compare(unit: SensorUnit, main: SensorUnit) -> Finding:
    frames = unit.frames[: unit.n_with_pattern]
    paths = tuple(sorted(frame.path for frame in frames))
    peers = counted(main.n_with_pattern, "other frame")
    flip = find_flip(frames[0], main)
    if flip is not None:
        return Finding(
            "flipped",
            Severity.ERROR,
            paths,
            f"found the hot pixels of {peers} {flip}; the header's ROWORDER is missing or wrong, "
            "or a program turned the frame: use the file as the camera wrote it",
        )
    if len(frames) <= FEW * main.n_with_pattern and _lies_between(frames, main):
        return Finding(
            "other-sensor",
            Severity.ERROR,
            paths,
            f"found hot pixels in other places than in {peers} under the same camera name: they "
            "come from another camera, or from another region of the sensor; keep them apart",
        )
    return Finding(
        "two-sensors",
        Severity.NOTE,
        paths,
        f"found two sensors under the name {_name(frames[0])!r}: the hot pixels of "
        f"{counted(len(frames), 'frame')} and of {peers} lie in different places; "
        "learn from each camera by itself",
    )


def _lies_between(frames: Sequence[FrameRecord], main: SensorUnit) -> bool:
    """Whether the frames share a folder with those of the main sensor."""
    folders = {frame.path.parent for frame in main.frames}
    return any(frame.path.parent in folders for frame in frames)


def _name(frame: FrameRecord) -> str:
    return frame.acquisition.camera.model or "unknown camera"
