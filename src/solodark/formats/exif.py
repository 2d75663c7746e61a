"""EXIF and maker notes of camera raws, as header cards."""

import threading
from pathlib import Path

from solodark.formats.header_values import Header, HeaderCard

__all__ = ["COLOUR_FILTER_ARRAY", "LINEAR_RAW", "raw_images", "read_exif"]

COLOUR_FILTER_ARRAY, LINEAR_RAW = "32803", "34892"
"""TIFF/EP's and DNG's numbers for a mosaic, and for colours already mixed."""

_EXIV2 = threading.Lock()
"""exiv2 keeps global state and does not promise to be used from several threads."""

_PRINTED = ("Temperature", "SerialNumber", "SerialNO")
"""Tags whose raw value is an offset number or a list of bytes: exiv2 knows how to print them."""


def read_exif(path: Path) -> Header:
    """Read EXIF and maker notes into cards, keyed as exiv2 names them ("Exif.Photo.ExposureTime").

    Parameters
    ----------
    path : Path
        A file that LibRaw could open: exiv2 is not asked about anything else.

    Returns
    -------
    dict of str to HeaderCard
        Empty where exiv2 finds nothing it can read.
    """
    import exiv2

    with _EXIV2:
        exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)
        try:
            image = exiv2.ImageFactory.open(str(path))
            image.readMetadata()
        except exiv2.Exiv2Error:
            return {}
        return {tag.key(): HeaderCard(_text(tag)) for tag in image.exifData()}


def _text(tag: object) -> str:
    """Give a tag's text, in whatever encoding the camera wrote it."""
    printed = any(name in str(tag.key()) for name in _PRINTED)  # type: ignore[attr-defined]
    return str(tag.print() if printed else tag.value()).strip()  # type: ignore[attr-defined]


def raw_images(exif: Header, *, photometric: str) -> list[str]:
    """List the groups of tags ("Exif.SubImage1") that describe a raw image.

    Parameters
    ----------
    exif : dict of str to HeaderCard
        As `read_exif` gives it.
    photometric : str
        `COLOUR_FILTER_ARRAY` or `LINEAR_RAW`.

    Returns
    -------
    list of str
        Groups whose PhotometricInterpretation is that.
    """
    tag = ".PhotometricInterpretation"
    return [
        key.removesuffix(tag)
        for key, card in exif.items()
        if key.endswith(tag) and card.value == photometric
    ]
