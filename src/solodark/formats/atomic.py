"""Files that are either whole or not there, and the hash that names their content."""

import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from solodark.errors import FrameNotFoundError, OutputError, SolodarkError

__all__ = ["atomic_write", "file_sha256"]

_HASH_BYTES = 8 << 20


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside the target, and move it there when all went well.

    The temporary file exists, empty, when the block begins, so a missing folder or a write
    protection shows before any work is done. When the block ends it is flushed to the disk and
    renamed, which a file system does at once or not at all. Whatever ends the block otherwise, an
    error, a full disk or Ctrl-C, leaves the target as it was and removes the temporary file; a
    kill leaves a hidden file whose name ends in ``.partial`` and the target's suffix.

    Parameters
    ----------
    path : path-like
        Where the file shall be. A file that is there is replaced; a link is written through.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        The folder is missing, nothing may be written there, or the disk is full.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with atomic_write(folder / "list.txt") as temporary_path:
    ...     _ = temporary_path.write_text("one dark")
    >>> [file.name for file in folder.iterdir()]
    ['list.txt']
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"{target} is a folder; give the name of a file to write")
    temporary = target.with_name(f".{secrets.token_hex(6)}.partial{target.suffix}")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
        _flush_folder(target.parent)
    except SolodarkError:
        raise
    except OSError as error:
        raise OutputError(_cause(target, error)) from error
    finally:
        _remove(temporary)


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Hash a file's bytes.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    FrameNotFoundError
        There is no such file, or it cannot be read.
    """
    try:
        with Path(path).open("rb", buffering=0) as file:
            return _sha256(file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FrameNotFoundError(f"{path}: cannot be hashed: {reason}") from error


def _sha256(file: io.FileIO) -> str:
    """Hash in long runs: after each one a thread has to wait for its turn with Python again."""
    digest = hashlib.sha256()
    run = memoryview(bytearray(_HASH_BYTES))
    while n_read := file.readinto(run):
        digest.update(run[:n_read])
    return digest.hexdigest()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(temporary: Path) -> None:
    """Remove the temporary file if it is still there; its folder may be missing or protected."""
    if os.access(temporary.parent, os.W_OK):
        temporary.unlink(missing_ok=True)


def _cause(target: Path, error: OSError) -> str:
    if not target.parent.is_dir():
        return f"{target} cannot be written: the folder {target.parent} does not exist"
    reason = error.strerror or str(error) or type(error).__name__
    return f"{target} cannot be written: {reason}; choose another place or make room there"
