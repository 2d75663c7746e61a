"""Numbers, dates and words as headers hold them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solodark.formats.header_values import date_from_days, parse_date, parse_number, words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3,2E-05 ", 3.2e-5),
        ("1.5D2", 150.0),
        ("11 C", 11.0),
        ("38 °C", 38.0),
        ("1/60", 1 / 60),
        ("25/2", 12.5),
        (".5", 0.5),
        ("-1.020308403674E+001", -10.20308403674),
        (120, 120.0),
    ],
)
def test_a_number_is_read_whatever_its_spelling(text: str | int, number: float) -> None:
    assert parse_number(text) == pytest.approx(number)


@pytest.mark.parametrize(
    "text", ["", "--", "M31", "nan", "inf", "1e999", "12:30", "2024-04-18", "1/0", True, None]
)
def test_what_is_no_number_is_not_taken_for_one(text: str | bool | None) -> None:
    assert parse_number(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_decimal_comma_reads_like_a_point(number: float) -> None:
    spelled = repr(number)
    assert parse_number(spelled.replace(".", ",")) == parse_number(spelled) == number


@given(st.text(max_size=80))
def test_no_text_breaks_the_parsers(text: str) -> None:
    assert parse_number(text) is None or isinstance(parse_number(text), float)
    assert parse_date(text) is None or parse_date(text).tzinfo is UTC  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-04-18T14:17:42.973", datetime(2024, 4, 18, 14, 17, 42, 973000, UTC)),
        ("2024-04-18T14:17:42.9731234", datetime(2024, 4, 18, 14, 17, 42, 973123, UTC)),
        ("2024-04-18T16:17:42+02:00", datetime(2024, 4, 18, 14, 17, 42, 0, UTC)),
        ("2021:05:12 12:21:21", datetime(2021, 5, 12, 12, 21, 21, 0, UTC)),
        ("13/10/98", datetime(1998, 10, 13, tzinfo=UTC)),
    ],
)
def test_dates_of_every_kind_become_utc(text: str, instant: datetime) -> None:
    assert parse_date(text) == instant


def test_a_date_without_time_takes_it_from_its_own_keyword() -> None:
    assert parse_date("2017-09-08", "21:18:13.698") == datetime(2017, 9, 8, 21, 18, 13, 698000, UTC)


def test_julian_dates_begin_at_noon_and_modified_ones_at_midnight() -> None:
    assert date_from_days(2451545.0, modified=False) == datetime(2000, 1, 1, 12, tzinfo=UTC)
    assert date_from_days(51544.0, modified=True) == datetime(2000, 1, 1, tzinfo=UTC)
    assert date_from_days(1e12, modified=True) is None


def test_words_are_cut_where_a_capital_begins() -> None:
    assert words("MasterDark_ISO800-300s") == ["master", "dark", "iso", "s"]
