"""The library: add frames to it. The user's own files are only ever read."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from solodark.errors import SolodarkError
from solodark.formats import find_frame_paths, open_frame
from solodark.frames import Progress, silent
from solodark.frames.statistics import measure_statistics
from solodark.library import BadFile, Catalogue, Entry, FileStamp, FrameRecord

__all__ = ["AddSummary", "add_frames", "add_paths"]

PathLike = str | os.PathLike[str]

BATCH = 8
"""Files read between two transactions: what a kill can cost."""
READERS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class AddSummary:
    """What came of adding files to a library.

    Attributes
    ----------
    added, changed, unchanged : int
        Frames that are new, that were read again because they changed, and that were not read.
    failed : tuple of (Path, str)
        Every file that cannot be read, with its sentence; those known from before are listed again
        but read again only when they change.
    """

    added: int
    changed: int
    unchanged: int
    failed: tuple[tuple[Path, str], ...]


def add_frames(
    library_path: PathLike,
    paths: PathLike | Iterable[PathLike],
    *,
    progress: Progress = silent,
) -> AddSummary:
    """Add files and folders to a library; what has not changed since is not read again.

    Parameters
    ----------
    library_path : path-like
        The library's file; made where it is missing.
    paths : path-like or iterable of path-like
        Files, and folders with all that is below them.
    progress : Progress, optional
        Told of every file.

    Returns
    -------
    AddSummary
        Counts, and the files that could not be read, which stop nothing.

    Raises
    ------
    FrameNotFoundError
        A path does not exist, or a folder holds no frame.
    LibraryError
        The library cannot be used.
    """
    found = find_frame_paths(paths)
    with Catalogue(library_path) as catalogue:
        return add_paths(catalogue, found, progress)


def add_paths(catalogue: Catalogue, paths: Sequence[Path], progress: Progress) -> AddSummary:
    """Add files to a library that is open.

    Parameters
    ----------
    catalogue : Catalogue
        The library.
    paths : sequence of Path
        The files.
    progress : Progress
        Told of every file.

    Returns
    -------
    AddSummary
        Counts, and the files that could not be read, which stop nothing.
    """
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    failed: dict[Path, str] = {}
    known_bad = {bad.path: bad.sentence for bad in catalogue.bad_files()}
    told = iter(progress(paths, "Reading frames", len(paths)))
    with ThreadPoolExecutor(min(READERS_AT_ONCE, os.cpu_count() or 1)) as readers:
        while batch := _next_batch(told):
            states = {path: _state(catalogue, path) for path in batch}
            entries = _read_all([p for p in batch if states[p] != "unchanged"], readers)
            catalogue.store(entries)
            bad = {r.path: r.sentence for r, _ in entries if isinstance(r, BadFile)}
            same = [p for p in batch if states[p] == "unchanged"]
            failed |= bad | {p: known_bad[p] for p in same if p in known_bad}
            for path in batch:
                counts[states[path]] += path not in failed
    return AddSummary(counts["new"], counts["changed"], counts["unchanged"], tuple(failed.items()))


def _next_batch(paths: Iterator[Path]) -> list[Path]:
    # abspath, not resolve: a link stays the name that its owner knows.
    return [Path(os.path.abspath(path)) for path in islice(paths, BATCH)]  # noqa: PTH100


def _state(catalogue: Catalogue, path: Path) -> str:
    try:
        return catalogue.state_of(path, FileStamp.of(path))
    except SolodarkError:
        return "changed"


def _read_all(paths: Sequence[Path], readers: Executor) -> list[Entry]:
    return list(readers.map(_read, paths))


def _read(path: Path) -> Entry:
    """Read one file; its stamp is from before, so that one still being written is read again."""
    try:
        stamp = FileStamp.of(path)
    except SolodarkError as error:
        return BadFile.from_error(path, error), FileStamp(-1, -1)
    try:
        with open_frame(path) as source:
            return FrameRecord(path, source.acquisition, measure_statistics(source)), stamp
    except SolodarkError as error:
        return BadFile.from_error(path, error), stamp
