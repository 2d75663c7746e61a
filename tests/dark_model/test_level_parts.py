"""Parts of a sensor that have a level of their own: every pixel lies in one, and in no other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solodark.dark_model.level_parts import LevelParts, Seams
from solodark.dark_model.levels import part_levels, remove_levels

PATTERNS = st.sampled_from([None, "RGGB", "GBRG"])
SEAM = st.none() | st.integers(2, 9)


@given(PATTERNS, SEAM, SEAM, st.integers(0, 4))
def test_slices_index_and_image_tell_the_same_of_every_pixel(pattern, seam_y, seam_x, half_start):
    parts = LevelParts(pattern, Seams(seam_y, seam_x))
    told = np.full((12, 14), -1)
    for number, part in enumerate(parts.slices):
        assert np.all(told[part] == -1)
        told[part] = number
    y, x = np.indices(told.shape)
    np.testing.assert_array_equal(told, parts.index(y, x))
    levels = np.arange(len(parts.slices), dtype=np.float64)
    np.testing.assert_array_equal(told, parts.image(levels, np.arange(12), 14))
    band = told[2 * half_start :].astype(np.float32)
    assert np.all(remove_levels(band, levels, parts.of_rows(2 * half_start)) == 0.0)


def test_each_amplifier_has_a_level_for_each_colour(rng):
    parts = LevelParts("RGGB", Seams(40, 60))
    levels = rng.uniform(100.0, 900.0, len(parts.slices))
    image = parts.image(levels, np.arange(80), 120) + rng.normal(0.0, 1.0, (80, 120))
    assert len(levels) == 16
    assert part_levels(image.astype(np.float32), parts) == pytest.approx(levels, abs=0.3)
