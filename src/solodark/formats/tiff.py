"""TIFF: one plane of 16-bit or floating-point pixels, with the header that Astro-TIFF carries."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, NotAMosaicError
from solodark.formats.atomic import atomic_write
from solodark.formats.fits_cards import Card, plain_ascii
from solodark.formats.fits_header import parse_cards
from solodark.formats.foreign_errors import errors_naming, shown
from solodark.formats.header_reading import acquisition_from_header
from solodark.formats.header_values import Header, HeaderCard
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
    require_bytes,
    require_credible,
)

if TYPE_CHECKING:
    import tifffile

__all__ = ["scan_tiff", "write_tiff"]

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it prints what it repairs

_TAGS = {
    271: "Exif.Image.Make",
    272: "Exif.Image.Model",
    305: "Exif.Image.Software",
    306: "Exif.Image.DateTime",
    33434: "Exif.Photo.ExposureTime",
    34855: "Exif.Photo.ISOSpeedRatings",
    50000: "DSS:NRFRAMES",
    50002: "DSS:ISO",
    50008: "DSS:TOTALEXPOSURE",
    50009: "DSS:CFATYPE",
    50011: "DSS:GAIN",
}
"""TIFF and EXIF tags, and DeepSkyStacker's own, by the names of the table of dialects."""

_DSS_CFA_NUMBERS = {"BGGR": 1, "GRBG": 2, "GBRG": 3, "RGGB": 4}
_LONG, _FLOAT = 4, 11
_TURNED = {"TOP-DOWN": "BOTTOM-UP", "BOTTOM-UP": "TOP-DOWN"}
_ONE_PLANE = {0, 1, 32803}
"""Photometric interpretations of a single plane: white or black is zero, colour filter array."""


def scan_tiff(path: Path) -> Scan:
    """Read a TIFF's tags.

    The header in its description is read where there is one (Astro-TIFF 1.0), and DeepSkyStacker's
    private tags; other descriptions are ignored.

    Parameters
    ----------
    path : Path
        ``.tif`` or ``.tiff``, with whole or floating-point numbers, compressed or not.

    Returns
    -------
    Scan
        Its first image.

    Raises
    ------
    FrameFormatError
        The file is no TIFF, is damaged, or holds several frames.
    TruncatedFileError
        It ends before its pixels do.
    NotAMosaicError
        It holds colours.
    """
    import tifffile

    with errors_naming(path, "TIFF"), tifffile.TiffFile(path) as file:
        page = _only_page(file, path)
        shape = _shape(page, path)
        _require_whole(page, shape, path)
        acquisition = acquisition_from_header(_header(page))
        rows = _rows(page, shape, path)
    # Astro-TIFF turns a FITS image upside down, so that both look the same on a screen: the first
    # row in the TIFF is the last in the FITS file that the header speaks of.
    order = _TURNED.get(acquisition.row_order or "")
    if order == "BOTTOM-UP":
        rows = FlippedRows(rows, shape[0])
    return Scan(replace(acquisition, row_order=order), shape, rows)


def _only_page(file: "tifffile.TiffFile", path: Path) -> "tifffile.TiffPage":
    page = file.pages.first
    if file.pages.is_multipage and file.pages[1].shape == page.shape:
        raise FrameFormatError(
            f"{shown(path)}: holds several images, where one frame was expected; save them singly"
        )
    return page


def _shape(page: "tifffile.TiffPage", path: Path) -> tuple[int, int]:
    if page.samplesperpixel != 1 or int(page.photometric) not in _ONE_PLANE:
        raise NotAMosaicError(
            f"{shown(path)}: holds colours, where the sensor's own mosaic is needed; "
            "give the frame as the camera wrote it, before debayering"
        )
    if page.dtype is None or page.dtype.kind not in "uif" or len(page.shape) != 2:
        raise FrameFormatError(
            f"{shown(path)}: holds pixels of shape {page.shape} and type {page.dtype}, where one "
            "plane of whole or floating-point numbers was expected"
        )
    if int(page.photometric) == 0:
        raise FrameFormatError(
            f"{shown(path)}: is a negative (its zero is white); save it with black as zero"
        )
    if min(page.shape) < 1:
        raise FrameFormatError(f"{shown(path)}: holds no pixels")
    return page.shape[0], page.shape[1]


