"""Which means a model keeps of its frames."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model.kept_means import join_series, means_of, starts_after
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.smooth_maps import SmoothMaps

DAYS = 8


def fit_of(states, setting, n_settings=1, variance_adu2=20.0):
    """The fit of frames with such states, of one dark map."""
    n = len(states)
    design = np.column_stack([np.eye(n_settings)[setting], states])
    d = design.shape[1]
    return SampleFit(
        design=design,
        setting=np.asarray(setting),
        frame_count=np.ones(n),
        series_count=np.ones(n),
        smooth=SmoothMaps(np.zeros((d, 1, 1, 1)), np.zeros((1, 1), bool), (2, 2), None),
        prior=MixturePrior(np.ones(1), np.zeros((1, d)), np.diag([0.01] * d)[None]),
        law=NoiseLaw(np.full(n, variance_adu2), np.full(n_settings, 0.3), 0.0),
        scatter_grid=np.array([0.0, 1.0]),
        scatter_prior=np.array([[0.9, 0.1]]),
        strength=np.eye(1),
        rows=np.arange(2.0 * n).reshape(n, 2),
        level_maps=np.zeros((1, d)),
        cosmic_share_per_s=0.0,
        censor_adu=1e9,
        evidence=0.0,
    )


@pytest.fixture
def library():
    """Series of five frames, at three exposures on as many nights as there are."""
    per_night = np.repeat([0.0, 0.3, 1.0], 5)
    states = np.concatenate([per_night * (1.0 + 0.01 * night) for night in range(DAYS)])
    return fit_of(states, np.zeros(len(states), int)), np.arange(0, 15 * DAYS + 1, 5)


def test_a_short_library_keeps_the_mean_of_every_series(library):
    fit, starts = library
    np.testing.assert_array_equal(join_series(fit, starts), np.arange(3 * DAYS))


def test_of_a_long_library_series_that_are_alike_share_a_mean(library):
    fit, starts = library
    kept_as = join_series(fit, starts, most=3).reshape(DAYS, 3)
    np.testing.assert_array_equal(kept_as, np.tile([0, 1, 2], (DAYS, 1)))
    assert join_series(fit, starts, most=7).max() == 6


def test_gain_settings_are_never_mixed(library):
    fit, starts = library
    setting = np.repeat(np.arange(3 * DAYS) // 3 % 2, 5)
    mixed = fit_of(fit.states, setting, n_settings=2)
    kept_as = join_series(mixed, starts, most=1)
    assert kept_as.max() == 1
    np.testing.assert_array_equal(kept_as, setting[starts[:-1]])


def test_a_mean_weighs_its_frames_by_their_noise_and_counts_them():
    fit = fit_of([0.2, 0.4, 0.9], [0, 0, 0])
    fit = replace(fit, law=replace(fit.law, frame_variance=np.array([10.0, 30.0, 20.0])))
    means = means_of(fit, np.array([0, 2, 3]), np.array([0, 1]))
    assert means.design[:, 1] == pytest.approx([(0.2 / 10 + 0.4 / 30) / (1 / 10 + 1 / 30), 0.9])
    assert means.frame_count == pytest.approx([2.0, 1.0])
    assert means.frame_count / means.law.frame_variance == pytest.approx([1 / 10 + 1 / 30, 1 / 20])
    assert means.series_count == pytest.approx([1.0, 1.0])


def test_joining_in_two_steps_is_joining_at_once(library):
    fit, starts = library
    first = np.arange(3 * DAYS) // 2
    steps = means_of(means_of(fit, starts, first), np.arange(13), np.arange(12) // 3)
    once = means_of(fit, starts, first // 3)
    for name in ("design", "frame_count", "series_count", "rows"):
        np.testing.assert_allclose(getattr(steps, name), getattr(once, name), err_msg=name)
    np.testing.assert_allclose(steps.law.frame_variance, once.law.frame_variance)


def test_every_mean_is_a_series_of_its_own():
    np.testing.assert_array_equal(starts_after(0, np.array([0, 0, 1])), [0, 2, 3])
    np.testing.assert_array_equal(starts_after(3, np.array([0, 0, 1])), [0, 1, 2, 3, 5, 6])
