"""The state of an exposure, solved from its pixels."""

import numpy as np
import pytest

from solodark.dark_model.first_states import starting_states
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.states import SamplePixels, solve_state

LAW = NoiseLaw(np.array([16.0]), slope=np.array([1.0]), curvature=0.0)
STATE = np.array([0.8, -0.3])


@pytest.fixture
def sensor(rng):
    """Four thousand pixels of four colours, one in ten of them hot."""
    n = 4000
    maps = np.stack([rng.normal(0.0, 1.0, n), rng.normal(5.0, 1.0, n), np.zeros(n)], axis=1)
    hot = rng.random(n) < 0.1
    maps[hot, 1] += rng.exponential(300.0, np.count_nonzero(hot))
    maps[:, 2] = 0.1 * maps[:, 1] * rng.normal(0.0, 1.0, n)
    return SamplePixels(maps, np.full(n, 0.01), np.ones(n), rng.integers(0, 4, n))


def expose(sensor, rng, state=STATE):
    expected = sensor.maps @ np.append(1.0, state)
    noise = np.sqrt(LAW.variance(expected, 16.0)) * rng.standard_normal(expected.size)
    level = np.array([3.0, -2.0, 0.5, 1.0])[sensor.plane]
    return expected + level + noise


def test_the_state_is_found_whatever_the_levels_of_the_colours(sensor, rng):
    found, _ = solve_state(expose(sensor, rng), sensor, LAW, 16.0, np.zeros(2))
    np.testing.assert_allclose(found, STATE, atol=0.03)


def test_the_covariance_is_the_scatter_of_solved_states(sensor, rng):
    solved = [solve_state(expose(sensor, rng), sensor, LAW, 16.0, STATE) for _ in range(60)]
    scatter = np.std([state for state, _ in solved], axis=0)
    told = np.sqrt(np.diag(solved[0][1]))
    np.testing.assert_allclose(scatter / told, 1.0, atol=0.35)


def test_changed_pixels_and_cosmic_rays_do_not_move_the_state(sensor, rng):
    values = expose(sensor, rng)
    values[rng.choice(values.size, 80, replace=False)] += 3000.0
    found, covariance = solve_state(values, sensor, LAW, 16.0, np.zeros(2))
    assert np.abs((found - STATE) / np.sqrt(np.diag(covariance))).max() < 5.0


def test_a_pixel_of_infinite_noise_says_nothing(sensor, rng):
    values = expose(sensor, rng)
    values[:1000] = 0.0
    excess = np.where(np.arange(values.size) < 1000, np.inf, 1.0)
    deaf = SamplePixels(sensor.maps, sensor.model_variance, excess, sensor.plane)
    found, _ = solve_state(values, deaf, LAW, 16.0, np.zeros(2))
    np.testing.assert_allclose(found, STATE, atol=0.04)


def test_first_states_follow_the_true_ones_up_to_their_scale(sensor, rng):
    strength = np.array([0.0, 0.0, 0.2, 0.4, 0.6, 0.9, 1.0, 1.0])
    frames = np.array([expose(sensor, rng, np.array([s, 0.0])) for s in strength])
    frames -= np.median(frames, axis=1)[:, None]
    design = starting_states(
        frames,
        np.full(8, 16.0),
        1.0,
        strength == 0.0,
        starts=np.array([0, 2, 3, 4, 5, 6, 8]),
        levels=np.ones((8, 1)),
    )
    np.testing.assert_array_equal(design[:, 0], 1.0)
    assert np.corrcoef(design[:, 1], strength)[0, 1] > 0.999
    assert np.mean(design[:2, 1]) == pytest.approx(0.0, abs=0.02)
    assert np.mean(design[:, 1] ** 2) == pytest.approx(1.0, rel=0.2)
