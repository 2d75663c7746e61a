"""The background's noise is that of the pixels, whatever sky and stars lie over it."""

import numpy as np
import pytest

from solodark.comparison import channels_of, flatten_background, mask_stars, robust_noise
from solodark.errors import SettingError
from solodark.synthetic.stars import add_stars

SHAPE = (256, 320)
NOWHERE = np.zeros(SHAPE, np.bool_)


@pytest.fixture
def noise(rng):
    return rng.normal(0.0, 3.0, SHAPE).astype(np.float32)


def test_a_gradient_and_a_nebula_are_no_noise(noise):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sky = 500.0 + 0.05 * x + 60.0 * np.exp(-((y - 120) ** 2 + (x - 150) ** 2) / (2 * 90.0**2))
    flat = flatten_background(noise + sky, NOWHERE)
    assert robust_noise(flat, NOWHERE) == pytest.approx(3.0, rel=0.03)


def test_two_per_cent_of_hot_pixels_hardly_move_the_noise(noise, rng):
    hot = noise + 500.0 * (rng.random(SHAPE) < 0.02)
    assert robust_noise(hot, NOWHERE) == pytest.approx(3.0, rel=0.04)


def test_masked_stars_do_not_count(noise, rng):
    y, x = rng.uniform(0, SHAPE[0], 60), rng.uniform(0, SHAPE[1], 60)
    sky = add_stars(noise + 100, y, x, np.full((60, 4), 1e5), fwhm_px=3.0, beta=4.0)
    mask = mask_stars(SHAPE, y, x, 3.0 / 2.355)
    flat = flatten_background(sky, mask)
    with_stars, without = robust_noise(flat, NOWHERE), robust_noise(flat, mask)
    assert without == pytest.approx(3.0, rel=0.05)
    assert with_stars > 1.1 * without


def test_pixels_that_no_light_covers_do_not_count(noise):
    holed = noise + 50
    holed[:, :40] = np.nan
    flat = flatten_background(holed, NOWHERE)
    assert np.isfinite(flat).all()
    assert robust_noise(flat[:, 40:], NOWHERE[:, 40:]) == pytest.approx(3.0, rel=0.04)


def test_nothing_but_stars_has_no_background():
    assert np.isnan(robust_noise(np.zeros((4, 4)), np.ones((4, 4), np.bool_)))


def test_the_picture_is_not_changed(noise):
    before = noise.copy()
    flatten_background(noise, NOWHERE)
    assert np.array_equal(noise, before)


def test_a_picture_of_two_planes_is_none():
    with pytest.raises(SettingError, match=r"shape \(2, 4, 4\)"):
        channels_of(np.zeros((2, 4, 4)))
