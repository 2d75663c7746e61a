"""Frames among the files and folders that a person gives."""

import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from solodark.errors import FrameNotFoundError, SolodarkWarning
from solodark.formats.foreign_errors import shown
from solodark.formats.readers import READERS, suffix_of

__all__ = ["find_frame_paths", "is_frame_path"]

PathLike = str | os.PathLike[str]


def is_frame_path(path: PathLike) -> bool:
    """Tell whether a file's name is that of a frame, without opening it.

    Parameters
    ----------
    path : path-like
        A file's name.

    Returns
    -------
    bool
        False for hidden files, for macOS' companions (``._dark.fits``) and unknown suffixes.

    Examples
    --------
    >>> is_frame_path("dark_1.FIT"), is_frame_path("._dark_1.FIT"), is_frame_path("notes.txt")
    (True, False, False)
    """
    return not Path(path).name.startswith(".") and suffix_of(path, READERS) is not None


def find_frame_paths(paths: PathLike | Iterable[PathLike]) -> list[Path]:
    """List the frames in files and folders, folders with all that is below them.

    A file named outright is taken whatever its name, so that reading it can say what is wrong.
    Links to folders are followed; one that leads back into itself is not followed twice.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders.

    Returns
    -------
    list of Path
        Sorted within each folder; no path twice.

    Raises
    ------
    FrameNotFoundError
        A path does not exist, or a folder holds no frame.

    Warns
    -----
    SolodarkWarning
        A folder may not be read, so its frames are left out.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: dict[Path, None] = {}
    for path in map(Path, given):
        if path.is_dir():
            frames = list(_walk(path, set()))
            if not frames:
                raise FrameNotFoundError(
                    f"{shown(path)}: holds no frame; expected FITS, XISF, TIFF or camera raw files"
                )
            found.update(dict.fromkeys(frames))
        elif path.exists():
            found[path] = None
        else:
            raise FrameNotFoundError(f"{shown(path)}: there is no such file or folder")
    return list(found)


def _walk(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Give the frames of a folder and of those below it, each folder once."""
    real = Path(os.path.realpath(folder))
    if real in seen:
        return
    seen.add(real)
    for entry in _entries(folder):
        if entry.is_dir():
            if not entry.name.startswith("."):
                yield from _walk(entry, seen)
        elif is_frame_path(entry) and entry.is_file():
            yield entry


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda entry: entry.name)
    except PermissionError:
        message = f"{shown(folder)}: may not be read; its frames are left out"
        warnings.warn(message, SolodarkWarning, stacklevel=2)
        return []
