"""Lights among the darks: stars tell."""

from collections.abc import Sequence

from solodark.frames import FrameKind
from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord
from solodark.library.wording import counted

__all__ = ["find_starry_darks"]

STARS_ALWAYS, STARS_PER_MEGAPIXEL = 8, 6
"""Star-like peaks that a dark may hold: cosmic rays leave one or two per megapixel in 5 minutes,
and the sparsest real field here shows 24."""


def find_starry_darks(frames: Sequence[FrameRecord]) -> list[Finding]:
    """Find darks and biases that show stars.

    Parameters
    ----------
    frames : sequence of FrameRecord
        Frames of one sensor, of any kind.

    Returns
    -------
    list of Finding
        Code "light-among-darks"; in doubt where most darks are like that, because then it may be
        the sensor.
    """
    kinds = (FrameKind.DARK, FrameKind.BIAS)
    darks = [frame for frame in frames if frame.acquisition.kind in kinds]
    starry = [frame for frame in darks if frame.statistics.n_stars > _most_blobs(frame)]
    common = len(starry) > len(darks) / 2
    severity = Severity.DOUBT if common and len(darks) >= 3 else Severity.ERROR
    return [_starry(frame, severity) for frame in starry]


def _most_blobs(frame: FrameRecord) -> float:
    return STARS_ALWAYS + STARS_PER_MEGAPIXEL * frame.shape[0] * frame.shape[1] / 1e6


def _starry(frame: FrameRecord, severity: Severity) -> Finding:
    taken = frame.acquisition
    return Finding(
        "light-among-darks",
        severity,
        (frame.path,),
        f"found {counted(frame.statistics.n_stars, 'star')}, where {taken.kind_source or 'it'} "
        f"says {taken.kind}; it is a light, move it to the lights",
    )
