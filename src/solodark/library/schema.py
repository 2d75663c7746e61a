"""The catalogue's file: opening it, making its tables, and what can be wrong with it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from solodark.errors import LibraryError
from solodark.library.packing import PackingError
from solodark.library.records import shown

__all__ = ["connect", "library_errors", "transaction"]

APPLICATION_ID = 0x50D0DA4C
"""Tells a solodark library from every other SQLite file."""
SCHEMA_VERSION = 1
_MAGIC = b"SQLite format 3\0"
PATIENCE_S = 60.0
"""How long one process waits for another's transaction; a small batch takes milliseconds."""

_TABLES = """
CREATE TABLE frames (
    path BLOB PRIMARY KEY,  -- absolute, the bytes of the file system: not every name is UTF-8
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    statistics_version INTEGER NOT NULL,
    error_code TEXT,        -- of a bad file, which has no acquisition and no statistics
    error TEXT,
    acquisition TEXT,
    ny INTEGER,
    nx INTEGER,
    statistics BLOB
)
"""


@contextmanager
def library_errors(path: Path | None) -> Iterator[None]:
    """Translate what SQLite and the unpacking raise into one sentence.

    Parameters
    ----------
    path : Path or None
        The catalogue's file; None for one in memory.

    Yields
    ------
    None
        To the code that may fail.

    Raises
    ------
    LibraryError
        The file is foreign, damaged, locked for long, or cannot be written.
    """
    name = "the library in memory" if path is None else shown(path)
    try:
        yield
    except (PackingError, UnicodeDecodeError) as error:
        raise LibraryError(f"{name}: {_DAMAGED.format(error)}") from error
    except sqlite3.Error as error:
        raise LibraryError(f"{name}: {_sentence(error)}") from error


_DAMAGED = (
    "the library is damaged ({}); delete this file and add your frames again, they are untouched"
)


_FOREIGN = "is not a solodark library; expected a file that `solodark library add` made"


def _sentence(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return _FOREIGN
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another program has held the library for {PATIENCE_S:.0f} s; try again later"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return f"the library cannot be read or written ({error}); is the disk full or gone?"
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return f"the library cannot be opened for writing ({error}); put it in a folder of yours"
    return _DAMAGED.format(error)


def connect(path: Path | None, *, create: bool) -> sqlite3.Connection:
    """Open a catalogue, and make its tables where they are missing.

    Parameters
    ----------
    path : Path or None
        The file; None keeps the catalogue in memory.
    create : bool
        Whether a missing file is made.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode, with the write-ahead log on: readers never wait, and what a killed
        process leaves behind is undone by the next to open the file.

    Raises
    ------
    LibraryError
        There is no such file, or it is not a library that this version can use.
    """
    if path is not None:
        _require_place(path, create=create)
    with library_errors(path):
        connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=PATIENCE_S, isolation_level=None
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _require_place(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise LibraryError(
            f"{shown(path)}: is a folder, where the library's file was expected; "
            "give a file in it, such as library.sqlite"
        )
    if path.exists():
        _require_database(path)
        return
    if not create:
        raise LibraryError(
            f"{shown(path)}: there is no library here; make one with `solodark library add`"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"{shown(path)}: its folder cannot be made: {error.strerror or error}; "
            "put the library in a folder of yours"
        ) from error


def _require_database(path: Path) -> None:
    """Refuse any other file: SQLite takes one of a few bytes for an empty database."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise LibraryError(
            f"{shown(path)}: cannot be read: {error.strerror or error}; is it yours?"
        ) from error
    if head not in (b"", _MAGIC):
        raise LibraryError(f"{shown(path)}: {_FOREIGN}")


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    """Look before anything is written: a foreign file must stay as it is."""
    if not _is_ours(connection, path):
        _patiently(connection, "PRAGMA journal_mode = WAL")
        with transaction(connection):
            # Another process may have made the tables while this one waited.
            if not _is_ours(connection, path):
                connection.execute(_TABLES)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("PRAGMA synchronous = NORMAL")


def _is_ours(connection: sqlite3.Connection, path: Path | None) -> bool:
    """Tell a library from an empty file; refuse all else."""
    application = _patiently(connection, "PRAGMA application_id")
    version = _patiently(connection, "PRAGMA user_version")
    tables = _patiently(connection, "SELECT count(*) FROM sqlite_master")
    name = "the library" if path is None else shown(path)
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        raise LibraryError(
            f"{name}: was made by a newer solodark (library version {version}, this program knows "
            f"{SCHEMA_VERSION}); update solodark, or use another library"
        )
    if application != APPLICATION_ID and (application or version or tables):
        raise LibraryError(
            f"{name}: is a database of another program, not a solodark library; "
            "give another path, this file was not changed"
        )
    return bool(application == APPLICATION_ID)


def _patiently(connection: sqlite3.Connection, statement: str) -> int:
    """Run a statement, again while locked: the switch to the log ignores SQLite's own timeout."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            row = connection.execute(statement).fetchone()
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return row[0] if row else 0


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of a block or nothing.

    Parameters
    ----------
    connection : sqlite3.Connection
        In autocommit mode.

    Yields
    ------
    None
        To the code that writes; an error in it takes everything back.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
