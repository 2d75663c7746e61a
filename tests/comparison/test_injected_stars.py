"""Injected stars come out as bright as they went in, and a bad dark shows in them."""

import numpy as np
import pytest

from solodark.comparison import (
    measure_aperture_fluxes,
    paint_stars,
    place_stars,
    summarise_photometry,
)

SHAPE = (400, 600)
FREE = np.zeros(SHAPE, np.bool_)


@pytest.fixture
def stars(rng):
    return place_stars(FREE, fwhm_px=3.0, aperture_noise_adu=20.0, rng=rng)


def photometry(image, stars, beside=None):
    first, second = (
        None if one is None else measure_aperture_fluxes(one, stars.y, stars.x, 3.0)
        for one in (image, beside)
    )
    return summarise_photometry(first, stars, beside=second)


def test_stars_on_an_even_sky_are_measured_as_they_were_put_in(stars):
    sky = paint_stars(np.zeros(SHAPE, np.float32), stars.y, stars.x, stars)
    measured = photometry(sky, stars)
    assert measured.bias_mag == pytest.approx(0.0, abs=0.003)
    assert measured.scatter_mag < 0.01
    assert measured.n_stars > 300


def test_faint_stars_lie_five_sigma_above_the_noise(stars, rng):
    pixel_noise = 20.0 / np.sqrt(np.pi * 3.0**2)
    sky = paint_stars(rng.normal(0, pixel_noise, SHAPE), stars.y, stars.x, stars)
    measured = photometry(sky, stars)
    assert measured.scatter_mag == pytest.approx(1.0857 / 5, rel=0.2)
    assert abs(measured.bias_mag) < 4 * measured.bias_error_mag


def test_what_every_star_loses_alike_is_the_zero_points_matter(stars):
    sky = paint_stars(np.zeros(SHAPE, np.float32), stars.y, stars.x, stars)
    assert photometry(0.8 * sky, stars).bias_mag == pytest.approx(0.0, abs=0.003)


def test_light_that_a_dark_leaves_behind_makes_faint_stars_brighter(stars, rng):
    sky = paint_stars(np.zeros(SHAPE, np.float32), stars.y, stars.x, stars)
    left = np.full(SHAPE, 0.3, np.float32)
    area = np.pi * 3.0**2
    expected = -2.5 * np.log10(1.0 + 0.3 * area / 100.0)
    assert photometry(sky + left, stars).bias_mag == pytest.approx(expected, rel=0.1)


def test_noise_that_two_pictures_share_does_not_count_between_them(stars, rng):
    sky = paint_stars(rng.normal(0, 4.0, SHAPE), stars.y, stars.x, stars)
    measured = photometry(sky + np.float32(0.1), stars, beside=sky)
    assert measured.bias_error_mag < 1e-3
    assert measured.bias_mag == pytest.approx(-2.5 * np.log10(1 + 0.1 * 28.27 / 100), rel=0.1)


def test_stars_keep_away_from_what_is_there(rng):
    avoid = FREE.copy()
    avoid[:, 300:] = True
    stars = place_stars(avoid, fwhm_px=3.0, aperture_noise_adu=1.0, rng=rng)
    assert stars.x.max() < 300.5


def test_a_sky_without_room_gives_no_figure(rng):
    none = place_stars(~FREE, fwhm_px=3.0, aperture_noise_adu=1.0, rng=rng)
    assert np.isnan(summarise_photometry(np.zeros(0), none).bias_mag)


def test_a_light_is_not_changed(stars):
    light = np.zeros(SHAPE, np.float32)
    paint_stars(light, stars.y, stars.x, stars)
    assert not light.any()
