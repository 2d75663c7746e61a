"""The readers: a file's name says its format, and the format's reader gives the frame."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from solodark.errors import UnknownFormatError
from solodark.formats.camera_raw import CAMERA_RAW_SUFFIXES, scan_camera_raw
from solodark.formats.fits import scan_fits
from solodark.formats.foreign_errors import require_file, shown
from solodark.formats.frame_kind import kind_from_path, kind_from_pixels
from solodark.formats.open_frame import OpenFrame, Scan
from solodark.formats.tiff import scan_tiff
from solodark.formats.xisf import scan_xisf
from solodark.frames import Acquisition, Frame

__all__ = ["READERS", "open_frame", "read_acquisition", "read_frame", "suffix_of"]

PathLike = str | os.PathLike[str]
Reader = Callable[[Path], Scan]

FITS_SUFFIXES = [
    *(f".{name}{packed}" for name in ("fits", "fit", "fts") for packed in ("", ".fz", ".gz")),
    ".fz",
]

READERS: dict[str, Reader] = {
    **dict.fromkeys(FITS_SUFFIXES, scan_fits),
    ".xisf": scan_xisf,
    ".tif": scan_tiff,
    ".tiff": scan_tiff,
    **dict.fromkeys(CAMERA_RAW_SUFFIXES, scan_camera_raw),
}
"""Suffix, in lower case, to what reads such files; the longest suffix that fits counts."""


def suffix_of(path: PathLike, suffixes: Iterable[str]) -> str | None:
    """Find the longest of the suffixes that a file's name ends in, whatever its case.

    Parameters
    ----------
    path : path-like
        A file's name.
    suffixes : iterable of str
        As the keys of `READERS` are: lower case, with the dot.

    Returns
    -------
    str or None
        The suffix; None where none fits.

    Examples
    --------
    >>> suffix_of("Dark_001.FITS.FZ", READERS)
    '.fits.fz'
    """
    name = Path(path).name.lower()
    fitting = [suffix for suffix in suffixes if name.endswith(suffix) and name != suffix]
    return max(fitting, key=len, default=None)


def read_acquisition(path: PathLike, *, look_at_pixels: bool = True) -> Acquisition:
    """Read how a frame was taken: its header, without decoding pixels.

    Parameters
    ----------
    path : path-like
        The frame's file.
    look_at_pixels : bool, optional
        Whether a few rows may be read to tell light, dark, bias and flat apart where header, folder
        and name do not say. Camera raws are decoded for that.

    Returns
    -------
    Acquisition
        What is known; `kind_source` and `notes` say how.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    FrameFormatError
        The file is no frame, or damaged, or its format unknown.
    """
    with _scanned(path) as frame:
        return kind_from_pixels(frame) if look_at_pixels else frame.acquisition


def open_frame(path: PathLike) -> OpenFrame:
    """Open a frame of any known format, to read it by bands of rows.

    Parameters
    ----------
    path : path-like
        The frame's file.

    Returns
    -------
    OpenFrame
        A `frames.FrameSource`, and a context manager that gives back what it holds.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    FrameFormatError
        The file is no frame, or damaged, or its format unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from solodark.formats import write_frame
    >>> path = getfixture("tmp_path") / "dark_1.fits"
    >>> write_frame(path, Frame(np.full((4, 6), 1000.0), Acquisition(exposure_s=60.0)))
    >>> with open_frame(path) as dark:
    ...     dark.shape, dark.read_rows(0, 2).shape, dark.acquisition.kind_source
    ((4, 6), (2, 6), 'file name')
    """
    frame = _scanned(path)
    frame.acquisition = kind_from_pixels(frame)
    return frame


def read_frame(path: PathLike) -> Frame:
    """Read a frame whole into memory.

    Parameters
    ----------
    path : path-like
        The frame's file.

    Returns
    -------
    Frame
        Pixels in ADU as float32, row 0 at the top of the sensor.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    FrameFormatError
        The file is no frame, or damaged, or its format unknown.
    """
    with open_frame(path) as source:
        return Frame.from_source(source)


def _scanned(path: PathLike) -> OpenFrame:
    """Open a frame, its kind taken from header, folder or name."""
    file = Path(path)
    suffix = suffix_of(file, READERS)
    if suffix is None:
        raise UnknownFormatError(
            f"{shown(file)}: no reader knows files named {shown(file.suffix) or 'like this'!r}; "
            "give FITS, XISF, TIFF or a camera's raw files"
        )
    scan = READERS[suffix](require_file(file))
    acquisition = kind_from_path(scan.acquisition, file)
    return OpenFrame(file, replace(scan, acquisition=acquisition))
