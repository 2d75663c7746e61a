"""What a header value means in each unit that the table of dialects names."""

import re
from collections.abc import Callable
from datetime import datetime

from solodark.formats.header_dialects import kind_from_words
from solodark.formats.header_values import HeaderValue, date_from_days, parse_date, parse_number
from solodark.frames import CFA_PATTERNS, FrameKind

__all__ = ["MEANINGS", "Meaning"]

Meaning = str | float | int | FrameKind | datetime | None

_SBIG_KINDS = {1: FrameKind.LIGHT, 2: FrameKind.BIAS, 3: FrameKind.DARK, 4: FrameKind.FLAT}
_DSS_CFA = {1: "BGGR", 2: "GRBG", 3: "GBRG", 4: "RGGB"}
_NO_ISO = {0, 65535}
"""Zero is a camera that does not say; 65535 one whose ISO is too high for this tag."""

_KELVIN_ABOVE = 150.0
"""No sensor works above 150 C, and none is cooled below 150 K."""


def _text(value: HeaderValue) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _scaled(factor: float) -> Callable[[HeaderValue], float | None]:
    def meaning(value: HeaderValue) -> float | None:
        number = parse_number(value)
        return None if number is None or number < 0 else number * factor

    return meaning


def _microseconds(value: HeaderValue) -> float | None:
    number = parse_number(value)
    return None if number is None or number < 0 else number / 1e6


def _celsius(value: HeaderValue) -> float | None:
    number = parse_number(value)
    if number is None or not -274 < number < 1000:
        return None
    return number - 273.15 if number > _KELVIN_ABOVE else number


def _positive(value: HeaderValue) -> float | None:
    number = parse_number(value)
    return number if number is not None and number > 0 else None


def _count(value: HeaderValue, least: int = 1) -> int | None:
    number = parse_number(value)
    return int(number) if number is not None and number >= least and number < 1e6 else None


def _nth_count(value: HeaderValue, index: int) -> int | None:
    parts = re.findall(r"\d+", value) if isinstance(value, str) else []
    return _count(parts[index]) if index < len(parts) else None


def _iso(value: HeaderValue) -> int | None:
    number = parse_number(value)
    return None if number is None or not 0 < number < 1e8 or number in _NO_ISO else int(number)


def _kind(value: HeaderValue) -> FrameKind | None:
    return kind_from_words(value, header=True) if isinstance(value, str) else None


def _bayer(value: HeaderValue) -> str | None:
    pattern = value.strip().upper() if isinstance(value, str) else ""
    return pattern if pattern in CFA_PATTERNS else None


def _row_order(value: HeaderValue) -> str | None:
    order = value.strip().upper().replace("_", "-") if isinstance(value, str) else ""
    return order if order in {"TOP-DOWN", "BOTTOM-UP"} else None


def _adu_to_add(value: HeaderValue) -> float | None:
    """SBFITSEXT's PEDESTAL is what must be added to reach zero, so it is negative."""
    number = parse_number(value)
    return -number if number is not None and number < 0 else None


def _numbered(
    names: dict[int, FrameKind] | dict[int, str],
) -> Callable[[HeaderValue], FrameKind | str | None]:
    def meaning(value: HeaderValue) -> FrameKind | str | None:
        number = parse_number(value)
        return None if number is None else names.get(int(number))

    return meaning


def _days(*, modified: bool) -> Callable[[HeaderValue], datetime | None]:
    def meaning(value: HeaderValue) -> datetime | None:
        number = _positive(value)
        return None if number is None else date_from_days(number, modified=modified)

    return meaning


MEANINGS: dict[str, Callable[[HeaderValue], Meaning]] = {
    "text": _text,
    "number": parse_number,
    "count": _count,
    "several": lambda value: _count(value, least=2),
    "first count": lambda value: _nth_count(value, 0),
    "second count": lambda value: _nth_count(value, 1),
    "s": _scaled(1.0),
    "s above 0": _positive,
    "us": _microseconds,
    "C": _celsius,
    "e-/ADU": _positive,
    "um": _positive,
    "ISO": _iso,
    "ADU": _positive,
    "ADU to add": _adu_to_add,
    "kind": _kind,
    "SBIG number": _numbered(_SBIG_KINDS),
    "Bayer": _bayer,
    "DSS Bayer number": _numbered(_DSS_CFA),
    "row order": _row_order,
    "date": parse_date,
    "MJD": _days(modified=True),
    "JD": _days(modified=False),
}
"""Unit to the function that gives a value's meaning, or None where it has none."""
