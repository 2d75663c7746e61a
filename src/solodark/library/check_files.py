"""Files that are bad, gone or there twice."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from solodark.frames.statistics import FrameStatistics
from solodark.library.findings import Finding, Severity
from solodark.library.records import BadFile, FrameRecord, shown
from solodark.library.wording import counted, names_of

__all__ = ["find_bad", "find_duplicates", "find_stale", "find_vanished"]


def find_bad(bad_files: Iterable[BadFile]) -> list[Finding]:
    """Report the files that could not be read.

    Parameters
    ----------
    bad_files : iterable of BadFile
        As the catalogue keeps them.

    Returns
    -------
    list of Finding
        Codes "truncated" and "unreadable".
    """
    return [
        Finding(
            bad.code,
            Severity.ERROR,
            (bad.path,),
            bad.sentence.removeprefix(f"{shown(bad.path)}: "),
        )
        for bad in bad_files
    ]


def find_duplicates(frames: Sequence[FrameRecord]) -> list[Finding]:
    """Find files with the same pixels: noise never repeats itself.

    Parameters
    ----------
    frames : sequence of FrameRecord
        Frames of any cameras.

    Returns
    -------
    list of Finding
        Code "duplicate", one per set of equal frames; its paths are all but the first.
    """
    alike: dict[bytes, list[Path]] = {}
    for frame in frames:
        if frame.statistics.mean_noise_adu > 0.0:
            alike.setdefault(_content(frame.statistics), []).append(frame.path)
    return [
        Finding(
            "duplicate",
            Severity.DOUBT,
            tuple(paths[1:]),
            f"found the same pixels as in {names_of(paths[:1])}; "
            "a master must count each exposure once, so keep one of them",
        )
        for paths in alike.values()
        if len(paths) > 1
    ]


def _content(statistics: FrameStatistics) -> bytes:
    return str(statistics.shape).encode() + statistics.sample_adu.tobytes()


def find_stale(paths: Iterable[Path]) -> list[Finding]:
    """Report files that were written again since they were read.

    Parameters
    ----------
    paths : iterable of Path
        Files whose size or time differs from the catalogue's.

    Returns
    -------
    list of Finding
        Code "stale".
    """
    text = "was changed since the library read it; run `solodark library add` on it again"
    return [Finding("stale", Severity.NOTE, (path,), text) for path in paths]


def find_vanished(gone: Sequence[FrameRecord], present: Sequence[FrameRecord]) -> list[Finding]:
    """Report catalogued files that are no longer where they were.

    Parameters
    ----------
    gone, present : sequence of FrameRecord
        Frames whose files are missing, and the others.

    Returns
    -------
    list of Finding
        Code "moved" where the same pixels are found elsewhere, else "vanished"; one per folder.
    """
    homes = {_content(frame.statistics): frame.path for frame in present}
    moved = [frame for frame in gone if _content(frame.statistics) in homes]
    lost = sorted(frame.path for frame in gone if _content(frame.statistics) not in homes)
    found = [_moved(frame.path, homes[_content(frame.statistics)]) for frame in moved]
    for place, paths in itertools.groupby(lost, key=_missing_part):
        found.append(_vanished(place, tuple(paths)))
    return found


def _missing_part(path: Path) -> Path:
    """Give the highest folder on the way that is missing: an unplugged disk is one loss."""
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    return missing


def _moved(old: Path, new: Path) -> Finding:
    return Finding(
        "moved",
        Severity.NOTE,
        (old,),
        f"has moved from {shown(old.parent)} to {shown(new.parent)}, which the library knows; "
        "nothing is lost, the old entry can be forgotten",
    )


def _vanished(place: Path, paths: tuple[Path, ...]) -> Finding:
    what = (
        "the file" if place == paths[0] else f"{shown(place)} with {counted(len(paths), 'frame')}"
    )
    return Finding(
        "vanished",
        Severity.DOUBT,
        paths,
        f"{what} is no longer where the library knows it; plug in the disk or put it back, "
        "or let the library forget it",
    )
