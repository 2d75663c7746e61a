"""What a dark leaves at hot pixels is found along their paths through the stack."""

import numpy as np
import pytest

from solodark.comparison import pattern_match, summarise_trails, trail_residuals

SHAPE = (120, 160)
N_LIGHTS = 12


def drifting(y, x, *, step_y=0.37, step_x=0.81):
    """Paths of pixels under a steady drift."""
    steps = np.arange(N_LIGHTS)[:, None]
    return np.stack([y + step_y * steps, x + step_x * steps], axis=-1)


def stack_of(residual_adu, y, x):
    """Mean of lights that each hold a residual at the same pixels, shifted by whole pixels."""
    stack = np.zeros(SHAPE)
    paths = drifting(y, x, step_y=1.0, step_x=2.0).astype(int)
    for places in paths:
        np.add.at(stack, (places[:, 0], places[:, 1]), residual_adu / N_LIGHTS)
    return stack, paths


@pytest.fixture
def hot(rng):
    grid = np.stack(np.meshgrid(np.arange(20, 90, 17), np.arange(20, 120, 31)), -1).reshape(-1, 2)
    return grid[:, 0], grid[:, 1]


def test_a_dark_too_weak_leaves_trails_and_one_too_strong_leaves_holes(hot):
    for residual in (24.0, -24.0):
        stack, paths = stack_of(residual, *hot)
        left = trail_residuals(stack, paths)
        assert left == pytest.approx(np.full(left.size, residual / N_LIGHTS))


def test_a_nebula_under_a_path_is_no_trail(hot):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    slope = 0.3 * x + 0.1 * y
    assert np.abs(trail_residuals(slope, drifting(*hot))).max() < 1e-9


def test_a_pixel_that_drifts_out_of_the_picture_counts_while_it_is_in_it():
    stack = np.ones(SHAPE)
    stack[60, 150:] = 3.0
    leaves = drifting(np.array([60]), np.array([150]), step_y=0.0, step_x=2.0)
    gone = leaves + np.array([0.0, 500.0])
    assert trail_residuals(stack, leaves)[0] == pytest.approx(2.0)
    assert np.isnan(trail_residuals(stack, gone)[0])


def test_trails_and_holes_cancel_in_the_mean_but_not_in_the_rms():
    trails = summarise_trails(np.array([6.0, -6.0, np.nan]), path_noise_adu=1.0, noise_adu=2.0)
    assert (trails.mean_sigma, trails.rms_sigma) == (0.0, 3.0)
    assert (trails.trails, trails.holes, trails.n_pixels) == (0.5, 0.5, 2)


def test_without_a_pixel_to_follow_nothing_is_claimed():
    assert np.isnan(summarise_trails(np.array([np.nan]), 1.0, 1.0).mean_sigma)


def test_the_share_of_the_pattern_that_is_left_is_found_under_noise(rng):
    pattern = rng.normal(0.0, 4.0, (300, 300))
    for share in (0.3, -0.2):
        picture = share * pattern + rng.normal(0.0, 2.0, pattern.shape)
        correlation, slope = pattern_match(picture, pattern, np.zeros(pattern.shape, np.bool_))
        assert slope == pytest.approx(share, abs=0.01)
        assert correlation == pytest.approx(share * 4 / np.hypot(share * 4, 2.0), abs=0.02)


def test_a_single_hot_pixel_does_not_make_a_pattern(rng):
    picture, pattern = rng.normal(size=(2, 200, 200))
    picture[50, 50] = pattern[50, 50] = 1e6
    assert abs(pattern_match(picture, pattern, np.zeros((200, 200), np.bool_))[0]) < 0.03


def test_a_constant_has_no_pattern():
    flat = np.zeros((9, 9))
    assert np.isnan(pattern_match(flat, flat, flat > 0)[0])
