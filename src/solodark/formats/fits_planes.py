"""What solodark's FITS files share: their suffixes, and the cards of the planes in them."""

from pathlib import Path

from solodark.errors import UnknownFormatError
from solodark.formats.fits_cards import Card
from solodark.formats.foreign_errors import shown
from solodark.formats.readers import suffix_of
from solodark.frames import PixelFlags

__all__ = [
    "ADU_CARD",
    "FITS_SUFFIXES",
    "FLAG_CARDS",
    "MASK_CARD",
    "UNCERTAINTY_CARDS",
    "require_fits",
]

FITS_SUFFIXES = (".fits", ".fit", ".fts")
ADU_CARD = Card("BUNIT", "adu", "unit of the pixels")
UNCERTAINTY_CARDS = (Card("UTYPE", "StdDevUncertainty", "one sigma"), ADU_CARD)
MASK_CARD = Card("GOOD", 0, "other values are not to be used")
FLAG_CARDS = tuple(
    Card(f"BIT{flag.bit_length() - 1}", str(flag.name), f"value {flag.value}")
    for flag in PixelFlags
)
"""Which bit of the FLAGS plane means what."""


def require_fits(path: Path, what: str) -> None:
    """Refuse a name that is not a FITS file's.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What is to be written, for the message.

    Raises
    ------
    UnknownFormatError
        The suffix is another.
    """
    if suffix_of(path, FITS_SUFFIXES) is None:
        raise UnknownFormatError(
            f"{shown(path)}: {what} is written as FITS; expected a name that ends in "
            f"{' or '.join(FITS_SUFFIXES)}"
        )
