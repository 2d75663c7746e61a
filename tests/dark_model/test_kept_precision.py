"""How precisely a model is kept: well below what it does not know."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import predict
from solodark.dark_model.kept_precision import keep_precision, map_steps


def copied(model):
    pixels = model.pixels
    own = {name: getattr(pixels, name).copy() for name in ("maps", "information", "excess")}
    return replace(model, pixels=replace(pixels, **own))


@pytest.fixture
def exact(dark_nights, rng):
    """A model with digits that nobody knows."""
    model = copied(dark_nights.model)
    pixels = model.pixels
    for layer, step in zip(pixels.maps, map_steps(model), strict=True):
        layer[...] += rng.uniform(-step, step, layer.shape).astype(np.float32)
    pixels.information[...] *= rng.uniform(0.99, 1.01, model.shape).astype(np.float32)
    return model


def test_rounding_adds_less_than_a_hundredth_to_the_uncertainty_of_any_frame(exact):
    kept = copied(exact)
    keep_precision(kept)
    library = exact.library
    for state, setting in zip(library.states, library.setting, strict=True):
        before = predict(exact, state, setting=setting)
        after = predict(kept, state, setting=setting)
        added = np.mean((after.pattern - before.pattern) ** 2, dtype=np.float64)
        assert 0.0 < added < 0.01 * before.variance.min()
        np.testing.assert_allclose(after.variance, before.variance, rtol=0.01)


def test_what_is_kept_can_be_kept_again_unchanged(exact):
    keep_precision(exact)
    again = copied(exact)
    keep_precision(again)
    for name in ("maps", "information", "excess"):
        np.testing.assert_array_equal(getattr(again.pixels, name), getattr(exact.pixels, name))


def test_maps_of_a_learned_model_are_whole_numbers_of_steps(dark_nights):
    model = dark_nights.model
    for layer, step in zip(model.pixels.maps, map_steps(model), strict=True):
        np.testing.assert_array_equal(layer / step, np.rint(layer / step))
