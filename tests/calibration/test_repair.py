"""Bad pixels take the value of good neighbours of their colour, and nothing else is touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.calibration import repair
from solodark.errors import SettingError
from solodark.frames import cfa_planes


def test_only_what_the_mask_names_is_replaced(rng):
    image = rng.normal(100.0, 5.0, (30, 40))
    image[10, 10] = 50_000.0  # a star of one pixel, for all the mask knows
    bad = np.zeros(image.shape, bool)
    bad[20, 20] = True
    repaired = repair(image, bad)
    np.testing.assert_array_equal(repaired[~bad], image.astype(np.float32)[~bad])
    assert repaired[20, 20] == pytest.approx(100.0, abs=10)


def test_a_pixel_takes_the_level_of_its_own_colour():
    mosaic = np.zeros((20, 20))
    for number, plane in enumerate(cfa_planes("RGGB")):
        mosaic[plane] = 1000.0 * (number + 1)
    bad = np.zeros(mosaic.shape, bool)
    bad[8:10, 8:10] = True
    np.testing.assert_array_equal(
        repair(np.where(bad, -1, mosaic), bad, cfa_pattern="RGGB"), mosaic
    )


def test_a_dead_column_is_bridged(rng):
    ramp = np.tile(np.arange(40.0), (30, 1))
    bad = np.zeros(ramp.shape, bool)
    bad[:, 20:22] = True
    repaired = repair(ramp, bad)
    assert np.abs(repaired - ramp).max() <= 1.0


def test_a_large_gap_takes_the_median_of_its_plane():
    image = np.full((60, 60), 7.0)
    bad = np.zeros(image.shape, bool)
    bad[5:55, 5:55] = True
    assert (repair(image, bad) == 7.0).all()


def test_nothing_good_leaves_no_value():
    assert np.isnan(repair(np.ones((4, 4)), np.ones((4, 4), bool))).all()


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(SettingError, match="mask"):
        repair(np.ones((4, 4)), np.ones((4, 5), bool))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    share=st.floats(0, 0.9),
    cfa_pattern=st.sampled_from([None, "GRBG"]),
    ny=st.integers(2, 30),
    nx=st.integers(2, 30),
)
def test_what_is_filled_in_lies_within_what_was_there(seed, share, cfa_pattern, ny, nx):
    rng = np.random.default_rng(seed)
    image, bad = rng.normal(0, 1, (ny, nx)), rng.random((ny, nx)) < share
    repaired = repair(np.where(bad, np.nan, image), bad, cfa_pattern=cfa_pattern)
    for plane in cfa_planes(cfa_pattern):
        good = image[plane][~bad[plane]]
        if good.size:
            assert good.min() - 1e-6 <= repaired[plane].min() <= repaired[plane].max()
            assert repaired[plane].max() <= good.max() + 1e-6
