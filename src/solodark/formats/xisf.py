"""XISF, PixInsight's format: monolithic files with one plane of pixels."""

import io
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, NotAMosaicError
from solodark.formats.atomic import atomic_write
from solodark.formats.fits_cards import Card
from solodark.formats.foreign_errors import errors_naming, shown
from solodark.formats.header_reading import acquisition_from_header
from solodark.formats.header_values import Header, HeaderCard
from solodark.formats.open_frame import Scan
from solodark.formats.rows import (
    FileRows,
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
from solodark.version import __version__

if TYPE_CHECKING:
    import xisf

__all__ = ["scan_xisf", "write_xisf"]

_NAMESPACE = "{http://www.pixinsight.com/xisf}"
_SAMPLE_FORMATS = {"uint16": "UInt16", "float32": "Float32"}
_ALIGNMENT = 4096


def scan_xisf(path: Path) -> Scan:
    """Read an XISF file's header.

    Parameters
    ----------
    path : Path
        ``.xisf``, monolithic, compressed or not.

    Returns
    -------
    Scan
        Its first image.

    Raises
    ------
    FrameFormatError
        The file is no XISF file, is damaged, or of a layout that cannot be read.
    TruncatedFileError
        It ends before its pixels do.
    NotAMosaicError
        It holds colour planes.
    """
    import xisf

    # The package prints what it does not know; a reader says nothing.
    with errors_naming(path, "XISF"), redirect_stdout(io.StringIO()):
        file = xisf.XISF(str(path))
        images = file.get_images_metadata()
        if not images:
            raise FrameFormatError(f"{shown(path)}: is an XISF file without an image")
        image = images[0]
        shape = _shape(image, path)
        rows = _rows(file, image, shape, path)
        header = _header(file, image)
    return Scan(_with_notes(acquisition_from_header(header), image), shape, rows)


def _shape(image: dict[str, Any], path: Path) -> tuple[int, int]:
    geometry = image["geometry"]
    size = " x ".join(str(length) for length in geometry)
    if len(geometry) != 3 or min(geometry) < 1:
        raise FrameFormatError(
            f"{shown(path)}: found an image of {size} pixels, expected one plane"
        )
    nx, ny, channels = geometry
    if channels != 1:
        raise NotAMosaicError(
            f"{shown(path)}: holds {channels} colour planes, where the sensor's own mosaic is "
            "needed; give the frame as the camera wrote it, before debayering"
        )
    return ny, nx


def _rows(
    file: "xisf.XISF", image: dict[str, Any], shape: tuple[int, int], path: Path
) -> PixelRows:
    if image["location"][0] != "attachment" or "subblocks" in image:
        raise FrameFormatError(
            f"{shown(path)}: keeps its pixels inside the XML or in sub-blocks; "
            "save it from PixInsight as an ordinary XISF file without compression"
        )
    _, offset, length = image["location"]
    require_bytes(path.stat().st_size - offset, length, path)
    order = ">" if image.get("byteOrder") == "big" else "<"
    stored = StoredPixels(image["dtype"].newbyteorder(order))
    require_credible(shape, stored.dtype.itemsize, path)
    declared = shape[0] * shape[1] * stored.dtype.itemsize
    if "compression" in image:
        if image["compression"][1] != declared:
            raise FrameFormatError(
                f"{shown(path)}: its pixels unpack to another size than declared"
            )
        return SpooledRows(path, shape, lambda: _unpacked(file, stored, shape, path))
    if length != declared:
        raise FrameFormatError(
            f"{shown(path)}: declares {declared} bytes of pixels but attaches {length}"
        )
    return FileRows(path, offset, shape, stored)


def _unpacked(
    file: "xisf.XISF", stored: StoredPixels, shape: tuple[int, int], path: Path
) -> Pixels:
    with errors_naming(path, "compressed XISF"):
        pixels = file.read_image(0, data_format="channels_first").reshape(shape)
        return stored.decode(pixels.view(stored.dtype))


def _header(file: "xisf.XISF", image: dict[str, Any]) -> Header:
    """Bring keywords, properties and attributes to one dictionary of cards."""
    header: Header = {
        name: HeaderCard(entries[0]["value"], entries[0]["comment"])
        for name, entries in image["FITSKeywords"].items()
    }
    properties = {**file.get_file_metadata(), **image["XISFProperties"]}
    for name, entry in properties.items():
        value = entry.get("value")
        if isinstance(value, str | int | float):
            header.setdefault(name, HeaderCard(value))
    if "imageType" in image:
        header["imageType"] = HeaderCard(image["imageType"])
    cfa = file.get_metadata_xml().find(f"{_NAMESPACE}Image/{_NAMESPACE}ColorFilterArray")
    if cfa is not None:
        header["ColorFilterArray"] = HeaderCard(cfa.get("pattern"))
    return header


def _with_notes(acquisition: Acquisition, image: dict[str, Any]) -> Acquisition:
    notes = list(acquisition.notes)
    if acquisition.row_order == "BOTTOM-UP":
        notes.append("ROWORDER says BOTTOM-UP, but XISF stores the top row first; did not flip it")
    if image["dtype"].kind == "f" and image.get("bounds", "0:1") == "0:1":
        notes.append("its floating-point pixels are fractions of full scale (0 to 1), not ADU")
    return replace(acquisition, notes=tuple(notes))


def write_xisf(path: Path, pixels: NDArray[Any], cards: list[Card], *, bounds: str) -> None:
    """Write one plane of pixels as a monolithic XISF file, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    pixels : ndarray of uint16 or float32, shape (ny, nx)
        As they shall stand in the file.
    cards : list of Card
        FITS keywords.
    bounds : str
        What black and white are to PixInsight in floating-point pixels, "0:1" or "0:65535".

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    data = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    position = _ALIGNMENT
    while len(header := _xml(data, cards, bounds, position)) + 16 > position:
        position += _ALIGNMENT
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write(b"XISF0100" + len(header).to_bytes(4, "little") + bytes(4) + header)
        file.write(bytes(position - file.tell()))
        file.write(raw_bytes(data))


def _xml(data: NDArray[Any], cards: list[Card], bounds: str, position: int) -> bytes:
    root = ET.Element("xisf", {"version": "1.0", "xmlns": _NAMESPACE[1:-1]})
    ny, nx = data.shape
    attributes = {
        "geometry": f"{nx}:{ny}:1",
        "sampleFormat": _SAMPLE_FORMATS[data.dtype.name],
        "colorSpace": "Gray",
        "location": f"attachment:{position}:{data.nbytes}",
    }
    if data.dtype.kind == "f":
        attributes["bounds"] = bounds
    image = ET.SubElement(root, "Image", attributes)
    for card in cards:
        keyword = {"name": card.keyword, "value": _value(card), "comment": card.comment}
        ET.SubElement(image, "FITSKeyword", keyword)
        if card.keyword == "BAYERPAT":
            cfa = {"pattern": str(card.value), "width": "2", "height": "2"}
            ET.SubElement(image, "ColorFilterArray", cfa)
    metadata = ET.SubElement(root, "Metadata")
    application = {"id": "XISF:CreatorApplication", "type": "String"}
    ET.SubElement(metadata, "Property", application).text = f"solodark {__version__}"
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _value(card: Card) -> str:
    if isinstance(card.value, bool):
        return "T" if card.value else "F"
    return f"'{card.value}'" if isinstance(card.value, str) else repr(card.value)
