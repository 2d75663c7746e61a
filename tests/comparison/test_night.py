"""The same lights with one dark after the other: figures order the darks as the truth does."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from solodark.comparison.contenders import (
    Contender,
    each_with_its_own,
    one_for_all,
    scaled_to_each,
)
from solodark.comparison.night import compare_contenders, prepare_night
from solodark.comparison.starred_light import StarredLight
from solodark.dark_model import generate
from solodark.errors import SettingError
from solodark.frames import Acquisition, Frame, FrameKind
from solodark.registration import Transform
from solodark.synthetic import NightPlan, expose_night, make_scene
from solodark.workflows.library_masters import combine_sources

TRUE = "true dark"


@pytest.fixture(scope="module")
def shots(dark_nights):
    """Eight lights that cool by 6 C, and darks and biases at their end."""
    dice = np.random.default_rng(3)
    scene = make_scene(dice, shape=dark_nights.camera.shape, nebula_e_per_s=0.02)
    start = dark_nights.last.frame.acquisition.date_obs + timedelta(days=5)
    plan = NightPlan(
        n_lights=8, n_darks=4, n_flats=0, n_biases=4, start=start, cooling_c=6.0, iso=800,
        drift_x_px=1.3, drift_y_px=0.4, jitter_px=0.2,
    )  # fmt: skip
    return list(expose_night(dark_nights.camera, scene, dice, plan))


def of_kind(shots, kind):
    return [shot for shot in shots if shot.frame.acquisition.kind is kind]


@pytest.fixture(scope="module")
def lights(shots):
    return [shot.frame for shot in of_kind(shots, FrameKind.LIGHT)]


@pytest.fixture(scope="module")
def masters(shots):
    return {
        kind: combine_sources([shot.frame for shot in of_kind(shots, kind)])
        for kind in (FrameKind.DARK, FrameKind.BIAS)
    }


@pytest.fixture(scope="module")
def contenders(dark_nights, shots, masters):
    camera, sub = dark_nights.camera, of_kind(shots, FrameKind.DARK)[0].frame
    exact = replace(
        masters[FrameKind.DARK],
        uncertainty=np.zeros(camera.shape, np.float32),
        flags=np.zeros(camera.shape, np.uint8),
    )
    truths = {
        shot.frame.name: replace(exact, data=camera.expected_for(shot, frozen_telegraph=True))
        for shot in of_kind(shots, FrameKind.LIGHT)
    }
    return {
        one.name: one
        for one in (
            one_for_all("no dark", masters[FrameKind.BIAS]),
            one_for_all("one sub", combine_sources([sub])),
            one_for_all("generated", generate(dark_nights.model, sub)),
            each_with_its_own("each", dark_nights.model),
            Contender(TRUE, lambda lights: iter([truths[light.name] for light in lights])),
        )
    }


@pytest.fixture(scope="module")
def night(lights, contenders):
    return prepare_night(lights, contenders["each"], rng=np.random.default_rng(4))


@pytest.fixture(scope="module")
def compared(night, contenders):
    found = compare_contenders(night, list(contenders.values()), truth=TRUE)
    return {one.name: one for one in found}


def test_the_truth_comes_first_and_the_others_in_their_order(compared):
    assert list(compared) == [TRUE, "no dark", "one sub", "generated", "each"]


def test_a_dark_for_each_light_leaves_least_noise_but_for_the_truth(compared):
    for figure in ("noise_dithered_adu", "noise_undithered_adu"):
        noise = {name: getattr(one.measures, figure) for name, one in compared.items()}
        assert noise["each"] < noise["generated"] < noise["one sub"]
        assert noise["each"] < noise["no dark"]
        assert noise[TRUE] <= 1.02 * noise["each"]


def test_a_dark_of_the_nights_end_leaves_trails_and_one_for_each_light_does_not(compared):
    left = {name: one.measures.trails.mean_sigma for name, one in compared.items()}
    assert left["generated"] > 4 * abs(left["each"])
    assert left["no dark"] > left["generated"]
    assert abs(left["each"]) < 0.2


def test_the_sensors_pattern_walks_through_the_stack_of_a_dark_too_weak(compared):
    for name in ("no dark", "generated"):
        measures = compared[name].measures
        assert measures.walking_correlation > 0.1
        assert measures.fixed_share > 0.1
    assert abs(compared["each"].measures.walking_correlation) < 0.08


def test_true_stars_beside_themselves_have_no_bias(compared):
    beside = compared[TRUE].beside_truth
    assert (beside.bias_mag, beside.scatter_mag) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert compared["each"].beside_truth.scatter_mag < compared["one sub"].beside_truth.scatter_mag


def test_injected_stars_are_as_bright_as_they_were_made(compared):
    photometry = compared[TRUE].photometry
    assert abs(photometry.bias_mag) < 4 * photometry.bias_error_mag + 0.05
    assert 0.1 < photometry.scatter_mag < 0.6


def test_without_a_truth_nothing_is_said_of_it(night, contenders):
    (one,) = compare_contenders(night, [contenders["generated"]])
    assert one.beside_truth is None
    assert np.isfinite(one.photometry.scatter_mag)


def test_a_truth_that_is_no_contender_is_refused(night, contenders):
    with pytest.raises(SettingError, match="'wisdom' as the truth"):
        next(compare_contenders(night, [contenders["each"]], truth="wisdom"))


def test_every_calibrated_light_goes_where_it_takes_no_memory(night, contenders):
    kept = []

    def keep(light):
        kept.append(light.name)
        return light

    list(compare_contenders(night, [contenders["generated"]], keep=keep))
    assert kept == 2 * [light.name for light in night.lights]


def test_stars_fall_on_a_light_where_its_transform_says_and_through_its_air(night):
    plain = Frame(np.zeros(night.lights[0].shape), Acquisition())
    matrix = np.array([[1.0, 0.0, 5.0], [0.0, 1.0, -7.0]])
    transform = Transform(matrix=matrix, transparency=0.5)
    one = replace(
        night.field.stars, y=np.array([60.0]), x=np.array([80.0]),
        flux_adu=np.array([1000.0]), is_standard=np.array([True]),
    )  # fmt: skip
    response = np.full(plain.shape, 0.8, np.float32)
    starred = StarredLight(plain, one, transform, response)
    image = np.concatenate([starred.read_rows(0, 50), starred.read_rows(50, plain.shape[0])])
    assert np.unravel_index(image.argmax(), image.shape) == (55, 87)
    assert image.sum() == pytest.approx(0.8 * 500.0, rel=0.02)


def test_one_k_is_tuned_on_every_light_by_itself(lights, masters):
    scaled = scaled_to_each("one k", masters[FrameKind.DARK], masters[FrameKind.BIAS], "best")
    first, *_, last = (offset.data for offset in scaled.offsets(lights))
    bias = masters[FrameKind.BIAS].data
    assert float(np.std(first - bias)) > 1.1 * float(np.std(last - bias))
