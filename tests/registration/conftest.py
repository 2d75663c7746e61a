"""Pieces of sky seen through a lens without dark signal, so that only photons make noise."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from solodark.synthetic import Pointing, Scene, make_scene, scene_electrons

SHAPE = (320, 400)
READ_NOISE_E = 4.0

Expose = Callable[..., NDArray[np.float64]]


@pytest.fixture(scope="session")
def scene() -> Scene:
    return make_scene(np.random.default_rng(8), shape=SHAPE, stars_per_megapixel=2500.0)


@pytest.fixture
def expose(scene, rng) -> Expose:
    """Take a light of the scene, or of another, in electrons with photon and read noise."""

    def take(pointing: Pointing, *, cfa_pattern: str | None = None, of: Scene = scene):
        mean = scene_electrons(
            of, SHAPE, exposure_s=180.0, cfa_pattern=cfa_pattern, pointing=pointing
        )
        return rng.poisson(mean) + rng.normal(0.0, READ_NOISE_E, SHAPE)

    return take
