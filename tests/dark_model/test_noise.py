"""The photon transfer of darks."""

import numpy as np
import pytest

from solodark.dark_model.noise import NoiseLaw, fit_noise_law, robust_variance


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
    law = fit_noise_law(
        signal, darks - darks.mean(axis=0), np.full(n, read_adu**2), shrink=np.full(n, 1 - 1 / n)
    )
    assert law.gain_e_per_adu == pytest.approx(gain_e_per_adu, rel=0.05)


def test_single_frames_cannot_tell_the_gain():
    law = fit_noise_law(np.ones((2, 900)), np.ones((2, 900)), np.ones(2), shrink=np.zeros(2))
    assert np.isnan(law.gain_e_per_adu)


def test_signal_below_the_level_is_no_quieter_than_none():
    law = NoiseLaw(np.array([9.0]), slope=np.array([0.5]), curvature=0.01)
    assert law.variance(np.array([-50.0]), 9.0)[0] == law.variance(np.array([0.0]), 9.0)[0] == 9.0
    assert law.variance(np.array([10.0]), 9.0)[0] == pytest.approx(9.0 + 5.0 + 1.0)
