"""Stars are found where they are, and hot pixels are none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.errors import FrameFormatError, SettingError
from solodark.registration import find_stars
from solodark.synthetic import Pointing

from .conftest import SHAPE


def nearest(stars, y, x):
    """Distance from each true place to the nearest star found."""
    return np.min(np.hypot(stars.y[:, None] - y, stars.x[:, None] - x), axis=0)


def bright_places(scene, margin_px=12):
    """Places of single stars of 9000 electrons and more, away from the edges."""
    inside = (scene.star_y > margin_px) & (scene.star_y < SHAPE[0] - margin_px)
    inside &= (scene.star_x > margin_px) & (scene.star_x < SHAPE[1] - margin_px)
    y, x = scene.star_y[inside], scene.star_x[inside]
    apart = np.hypot(y[:, None] - y, x[:, None] - x) + 1e3 * np.eye(y.size)
    chosen = (scene.star_e_per_s[inside] * 180 > 9000) & (apart.min(axis=0) > 12)
    return y[chosen], x[chosen]


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB", "GBRG"])
def test_bright_stars_are_found_to_a_twentieth_of_a_pixel(scene, expose, cfa_pattern):
    y, x = bright_places(scene)
    stars = find_stars(expose(Pointing(), cfa_pattern=cfa_pattern), cfa_pattern=cfa_pattern)
    assert y.size >= 5
    assert nearest(stars, y, x).max() < (0.05 if cfa_pattern is None else 0.15)


def test_stars_come_in_the_order_of_their_light(expose):
    flux = find_stars(expose(Pointing())).flux_adu
    assert flux.size > 50
    assert (np.diff(flux) <= 0).all()


def test_only_as_many_stars_as_wanted_are_kept_and_those_are_the_brightest(expose):
    light = expose(Pointing())
    some, all_stars = find_stars(light, most=7), find_stars(light)
    assert len(some) == 7
    np.testing.assert_allclose(some.y, all_stars.y[:7], atol=0.02)


def test_the_width_of_stars_is_measured(scene, expose):
    sharp, wide = (
        np.median(find_stars(expose(Pointing(), of=replace(scene, fwhm_px=fwhm))).fwhm_px)
        for fwhm in (2.5, 5.0)
    )
    assert 2.2 < sharp < 3.6
    assert wide / sharp > 1.5


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_hot_pixels_and_pairs_of_them_are_no_stars(rng, cfa_pattern):
    dark = rng.normal(100.0, 5.0, SHAPE)
    y, x = rng.integers(2, SHAPE[0] - 2, 500), rng.integers(2, SHAPE[1] - 3, 500)
    dark[y, x] += 10.0 ** rng.uniform(1.5, 4, 500)
    dark[y[:40], x[:40] + 1] += 10.0 ** rng.uniform(1.5, 4, 40)
    assert len(find_stars(dark, cfa_pattern=cfa_pattern)) <= 5


def test_stars_stay_where_they_are_among_hot_pixels(scene, expose, rng):
    light = expose(Pointing())
    hot = rng.random(SHAPE) < 0.01
    light[hot] += 10.0 ** rng.uniform(2, 4, hot.sum())
    y, x = bright_places(scene)
    assert np.median(nearest(find_stars(light), y, x)) < 0.1


def test_clouds_show_no_stars(rng):
    assert len(find_stars(rng.normal(900.0, 10.0, SHAPE))) == 0


def test_an_even_light_shows_no_stars():
    assert len(find_stars(np.full(SHAPE, 300.0))) == 0


def test_a_sky_with_a_gradient_and_pixels_without_value_shows_its_stars_all_the_same(scene, expose):
    y_grid, x_grid = np.indices(SHAPE)
    light = expose(Pointing()) + 3.0 * x_grid + y_grid
    light[100:103] = np.nan
    y, x = bright_places(scene)
    clear = np.abs(y - 101) > 12
    assert nearest(find_stars(light), y[clear], x[clear]).max() < 0.1


def test_the_error_of_a_centre_is_about_what_it_says(scene, rng):
    from solodark.synthetic import scene_electrons

    mean = scene_electrons(scene, SHAPE, exposure_s=180.0, cfa_pattern=None)
    first, second = (find_stars(mean + rng.normal(0.0, 25.0, SHAPE)) for _ in range(2))
    apart = np.hypot(first.y[:, None] - second.y, first.x[:, None] - second.x)
    pairs = apart.argmin(axis=1)
    same = apart.min(axis=1) < 1.0
    expected = np.hypot(first.error_px, second.error_px[pairs])[same]
    pull = (first.y - second.y[pairs])[same] / expected
    assert 0.5 < np.median(np.abs(pull)) / 0.6745 < 2.0


def test_the_light_is_as_it_was(expose):
    light = expose(Pointing())
    before = light.copy()
    find_stars(light)
    np.testing.assert_array_equal(light, before)


def test_a_light_without_a_single_value_is_refused():
    with pytest.raises(FrameFormatError, match="no finite pixel"):
        find_stars(np.full((32, 32), np.nan))


@pytest.mark.parametrize("wrong", [{"threshold_sigma": 0.0}, {"most": 0}, {"cfa_pattern": "RGBW"}])
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(SettingError):
        find_stars(np.zeros((32, 32)), **wrong)


@settings(max_examples=15, deadline=None)
@given(
    ny=st.integers(1, 70),
    nx=st.integers(1, 70),
    cfa_pattern=st.sampled_from([None, "RGGB"]),
    seed=st.integers(0, 9),
)
def test_no_shape_of_light_breaks_the_search(ny, nx, cfa_pattern, seed):
    light = np.random.default_rng(seed).normal(100.0, 5.0, (ny, nx))
    stars = find_stars(light, cfa_pattern=cfa_pattern)
    assert np.isfinite(stars.y).all()
