import numpy as np
import pytest

from solodark.evaluation.residual import mean_quality, measure_residual
from solodark.evaluation.star_effect import (
    APERTURE_RADIUS_PX,
    FWHM_PX,
    measure_flux,
    random_places,
    star_effects,
)

NOISE_ADU = 6.0
NOISE = np.full((2, 2), NOISE_ADU)
SHAPE = (256, 300)


@pytest.fixture
def truth(rng):
    return [rng.normal(50.0, NOISE_ADU, SHAPE).astype(np.float32) for _ in range(6)]


def residual_of(error, truth, rng, cfa_pattern=None):
    return measure_residual(
        (50.0 + error).astype(np.float32),
        truth,
        noise_adu=NOISE,
        cfa_pattern=cfa_pattern,
        places=random_places(SHAPE, 1000, rng),
    )


def test_the_pattern_left_is_the_error_without_the_truths_noise(truth, rng):
    left = residual_of(rng.normal(0.0, 2.0, SHAPE), truth, rng)
    assert left.pattern_adu == pytest.approx(2.0, rel=0.02)
    assert abs(left.row_adu) < 0.1
    assert abs(left.column_adu) < 0.1


def test_a_few_hot_pixels_do_not_hide_the_pattern_of_the_others(truth, rng):
    error = rng.normal(0.0, 2.0, SHAPE)
    error[rng.random(SHAPE) < 0.003] += 3000.0
    assert residual_of(error, truth, rng).pattern_adu == pytest.approx(2.0, rel=0.04)


def test_holes_and_warm_leftovers_are_counted_apart(truth, rng):
    error = np.zeros(SHAPE)
    error[rng.random(SHAPE) < 0.01] = 10.0 * NOISE_ADU
    holes = (error > 0.0).mean()
    error[(rng.random(SHAPE) < 0.004) & (error == 0.0)] = -10.0 * NOISE_ADU
    left = residual_of(error, truth, rng)
    assert left.holes_fraction == pytest.approx(holes, rel=1e-6)
    assert left.warm_fraction == pytest.approx((error < 0.0).mean(), rel=1e-6)


def test_noise_of_the_truth_alone_makes_neither_holes_nor_warm_pixels(truth, rng):
    left = residual_of(rng.normal(0.0, 2.0, SHAPE), truth, rng)
    assert left.holes_fraction == 0.0
    assert left.warm_fraction == 0.0


def test_a_pixel_is_off_only_where_both_halves_say_so(truth, rng):
    left = measure_residual(
        np.full(SHAPE, 50.0, np.float32),
        truth[:2],
        noise_adu=NOISE / 2.5,  # "5 sigma" is 2 sigma of a half here
        cfa_pattern=None,
        places=random_places(SHAPE, 10, rng),
    )
    beyond_2_sigma = 0.02275
    assert left.holes_fraction == pytest.approx(beyond_2_sigma**2, rel=0.6)
    assert left.warm_fraction == pytest.approx(beyond_2_sigma**2, rel=0.6)


def test_rows_and_columns_left_behind_are_told_apart(truth, rng):
    rows, columns = rng.normal(0.0, 1.5, (SHAPE[0], 1)), rng.normal(0.0, 0.7, (1, SHAPE[1]))
    left = residual_of(rows + columns + rng.normal(0.0, 3.0, SHAPE), truth, rng, "RGGB")
    assert left.row_adu == pytest.approx(np.std(rows), rel=0.15)
    assert left.column_adu == pytest.approx(np.std(columns), rel=0.15)


def test_a_level_between_the_colour_planes_is_no_residual(truth, rng):
    cell = np.tile([[0.0, 100.0], [-30.0, 7.0]], (SHAPE[0] // 2, SHAPE[1] // 2))
    left = residual_of(cell + rng.normal(0.0, 2.0, SHAPE), truth, rng, "GBRG")
    assert left.pattern_adu == pytest.approx(2.0, rel=0.02)
    assert abs(left.row_adu) < 0.1


def test_folds_are_averaged_by_their_squares(truth, rng):
    folds = [residual_of(rng.normal(0.0, s, SHAPE), truth, rng) for s in (1.0, 3.0)]
    assert mean_quality(folds).pattern_adu == pytest.approx(np.sqrt(5.0), rel=0.02)
    assert mean_quality(folds).stars[1].peak_sigma == 20.0


def test_a_star_that_is_really_painted_in_shifts_as_the_error_alone_says(rng):
    error = rng.normal(0.0, 2.0, SHAPE)
    (place,) = random_places(SHAPE, 1, rng)
    y, x = np.indices(SHAPE)
    radius = np.hypot(y - place[0], x - place[1])
    star = 20.0 * NOISE_ADU * np.exp(-4.0 * np.log(2.0) * (radius / FWHM_PX) ** 2)
    alone = star[radius <= APERTURE_RADIUS_PX].sum()
    painted, unpainted = (measure_flux(image, place[None])[0] for image in (star - error, -error))
    assert painted - unpainted == pytest.approx(alone, rel=5e-3)


def test_an_even_sky_has_no_flux(rng):
    places = random_places(SHAPE, 5, rng)
    assert measure_flux(np.full(SHAPE, 123.0), places) == pytest.approx(np.zeros(5))


def test_too_high_a_dark_under_every_star_makes_it_fainter_by_its_share():
    places = np.array([[y, x] for y in range(20, 230, 30) for x in range(20, 280, 30)])
    error = np.zeros(SHAPE)
    error[places[:, 0], places[:, 1]] = 6.0
    bright = star_effects(np.array([error, error]), NOISE_ADU, 2.0, places)[1]
    flux = 20.0 * NOISE_ADU * 2.0 * np.pi * (FWHM_PX / 2.3548) ** 2
    assert bright.bias_mmag == pytest.approx(1085.7 * 6.0 / flux, rel=0.01)


def test_white_errors_scatter_magnitudes_as_photometry_predicts(truth, rng):
    left = residual_of(rng.normal(0.0, 2.0, SHAPE), truth, rng)
    pixels = np.pi * APERTURE_RADIUS_PX**2
    flux = 20.0 * NOISE_ADU * 2.0 * np.pi * (FWHM_PX / 2.3548) ** 2
    _, bright = left.stars
    # the ring's sky adds a fifth to the aperture's own noise, in square
    predicted = 1085.7 * np.sqrt(pixels * (1.0 + 1.57 * pixels / 250.0)) / flux
    assert bright.noise_mmag == pytest.approx(NOISE_ADU * predicted, rel=0.12)
    assert bright.scatter_mmag == pytest.approx(2.0 * predicted, rel=0.2)
    assert bright.rms_mmag == pytest.approx(2.0 * predicted, rel=0.2)
    assert left.stars[0].noise_mmag == pytest.approx(4.0 * bright.noise_mmag, rel=1e-6)


def test_an_image_too_small_for_a_star_has_none(rng):
    assert len(random_places((24, 300), 10, rng)) == 0
    assert star_effects(np.zeros((2, 24, 30)), 1.0, 2.0, np.zeros((0, 2))) == ()
