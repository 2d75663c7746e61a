"""FITS headers as they are found in the wild, broken cards and all.

astropy verifies cards as it parses them, and warns or refuses where amateur programs break the
standard; a catalogue meets such cards by the thousand, in several threads, where warnings cannot be
silenced safely. So headers are read here, tolerantly; pixels and everything written stay astropy's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from solodark.errors import FrameFormatError, TruncatedFileError
from solodark.formats.foreign_errors import shown
from solodark.formats.header_values import Header, HeaderCard, HeaderValue, parse_number

__all__ = ["BLOCK", "Hdu", "parse_card_value", "parse_cards", "read_hdus", "require_int"]

BLOCK = 2880
CARD = 80
MOST_BLOCKS = 2000
"""5.8 MB of header: more than any program writes, so that garbage ends the search."""

_STRING = re.compile(r"\s*'((?:[^']|'')*)'?\s*(?:/(.*))?")
_COMMENTARY = ("COMMENT", "HISTORY", "CONTINUE", "", "END")


@dataclass(frozen=True, slots=True)
class Hdu:
    """One header and where its data lie.

    Attributes
    ----------
    header : dict of str to HeaderCard
        Keywords as in the file.
    data_start : int
        Byte at which the data begin.
    data_bytes : int
        Bytes that the header declares, without padding.
    """

    header: Header
    data_start: int
    data_bytes: int


def read_hdus(file: IO[bytes], path: Path) -> Iterator[Hdu]:
    """Walk through the HDUs of an open FITS file without reading data.

    Parameters
    ----------
    file : binary file
        Open at any place; it is sought.
    path : Path
        Its name, for messages.

    Yields
    ------
    Hdu
        From the primary one on.

    Raises
    ------
    FrameFormatError
        A header is damaged.
    TruncatedFileError
        The file ends inside a header.
    """
    position = 0
    while True:
        file.seek(position)
        first = file.read(BLOCK)
        if position and (len(first) < BLOCK or not first.startswith(b"XTENSION")):
            return
        header, header_bytes = _read_header(file, first, path)
        hdu = Hdu(header, position + header_bytes, _data_bytes(header, path))
        yield hdu
        position = hdu.data_start + -(-hdu.data_bytes // BLOCK) * BLOCK


def require_int(header: Header, keyword: str, path: Path) -> int:
    """Give the whole number of a keyword that FITS demands.

    Parameters
    ----------
    header : dict of str to HeaderCard
        A header.
    keyword : str
        The keyword.
    path : Path
        The file's name, for messages.

    Returns
    -------
    int
        Its value.

    Raises
    ------
    FrameFormatError
        The keyword is missing, or its value is no whole number.
    """
    value = header[keyword].value if keyword in header else None
    if isinstance(value, bool) or not isinstance(value, int):
        found = "it is missing" if value is None else f"found {value!r}"
        raise FrameFormatError(
            f"{shown(path)}: its FITS header needs a whole number for {keyword}, but {found}"
        )
    return value


def parse_cards(cards: list[str]) -> Header:
    """Parse the cards of a FITS header, of which nothing is demanded.

    Parameters
    ----------
    cards : list of str
        80 characters each, without END.

    Returns
    -------
    dict of str to HeaderCard
        Keywords with values; commentary is left out, and of a repeated keyword the first counts.

    Examples
    --------
    >>> parse_cards(["GAIN    =                  120 / setting"])
    {'GAIN': HeaderCard(value=120, comment='setting')}
    """
    header: Header = {}
    last = ""
    for card in cards:
        keyword, text = _split(card)
        if keyword == "CONTINUE" and last:
            header[last] = _continued(header[last], text)
        elif text is not None and keyword not in _COMMENTARY and keyword not in header:
            header[keyword] = parse_card_value(text)
            last = keyword
        else:
            last = ""
    return header


def parse_card_value(text: str) -> HeaderCard:
    """Split what stands behind a card's equals sign into value and comment.

    Parameters
    ----------
    text : str
        The rest of the card.

    Returns
    -------
    HeaderCard
        A number where it can be read as one, else text.

    Examples
    --------
    >>> parse_card_value("'it''s dark' / a remark")
    HeaderCard(value="it's dark", comment='a remark')
    """
    string = _STRING.fullmatch(text)
    if string:
        value, comment = string.groups(default="")
        return HeaderCard(value.replace("''", "'").strip(), comment.strip())
    literal, _, comment = text.partition("/")
    return HeaderCard(_literal(literal.strip()), comment.strip())


def _literal(text: str) -> HeaderValue:
    if text in {"T", "F"}:
        return text == "T"
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    number = parse_number(text)
    return text if number is None else number


def _read_header(file: IO[bytes], block: bytes, path: Path) -> tuple[Header, int]:
    """Read blocks up to END; give the header and its length in bytes."""
    _check_begin(block, path)
    cards: list[str] = []
    for number in range(1, MOST_BLOCKS + 1):
        text = block.decode("latin-1")
        for start in range(0, len(text), CARD):
            card = text[start : start + CARD]
            if card.rstrip() == "END":
                return parse_cards(cards), number * BLOCK
            cards.append(card)
        if len(block) < BLOCK:
            raise TruncatedFileError(
                f"{shown(path)}: ends inside its FITS header, after "
                f"{(number - 1) * BLOCK + len(block)} bytes; copy it again from the camera"
            )
        block = file.read(BLOCK)
    raise FrameFormatError(f"{shown(path)}: its FITS header has no END card; the file is damaged")


def _check_begin(block: bytes, path: Path) -> None:
    if not re.match(rb"(SIMPLE  ?|XTENSION) *=", block):
        raise FrameFormatError(
            f"{shown(path)}: is not a FITS file: it begins with {block[:8]!r}, "
            "where SIMPLE was expected"
        )


def _split(card: str) -> tuple[str, str | None]:
    """Keyword, and the text behind the equals sign if there is one."""
    if card.startswith("CONTINUE"):
        return "CONTINUE", card[8:]
    if card.startswith("HIERARCH"):
        keyword, equals, text = card[8:].partition("=")
    else:
        keyword, equals, text = card[:8], card[8:9] if card[8:9] == "=" else "", card[9:]
    return keyword.strip().upper(), text.strip() if equals else None


def _continued(card: HeaderCard, text: str | None) -> HeaderCard:
    """Join a long string, which goes on in the next card where it ends in an ampersand."""
    if text is None or not isinstance(card.value, str) or not card.value.endswith("&"):
        return card
    more = parse_card_value(text.strip())
    return HeaderCard(card.value[:-1] + str(more.value), more.comment or card.comment)


def _data_bytes(header: Header, path: Path) -> int:
    """Size of the data unit: |BITPIX| / 8 * GCOUNT * (PCOUNT + NAXIS1 * ... * NAXISn)."""
    axes = [require_int(header, f"NAXIS{n}", path) for n in range(1, _axes_count(header, path) + 1)]
    if any(axis < 0 for axis in axes):
        raise FrameFormatError(f"{shown(path)}: its FITS header declares a negative size, {axes}")
    if not axes:
        return 0
    pixels = 1
    for axis in axes:
        pixels *= axis
    counts = [header[k].value if k in header else d for k, d in (("PCOUNT", 0), ("GCOUNT", 1))]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise FrameFormatError(f"{shown(path)}: PCOUNT and GCOUNT in its FITS header are damaged")
    parameters, groups = (int(count) for count in counts if isinstance(count, int))
    return abs(require_int(header, "BITPIX", path)) // 8 * groups * (parameters + pixels)


def _axes_count(header: Header, path: Path) -> int:
    count = require_int(header, "NAXIS", path)
    if not 0 <= count <= 999:
        raise FrameFormatError(f"{shown(path)}: NAXIS = {count} in its FITS header is no count")
    return count
