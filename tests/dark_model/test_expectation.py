"""The least dark signal that a library lets expect of a sub."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model.dark_signal import strength2_of
from solodark.dark_model.expectation import least_state


@pytest.fixture
def model(dark_nights):
    """Three darks in one mixture, and biases: 30 s at -10 C, 60 s at 0 C, 300 s at 0 C."""
    whole = dark_nights.model
    unit = np.eye(whole.rank)[0] / np.sqrt(strength2_of(whole, np.eye(whole.rank)[0]))
    return with_frames(
        whole,
        exposure_s=np.array([0.0, 30.0, 60.0, 300.0]),
        sensor_temperature_c=np.array([0.0, -10.0, 0.0, 0.0]),
        states=np.array([0.0, 0.02, 0.2, 1.0])[:, None] * unit,
    )


def with_frames(whole, **arrays):
    setting = np.zeros(len(arrays["states"]), np.intp)
    return replace(whole, library=replace(whole.library, setting=setting, **arrays))


def least(model, **header):
    state = least_state(model, replace(model.acquisition, **header), 0)
    return None if state is None else float(np.sqrt(strength2_of(model, state)))


def test_a_dark_as_cold_as_the_library_has_what_its_exposure_brings(model):
    taken = {"exposure_s": 30.0, "sensor_temperature_c": -10.0}
    assert least(model, **taken) == pytest.approx(0.02)
    taken = {"exposure_s": 60.0, "sensor_temperature_c": 0.0}
    assert least(model, **taken) == pytest.approx(0.04)


def test_a_colder_sub_may_have_as_little_as_physics_allows(model):
    taken = {"exposure_s": 150.0, "sensor_temperature_c": -9.2}
    assert least(model, **taken) == pytest.approx(0.5 * 0.25)
    silent = least(model, exposure_s=150.0, sensor_temperature_c=None)
    assert silent == pytest.approx(0.5 * 0.5 ** (10.0 / 4.6))


def test_a_far_shorter_dark_whose_state_is_all_noise_tells_nothing(model):
    taken = {"exposure_s": 300.0, "sensor_temperature_c": 0.0}
    assert least(model, **taken) == pytest.approx(1.0)


def test_a_longer_sub_than_all_of_the_library_has_its_strongest_signal_at_least(model):
    taken = {"exposure_s": 3000.0, "sensor_temperature_c": 0.0}
    assert least(model, **taken) == pytest.approx(1.0)


def test_nothing_is_expected_of_a_bias_nor_without_darks(model):
    assert least(model, exposure_s=0.0) is None
    assert least(model, exposure_s=None) is None
    biases = with_frames(
        model,
        exposure_s=np.zeros(2),
        sensor_temperature_c=np.zeros(2),
        states=np.zeros((2, model.rank)),
    )
    assert least(biases, exposure_s=60.0) is None
