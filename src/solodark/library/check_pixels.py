"""Frames whose pixels are useless by themselves: empty, saturated, clipped, not numbers."""

from collections.abc import Callable, Iterable

from solodark.frames import FrameKind
from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord

__all__ = ["find_clipped", "find_useless"]

SATURATED_DARK = 0.05
"""The hottest sensors lose a percent of their pixels to saturation in long darks."""
SATURATED_FLAT = 0.01
NOT_FINITE = 0.01

Check = Callable[[FrameRecord], Finding | None]


def find_useless(frames: Iterable[FrameRecord]) -> list[Finding]:
    """Find frames that no master should see.

    Parameters
    ----------
    frames : iterable of FrameRecord
        Frames of any kind.

    Returns
    -------
    list of Finding
        Codes "empty", "not-finite" and "saturated"; one per frame.
    """
    verdicts = (next(filter(None, (check(frame) for check in _CHECKS)), None) for frame in frames)
    return [verdict for verdict in verdicts if verdict is not None]


def _empty(frame: FrameRecord) -> Finding | None:
    found = frame.statistics
    if found.fraction_not_finite < 1.0 and found.maximum_adu > found.minimum_adu:
        return None
    value = "no number at all" if found.fraction_not_finite == 1.0 else f"{found.minimum_adu:g} ADU"
    return _finding(
        "empty",
        Severity.ERROR,
        frame,
        f"every pixel holds {value}, where noise was expected; the file was not written properly, "
        "leave it out",
    )


def _not_finite(frame: FrameRecord) -> Finding | None:
    share = frame.statistics.fraction_not_finite
    if share <= NOT_FINITE:
        return None
    return _finding(
        "not-finite",
        Severity.DOUBT,
        frame,
        f"{share:.0%} of its pixels are no numbers; a frame from the camera has none, "
        "use the file as the camera wrote it",
    )


def _saturated(frame: FrameRecord) -> Finding | None:
    kind, found = frame.acquisition.kind, frame.statistics
    limit = SATURATED_FLAT if kind is FrameKind.FLAT else SATURATED_DARK
    if kind not in (FrameKind.DARK, FrameKind.BIAS, FrameKind.FLAT):
        return None
    if found.fraction_saturated <= limit:
        return None
    severity = Severity.DOUBT if kind is FrameKind.FLAT else Severity.ERROR
    helps = (
        "take flats at half of full scale"
        if kind is FrameKind.FLAT
        else "light fell in, or this is no dark; leave it out"
    )
    return _finding(
        "saturated",
        severity,
        frame,
        f"{found.fraction_saturated:.0%} of its pixels are at full scale, where a {kind} has "
        f"less than {limit:.0%}; {helps}",
    )


_CHECKS: tuple[Check, ...] = (_empty, _not_finite, _saturated)


def find_clipped(frames: Iterable[FrameRecord]) -> list[Finding]:
    """Find darks and biases whose noise was cut off at the black level.

    Parameters
    ----------
    frames : iterable of FrameRecord
        Frames of any kind.

    Returns
    -------
    list of Finding
        Code "clipped-at-black".
    """
    kinds = (FrameKind.DARK, FrameKind.BIAS)
    return [
        _finding(
            "clipped-at-black",
            Severity.DOUBT,
            frame,
            f"{frame.statistics.fraction_at_minimum:.0%} of its pixels sit at "
            f"{frame.statistics.minimum_adu:g} ADU, so the noise below the black level was cut off "
            "and masters come out too bright; raise the camera's offset, or use the file that the "
            "camera wrote",
        )
        for frame in frames
        if frame.acquisition.kind in kinds and frame.is_clipped
    ]


def _finding(code: str, severity: Severity, frame: FrameRecord, text: str) -> Finding:
    return Finding(code, severity, (frame.path,), text)
