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

from solodark.errors import OutputError, TruncatedFileError
from solodark.formats.foreign_errors import errors_naming, shown
from solodark.formats.stored_pixels import Pixels, StoredPixels, raw_bytes

__all__ = ["FileRows", "FlippedRows", "PixelRows", "SpooledRows"]


LARGEST_SCRATCH = 16 << 20
_buffers = threading.local()


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
        stored = _scratch((stop - start, self.shape[1]), self.pixels.dtype)
        with errors_naming(self.path, "rows of pixels"), self.path.open("rb", buffering=0) as file:
            file.seek(self.offset + start * self.shape[1] * self.pixels.dtype.itemsize)
            _fill(file.readinto, raw_bytes(stored), self.path)
        return self.pixels.decode(stored)

    def close(self) -> None:
        """Nothing is held."""


def _scratch(shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Lend this thread's buffer for bytes on their way to becoming pixels.

    A fresh one for each band costs five times more than decoding, in page faults.
    """
    size = shape[0] * shape[1] * dtype.itemsize
    if size > LARGEST_SCRATCH:
        return np.empty(shape, dtype)
    if getattr(_buffers, "bytes", np.empty(0)).size < size:
        _buffers.bytes = np.empty(size, np.uint8)
    lent: NDArray[Any] = _buffers.bytes[:size].view(dtype).reshape(shape)
    return lent


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
    """Rows of a packed file: unpacked once, whole, to a temporary file.

    To unpack it by bands takes many times as long, and to hold many frames in memory is out of the
    question. Nothing is decoded before the first row is asked for. The spool lies in the system's
    folder for temporary files (TMPDIR) and is removed on close, at the latest when Python ends.

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
