"""Frames that were taken alike belong together."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.frames import Acquisition, Camera, FrameKind
from solodark.library import coverage_tables, group_series, nights_of

EVENING = datetime(2024, 4, 18, 20, 0, tzinfo=UTC)
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Header:
    acquisition: Acquisition
    shape: tuple[int, int] = (100, 200)
    path: Path = field(default_factory=lambda: Path(f"/d/{next(NUMBERS):04d}.fit"))


def dark(exposure_s=60.0, at=EVENING, shape=(100, 200), **more) -> Header:
    fields = {"kind": FrameKind.DARK, "camera": Camera("K1"), "exposure_s": exposure_s, **more}
    return Header(Acquisition(date_obs=at, **fields), shape)


def sizes(frames) -> list[int]:
    return [len(series.frames) for series in group_series(frames)]


def test_frames_taken_alike_are_one_series_in_the_order_of_time():
    frames = [dark(at=EVENING + timedelta(minutes=m)) for m in (5, 0, 3)]
    (series,) = group_series(frames)
    assert [f.acquisition.date_obs.minute for f in series.frames] == [0, 3, 5]


@pytest.mark.parametrize(
    "change",
    [
        {"exposure_s": 120.0},
        {"iso": 800},
        {"gain_setting": 100.0},
        {"offset_setting": 10.0},
        {"camera": Camera("K2")},
        {"camera": Camera("K1", "serial 7")},
        {"kind": FrameKind.BIAS},
        {"binning": (2, 2)},
        {"cfa_pattern": "RGGB"},
        {"shape": (200, 100)},
        {"n_combined": 20},
        {"setpoint_temperature_c": -10.0},
        {"at": EVENING + timedelta(days=1)},
        {"at": None},
        {"exposure_s": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_differs_in_one_thing_is_another_series(change):
    assert sizes([dark(), dark(), dark(**change)]) in ([2, 1], [1, 2])


def test_an_exposure_told_a_little_differently_is_the_same():
    assert sizes([dark(30.0), dark(30.1), dark(29.9)]) == [3]


def test_a_drifting_header_temperature_does_not_split_a_series():
    assert sizes([dark(sensor_temperature_c=20.0 + n) for n in range(6)]) == [6]


def test_two_targets_of_the_cooler_are_two_series():
    cold = [dark(setpoint_temperature_c=t) for t in (-10.0, -9.9, -5.0)]
    assert sizes(cold) == [2, 1]


def test_a_night_goes_on_after_midnight():
    hours = [EVENING + timedelta(hours=h) for h in range(10)]
    assert set(nights_of(hours)) == {date(2024, 4, 18)}


def test_a_day_s_sleep_ends_the_night():
    times = [EVENING, EVENING + timedelta(hours=7), EVENING + timedelta(hours=25)]
    assert nights_of(times) == [date(2024, 4, 18), date(2024, 4, 18), date(2024, 4, 19)]


def test_an_evening_far_west_of_greenwich_counts_for_its_own_date():
    assert nights_of([datetime(2018, 10, 13, 3, 44, tzinfo=UTC)]) == [date(2018, 10, 12)]


def test_darks_taken_round_the_clock_are_cut_into_nights_of_less_than_a_day():
    times = [EVENING + timedelta(minutes=5 * n) for n in range(3 * 288)]
    nights = nights_of(times)
    assert len(set(nights)) >= 3
    for night in set(nights):
        own = [t for t, n in zip(times, nights, strict=True) if n == night]
        assert max(own) - min(own) < timedelta(days=1)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.none() | st.integers(0, 60 * 24 * 400), max_size=60))
def test_every_dated_exposure_has_a_night_whatever_the_dates(minutes):
    times = [None if m is None else EVENING + timedelta(minutes=m) for m in minutes]
    nights = nights_of(times)
    assert [night is None for night in nights] == [time is None for time in times]
    for time, night in zip(times, nights, strict=True):
        if time is not None:
            noon = datetime(night.year, night.month, night.day, 12, tzinfo=UTC)
            assert noon <= time < noon + timedelta(days=2)


def test_thousands_of_nights_are_no_burden():
    times = [EVENING + timedelta(days=n) for n in range(3000)]
    assert len(set(nights_of(times))) == 3000


def test_no_frame_is_lost_in_grouping():
    frames = [
        dark(exposure_s=t, iso=i) for t in (1.0, 2.0, None) for i in (None, 100) for _ in "ab"
    ]
    grouped = [frame for series in group_series(frames) for frame in series.frames]
    assert sorted(f.path for f in grouped) == sorted(f.path for f in frames)


def test_a_series_knows_its_span_of_temperatures():
    (series,) = group_series([dark(sensor_temperature_c=t) for t in (21.0, 19.5, 20.0)])
    assert series.temperatures_c == (19.5, 21.0)
    (series,) = group_series([dark()])
    assert series.temperatures_c is None


def test_coverage_counts_darks_by_exposure_and_temperature():
    frames = [
        dark(t, sensor_temperature_c=c) for t, c in ((60, 20), (60, 20.4), (60, 25), (300, 20))
    ]
    (table,) = coverage_tables(group_series(frames))
    assert table.exposures_s == (60.0, 300.0)
    assert table.temperatures_c == (20.0, 25.0)
    assert table.counts == ((2, 1), (1, 0))


def test_coverage_counts_neither_biases_nor_lights_nor_masters():
    frames = [dark(kind=FrameKind.BIAS), dark(kind=FrameKind.LIGHT), dark(n_combined=9)]
    assert coverage_tables(group_series(frames)) == []


def test_each_gain_has_a_table_of_its_own():
    assert len(coverage_tables(group_series([dark(iso=800), dark(iso=1600)]))) == 2


def test_a_cooler_s_ripple_makes_no_columns():
    frames = [dark(setpoint_temperature_c=-5.0, sensor_temperature_c=t) for t in (-5.4, -4.6, -5.0)]
    (table,) = coverage_tables(group_series(frames))
    assert (table.temperatures_c, table.counts) == ((-5.0,), ((3,),))


def test_a_cooler_that_did_not_reach_its_target_is_counted_where_it_was():
    (table,) = coverage_tables(
        group_series([dark(setpoint_temperature_c=-20.0, sensor_temperature_c=-12.0)])
    )
    assert table.temperatures_c == (-12.0,)


def test_many_temperatures_share_wider_columns():
    frames = [dark(sensor_temperature_c=float(t)) for t in range(-10, 31)]
    (table,) = coverage_tables(group_series(frames))
    assert len(table.temperatures_c) <= 12
    assert sum(table.counts[0]) == len(frames)


def test_unknown_exposures_and_temperatures_come_last():
    frames = [dark(None), dark(60.0, sensor_temperature_c=5.0), dark(60.0)]
    (table,) = coverage_tables(group_series(frames))
    assert (table.exposures_s, table.temperatures_c) == ((60.0, None), (5.0, None))
    assert table.counts == ((1, 1), (0, 1))
