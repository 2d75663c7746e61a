"""Sixteen bits survive: nothing is clipped, inverted or rounded away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.errors import NotEnoughFramesError, SettingError
from solodark.pix2pix import Scaling, from_planes, learn_scaling, to_planes

EVERY_VALUE = np.arange(65_536, dtype=np.uint16)


@settings(max_examples=25, deadline=None)
@given(level=st.floats(0.0, 65_535.0), spread=st.floats(0.5, 5000.0))
def test_every_16_bit_value_survives_the_round_trip(level, spread):
    scaling = Scaling(level, spread)
    back = scaling.unscale(scaling.scale(EVERY_VALUE))
    assert np.abs(back.astype(np.float64) - EVERY_VALUE).max() < 0.01


@settings(max_examples=25, deadline=None)
@given(level=st.floats(0.0, 65_535.0), spread=st.floats(0.5, 5000.0))
def test_a_brighter_pixel_stays_the_brighter_one(level, spread):
    assert (np.diff(Scaling(level, spread).scale(EVERY_VALUE)) > 0).all()


def test_the_crowd_of_ordinary_pixels_is_about_zero_and_hot_ones_are_within_reach(rng):
    dark = rng.normal(2048.0, 12.0, (200, 300))
    dark[::50, ::50] = 65_535.0
    scaled = learn_scaling([dark]).scale(dark)
    ordinary = scaled[np.abs(dark - 2048.0) < 50.0]
    assert abs(np.median(ordinary)) < 0.01
    assert 0.1 < ordinary.std() < 0.5
    assert 10.0 < scaled.max() < 100.0


def test_values_below_the_level_and_beyond_16_bits_are_not_clipped():
    scaling = Scaling(1000.0, 10.0)
    far = np.array([-500.0, 0.0, 990.0, 1e6], np.float32)
    assert scaling.unscale(scaling.scale(far)) == pytest.approx(far, rel=1e-6, abs=1e-3)


def test_a_dark_without_noise_has_a_scaling_too():
    assert learn_scaling([np.full((10, 10), 500, np.uint16)]) == Scaling(500.0, 0.5)


def test_a_range_cannot_be_learned_from_nothing():
    with pytest.raises(NotEnoughFramesError, match="finite"):
        learn_scaling([np.full((4, 4), np.nan)])


@settings(max_examples=30, deadline=None)
@given(ny=st.integers(1, 9), nx=st.integers(1, 9))
def test_a_mosaic_of_any_size_survives_its_planes(ny, nx):
    image = np.arange(ny * nx, dtype=np.float32).reshape(ny, nx)
    planes = to_planes(image, "GRBG")
    assert planes.shape == (4, -(-ny // 2), -(-nx // 2))
    assert np.array_equal(from_planes(planes, image.shape), image)


def test_an_odd_edge_is_filled_by_the_same_filter():
    image = np.arange(15, dtype=np.float32).reshape(3, 5)
    planes = to_planes(image, "RGGB")
    assert planes[3, 0].tolist() == [6.0, 8.0, 8.0]
    assert planes[2, 1].tolist() == planes[2, 0].tolist()


def test_a_mono_frame_is_one_plane():
    image = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert np.array_equal(to_planes(image, None), image[np.newaxis])
    assert np.array_equal(from_planes(to_planes(image, None), (3, 5)), image)


def test_an_unknown_pattern_is_refused():
    with pytest.raises(SettingError, match="colour filter"):
        to_planes(np.zeros((4, 4), np.float32), "RGBW")
