"""The catalogue: which files were read, and what they say, in one SQLite file."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from solodark.frames.statistics import STATISTICS_VERSION
from solodark.library.packing import (
    PackingError,
    pack_acquisition,
    pack_statistics,
    unpack_acquisition,
    unpack_statistics,
)
from solodark.library.records import BadFile, FileStamp, FrameHeader, FrameRecord
from solodark.library.schema import connect, library_errors, transaction

__all__ = ["Catalogue", "Entry", "FileState"]

Entry = tuple[FrameRecord | BadFile, FileStamp]
"""What was learned of a file, and its stamp from before it was read."""

FileState = Literal["new", "unchanged", "changed"]

_STORE = """
INSERT OR REPLACE INTO frames
    (path, size_bytes, mtime_ns, statistics_version, error_code, error,
     acquisition, ny, nx, statistics)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class Catalogue:
    """A library of the user's own frames; the files themselves are only ever read.

    Several processes may use one catalogue at once, and a kill at any moment leaves it whole.

    Parameters
    ----------
    path : path-like, optional
        The catalogue's file. Without one it lives in memory and is gone afterwards.
    create : bool, optional
        Whether a missing file is made; otherwise it is an error.

    Raises
    ------
    LibraryError
        The file is damaged, foreign, of a newer version, or missing and not to be made.

    Examples
    --------
    >>> with Catalogue() as catalogue:
    ...     len(list(catalogue.frames()))
    0
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, create: bool = True) -> None:
        self.path = None if path is None else Path(path).absolute()
        self._connection = connect(self.path, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._connection.close()

    def state_of(self, path: Path, stamp: FileStamp) -> FileState:
        """Tell whether a file must be read.

        Parameters
        ----------
        path : Path
            A file.
        stamp : FileStamp
            Its stamp now.

        Returns
        -------
        {"new", "unchanged", "changed"}
            "changed" also where an older solodark measured it.
        """
        with library_errors(self.path):
            row = self._connection.execute(
                "SELECT size_bytes, mtime_ns, statistics_version FROM frames WHERE path = ?",
                (_key(path),),
            ).fetchone()
        if row is None:
            return "new"
        known = (stamp.size_bytes, stamp.mtime_ns, STATISTICS_VERSION)
        return "unchanged" if row == known else "changed"

    def stamps(self) -> dict[Path, FileStamp]:
        """List every known file with its stamp from before it was read, bad ones too.

        Returns
        -------
        dict of Path to FileStamp
            By path.

        Raises
        ------
        LibraryError
            The catalogue is damaged.
        """
        with library_errors(self.path):
            rows = self._connection.execute(
                "SELECT path, size_bytes, mtime_ns FROM frames ORDER BY path"
            ).fetchall()
            return {_path(path): FileStamp(size, mtime) for path, size, mtime in rows}

    def store(self, entries: Iterable[Entry]) -> None:
        """Keep what was learned of some files, all of them or none.

        Parameters
        ----------
        entries : iterable of Entry
            A small batch, so that a kill costs little and others need not wait.

        Raises
        ------
        LibraryError
            The catalogue cannot be written.
        """
        rows = [_row(record, stamp) for record, stamp in entries]
        with library_errors(self.path), transaction(self._connection):
            self._connection.executemany(_STORE, rows)

    def frames(self) -> Iterator[FrameRecord]:
        """Give every frame that was read, by path.

        Yields
        ------
        FrameRecord
            Header and statistics.

        Raises
        ------
        LibraryError
            The catalogue is damaged.
        """
        with library_errors(self.path):
            for path, acquisition, statistics in self._connection.execute(
                "SELECT path, acquisition, statistics FROM frames WHERE error IS NULL ORDER BY path"
            ):
                yield FrameRecord(
                    _path(path), unpack_acquisition(acquisition), unpack_statistics(statistics)
                )

    def headers(self) -> list[FrameHeader]:
        """List how every frame was taken, without its statistics.

        Returns
        -------
        list of FrameHeader
            By path.

        Raises
        ------
        LibraryError
            The catalogue is damaged.
        """
        with library_errors(self.path):
            rows = self._connection.execute(
                "SELECT path, acquisition, ny, nx FROM frames WHERE error IS NULL ORDER BY path"
            ).fetchall()
            return [
                FrameHeader(_path(path), unpack_acquisition(text), _shape(ny, nx))
                for path, text, ny, nx in rows
            ]

    def bad_files(self) -> list[BadFile]:
        """List the files that could not be read.

        Returns
        -------
        list of BadFile
            By path, each with its sentence.

        Raises
        ------
        LibraryError
            The catalogue is damaged.
        """
        with library_errors(self.path):
            rows = self._connection.execute(
                "SELECT path, error_code, error FROM frames WHERE error IS NOT NULL ORDER BY path"
            ).fetchall()
            return [BadFile(_path(path), f"{code}", f"{text}") for path, code, text in rows]

    def forget(self, paths: Iterable[Path]) -> None:
        """Strike files off the catalogue; the files themselves are not touched.

        Parameters
        ----------
        paths : iterable of Path
            Files; those that are not in the catalogue are passed over.

        Raises
        ------
        LibraryError
            The catalogue cannot be written.
        """
        keys = [(_key(path),) for path in paths]
        with library_errors(self.path), transaction(self._connection):
            self._connection.executemany("DELETE FROM frames WHERE path = ?", keys)


def _key(path: Path) -> bytes:
    # abspath, not resolve: a link stays the name that its owner knows.
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100


def _path(key: object) -> Path:
    if not isinstance(key, bytes):
        raise PackingError(f"a path is damaged: {key!r}")
    return Path(os.fsdecode(key))


def _shape(ny: object, nx: object) -> tuple[int, int]:
    if not isinstance(ny, int) or not isinstance(nx, int):
        raise PackingError(f"a size is damaged: {ny!r} x {nx!r}")
    return ny, nx


def _row(record: FrameRecord | BadFile, stamp: FileStamp) -> tuple[object, ...]:
    head = (_key(record.path), stamp.size_bytes, stamp.mtime_ns, STATISTICS_VERSION)
    if isinstance(record, BadFile):
        sentence = record.sentence.encode("utf-8", "backslashreplace").decode("utf-8")
        return (*head, record.code, sentence, None, None, None, None)
    acquisition, statistics = (
        pack_acquisition(record.acquisition),
        pack_statistics(record.statistics),
    )
    return (*head, None, None, acquisition, *record.shape, statistics)
