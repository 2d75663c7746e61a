"""FITS: plain, scaled, tile-compressed, in an extension, gzipped; read by bands of rows."""

import gzip
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

import numpy as np

from solodark.errors import FrameFormatError, NotAMosaicError
from solodark.formats.fits_header import Hdu, read_hdus, require_int
from solodark.formats.foreign_errors import errors_naming, shown
from solodark.formats.hcompress import unpack_hcompress
from solodark.formats.header_reading import acquisition_from_header
from solodark.formats.header_values import Header, parse_number
from solodark.formats.open_frame import Scan
from solodark.formats.rows import (
    FileRows,
    FlippedRows,
    PixelRows,
    SpooledRows,
)
from solodark.formats.stored_pixels import (
    Pixels,
    StoredPixels,
    raw_bytes,
    require_bytes,
    require_credible,
)
from solodark.frames import Acquisition

__all__ = ["scan_fits"]

_DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_ASTROPY = threading.RLock()
"""Guards the silence around astropy: Python's warning filters belong to the whole process."""


@dataclass(frozen=True, slots=True)
class _Image:
    """Where a FITS image is and what its numbers mean."""

    hdu: Hdu
    hdu_number: int
    tiled: bool
    axes: tuple[int, ...]
    pixels: StoredPixels

    @property
    def shape(self) -> tuple[int, int]:
        return self.axes[1], self.axes[0]


def scan_fits(path: Path) -> Scan:
    """Read a FITS file's headers and find its image.

    Parameters
    ----------
    path : Path
        ``.fits``, ``.fit``, ``.fts``, any of them tile-compressed (``.fz``) or gzipped (``.gz``).

    Returns
    -------
    Scan
        The first image: in the primary HDU, or in an extension.

    Raises
    ------
    FrameFormatError
        The file is no FITS file, holds no image, or its header is damaged.
    TruncatedFileError
        It ends before its pixels do.
    NotAMosaicError
        It holds colour planes.
    """
    gzipped = path.suffix.lower() == ".gz"
    with errors_naming(path, "FITS"), _opened(path, gzipped=gzipped) as file:
        image, header = _find_image(file, path)
    if not gzipped:
        require_bytes(path.stat().st_size - image.hdu.data_start, image.hdu.data_bytes, path)
    require_credible(image.shape, image.pixels.dtype.itemsize, path)
    rows = _rows(image, path, gzipped=gzipped)
    acquisition = acquisition_from_header(header)
    if acquisition.row_order == "BOTTOM-UP":
        rows = FlippedRows(rows, image.shape[0])
    notes = acquisition.notes + tuple(_remarks(image, header, acquisition))
    return Scan(replace(acquisition, notes=notes), image.shape, rows)


