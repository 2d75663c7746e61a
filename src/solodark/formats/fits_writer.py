"""FITS files written: single frames, and the HDUs of masters."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from solodark.formats.atomic import atomic_write
from solodark.formats.fits_cards import Card, plain_ascii

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["Plane", "fits_header", "write_hdus"]

_BAND_ROWS = 16
_BLOCK_BYTES = 2880

Plane = tuple[str, NDArray[Any], "fits.Header"]
"""Name, pixels and header of one HDU."""


def fits_header(
    cards: Iterable[Card], *, history: Sequence[str] = (), comments: Sequence[str] = ()
) -> "fits.Header":
    """Build a FITS header from cards, history and comments.

    Parameters
    ----------
    cards : iterable of Card
        Keywords, later ones replacing earlier ones.
    history, comments : sequence of str
        Lines of HISTORY and COMMENT; long ones are broken.

    Returns
    -------
    astropy.io.fits.Header
        The header.
    """
    from astropy.io import fits

    header = fits.Header()
    for card in cards:
        value = plain_ascii(card.value) if isinstance(card.value, str) else card.value
        header[card.keyword] = (value, card.comment)
    for line in comments:
        header.add_comment(plain_ascii(line))
    for line in history:
        header.add_history(plain_ascii(line))
    return header


def write_hdus(path: Path, planes: Sequence[Plane]) -> None:
    """Write images to a FITS file, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    planes : sequence of (str, ndarray, Header)
        Name, pixels and header of each HDU; the first is the primary one.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from astropy.io import fits

    hdus = [
        fits.ImageHDU(pixels, header, name) if number else fits.PrimaryHDU(pixels, header)
        for number, (name, pixels, header) in enumerate(planes)
    ]
    headers = [hdu.header.tostring().encode("ascii") for hdu in hdus]
    images = [pixels for _, pixels, _ in planes]
    sizes = [len(h) + _padded(i.nbytes) for h, i in zip(headers, images, strict=True)]
    *starts, end = accumulate(sizes, initial=0)
    with atomic_write(path) as temporary, ThreadPoolExecutor() as threads:
        os.truncate(temporary, end)
        list(threads.map(partial(_write_hdu, temporary), starts, headers, images))


def _padded(n_bytes: int) -> int:
    """Give the length in whole blocks."""
    return n_bytes + -n_bytes % _BLOCK_BYTES


def _write_hdu(path: Path, start: int, header: bytes, pixels: NDArray[Any]) -> None:
    """Write header and big-endian pixels to their place in a file that is all zeros.

    Turning the bytes of a whole plane at once takes fresh memory, and five times longer; so does
    writing the zeros that masks and flags are made of.
    """
    lines = pixels.reshape(-1, pixels.shape[-1])  # those of a cube's planes, one after the other
    with path.open("rb+") as file:
        file.seek(start)
        file.write(header)
        for row in range(0, lines.shape[0], _BAND_ROWS):
            band = lines[row : row + _BAND_ROWS]
            if band.dtype == np.uint16:  # FITS knows signed ones only; astropy's header has BZERO
                band = (band ^ np.uint16(0x8000)).view(np.int16)
            if band.any():
                file.write(band.astype(band.dtype.newbyteorder(">"), order="C").data)
            else:
                file.seek(band.nbytes, os.SEEK_CUR)
