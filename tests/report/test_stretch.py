"""The stretches: what a photographer knows from PixInsight and Siril, in ADU."""

import numpy as np
import pytest

from solodark.errors import SettingError
from solodark.report.stretch import autostretch, midtones, residual_stretch


def noise(rng: np.random.Generator, level: float) -> np.ndarray:
    return rng.normal(level, 10.0, (64, 96))


def test_the_background_is_shown_at_a_quarter_of_full_brightness(rng):
    image = noise(rng, 1000.0)
    image[0, 0] = 60000.0
    assert np.median(autostretch(image).apply(image)) == pytest.approx(0.25, abs=1e-3)


def test_black_lies_2_8_robust_sigmas_below_the_median(rng):
    image = noise(rng, 1000.0)
    mad = np.median(np.abs(image - np.median(image)))
    expected = np.median(image) - 2.8 * 1.4826 * mad
    assert autostretch(image).black_adu == pytest.approx((expected,))


def test_black_is_never_below_zero(rng):
    assert autostretch(noise(rng, 5.0)).black_adu == (0.0,)


def test_the_brightest_pixel_is_white_and_nothing_leaves_the_range(rng):
    image = noise(rng, 1000.0)
    shown = autostretch(image).apply(np.append(image, [[-1e6] * 96, [1e6] * 96], axis=0))
    assert shown.max() == 1.0
    assert shown.min() == 0.0


def test_colour_planes_of_different_level_are_shown_equally_bright(rng):
    image = noise(rng, 1000.0)
    image[0::2, 0::2] += 300.0
    shown = autostretch(image, "RGGB").apply(image)
    levels = [np.median(shown[y::2, x::2]) for y in (0, 1) for x in (0, 1)]
    assert levels == pytest.approx([0.25] * 4, abs=2e-3)


def test_one_stretch_shows_a_quieter_image_quieter(rng):
    sub = noise(rng, 1000.0)
    master = 1000 + (noise(rng, 1000.0) - 1000) / 5
    stretch = autostretch(sub)
    assert stretch.apply(master).std() < stretch.apply(sub).std() / 4


def test_a_flat_image_is_shown_rather_than_divided_by_its_missing_noise():
    flat = np.full((4, 6), 100.0)
    assert np.isfinite(autostretch(flat).apply(flat)).all()


def test_an_image_without_finite_pixels_is_refused():
    with pytest.raises(SettingError, match="finite"):
        autostretch(np.full((4, 6), np.nan))


def test_a_dead_pixel_does_not_move_the_stretch(rng):
    image = noise(rng, 1000.0)
    with_dead = image.copy()
    with_dead[3, 3] = np.nan
    assert autostretch(with_dead).black_adu[0] == pytest.approx(
        autostretch(image).black_adu[0], abs=0.1
    )


def test_midtones_rise_everywhere():
    assert (np.diff(midtones(np.linspace(0, 1, 100), 0.01)) > 0).all()


def test_no_residual_is_middle_grey_and_signs_mirror(rng):
    stretch = residual_stretch([noise(rng, 0.0)])
    left, none, right = stretch.apply(np.array([-7.0, 0.0, 7.0]))
    assert none == 0.5
    assert left + right == pytest.approx(1.0)


def test_the_noisiest_residual_sets_the_range_of_all(rng):
    quiet, loud = noise(rng, 0.0) / 10, noise(rng, 0.0)
    both = residual_stretch([quiet, loud], sigmas=4.0)
    assert both.half_range_adu == residual_stretch([loud], sigmas=4.0).half_range_adu
    assert both.half_range_adu == pytest.approx(40.0, rel=0.05)


def test_no_residual_at_all_is_refused():
    with pytest.raises(SettingError, match="at least one"):
        residual_stretch([])
