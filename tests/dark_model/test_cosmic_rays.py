"""Counting cosmic rays: in libraries of any shape, and nothing else for one."""

import numpy as np
import pytest

from solodark.dark_model.cosmic_rays import cosmic_share_per_s

SHAPE = (24, 20_000)
EXPOSURES_S = np.full(24, 300.0)
PAIRS = np.arange(0, 25, 2)
LONG_SERIES = np.array([0, 12, 24])
HIT_SHARE = 2e-3  # of the pixels in each frame


@pytest.fixture
def error(rng):
    """Noise of sigma 1."""
    return rng.normal(size=SHAPE)


def counted(error, starts):
    return cosmic_share_per_s(error, np.ones(SHAPE), starts, EXPOSURES_S)


@pytest.mark.parametrize("starts", [PAIRS, LONG_SERIES, np.array([0, 2, 3, 13, 24])])
def test_rays_are_counted_however_a_library_is_cut_into_series(error, rng, starts):
    hit = rng.uniform(size=SHAPE) < HIT_SHARE
    share = counted(np.where(hit, error + rng.uniform(20.0, 500.0, SHAPE), error), starts)
    assert share == pytest.approx(HIT_SHARE / 300.0, rel=0.15)


def test_what_is_noisy_or_hops_is_no_ray(error, rng):
    noisy = error * np.where(np.arange(SHAPE[1]) < 1_000, 5.0, 1.0)
    hops = np.where(rng.uniform(size=SHAPE) < 0.4, 50.0, 0.0) * (np.arange(SHAPE[1]) > 19_000)
    assert counted(noisy + hops, LONG_SERIES) < 0.02 * HIT_SHARE / 300.0


def test_pixels_that_went_dark_once_are_no_rays(error, rng):
    dark = rng.uniform(size=SHAPE) < HIT_SHARE
    assert counted(error - 50.0 * dark, PAIRS) < 0.01 * HIT_SHARE / 300.0


def test_a_library_that_cannot_tell_has_what_is_usual():
    nothing = np.zeros((2, 100))
    alone = cosmic_share_per_s(nothing, np.ones_like(nothing), np.array([0, 2]), np.full(2, 60.0))
    biases = cosmic_share_per_s(np.zeros(SHAPE), np.ones(SHAPE), PAIRS, np.zeros(24))
    assert alone == biases == pytest.approx(1e-8)
