"""Planes beside the image of a FITS file: uncertainty and flags, by the names of their HDUs."""

import os
from typing import Self

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError
from solodark.formats.fits_header import Hdu, read_hdus
from solodark.formats.fits_planes import FITS_SUFFIXES
from solodark.formats.foreign_errors import errors_naming, shown
from solodark.formats.open_frame import OpenFrame
from solodark.formats.readers import open_frame, suffix_of
from solodark.formats.rows import FileRows, FlippedRows, PixelRows
from solodark.formats.stored_pixels import Pixels, StoredPixels, require_bytes
from solodark.frames import Frame, Master

__all__ = ["OpenLight", "find_plane", "open_light", "read_master"]

_DTYPES = {8: "u1", -32: ">f4"}
_LARGEST_FRACTION = 1.0


def find_plane(frame: OpenFrame, name: str) -> PixelRows | None:
    """Find the rows of a plane that solodark wrote beside a frame.

    Parameters
    ----------
    frame : OpenFrame
        The frame.
    name : str
        Name of the HDU: "UNCERT", "FLAGS".

    Returns
    -------
    PixelRows or None
        Row 0 at the top of the sensor; None where the file has no such plane of the frame's size.

    Raises
    ------
    FrameFormatError
        The file is damaged.
    """
    if suffix_of(frame.path, FITS_SUFFIXES) is None:
        return None
    with errors_naming(frame.path, "FITS"), frame.path.open("rb") as file:
        hdus = [hdu for hdu in read_hdus(file, frame.path) if _is_plane(hdu, name, frame.shape)]
    if not hdus:
        return None
    hdu = hdus[0]
    require_bytes(frame.path.stat().st_size - hdu.data_start, hdu.data_bytes, frame.path)
    stored = StoredPixels(np.dtype(_DTYPES[int(str(hdu.header["BITPIX"].value))]))
    rows: PixelRows = FileRows(frame.path, hdu.data_start, frame.shape, stored)
    bottom_up = frame.acquisition.row_order == "BOTTOM-UP"
    return FlippedRows(rows, frame.shape[0]) if bottom_up else rows


def _is_plane(hdu: Hdu, name: str, shape: tuple[int, int]) -> bool:
    def told(keyword: str) -> object:
        return hdu.header[keyword].value if keyword in hdu.header else None

    named = str(told("EXTNAME")).strip() == name
    return named and (told("NAXIS2"), told("NAXIS1")) == shape and told("BITPIX") in _DTYPES


class OpenLight:
    """A light's file, open for reading, with its flags; a `frames.FrameSource`.

    Parameters
    ----------
    frame : OpenFrame
        Its pixels.
    """

    def __init__(self, frame: OpenFrame) -> None:
        self._frame = frame
        self._flags = find_plane(frame, "FLAGS")
        self.name, self.acquisition, self.shape = frame.name, frame.acquisition, frame.shape

    def read_rows(self, start: int, stop: int) -> Pixels:
        """Read rows ``start:stop`` in ADU.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            As `OpenFrame.read_rows`.
        """
        return self._frame.read_rows(start, stop)

    def read_flags(self, start: int, stop: int) -> NDArray[np.uint8] | None:
        """Read the flags of rows ``start:stop``.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of uint8, shape (stop - start, nx), or None
            Bits of `PixelFlags`; None where the file has none.
        """
        return None if self._flags is None else self._flags.read(start, stop).astype(np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._frame.close()


def open_light(path: str | os.PathLike[str]) -> OpenLight:
    """Open a light, with its flags where it was calibrated by solodark.

    Parameters
    ----------
    path : path-like
        The light's file, of any known format.

    Returns
    -------
    OpenLight
        A `frames.FrameSource`, and a context manager.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    FrameFormatError
        The file is no frame, or damaged, or its format unknown.
    """
    return OpenLight(open_frame(path))


def read_master(path: str | os.PathLike[str], *, holds_adu: bool = True) -> Master:
    """Read a master, with uncertainty and flags where solodark wrote it.

    Parameters
    ----------
    path : path-like
        The master's file, solodark's own or another program's.
    holds_adu : bool
        Whether its pixels must be ADU; a flat's may be in any unit.

    Returns
    -------
    Master
        Where the file has none, the uncertainty is 0 and no pixel is flagged.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    FrameFormatError
        The file is no frame, or damaged, or holds fractions of full scale where ADU are needed.
    """
    with open_frame(path) as frame:
        whole = Frame.from_source(frame)
        uncertainty, flags = (
            None if (rows := find_plane(frame, name)) is None else rows.read(0, frame.shape[0])
            for name in ("UNCERT", "FLAGS")
        )
    highest = float(np.fmax.reduce(whole.data, axis=None))
    if holds_adu and not highest > _LARGEST_FRACTION:
        raise FrameFormatError(
            f"{shown(path)}: its pixels reach {highest:.3g}, so they are fractions of full scale; "
            "expected ADU. Multiply them by 65535, or combine the frames with solodark"
        )
    return Master(
        data=whole.data,
        uncertainty=np.zeros(whole.shape, np.float32)
        if uncertainty is None
        else uncertainty.astype(np.float32, copy=False),
        flags=np.zeros(whole.shape, np.uint8) if flags is None else flags.astype(np.uint8),
        acquisition=whole.acquisition,
        origin="combined",
    )
