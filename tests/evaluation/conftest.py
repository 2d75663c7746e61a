"""A small sensor whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest

from solodark.frames import Acquisition, Frame

NOISE_ADU = 6.0

SubsOf = Callable[..., list[Frame]]


@pytest.fixture
def pattern(rng: np.random.Generator) -> np.ndarray:
    """A log-normal dark pattern with hot pixels, ADU."""
    level = 100.0 + 10.0 * rng.lognormal(0.0, 1.0, (128, 160))
    level[rng.random(level.shape) < 0.005] += 2000.0
    return level


@pytest.fixture
def subs_of(rng: np.random.Generator) -> SubsOf:
    """Make subs of one exposure: a pattern and white noise."""

    def make(pattern: np.ndarray, n: int, **known: object) -> list[Frame]:
        acquisition = Acquisition(exposure_s=60.0, **known)
        noise = rng.normal(0.0, NOISE_ADU, (n, *pattern.shape))
        return [Frame(pattern + one, acquisition, f"sub_{i}") for i, one in enumerate(noise)]

    return make
