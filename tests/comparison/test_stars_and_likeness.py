"""Stars are counted and measured; pictures are compared as the paper did."""

import numpy as np
import pytest

from solodark.comparison import (
    error_adu,
    measure_stars,
    peak_signal_to_noise_db,
    structural_similarity,
)
from solodark.errors import SettingError
from solodark.synthetic.stars import add_stars


@pytest.fixture
def field(rng):
    y, x = np.mgrid[20:380:30, 20:580:30].reshape(2, -1) + rng.uniform(-4, 4, (2, 228))
    noise = rng.normal(0.0, 2.0, (400, 600)).astype(np.float32)
    flux = np.full((y.size, 4), 900.0)
    return y, x, add_stars(noise, y, x, flux, fwhm_px=3.2, beta=4.0)


def test_every_star_well_above_the_noise_is_found_once(field):
    y, x, image = field
    found = measure_stars(image, 2.0)
    assert found.n_stars == y.size
    distance = np.hypot(found.y[:, None] - y, found.x[:, None] - x).min(axis=0)
    assert distance.max() < 0.5


def test_noise_alone_holds_no_star(rng):
    assert measure_stars(rng.normal(0, 2, (300, 300)).astype(np.float32), 2.0).n_stars == 0
    assert np.isnan(measure_stars(np.zeros((300, 300), np.float32), 1.0).fwhm_px)


@pytest.mark.parametrize("fwhm_px", [2.4, 3.2, 5.0])
def test_the_width_of_stars_is_measured(fwhm_px, rng):
    y, x = np.mgrid[40:380:40, 40:580:40].reshape(2, -1) + rng.uniform(-0.5, 0.5, (2, 126))
    flux = np.full((y.size, 4), 50_000.0)
    flux[0] *= 3.0
    image = add_stars(np.zeros((400, 600), np.float32), y, x, flux, fwhm_px=fwhm_px, beta=4.0)
    # the pixels' own width is in it: a box of 1 px adds about 3 % to a star of 2.4 px
    assert measure_stars(image, 1.0).fwhm_px == pytest.approx(fwhm_px, rel=0.06)


def test_the_papers_figure_falls_as_a_dark_changes_the_picture_more(rng):
    shown = rng.random((50, 60))
    values = [peak_signal_to_noise_db(shown, shown + change) for change in (0.01, 0.1)]
    assert values == pytest.approx([40.0, 20.0])
    assert peak_signal_to_noise_db(shown, shown) == np.inf


def test_structure_is_one_for_the_same_picture_and_less_under_noise(rng):
    shown = rng.random((3, 50, 60)).astype(np.float32)
    assert structural_similarity(shown, shown) == pytest.approx(1.0)
    assert structural_similarity(shown, rng.random(shown.shape)) < 0.2
    assert np.isnan(structural_similarity(shown[:, :5], shown[:, :5]))


def test_a_level_is_no_error_but_a_pattern_is(rng):
    truth = rng.random((3, 40, 40))
    assert error_adu(truth + 7.0, truth) == pytest.approx(0.0, abs=1e-12)
    assert error_adu(truth + rng.normal(0, 2, truth.shape), truth) == pytest.approx(2, rel=0.05)


def test_what_a_picture_does_not_cover_is_left_out(rng):
    truth = rng.random((40, 40))
    holed = truth + rng.normal(0, 2, truth.shape)
    holed[:5] = np.nan
    assert error_adu(holed, truth) == pytest.approx(2, rel=0.1)
    assert np.isfinite(peak_signal_to_noise_db(holed, truth))


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(SettingError, match="one size"):
        error_adu(np.zeros((2, 2)), np.zeros((3, 3)))
