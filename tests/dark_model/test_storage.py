"""A model taken apart and put together again."""

import json

import numpy as np
import pytest

from solodark.dark_model import from_arrays, generate, grow, to_arrays
from solodark.errors import ModelFileError


@pytest.fixture
def parts(dark_nights):
    arrays, description = to_arrays(dark_nights.model)
    return dict(arrays), json.loads(json.dumps(description))


def test_nothing_is_lost_on_the_way_through_json_and_arrays(dark_nights, parts):
    arrays, description = to_arrays(from_arrays(*parts, name="camera"))
    assert json.loads(json.dumps(description)) == parts[1]
    assert arrays.keys() == parts[0].keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, parts[0][name], err_msg=name)


def test_a_model_put_together_again_makes_the_same_master(dark_nights, parts):
    again = from_arrays(*parts, name="camera")
    (shot,) = dark_nights.later()
    first, second = (generate(model, shot.frame) for model in (dark_nights.model, again))
    np.testing.assert_allclose(first.data, second.data, atol=0.05)
    assert first.provenance.model_id == second.provenance.model_id
    assert again.acquisition == dark_nights.model.acquisition


def test_a_model_of_the_first_days_makes_masters_but_cannot_grow(dark_nights, parts):
    arrays = {name: part for name, part in parts[0].items() if name not in ("residuals", "kept_as")}
    old = from_arrays(arrays, parts[1], name="camera")
    (shot,) = dark_nights.later()
    assert generate(old, shot.frame).equivalent_subs > 1.0
    with pytest.raises(ModelFileError, match="does not keep enough of its frames"):
        grow(old, [shot.frame])


def test_means_kept_in_steps_of_another_size_are_forgotten(parts):
    old = from_arrays(parts[0], parts[1] | {"steps_per_sigma": 4.0}, name="camera")
    assert old.pixels.residuals is None
    assert from_arrays(*parts, name="camera").pixels.residuals is not None


@pytest.mark.parametrize("missing", ["maps", "states", "prior_means"])
def test_a_missing_array_is_named(parts, missing):
    del parts[0][missing]
    with pytest.raises(ModelFileError, match=rf"^nights.solodark lacks .*{missing}"):
        from_arrays(*parts, name="nights.solodark")


@pytest.mark.parametrize("missing", ["curvature", "camera", "names"])
def test_a_missing_part_of_the_description_is_named(parts, missing):
    del parts[1][missing]
    with pytest.raises(ModelFileError, match=rf"^nights.solodark lacks .*{missing}"):
        from_arrays(*parts, name="nights.solodark")


def test_maps_of_different_sizes_are_refused(parts):
    parts[0]["excess"] = parts[0]["excess"][:-2]
    with pytest.raises(ModelFileError, match=r"^nights.solodark holds maps of different sizes"):
        from_arrays(*parts, name="nights.solodark")
