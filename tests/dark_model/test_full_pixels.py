"""Pixels that are full in all frames that could tell are foretold full, and no others."""

import numpy as np
import pytest

from solodark.dark_model.full_pixels import stand_full
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.pixel_numbers import PixelsFound
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.smooth_maps import SmoothMaps

STATES = np.repeat([0.002, 0.1, 0.5, 1.0], 3)  # biases, and darks of three exposures
BIAS, FULL_ADU, CENSOR_ADU = STATES < 0.01, 60_000.0, 48_000.0
N, PIXEL = 64, 20
GRID = np.array([0.0, 1e4, 1e8, 1e10, 1e12])


@pytest.fixture
def fit():
    """The fit of these frames, of one dark map."""
    n = len(STATES)
    return SampleFit(
        design=np.column_stack([np.ones(n), STATES]),
        setting=np.zeros(n, int),
        frame_count=np.ones(n),
        series_count=np.ones(n),
        smooth=SmoothMaps(np.zeros((2, 1, 1, 1)), np.zeros((1, 1), bool), (2, 2), None),
        prior=MixturePrior(np.ones(1), np.zeros((1, 2)), np.eye(2)[None]),
        law=NoiseLaw(np.full(n, 25.0), np.full(1, 0.3), 0.0),
        scatter_grid=GRID,
        scatter_prior=np.ones((1, GRID.size)) / GRID.size,
        strength=np.eye(1),
        rows=np.zeros((n, 2)),
        level_maps=np.zeros((1, 2)),
        cosmic_share_per_s=0.0,
        censor_adu=CENSOR_ADU,
        evidence=0.0,
    )


def found_of(fit, values, dark_adu=0.0):
    """What a fit that knows nothing of full values finds, of each series' mean too."""
    maps = np.column_stack([values[BIAS].mean(axis=0), np.full(N, dark_adu)]).astype(float)
    left = values - fit.design @ maps.T
    weight = np.where(values <= CENSOR_ADU, 1.0, 1e-6).sum(axis=0)
    means = left.reshape(4, 3, N).mean(axis=1).T
    means[(values > CENSOR_ADU).reshape(4, 3, N).all(axis=1).T] = np.inf
    return PixelsFound(
        maps=maps,
        excess=np.ones(N),
        information=weight[:, None, None] * np.eye(2),
        pulls=np.zeros((N, 2)),
        scatter=np.eye(GRID.size)[np.zeros(N, int)],
        odds=np.ones((N, 1)),
        evidence=np.zeros(N),
        residuals=means,
    )


def frames_with(**adu_at_pixel):
    """Frames of a dark sensor in which one pixel reads so much, by its frames."""
    values = np.tile(np.linspace(-5.0, 5.0, N, dtype=np.float32), (len(STATES), 1))
    values[:, PIXEL] = 100.0
    for state, adu in adu_at_pixel.items():
        values[np.float64(state[1:]) / 1000.0 == STATES, PIXEL] = adu
    return values


def series_design(fit):
    return fit.design.reshape(4, 3, 2).mean(axis=1)


def stood(fit, values, **known):
    found = found_of(fit, values, **known)
    stand_full(found, values, fit, series_design(fit))
    return found


def test_a_pixel_full_in_every_dark_is_foretold_full_in_each_and_its_bias_stays(fit):
    found = stood(fit, frames_with(s100=FULL_ADU, s500=FULL_ADU, s1000=FULL_ADU))
    foretold = fit.design @ found.maps[PIXEL]
    np.testing.assert_allclose(foretold[BIAS], 100.0, atol=1e-6)
    assert foretold[3] == pytest.approx(FULL_ADU)
    assert (foretold[~BIAS] >= FULL_ADU - 1e-6).all()


def test_what_its_maps_leave_of_the_means_is_kept_with_them(fit):
    values = frames_with(s100=45_000.0, s500=FULL_ADU, s1000=FULL_ADU)
    found = stood(fit, values)
    left = (values[:, PIXEL] - fit.design @ found.maps[PIXEL]).reshape(4, 3).mean(axis=1)
    np.testing.assert_allclose(found.residuals[PIXEL, :2], left[:2], atol=1e-6)
    assert np.isinf(found.residuals[PIXEL, 2:]).all()


def test_weaker_darks_that_tell_of_no_such_signal_are_believed(fit):
    """Charge of a full neighbour spills over only where that is full."""
    values = frames_with(s500=3000.0, s1000=FULL_ADU)
    np.testing.assert_array_equal(stood(fit, values).maps, found_of(fit, values).maps)


def test_a_ray_is_no_full_pixel(fit):
    values = frames_with()
    values[~BIAS, PIXEL] = np.nan
    values[-1, PIXEL] = FULL_ADU
    np.testing.assert_array_equal(stood(fit, values).maps, found_of(fit, values).maps)
    between = frames_with(s500=FULL_ADU)
    np.testing.assert_array_equal(stood(fit, between).maps, found_of(fit, between).maps)


def test_a_pixel_that_was_full_on_one_night_only_may_be_anything(fit):
    found = stood(fit, frames_with(s500=FULL_ADU))
    assert found.scatter[PIXEL].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]
    assert GRID[3] > (CENSOR_ADU / 0.5) ** 2 > GRID[2]
    others = np.arange(N) != PIXEL
    assert np.all(found.scatter[others, 0] == 1.0)


def test_a_ray_in_one_frame_of_a_series_and_full_pixels_as_foretold_scatter_as_ever(fit):
    hit = frames_with()
    hit[-1, PIXEL] = FULL_ADU
    always = frames_with(s100=FULL_ADU, s500=FULL_ADU, s1000=FULL_ADU)
    for values in (hit, always):
        assert np.all(stood(fit, values).scatter[:, 0] == 1.0)


def test_a_pixel_that_is_foretold_full_stays_as_the_darks_below_told(fit):
    values = frames_with(s100=9000.0, s500=45_000.0, s1000=FULL_ADU)
    for dark_adu in (55_000.0, 90_000.0):
        found = stood(fit, values, dark_adu=dark_adu)
        np.testing.assert_array_equal(found.maps[PIXEL], [100.0, dark_adu])


def test_a_pixel_full_in_every_frame_is_so_at_any_state(fit):
    values = frames_with(s2=FULL_ADU, s100=FULL_ADU, s500=FULL_ADU, s1000=FULL_ADU)
    values[:3, PIXEL] = np.nan  # forgotten means are no frames
    found = stood(fit, values)
    np.testing.assert_array_equal(found.maps[PIXEL], [FULL_ADU, 0.0])


def test_all_other_pixels_stay_as_they_were_found(fit):
    values = frames_with(s100=FULL_ADU, s500=FULL_ADU, s1000=FULL_ADU)
    before, after = found_of(fit, values), stood(fit, values)
    others = np.arange(N) != PIXEL
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[others], other[others])
