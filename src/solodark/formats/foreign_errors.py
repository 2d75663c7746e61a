"""Foreign exceptions become one sentence that names the file."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from solodark.errors import FrameFormatError, FrameNotFoundError, SolodarkError

__all__ = ["errors_naming", "one_line", "require_file", "shown"]


def shown(path: str | os.PathLike[str]) -> str:
    """Write a path as a message can carry it: on one line, whatever bytes its name holds.

    Parameters
    ----------
    path : path-like
        A path.

    Returns
    -------
    str
        Printable; line breaks and bytes outside the encoding are escaped.
    """
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(error: BaseException) -> str:
    """Give a foreign error's own words, on one line and not too many of them.

    Parameters
    ----------
    error : Exception
        Any error.

    Returns
    -------
    str
        Its message, or its type where it has none.
    """
    words = re.sub(r"\s+", " ", f"{error}").strip(" .'\"")
    printable = "".join(c if c.isprintable() else "?" for c in words)
    return printable[:160] or type(error).__name__


@contextmanager
def errors_naming(path: Path, expected: str) -> Iterator[None]:
    """Translate whatever a decoder throws at a damaged file.

    Decoders answer random bytes with exceptions of every kind (struct.error, KeyError, zlib.error,
    MemoryError, RecursionError...), so all of them are translated here, with the cause kept.

    Parameters
    ----------
    path : Path
        The file that is being decoded.
    expected : str
        What it was expected to be, "FITS".

    Raises
    ------
    FrameNotFoundError
        The file is gone.
    FrameFormatError
        Anything else went wrong.
    """
    try:
        yield
    except (SolodarkError, NameError, ImportError):
        raise  # already a sentence, or a fault of this program and not of the file
    except FileNotFoundError as error:
        raise FrameNotFoundError(f"{shown(path)}: there is no such file any more") from error
    except MemoryError as error:
        raise FrameFormatError(
            f"{shown(path)}: cannot be read as {expected}: it asks for more memory than there is; "
            "its header is damaged, or the frame too large for this computer"
        ) from error
    except Exception as error:
        raise FrameFormatError(
            f"{shown(path)}: cannot be read as {expected}: {one_line(error)}; "
            "the file is damaged or of another kind"
        ) from error


def require_file(path: str | os.PathLike[str]) -> Path:
    """Give the path as a Path, if a regular file with something in it can be read there.

    Parameters
    ----------
    path : path-like
        Where a frame should be.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    FrameNotFoundError
        There is no such file, it is a folder, or it may not be read.
    FrameFormatError
        It is empty, or a pipe or device.
    """
    file = Path(path)
    if file.is_dir():
        raise FrameNotFoundError(
            f"{shown(file)}: is a folder, where one frame's file was expected; "
            "give the files in it, or a command that takes folders"
        )
    if not file.exists():
        raise FrameNotFoundError(f"{shown(file)}: there is no such file")
    if not file.is_file():
        raise FrameFormatError(f"{shown(file)}: is not an ordinary file, so it cannot be a frame")
    if not os.access(file, os.R_OK):
        raise FrameNotFoundError(f"{shown(file)}: may not be read; check the file's permissions")
    if file.stat().st_size == 0:
        raise FrameFormatError(f"{shown(file)}: is empty (0 bytes); copy it again from the camera")
    return file
