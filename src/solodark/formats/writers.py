"""The writers: a file's name says its format, and the format's writer writes the frame."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from solodark.errors import SettingError, UnknownFormatError
from solodark.formats.fits_cards import Card, acquisition_cards
from solodark.formats.fits_writer import fits_header, write_hdus
from solodark.formats.foreign_errors import shown
from solodark.formats.integer_pixels import filled, to_uint16
from solodark.formats.readers import suffix_of
from solodark.formats.tiff import write_tiff
from solodark.formats.xisf import write_xisf
from solodark.frames import Frame

__all__ = ["WRITERS", "write_frame"]

PixelType = Literal["float32", "uint16"]
Writer = Callable[[Path, NDArray[Any], list[Card]], None]


def _write_fits(path: Path, pixels: NDArray[Any], cards: list[Card]) -> None:
    unit = Card("BUNIT", "adu", "unit of the pixels")
    write_hdus(path, [("", pixels, fits_header([*cards, unit]))])


def _write_xisf(path: Path, pixels: NDArray[Any], cards: list[Card]) -> None:
    write_xisf(path, pixels, cards, bounds="0:65535")


WRITERS: dict[str, Writer] = {
    **dict.fromkeys((".fits", ".fit", ".fts"), _write_fits),
    ".xisf": _write_xisf,
    ".tif": write_tiff,
    ".tiff": write_tiff,
}
"""Suffix, in lower case, to what writes such files."""


def write_frame(
    path: str | os.PathLike[str], frame: Frame, *, pixel_type: PixelType = "float32"
) -> None:
    """Write a frame in the format that the file's name asks for, whole or not at all.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    frame : Frame
        ADU, row 0 at the top of the sensor.
    pixel_type : {"float32", "uint16"}, optional
        How pixels are stored. 16-bit whole numbers are rounded, never wrapped.

    Raises
    ------
    UnknownFormatError
        No writer knows the suffix.
    OutputError
        The file cannot be written; nothing is left behind.
    SettingError
        The pixel type is unknown.

    Warns
    -----
    SolodarkWarning
        Values did not fit into 16 bits and were clipped; the message counts them.

    Examples
    --------
    >>> import numpy as np
    >>> path = getfixture("tmp_path") / "dark.fits"
    >>> write_frame(path, Frame(np.full((4, 6), 1000.25)), pixel_type="uint16")
    >>> from solodark.formats import read_frame
    >>> float(read_frame(path).data.max())
    1000.0
    """
    file = Path(path)
    suffix = suffix_of(file, WRITERS)
    if suffix is None:
        raise UnknownFormatError(
            f"{shown(file)}: no writer knows files named {shown(file.suffix) or 'like this'!r}; "
            f"expected one of {', '.join(WRITERS)}"
        )
    WRITERS[suffix](file, _stored(frame, pixel_type, file), acquisition_cards(frame.acquisition))


def _stored(frame: Frame, pixel_type: str, path: Path) -> NDArray[Any]:
    if pixel_type == "float32":
        return frame.data
    if pixel_type == "uint16":
        return to_uint16(filled(frame.data, frame.acquisition.cfa_pattern, path), path)
    raise SettingError(f"the pixel type {pixel_type!r} is not known; expected float32 or uint16")
