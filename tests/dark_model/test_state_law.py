"""The law of the states, on libraries whose law is known."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model.learn_law import learn_law
from solodark.dark_model.model import LibraryFrames
from solodark.dark_model.state_law import inverse_thermal_energy

ENERGY_EV = 0.6
HEADER_ERROR_C = 0.8


def true_strength(exposure_s, temperature_c):
    warmth = inverse_thermal_energy(15.0) - inverse_thermal_energy(temperature_c)
    return 0.3 * exposure_s / 180.0 * np.exp(ENERGY_EV * warmth)


def library(
    model,
    rng,
    *,
    exposures_s=(60.0, 180.0, 300.0),
    n_series=12,
    header_error_c=HEADER_ERROR_C,
):
    """Replace a model's library by one of a known law; states lie along one direction."""
    series, exposure, told, states = [], [], [], []
    direction = np.eye(model.rank)[0] / np.sqrt(model.strength[0, 0])
    for number in range(n_series):
        exposure_s = exposures_s[number % len(exposures_s)]
        true_c = rng.uniform(2.0, 24.0)
        header_c = true_c + 2.0 + header_error_c * rng.standard_normal()
        for _ in range(4):
            series.append(number)
            exposure.append(exposure_s)
            told.append(header_c)
            states.append(true_strength(exposure_s, true_c) * direction)
    for _ in range(4):
        series.append(n_series)
        exposure.append(0.0)
        told.append(12.0)
        states.append(0.0 * direction)
    n = len(series)
    frames = LibraryFrames(
        names=("dark",) * n,
        hashes=("",) * n,
        exposure_s=np.array(exposure),
        sensor_temperature_c=np.array(told),
        series=np.array(series),
        setting=np.zeros(n, dtype=np.intp),
        states=np.array(states),
        taken_s=np.full(n, np.nan),
        kept_as=np.array(series),
    )
    return replace(model, library=frames)


def strength_of(model, state):
    return float(np.sqrt(state @ model.strength @ state))


def span_of(model, law, *asked, **options):
    """Relative uncertainty of the strength."""
    state, covariance = law.state(*asked, **options)
    ruler = model.strength @ state
    return float(np.sqrt(ruler @ covariance @ ruler) / (state @ ruler))


def test_the_law_finds_energy_and_exponent_of_its_library(dark_nights, rng):
    model = library(dark_nights.model, rng, n_series=30, header_error_c=0.3)
    law = learn_law(model)
    assert law.coefficients[1] == pytest.approx(1.0, abs=0.03)
    assert law.coefficients[2] == pytest.approx(ENERGY_EV, abs=0.03)
    found = strength_of(model, law.state(120.0, 22.0)[0])
    assert found == pytest.approx(true_strength(120.0, 20.0), rel=0.04)


def test_the_interval_covers_the_truth_about_as_often_as_it_says(dark_nights, rng):
    z = []
    for _ in range(60):
        model = library(dark_nights.model, rng)
        law = learn_law(model)
        for _ in range(4):
            true_c, exposure_s = rng.uniform(4.0, 22.0), rng.uniform(70.0, 280.0)
            header_c = true_c + 2.0 + HEADER_ERROR_C * rng.standard_normal()
            found = strength_of(model, law.state(exposure_s, header_c)[0])
            error = np.log(found / true_strength(exposure_s, true_c))
            z.append(error / span_of(model, law, exposure_s, header_c))
    covered = np.mean(np.abs(z) < 1.0)
    assert 0.62 < covered < 0.85
    assert np.mean(np.abs(z) < 2.0) > 0.93


def test_worse_headers_make_a_wider_interval(dark_nights, rng):
    good, bad = (
        learn_law(library(dark_nights.model, rng, n_series=24, header_error_c=c))
        for c in (0.3, 3.0)
    )
    model = dark_nights.model
    assert span_of(model, bad, 180.0, 15.0) > 2.0 * span_of(model, good, 180.0, 15.0)


