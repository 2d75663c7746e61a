"""Pixels as they stand in a file, and what a file of their size must hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, TruncatedFileError
from solodark.formats.foreign_errors import shown

__all__ = ["Pixels", "StoredPixels", "raw_bytes", "require_bytes", "require_credible"]

Pixels = NDArray[np.uint16] | NDArray[np.float32]

TIGHTEST_PACKING = 2000
"""Deflate reaches 1032 to 1 on a constant; a file that claims more has a damaged header."""


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
            ADU, native byte order, C-contiguous, never sharing memory with `stored`.
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
