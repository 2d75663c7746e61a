import numpy as np
import pytest

from solodark.evaluation.levels import clipped_mean_and_sigma, difference_statistics, thin_out


def test_the_level_of_quantised_data_moves_by_less_than_a_step(rng):
    signal = rng.normal(100.0, 9.0, 200_000)
    levels = [
        clipped_mean_and_sigma(4.0 * np.round((signal + shift) / 4.0))[0]
        for shift in (0.0, 0.3, 0.6)
    ]
    assert np.diff(levels) == pytest.approx([0.3, 0.3], abs=0.03)


def test_hot_pixels_move_neither_level_nor_noise(rng):
    values = rng.normal(5.0, 2.0, 100_000)
    values[:1000] += 5000.0
    mean, sigma = clipped_mean_and_sigma(values)
    assert mean == pytest.approx(5.0, abs=0.05)
    assert sigma == pytest.approx(2.0, rel=0.02)


def test_equal_values_have_no_noise():
    assert clipped_mean_and_sigma(np.full(50, 3.0)) == (3.0, 0.0)


def test_each_colour_plane_has_its_own_level_and_noise(rng):
    cell_level = np.array([[1.0, -20.0], [300.0, 4.0]])
    cell_noise = np.array([[1.0, 2.0], [3.0, 4.0]])
    image = np.tile(cell_level, (80, 90)) + np.tile(cell_noise, (80, 90)) * rng.normal(
        size=(160, 180)
    )
    levels, sigmas = difference_statistics(image, np.zeros_like(image), "RGGB")
    assert levels == pytest.approx(cell_level, abs=0.25)
    assert sigmas == pytest.approx(cell_noise, rel=0.05)


def test_a_mono_sensor_repeats_its_one_level():
    levels, _ = difference_statistics(np.full((10, 10), 7.0), np.zeros((10, 10)), None)
    assert levels.tolist() == [[7.0, 7.0], [7.0, 7.0]]


def test_thinning_meets_every_readout_channel():
    plane = np.tile(np.arange(8.0), (2000, 150))
    thin = thin_out(plane)
    assert thin.size < plane.size / 4
    assert np.bincount(thin.ravel().astype(int), minlength=8).min() > 0.1 * thin.size
