"""The level of a frame and its banding."""

import numpy as np
import pytest

from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.levels import part_levels, remove_levels, remove_rows, row_profile


def test_hot_pixels_do_not_lift_the_level(rng):
    image = rng.normal(500.0, 6.0, (200, 300))
    image[rng.random(image.shape) < 0.02] += 5000.0
    (level,) = part_levels(image.astype(np.float32), LevelParts(None))
    assert level == pytest.approx(500.0, abs=0.2)


def test_the_level_of_coarsely_quantised_pixels_does_not_stick_to_a_step(rng):
    image = np.rint(rng.normal(100.3, 0.4, (200, 300))).astype(np.float32)
    (level,) = part_levels(image, LevelParts(None))
    assert level == pytest.approx(100.3, abs=0.05)


def test_each_colour_has_its_own_level():
    image = np.tile(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), (8, 8))
    levels = part_levels(image, LevelParts("RGGB"))
    np.testing.assert_allclose(levels, [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(remove_levels(image, levels, LevelParts("RGGB")), 0.0)


def test_pixels_without_a_value_are_left_out_of_the_level(rng):
    image = rng.normal(500.0, 6.0, (64, 64)).astype(np.float32)
    image[3, 4], image[5, 6] = np.nan, np.inf
    assert part_levels(image, LevelParts(None))[0] == pytest.approx(500.0, abs=0.5)
    image[:] = np.nan
    assert np.isnan(part_levels(image, LevelParts(None))[0])


def test_banding_is_read_off_rows_that_hold_hot_pixels(rng):
    banding = rng.normal(0.0, 5.0, 80)
    image = banding[:, None] + rng.normal(0.0, 4.0, (80, 400))
    image[rng.random(image.shape) < 0.02] += 3000.0
    found = row_profile(image.astype(np.float32), sigma=4.0)
    assert np.std(found - banding) < 2.0 * 4.0 / np.sqrt(400)


def test_removing_rows_leaves_the_image_it_was_given_alone():
    image = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(remove_rows(image, np.array([1.0, 0.0]))[:, 0], [0.0, 1.0])
    np.testing.assert_array_equal(image, 1.0)