def _opened(path: Path, *, gzipped: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if gzipped else path.open("rb")


def _find_image(file: IO[bytes], path: Path) -> tuple[_Image, Header]:
    """Find the first HDU with an image; its header, with what the primary one adds."""
    primary: Header = {}
    count = 0
    for number, hdu in enumerate(read_hdus(file, path)):
        count = number + 1
        primary = primary or hdu.header
        tiled = "ZIMAGE" in hdu.header and hdu.header["ZIMAGE"].value is True
        if tiled or (_is_image(hdu.header) and hdu.data_bytes > 0):
            return _image_of(hdu, number, path, tiled=tiled), {**primary, **hdu.header}
    raise FrameFormatError(
        f"{shown(path)}: holds no image: none of its {count} HDUs has pixels of two axes"
    )


def _is_image(header: Header) -> bool:
    kind = header["XTENSION"].value if "XTENSION" in header else "IMAGE"
    axes = header["NAXIS"].value
    return kind == "IMAGE" and isinstance(axes, int) and axes >= 1


def _image_of(hdu: Hdu, number: int, path: Path, *, tiled: bool) -> _Image:
    z = "Z" if tiled else ""
    axes = [
        require_int(hdu.header, f"{z}NAXIS{n}", path)
        for n in range(1, min(require_int(hdu.header, f"{z}NAXIS", path), 99) + 1)
    ]
    _require_one_plane(axes, path)
    bitpix = require_int(hdu.header, f"{z}BITPIX", path)
    if bitpix not in _DTYPES:
        raise FrameFormatError(f"{shown(path)}: {z}BITPIX = {bitpix} is no FITS pixel type")
    blank = hdu.header["BLANK"].value if "BLANK" in hdu.header else None
    pixels = StoredPixels(
        np.dtype(_DTYPES[bitpix]),
        _scaling(hdu.header, "BSCALE", 1.0, path),
        _scaling(hdu.header, "BZERO", 0.0, path),
        blank if isinstance(blank, int) and not isinstance(blank, bool) else None,
    )
    image = _Image(hdu, number, tiled, tuple(axes), pixels)
    if tiled:
        _require_tiles(image, path)
    return image


def _require_one_plane(axes: list[int], path: Path) -> None:
    size = " x ".join(str(axis) for axis in axes)
    long_axes = [axis for axis in axes[2:] if axis != 1]
    if len(axes) < 2 or min(axes) < 1:
        raise FrameFormatError(f"{shown(path)}: found an image of {size or 'no'} pixels")
    if long_axes == [3] or (axes[0] == 3 and long_axes):
        raise NotAMosaicError(
            f"{shown(path)}: holds three colour planes ({size}), where the sensor's own mosaic is "
            "needed; give the frame as the camera wrote it, before debayering"
        )
    if long_axes:
        raise FrameFormatError(
            f"{shown(path)}: holds a cube of {size} pixels, where one frame was expected; "
            "save its planes as single files"
        )


def _scaling(header: Header, keyword: str, default: float, path: Path) -> float:
    if keyword not in header:
        return default
    number = parse_number(header[keyword].value)
    if number is None or (keyword == "BSCALE" and number == 0):
        raise FrameFormatError(
            f"{shown(path)}: {keyword} = {header[keyword].value!r} does not scale pixels"
        )
    return number


def _require_tiles(image: _Image, path: Path) -> None:
    """Check the table of tiles before a decoder written in C is trusted with it."""
    header = image.hdu.header
    tiles = [
        require_int(header, f"ZTILE{n}", path) if f"ZTILE{n}" in header else default
        for n, default in enumerate((image.axes[0], *(1 for _ in image.axes[1:])), start=1)
    ]
    expected = math.prod(
        -(-axis // tile) if tile > 0 else 0 for axis, tile in zip(image.axes, tiles, strict=True)
    )
    rows = require_int(header, "NAXIS2", path)
    if rows != expected:
        raise FrameFormatError(
            f"{shown(path)}: its table holds {rows} compressed tiles where {expected} were expected"
        )


def _rows(image: _Image, path: Path, *, gzipped: bool) -> PixelRows:
    if not (image.tiled or gzipped):
        return FileRows(path, image.hdu.data_start, image.shape, image.pixels)
    if gzipped and not image.tiled:
        return SpooledRows(path, image.shape, lambda: _gunzip(image, path))
    if _packing(image) == "HCOMPRESS_1":
        number = image.hdu_number
        return SpooledRows(path, image.shape, lambda: unpack_hcompress(path, number, image.shape))
    return SpooledRows(path, image.shape, lambda: _unpack_tiles(image, path))


def _packing(image: _Image) -> str:
    card = image.hdu.header.get("ZCMPTYPE")
    return str(card.value).strip() if card else ""


def _gunzip(image: _Image, path: Path) -> Pixels:
    ny, nx = image.shape
    stored = np.empty((ny, nx), image.pixels.dtype)
    buffer = raw_bytes(stored)
    done = 0
    with errors_naming(path, "gzipped FITS"), gzip.open(path) as file:
        file.seek(image.hdu.data_start)
        with suppress(EOFError):  # the count below says what is missing
            while done < len(buffer) and (block := file.read(min(len(buffer) - done, 1 << 20))):
                buffer[done : done + len(block)] = block
                done += len(block)
    require_bytes(done, len(buffer), path)
    return image.pixels.decode(stored)


def _unpack_tiles(image: _Image, path: Path) -> Pixels:
    from astropy.io import fits

    with (
        errors_naming(path, "tile-compressed FITS"),
        _silent_astropy(),
        fits.open(path, memmap=False) as hdus,
    ):
        adu = np.asarray(hdus[image.hdu_number].data).reshape(image.shape)
    return StoredPixels(adu.dtype).decode(adu)


@contextmanager
def _silent_astropy() -> Iterator[None]:
    with _ASTROPY, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _remarks(image: _Image, header: Header, acquisition: Acquisition) -> Iterator[str]:
    unit = str(header["BUNIT"].value if "BUNIT" in header else "").strip().lower()
    if unit and not unit.startswith(("adu", "count", "dn")):
        yield f"BUNIT says {unit[:20]!r}, not adu; took the numbers as they are"
    if image.pixels.dtype.kind != "f" or unit:
        return
    program = acquisition.program or ""
    highest = parse_number(header["DATAMAX"].value) if "DATAMAX" in header else None
    if "Siril" in program or "PixInsight" in program or (highest is not None and highest <= 1):
        yield "its floating-point pixels are fractions of full scale (0 to 1), not ADU"
