"""Full scale bends the mean and the variance as dice would show it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.synthetic.clipping import clipped_mean, clipped_variance


@pytest.mark.parametrize("mean", [80.0, 95.0, 100.0, 104.0, 120.0])
def test_moments_of_a_clipped_gaussian_are_those_of_many_dice(
    rng: np.random.Generator, mean: float
) -> None:
    throws = np.minimum(mean + 5.0 * rng.standard_normal(200_000), 100.0)
    image, variance = np.full((1, 1), mean, np.float32), np.full((1, 1), 25.0, np.float32)
    assert clipped_mean(image, variance, 100.0).item() == pytest.approx(throws.mean(), abs=0.05)
    assert clipped_variance(image, variance, 100.0).item() == pytest.approx(throws.var(), abs=0.2)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(mean=st.floats(-1e4, 1e5), sigma=st.floats(0.0, 1e3), limit=st.floats(1.0, 65535.0))
def test_clipping_never_raises_a_mean_or_a_variance(
    mean: float, sigma: float, limit: float
) -> None:
    image, variance = np.full((1, 1), mean, np.float32), np.full((1, 1), sigma**2, np.float32)
    below = clipped_mean(image, variance, limit).item()
    assert below <= min(limit, image.item()) * (1 + 1e-6) + 1e-3 or below < 0
    left = clipped_variance(image, variance, limit).item()
    assert -1e-2 * variance.item() <= left <= variance.item() * (1 + 1e-5)
