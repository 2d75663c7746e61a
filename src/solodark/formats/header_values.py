"""Values of header cards: numbers with decimal commas and units, dates of every kind."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

__all__ = [
    "Header",
    "HeaderCard",
    "HeaderValue",
    "date_from_days",
    "parse_date",
    "parse_number",
    "words",
]

HeaderValue = str | float | int | bool | None


class HeaderCard(NamedTuple):
    """Value and comment of one keyword."""

    value: HeaderValue
    comment: str = ""


Header = dict[str, HeaderCard]
"""Keyword to card; the first card of a keyword counts, as it does for cfitsio."""

_NUMBER = re.compile(r"([+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[EeDd][+-]?\d+)?)\s*(?:[A-Za-z°µ%].{0,12})?")
_FRACTION = re.compile(r"(\d+)\s*/\s*(\d+)(?:\s*s)?")
_OLD_DATE = re.compile(r"(\d\d)/(\d\d)/(\d\d)(?:[ T](.*))?")
_JULIAN_DAY_OF_1970 = 2440587.5
_MODIFIED_JULIAN_DAY_OF_1970 = 40587.0


def parse_number(value: HeaderValue) -> float | None:
    """Find the number in a value, if there is one and it is finite.

    Takes decimal commas (``'3,2E-05 '``), Fortran exponents (``1.5D2``), fractions (``1/60``) and a
    unit behind the number (``'11 C'``); truth values and text are no numbers.

    Parameters
    ----------
    value : str, float, int, bool or None
        What stands in the card.

    Returns
    -------
    float or None
        The number.

    Examples
    --------
    >>> parse_number("3,2E-05 "), parse_number("11 C"), parse_number("M31")
    (3.2e-05, 11.0, None)
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e300 else None
    fraction = _FRACTION.fullmatch(value.strip())
    if fraction:
        over, under = (int(part) for part in fraction.groups())
        return over / under if under else None
    match = _NUMBER.fullmatch(value.strip())
    if match is None:
        return None
    number = float(match[1].replace(",", ".").replace("D", "E").replace("d", "e"))
    return number if math.isfinite(number) else None


def parse_date(date: HeaderValue, time: HeaderValue = None) -> datetime | None:
    """Find the instant that a date, and a time beside it, name; UTC unless they say otherwise.

    Parameters
    ----------
    date : str
        ISO 8601, EXIF's ``2021:05:12 12:21:21``, or the old FITS form ``13/10/98``.
    time : str, optional
        Time of day, for a date without one.

    Returns
    -------
    datetime or None
        Timezone-aware, in UTC.

    Examples
    --------
    >>> parse_date("2017-09-08", "21:18:13.5").isoformat()
    '2017-09-08T21:18:13.500000+00:00'
    """
    if not isinstance(date, str):
        return None
    text = date.strip()
    old = _OLD_DATE.fullmatch(text)
    if old:
        text = f"19{old[3]}-{old[2]}-{old[1]}" + (f"T{old[4]}" if old[4] else "")
    text = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text)
    if "T" not in text and " " not in text and isinstance(time, str) and time.strip():
        text = f"{text}T{time.strip()}"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _in_utc(instant)


def date_from_days(days: float, *, modified: bool) -> datetime | None:
    """Find the instant of a Julian date, or of a modified one.

    Parameters
    ----------
    days : float
        Days.
    modified : bool
        Whether they count from 1858-11-17 (MJD) and not from noon of 4713 BC (JD).

    Returns
    -------
    datetime or None
        UTC, rounded to a millisecond; None outside the calendar.

    Examples
    --------
    >>> date_from_days(58404.5, modified=True).isoformat()
    '2018-10-13T12:00:00+00:00'
    """
    origin = _MODIFIED_JULIAN_DAY_OF_1970 if modified else _JULIAN_DAY_OF_1970
    try:
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            milliseconds=round((days - origin) * 86_400_000)
        )
    except OverflowError:
        return None
    return instant


def words(text: str) -> list[str]:
    """List the lower-case words of a name: ``MasterDark_ISO800`` holds master, dark and iso.

    Parameters
    ----------
    text : str
        A header value, a file's or a folder's name.

    Returns
    -------
    list of str
        Runs of letters, cut where small letters meet a capital.

    Examples
    --------
    >>> words("MasterDark_ISO800_300s")
    ['master', 'dark', 'iso', 's']
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [word.lower() for word in re.findall(r"[^\W\d_]+", spaced)]


def _in_utc(instant: datetime) -> datetime | None:
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError:
        return None
