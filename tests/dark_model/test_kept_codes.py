"""Means of frames in one byte each: what is kept of them, and what is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from solodark.dark_model.kept_codes import MeanNumbers, decode_means, encode_residuals

CENSOR_ADU = 4000.0
MEANS = MeanNumbers(
    design=np.array([[1.0, 0.0], [1.0, 0.5], [1.0, 1.0]]),
    frame_count=np.array([10.0, 4.0, 1.0]),
    frame_variance=np.array([25.0, 26.0, 30.0]),
    slope=np.full(3, 0.4),
    curvature=1e-5,
    censor_adu=CENSOR_ADU,
)
N = 600  # two blocks and a part of one


def sigma_adu(maps, excess):
    signal = np.maximum(MEANS.design @ maps.T, 0.0)
    one = MEANS.frame_variance[:, None] + signal * (0.4 + 1e-5 * signal)
    return np.sqrt(excess * one / MEANS.frame_count[:, None])


def kept(residuals, maps, excess):
    """What comes back of means that the maps leave so much of."""
    codes = np.empty((len(MEANS.design), len(maps)), np.uint8)
    encode_residuals(residuals, maps, excess, MEANS, codes)
    layers = np.ascontiguousarray(maps.T, dtype=np.float32)
    return decode_means(codes, layers, excess.astype(np.float32), MEANS)


@pytest.fixture
def pixels(rng):
    maps = rng.normal(0.0, [3.0, 5.0], (N, 2))
    maps[::5, 1] += rng.exponential(500.0, len(maps[::5]))
    return maps, rng.uniform(0.7, 3.0, N)


@settings(deadline=None)  # compiled on the first call
@given(arrays(np.float64, (7, 3), elements=st.floats(-500.0, 500.0)))
def test_a_mean_comes_back_within_a_twelfth_of_its_noise_or_a_part_in_forty(in_sigma):
    maps = np.outer(np.arange(7.0), [1.0, 200.0])
    excess = np.linspace(0.5, 4.0, 7)
    sigma = sigma_adu(maps, excess)
    means = in_sigma.T * sigma
    found = kept(means.T, maps, excess) - MEANS.design @ maps.T
    bound = sigma / 12.0 + np.abs(means) / 44.0
    assert np.all(np.abs(found - means) < 1.01 * bound + 0.01)


def test_rounding_adds_less_than_a_two_hundredth_to_the_variance_of_a_mean(pixels, rng):
    maps, excess = pixels
    sigma = sigma_adu(maps, excess)
    residuals = rng.normal(size=sigma.shape) * sigma
    lost = (kept(residuals.T, maps, excess) - MEANS.design @ maps.T - residuals) / sigma
    assert np.mean(lost**2) < 0.005


def test_a_full_pixel_comes_back_full_and_an_unknown_one_unknown(pixels):
    maps, excess = pixels
    residuals = np.zeros((N, 3))
    residuals[10, 1], residuals[11, 2] = np.inf, np.nan
    maps[12, 1], residuals[12, 2] = 2.0 * CENSOR_ADU, np.inf
    found = kept(residuals, maps, excess)
    assert CENSOR_ADU < found[1, 10] < CENSOR_ADU + 0.01
    assert np.isnan(found[2, 11])
    assert found[2, 12] == pytest.approx(maps[12].sum())
    assert np.count_nonzero(~np.isfinite(found)) == 1


def test_what_is_beyond_all_codes_is_kept_as_far_as_they_reach(pixels):
    maps, excess = pixels
    residuals = np.full((N, 3), -1e9)
    found = kept(residuals, maps, excess) - MEANS.design @ maps.T
    assert np.all(found < -400.0 * sigma_adu(maps, excess))
