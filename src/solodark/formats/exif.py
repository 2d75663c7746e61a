"""EXIF and maker notes of camera raws, as header cards."""

import threading
from pathlib import Path

from solodark.formats.header_values import Header, HeaderCard

__all__ = ["primary_images", "read_exif"]

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


def primary_images(exif: Header) -> list[str]:
    """List the groups of tags ("Exif.SubImage1") that describe full-size images.

    Parameters
    ----------
    exif : dict of str to HeaderCard
        As `read_exif` gives it.

    Returns
    -------
    list of str
        Groups with NewSubfileType 0.
    """
    kind = ".NewSubfileType"
    return [
        key.removesuffix(kind)
        for key, card in exif.items()
        if key.endswith(kind) and card.value == "0"
    ]
