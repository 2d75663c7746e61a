"""The photon transfer of darks."""

import numpy as np
import pytest

from solodark.dark_model.noise import NoiseLaw, fit_noise_law, robust_variance, spreads


def test_a_few_cosmic_rays_do_not_raise_the_variance(rng):
    deviations = rng.normal(0.0, 3.0, 50_000)
    deviations[:500] = 4000.0
    assert robust_variance(deviations) == pytest.approx(9.0, rel=0.04)


def test_no_deviations_have_no_variance():
    assert robust_variance(np.zeros(10)) == 0.0


def test_shot_noise_tells_the_gain(rng):
    gain_e_per_adu, read_adu, n = 2.0, 5.0, 6
    signal = np.tile(rng.uniform(0.0, 4000.0, 20_000), (n, 1))
    darks = rng.poisson(signal * gain_e_per_adu) / gain_e_per_adu
    darks = darks + rng.normal(0.0, read_adu, signal.shape)
    told = spreads(
        signal, darks - darks.mean(axis=0), np.full(n, read_adu**2), np.full(n, 1 - 1 / n)
    )
    law = fit_noise_law(told, [], np.full(n, read_adu**2), np.zeros(n, dtype=int))
    assert law.gain_e_per_adu == pytest.approx(gain_e_per_adu, rel=0.05)


def test_frames_without_signal_cannot_tell_the_gain():
    law = fit_noise_law([], [], np.ones(2), np.zeros(2, dtype=int))
    assert np.isnan(law.gain_e_per_adu)


def test_repeated_biases_do_not_foretell_more_noise_than_single_darks_show(rng):
    variance, gain_e_per_adu = np.full(4, 25.0), 2.0
    faint = np.tile(rng.uniform(0.0, 60.0, 20_000), (2, 1))
    restless = rng.normal(0.0, np.sqrt(25.0 + (0.1 * faint) ** 2))  # charge the last frame left
    bright = np.tile(rng.uniform(0.0, 20_000.0, 20_000), (2, 1))
    shot = rng.normal(0.0, np.sqrt(25.0 + bright / gain_e_per_adu))
    told = spreads(
        np.vstack((faint, bright)), np.vstack((restless, shot)), variance, np.repeat([1.0, 0.0], 2)
    )
    bounds = spreads(
        np.vstack((faint, bright)), np.vstack((restless, shot)), variance, np.repeat([0.0, 1.0], 2)
    )
    law = fit_noise_law(told, bounds, variance, np.zeros(4, dtype=int))
    assert law.variance(np.array([20_000.0]), 25.0) == pytest.approx(10_025.0, rel=0.2)


def test_scatter_from_dark_to_dark_is_not_taken_for_noise(rng):
    variance, gain_e_per_adu, signal = np.full(3, 25.0), 2.0, rng.uniform(0.0, 20_000.0, 40_000)
    spread = np.sqrt(25.0 + signal / gain_e_per_adu + (0.02 * signal) ** 2)
    left = rng.normal(0.0, np.tile(spread, (3, 1)))
    bounds = spreads(np.tile(signal, (3, 1)), left, variance, np.ones(3))
    law = fit_noise_law([], bounds, variance, np.zeros(3, dtype=int))
    assert law.curvature == 0.0
    assert law.gain_e_per_adu == pytest.approx(gain_e_per_adu, rel=0.1)


def test_signal_below_the_level_is_no_quieter_than_none():
    law = NoiseLaw(np.array([9.0]), slope=np.array([0.5]), curvature=0.01)
    assert law.variance(np.array([-50.0]), 9.0)[0] == law.variance(np.array([0.0]), 9.0)[0] == 9.0
    assert law.variance(np.array([10.0]), 9.0)[0] == pytest.approx(9.0 + 5.0 + 1.0)
