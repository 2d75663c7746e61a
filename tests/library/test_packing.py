"""Records as bytes, and back."""

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.frames import Acquisition, Camera, Frame, FrameKind
from solodark.frames.statistics import measure_statistics
from solodark.library.packing import (
    PackingError,
    pack_acquisition,
    pack_statistics,
    unpack_acquisition,
    unpack_statistics,
)

numbers = st.none() | st.floats(allow_nan=False)
texts = st.none() | st.text(max_size=20)

acquisitions = st.builds(
    Acquisition,
    kind=st.none() | st.sampled_from(FrameKind),
    kind_source=st.text(max_size=10),
    camera=st.builds(Camera, model=texts, serial=texts, pixel_size_um=numbers),
    exposure_s=numbers,
    sensor_temperature_c=numbers,
    iso=st.none() | st.integers(0, 10**6),
    binning=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    cfa_pattern=st.sampled_from([None, "RGGB"]),
    n_combined=st.none() | st.integers(1, 100),
    date_obs=st.none() | st.datetimes(timezones=st.just(UTC)),
    notes=st.lists(st.text(max_size=20), max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(acquisitions)
def test_an_acquisition_comes_back_as_it_went(acquisition):
    assert unpack_acquisition(pack_acquisition(acquisition)) == acquisition


def assert_equal_statistics(first, second):
    for field in dataclasses.fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        assert type(one) is type(other), field.name
        assert np.array_equal(one, other, equal_nan=field.name.endswith("imum_adu")), field.name
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, field.name


@pytest.mark.parametrize("cfa_pattern", [None, "GRBG"])
@pytest.mark.parametrize("steps", [1.0, 0.001])
def test_statistics_come_back_as_they_went(rng, cfa_pattern, steps):
    data = np.round(rng.normal(500, 8, (90, 130)) / steps) * steps
    data[50, 60] = 9000.0
    found = measure_statistics(Frame(data, Acquisition(cfa_pattern=cfa_pattern)))
    assert_equal_statistics(found, unpack_statistics(pack_statistics(found)))


def test_statistics_of_a_frame_without_a_number_come_back_too():
    found = measure_statistics(Frame(np.full((8, 8), np.nan)))
    assert_equal_statistics(found, unpack_statistics(pack_statistics(found)))


def test_a_record_of_a_noisy_frame_takes_little_room(rng):
    data = rng.normal(2048, 20, (1000, 1500)).round()
    assert len(pack_statistics(measure_statistics(Frame(data)))) < 60_000


@settings(max_examples=60, deadline=None, derandomize=True)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_statistics_are_never_taken_for_sound_ones(place, value, cut):
    found = measure_statistics(Frame(np.arange(1200.0).reshape(30, 40)))
    packed = bytearray(pack_statistics(found))
    place %= len(packed)
    if cut:
        packed = packed[:place]
    elif packed[place] != value:
        packed[place] = value
    else:
        return
    with pytest.raises(PackingError):
        unpack_statistics(bytes(packed))


@pytest.mark.parametrize("text", ["", "{}", "[1]", "null", '{"kind": "comet"}', "[" * 10_000])
def test_what_is_no_acquisition_is_refused(text):
    with pytest.raises(PackingError):
        unpack_acquisition(text)


def test_what_has_no_place_in_an_acquisition_is_not_kept():
    with pytest.raises(TypeError, match="no place"):
        pack_acquisition(Acquisition(program=object()))


def test_dates_keep_their_microseconds():
    taken = Acquisition(date_obs=datetime(2024, 4, 18, 14, 39, 30, 92_001, UTC))
    assert unpack_acquisition(pack_acquisition(taken)).date_obs == taken.date_obs
