"""Rows of pixels from files: straight from the disk, or unpacked once into a spool."""

import os
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, OutputError, TruncatedFileError
from solodark.formats.foreign_errors import errors_naming, shown

__all__ = [
    "FileRows",
    "FlippedRows",
    "PixelRows",
    "Pixels",
    "SpooledRows",
    "StoredPixels",
    "raw_bytes",
    "require_bytes",
    "require_credible",
]

Pixels = NDArray[np.uint16] | NDArray[np.float32]


TIGHTEST_PACKING = 2000
"""Deflate reaches 1032 to 1 on a constant; a file that claims more has a damaged header."""


class PixelRows(Protocol):
    """Where an open frame gets its rows from; safe to use from several threads."""

    def read(self, start: int, stop: int) -> Pixels:
        """Read rows start:stop.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last, within the frame.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            ADU, native byte order.
        """

    def close(self) -> None:
        """Give back what was held; reading again is allowed."""


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """How numbers stand for ADU in a file: ``ADU = zero + scale * stored``.

    Attributes
    ----------
    dtype : numpy dtype
        Of the stored numbers, with their byte order.
    scale, zero : float
        FITS' BSCALE and BZERO; 1 and 0 elsewhere.
    blank : int or None
        The stored number that stands for a pixel without value.
    """

    dtype: np.dtype[Any]
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None

    def decode(self, stored: NDArray[Any]) -> Pixels:
        """Turn stored numbers into ADU: uint16 where that holds every value, else float32.

        Parameters
        ----------
        stored : ndarray of `dtype`
            Numbers as they stand in the file.

        Returns
        -------
        ndarray of uint16 or float32, of the same shape
            ADU, native byte order, C-contiguous.
        """
        if self._offset_binary():
            signless = stored.view(f"{self.dtype.byteorder}u2").astype(np.uint16, order="C")
            signless ^= np.uint16(0x8000)  # adding 32768 to an int16 flips its sign bit
            return signless
        if self._small_unsigned():
            return stored.astype(np.uint16, order="C")
        return self._scaled(stored)

    def _offset_binary(self) -> bool:
        plain = self.dtype.kind == "i" and self.dtype.itemsize == 2 and self.blank is None
        return plain and self.scale == 1 and self.zero == 32768

    def _small_unsigned(self) -> bool:
        plain = self.dtype.kind == "u" and self.dtype.itemsize <= 2 and self.blank is None
        return plain and self.scale == 1 and self.zero == 0

    def _scaled(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        # A double beyond float32 becomes infinite, a NaN stays one: neither is worth a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            if self.scale == 1 and self.zero == 0:
                adu = stored.astype(np.float32, order="C")
            else:
                exact = stored.astype(np.float64, order="C")
                adu = (exact * self.scale + self.zero).astype(np.float32)
        if self.blank is not None and self.dtype.kind in "iu":
            adu[stored == self.blank] = np.nan
        return adu


@dataclass(frozen=True, slots=True)
class FileRows:
    """Uncompressed rows, read where they lie.

    The file is opened anew for each band: that takes microseconds, needs no lock between threads,
    and a thousand open frames hold not one file descriptor.
    """

    path: Path
    offset: int
    shape: tuple[int, int]
    pixels: StoredPixels

    def read(self, start: int, stop: int) -> Pixels:
        """Read rows start:stop.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last, within the frame.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            ADU, native byte order.
        """
        stored = np.empty((stop - start, self.shape[1]), self.pixels.dtype)
        with errors_naming(self.path, "rows of pixels"), self.path.open("rb", buffering=0) as file:
            file.seek(self.offset + start * self.shape[1] * self.pixels.dtype.itemsize)
            _fill(file.readinto, raw_bytes(stored), self.path)
        return self.pixels.decode(stored)

    def close(self) -> None:
        """Nothing is held."""


def require_bytes(there: int, declared: int, path: Path) -> None:
    """Refuse a file that ends before the pixels that it declares.

    Parameters
    ----------
    there, declared : int
        Bytes of pixels in the file, and in its header.
    path : Path
        The file, for the message.

    Raises
    ------
    TruncatedFileError
        Fewer are there than declared.
    """
    found = max(there, 0)
    if found < declared:
        raise TruncatedFileError(
            f"{shown(path)}: is cut short: {found} of {declared} bytes of pixels are there, "
            f"{declared - found} are missing; copy it again from the camera"
        )


def require_credible(shape: tuple[int, int], itemsize: int, path: Path) -> None:
    """Refuse a header that declares more pixels than its file can hold, before memory is asked.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) as declared.
    itemsize : int
        Bytes of a pixel.
    path : Path
        The file.

    Raises
    ------
    FrameFormatError
        No compression could pack as many pixels into it.
    """
    ny, nx = shape
    size = path.stat().st_size
    if ny * nx * itemsize > TIGHTEST_PACKING * size:
        raise FrameFormatError(
            f"{shown(path)}: declares {nx} x {ny} pixels, which its {size} bytes cannot hold; "
            "its header is damaged"
        )


def raw_bytes(array: NDArray[Any]) -> memoryview:
    """Give a view of a contiguous array's bytes.

    Parameters
    ----------
    array : ndarray
        C-contiguous.

    Returns
    -------
    memoryview
        Its bytes, writable if the array is.
    """
    return array.reshape(-1).view(np.uint8).data


def _fill(read_into: Callable[[memoryview], int | None], buffer: memoryview, path: Path) -> None:
    done = 0
    while done < len(buffer):
        count = read_into(buffer[done:])
        if not count:
            raise TruncatedFileError(
                f"{shown(path)}: ended {len(buffer) - done} bytes early while its rows were read; "
                "it was changed or cut in the meantime"
            )
        done += count


@dataclass(frozen=True, slots=True)
class FlippedRows:
    """Rows of a file that stores the bottom row first, handed out from the top."""

    rows: PixelRows
    ny: int

    def read(self, start: int, stop: int) -> Pixels:
        """Read rows start:stop, counted from the top of the sensor.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last, within the frame.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            ADU, native byte order.
        """
        return self.rows.read(self.ny - stop, self.ny - start)[::-1].copy()

    def close(self) -> None:
        """Give back what was held."""
        self.rows.close()


class SpooledRows:
    """Rows of a file that must be decoded whole: unpacked once to a temporary file.

    Nothing is decoded before the first row is asked for. The spool lies in the system's folder for
    temporary files (TMPDIR) and is removed on close, at the latest when Python ends.

    Parameters
    ----------
    path : Path
        The file, for messages.
    shape : tuple of int
        (ny, nx).
    decode : callable
        Gives all pixels.
    """

    def __init__(self, path: Path, shape: tuple[int, int], decode: Callable[[], Pixels]) -> None:
        self._path = path
        self._shape = shape
        self._decode = decode
        self._lock = threading.Lock()
        self._spool: FileRows | None = None
        self._remove: Callable[[], object] = lambda: None

    def read(self, start: int, stop: int) -> Pixels:
        """Read rows start:stop, decoding the file if no row was read before.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last, within the frame.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            ADU, native byte order.
        """
        with self._lock:
            if self._spool is None:
                self._spool = self._unpack()
            spool = self._spool
        return spool.read(start, stop)

    def close(self) -> None:
        """Remove the spool."""
        with self._lock:
            self._remove()
            self._spool = None

    def _unpack(self) -> FileRows:
        pixels = np.ascontiguousarray(self._decode())
        try:
            descriptor, name = tempfile.mkstemp(prefix="solodark-", suffix=".pixels")
            self._remove = weakref.finalize(self, Path(name).unlink, missing_ok=True)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw_bytes(pixels))
        except OSError as error:
            self._remove()
            raise OutputError(
                f"{shown(self._path)}: cannot be unpacked into {tempfile.gettempdir()}: "
                f"{error.strerror}; make room there, or name another folder in TMPDIR"
            ) from error
        return FileRows(Path(name), 0, self._shape, StoredPixels(pixels.dtype))