def test_far_outside_the_library_the_interval_is_wider(dark_nights, rng):
    model = library(dark_nights.model, rng, n_series=40, header_error_c=0.2)
    law = learn_law(model)
    inside = span_of(model, law, 180.0, 14.0)
    assert span_of(model, law, 1800.0, 14.0) > 4.0 * inside
    assert span_of(model, law, 180.0, 55.0) > 4.0 * inside


def test_one_exposure_is_taken_as_proportional_with_an_honest_doubt(dark_nights, rng):
    model = library(dark_nights.model, rng, exposures_s=(180.0,))
    law = learn_law(model)
    once, twice = (strength_of(model, law.state(s, 14.0)[0]) for s in (180.0, 360.0))
    assert twice / once == pytest.approx(2.0, rel=0.02)
    assert span_of(model, law, 360.0, 14.0) > span_of(model, law, 180.0, 14.0)
    assert "360 s is outside the library's 180 s" in law.doubts(360.0, 14.0)[0]


def test_headers_without_temperature_leave_the_exposure_and_a_wide_interval(dark_nights, rng):
    model = library(dark_nights.model, rng, n_series=24)
    silent = replace(model.library, sensor_temperature_c=np.full(len(model.library.names), np.nan))
    law = learn_law(replace(model, library=silent))
    assert not law.knows_temperature
    np.testing.assert_array_equal(law.state(180.0, 5.0)[0], law.state(180.0, 20.0)[0])
    told = learn_law(model)
    assert span_of(model, law, 180.0) > 2.0 * span_of(model, told, 180.0, 14.0)
    assert "says nothing here" in law.doubts(180.0, 5.0)[0]
    assert law.doubts(180.0) == []


def test_a_measured_state_keeps_its_strength_and_takes_its_mixture_from_the_library(
    dark_nights, rng
):
    model = library(dark_nights.model, rng)
    law = learn_law(model)
    direction = np.eye(model.rank)[0] / np.sqrt(model.strength[0, 0])
    measured = 0.4 * direction + np.append(0.0, np.ones(model.rank - 1))
    noise = np.diag(np.append(1e-6, np.full(model.rank - 1, 4.0)))
    state, covariance = law.refine(measured, noise, 180.0)
    assert strength_of(model, state) == pytest.approx(0.4, rel=0.03)
    assert np.all(np.abs(state[1:]) < 0.5)
    assert np.all(np.diag(covariance) <= np.diag(noise) * (1.0 + 1e-9))


def test_a_night_unlike_all_of_the_library_is_believed_as_it_was_measured(dark_nights, rng):
    model = library(dark_nights.model, rng, n_series=12, header_error_c=1.0)
    law = learn_law(model)
    expected, _ = law.state(180.0, 15.0)
    noise = np.diag(np.full(model.rank, 1e-4))
    across = np.linalg.svd((model.strength @ expected)[None])[2][1]  # at the same strength
    spread = np.sqrt(across @ law.state(180.0, 15.0)[1] @ across + 1e-4)
    like, unlike = (expected + sigmas * spread * across for sigmas in (0.5, 30.0))
    assert abs(across @ (law.refine(unlike, noise, 180.0)[0] - unlike)) < 0.1 * spread
    assert abs(across @ (law.refine(like, noise, 180.0)[0] - like)) < 0.5 * spread


def test_the_same_charge_is_stronger_at_a_higher_gain(dark_nights, rng):
    model = library(dark_nights.model, rng, n_series=24, header_error_c=0.3)
    doubled = (model.library.series % 2).astype(np.intp)
    states = model.library.states * np.where(doubled, 2.0, 1.0)[:, None]
    slope = np.array([1.0, 2.0]) * model.law.slope[0]
    two = replace(
        model,
        settings=(model.settings[0], replace(model.settings[0], iso=1600)),
        library=replace(model.library, setting=doubled, states=states),
        law=replace(model.law, slope=slope),
        pixels=replace(
            model.pixels, maps=np.concatenate([model.pixels.maps[:1], model.pixels.maps])
        ),
    )
    law = learn_law(two)
    low, high = (strength_of(two, law.state(180.0, 15.0, setting=g)[0]) for g in (0, 1))
    assert high / low == pytest.approx(2.0, rel=0.05)
