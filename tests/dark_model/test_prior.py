"""What pixels have in common, learned from pixels that are known only with error."""

import numpy as np
import pytest

from solodark.dark_model.prior import refine_prior, starting_prior


@pytest.fixture
def pixels(rng):
    """Nine ordinary pixels in ten and one warm one, and how well each is known."""
    n = 10_000
    warm = rng.random(n) < 0.1
    maps = rng.normal(0.0, [0.5, 2.0], (n, 2))
    maps[warm] = rng.normal([0.0, 60.0], [0.5, 15.0], (np.count_nonzero(warm), 2))
    noise = 3.0**2 * np.eye(2)
    information = np.tile(np.linalg.inv(noise), (n, 1, 1))
    seen = maps + rng.multivariate_normal([0.0, 0.0], noise, n)
    return seen, noise, information, seen @ np.linalg.inv(noise)


def test_the_spread_of_pixels_is_learned_without_the_noise_they_are_seen_with(pixels):
    seen, noise, information, pulls = pixels
    shares = np.ones(len(seen))
    first = starting_prior(seen, noise, shares, n_components=2)
    prior = refine_prior(first, information, pulls, shares, most_steps=80)
    warm = int(np.argmax(prior.means[:, 1]))
    spread = np.sqrt(np.diagonal(np.linalg.inv(prior.precisions), axis1=1, axis2=2))
    assert prior.weights[warm] == pytest.approx(0.1, rel=0.1)
    assert prior.means[warm, 1] == pytest.approx(60.0, abs=2.0)
    assert spread[1 - warm, 1] == pytest.approx(2.0, abs=0.4)
    assert spread[warm, 1] == pytest.approx(15.0, rel=0.1)


@pytest.mark.parametrize("noise", [0.3, 3.0, 8.0])
def test_a_fit_begins_with_pixels_as_different_as_they_are_whatever_the_noise(rng, noise):
    n, spread = 100_000, 2.6
    seen = rng.normal(0.0, np.hypot([0.5, spread], noise), (n, 2))
    seen[: n // 25, 1] += rng.exponential(300.0, n // 25)
    first = starting_prior(seen, noise**2 * np.eye(2), np.ones(n), n_components=8)
    begun = np.sqrt(np.linalg.inv(first.precisions)[:, 1, 1])
    assert begun[0] == pytest.approx(spread, rel=0.25)
    assert (begun[1:3] > begun[0]).all()
    np.testing.assert_allclose(first.means[:3, 1], first.means[0, 1])
    assert first.means[-1, 1] > 500.0


def test_a_row_whose_bias_alone_is_far_off_is_reached_by_a_component_that_is_not_hot(pixels, rng):
    seen, noise, *_ = pixels
    seen[rng.choice(len(seen), 40, replace=False), 0] += 12_000.0
    first = starting_prior(seen, noise, np.ones(len(seen)), n_components=5)
    reaching = np.linalg.inv(first.precisions)[:, 0, 0] > 300.0**2
    assert (np.abs(first.means[reaching, 1]) < 5.0).any()
    assert not reaching[0]


def test_pixels_that_stand_for_more_count_for_more(pixels):
    seen, noise, information, pulls = pixels
    shares = np.where(seen[:, 1] > 25.0, 1.0, 9.0)
    first = starting_prior(seen, noise, shares, n_components=2)
    prior = refine_prior(first, information, pulls, shares, most_steps=80)
    assert prior.weights.min() == pytest.approx(0.1 / (0.1 + 0.9 * 9.0), rel=0.2)


def test_maps_that_no_frame_constrains_change_nothing_but_stay_finite(pixels):
    seen, noise, information, pulls = pixels
    shares = np.ones(len(seen))
    first = starting_prior(seen, noise, shares, n_components=4)
    prior = refine_prior(first, 0.0 * information, 0.0 * pulls, shares, most_steps=3)
    np.testing.assert_allclose(prior.weights, first.weights, rtol=1e-3)
    assert np.isfinite(prior.precisions).all()


def test_more_components_than_pixels_can_fill_are_still_matrices(rng):
    maps = rng.normal(0.0, 1.0, (60, 3))
    prior = starting_prior(maps, np.eye(3), np.ones(60), n_components=8)
    assert prior.weights.shape == (8,)
    assert prior.weights.sum() == pytest.approx(1.0)
    assert (np.linalg.eigvalsh(prior.precisions) > 0).all()