def _require_whole(page: "tifffile.TiffPage", shape: tuple[int, int], path: Path) -> None:
    ends = [o + c for o, c in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends:
        raise FrameFormatError(f"{shown(path)}: its tags do not say where its pixels are")
    itemsize = np.dtype(page.dtype).itemsize
    require_bytes(path.stat().st_size, max(ends), path)
    require_credible(shape, itemsize, path)
    if page.is_contiguous:
        declared = shape[0] * shape[1] * itemsize
        require_bytes(path.stat().st_size - page.dataoffsets[0], declared, path)


def _rows(page: "tifffile.TiffPage", shape: tuple[int, int], path: Path) -> PixelRows:
    stored = StoredPixels(np.dtype(page.dtype).newbyteorder(page.parent.byteorder))
    if page.is_contiguous and page.fillorder == 1:
        return FileRows(path, page.dataoffsets[0], shape, stored)
    return SpooledRows(path, shape, lambda: _unpacked(path, shape))


def _unpacked(path: Path, shape: tuple[int, int]) -> Pixels:
    import tifffile

    with errors_naming(path, "compressed TIFF"), tifffile.TiffFile(path) as file:
        pixels = file.pages.first.asarray(maxworkers=1).reshape(shape)
        return StoredPixels(pixels.dtype).decode(pixels)


def _header(page: "tifffile.TiffPage") -> Header:
    header: Header = {}
    if str(page.description).startswith("SIMPLE"):
        lines = str(page.description).splitlines()
        header = parse_cards([line.ljust(80) for line in lines if line.rstrip() != "END"])
    header.update(_tag_cards(page))
    return header


def _tag_cards(page: "tifffile.TiffPage") -> Iterator[tuple[str, HeaderCard]]:
    exif = page.tags.valueof("ExifTag")
    exif = exif if isinstance(exif, dict) else {}
    for code, name in _TAGS.items():
        value = page.tags.valueof(code, exif.get(name.rpartition(".")[2]))
        if isinstance(value, tuple) and len(value) == 2:
            yield name, HeaderCard(f"{value[0]}/{value[1]}")
        elif isinstance(value, str | int | float):
            yield name, HeaderCard(value)


def write_tiff(path: Path, pixels: NDArray[Any], cards: list[Card]) -> None:
    """Write pixels as TIFF with an Astro-TIFF header, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    pixels : ndarray of uint16 or float32, shape (ny, nx) or (ny, nx, 3)
        Grey, or red, green and blue; row 0 at the top of the sensor.
    cards : list of Card
        FITS keywords, for the description; ISO, exposure and colour filters also go into
        DeepSkyStacker's tags.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    import tifffile

    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary,
            np.ascontiguousarray(pixels),
            byteorder="<",
            photometric="minisblack" if pixels.ndim == 2 else "rgb",
            metadata=None,
            software=False,
            description=_description(pixels, cards),
            extratags=list(_dss_tags(cards)),
        )


def _description(pixels: NDArray[Any], cards: list[Card]) -> str:
    from astropy.io import fits

    ny, nx = pixels.shape[:2]
    bitpix = 16 if pixels.dtype.kind == "u" else -32
    shape = {"SIMPLE": True, "BITPIX": bitpix, "NAXIS": 2, "NAXIS1": nx, "NAXIS2": ny}
    header = fits.Header()
    for keyword, value in shape.items():
        header[keyword] = value
    for card in cards:
        value = plain_ascii(card.value) if isinstance(card.value, str) else card.value
        # The description speaks of the FITS file, whose first row is the TIFF's last.
        header[card.keyword] = ("BOTTOM-UP" if card.keyword == "ROWORDER" else value, card.comment)
    return str(header.tostring(sep="\n", endcard=True, padding=False))


def _dss_tags(cards: list[Card]) -> Iterator[tuple[int, int, int, Any, bool]]:
    values = {card.keyword: card.value for card in cards}
    if "ISOSPEED" in values:
        yield 50002, _LONG, 1, values["ISOSPEED"], True
    if "EXPTIME" in values:
        yield 50008, _FLOAT, 1, values["EXPTIME"], True
    if "BAYERPAT" in values:
        yield 50006, _LONG, 1, 1, True
        yield 50009, _LONG, 1, _DSS_CFA_NUMBERS[str(values["BAYERPAT"])], True
