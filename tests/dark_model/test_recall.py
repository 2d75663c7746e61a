"""Pixels that new frames show to have changed, and those that only look so."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model.past import Past
from solodark.dark_model.recall import Since, find_changes

SINCE = Since(years=0.5, changed_share=1e-4, cosmic_share=1e-5)


def every_row(past):
    return slice(0, past.model.shape[0])


@pytest.fixture
def past(dark_nights):
    return Past(dark_nights.model)


def frames_like_the_strongest(past, n, rng):
    """Fit and values of so many frames of an unchanged sensor, all in one state."""
    fit = past.fit.of([int(np.argmax(past.fit.states[:, 0]))] * n)
    signal = fit.design @ past.maps((every_row(past), slice(None))).T
    floor, slope = fit.law.frame_variance[:, None], fit.law.slope[fit.setting][:, None]
    above = np.maximum(signal, 0.0)
    variance = floor + slope * above + fit.law.curvature * above**2
    values = signal + rng.normal(size=signal.shape) * np.sqrt(variance)
    return fit, values.astype(np.float32)


@pytest.mark.parametrize("n", [1, 2, 3, 30, 150])
def test_the_noise_of_few_or_many_frames_is_no_change(past, rng, n):
    fit, values = frames_like_the_strongest(past, n, rng)
    odds, jump = find_changes(past, fit, values, every_row(past), SINCE)
    assert np.mean(odds > 0.5) < 1e-3
    assert abs(np.mean(jump)) < 0.1 * np.sqrt(fit.law.frame_variance[0] / n)


@pytest.mark.parametrize("n", [1, 2, 3, 30, 150])
def test_a_pixel_that_is_bright_in_all_frames_has_changed(past, rng, n):
    fit, values = frames_like_the_strongest(past, n, rng)
    values[:, :50] += 400.0
    odds, jump = find_changes(past, fit, values, every_row(past), SINCE)
    assert np.mean(odds[:50] > 0.5) > 0.9
    assert np.median(jump[:50]) == pytest.approx(400.0, rel=0.05)


@pytest.mark.parametrize("n", [2, 3, 30, 150])
def test_a_ray_in_one_of_several_frames_is_no_change(past, rng, n):
    fit, values = frames_like_the_strongest(past, n, rng)
    values[0, :50] += 3000.0
    odds, _ = find_changes(past, fit, values, every_row(past), SINCE)
    assert np.mean(odds[:50] > 0.5) < 0.1


@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_a_pixel_that_is_full_as_foretold_has_not_changed(past, rng, n):
    fit, values = frames_like_the_strongest(past, n, rng)
    signal = fit.design[0] @ past.maps((every_row(past), slice(None))).T
    hot = np.argsort(-signal)[:50]
    fit = replace(fit, censor_adu=float(0.3 * signal[hot].min()))
    values[:, hot] = 1.1 * fit.censor_adu
    odds, _ = find_changes(past, fit, values, every_row(past), SINCE)
    assert not (odds[hot] > 0.5).any()


def test_pixels_of_some_rows_are_those_of_the_whole_sensor(past, rng):
    fit, values = frames_like_the_strongest(past, 3, rng)
    nx, rows = past.model.shape[1], slice(10, 14)
    values[:, 10 * nx : 14 * nx : 3] += 60.0
    own = slice(rows.start * nx, rows.stop * nx)
    every, _ = find_changes(past, fit, values, every_row(past), SINCE)
    some, _ = find_changes(past, fit, values[:, own], rows, SINCE)
    assert 0.1 < np.mean(every[own] > 0.5) < 0.4
    np.testing.assert_allclose(some, every[own], atol=0.02)
