"""What a library knows of noise: much where darks were repeated, little where each is alone."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model.dark_signal import library_strength2
from solodark.dark_model.known_noise import known_noise


@pytest.fixture
def noise(dark_nights):
    return known_noise(dark_nights.model, 0)


def of_frames(model, chosen, *, series=None):
    """The same model, had its library held these frames alone."""
    library = model.library
    arrays = {
        name: getattr(library, name)[chosen]
        for name in ("states", "setting", "exposure_s", "taken_s", "kept_as", "series")
    }
    arrays["series"] = np.unique(arrays["series"], return_inverse=True)[1]
    if series is not None:
        arrays["series"] = series
    law = replace(model.law, frame_variance=model.law.frame_variance[chosen])
    return replace(model, library=replace(library, **arrays), law=law)


def strongest_and_biases(model):
    strength2 = library_strength2(model)
    return np.append(np.flatnonzero(strength2 < 1e-4)[:4], np.argmax(strength2))


def test_repeated_darks_tell_noise_and_gain(dark_nights, noise):
    law = dark_nights.model.law
    assert noise.is_known
    assert noise.slope_adu == law.slope[0]
    assert noise.law.amplitude == pytest.approx(1.0, abs=0.05)
    assert noise.least(0.0) == pytest.approx(law.frame_variance.min(), rel=0.1)
    assert 1.5 < noise.margin < 2.5


def test_noise_is_expected_to_grow_with_the_dark_signal_at_least_as_it_did(noise):
    amplitudes = np.linspace(0.0, 3.0, 31)
    expected = [noise.expected(amplitude) for amplitude in amplitudes]
    most = [noise.most(amplitude) for amplitude in amplitudes]
    least = [noise.least(amplitude) for amplitude in amplitudes]
    assert np.all(np.diff(expected) >= 0.0)
    np.testing.assert_array_equal(most[:10], expected[:10])
    assert most[30] == pytest.approx(9.0 * expected[30], rel=0.2)
    assert least[30] == pytest.approx(noise.least(1.0), rel=0.1)
    assert np.all(np.asarray(least) <= np.asarray(most))


def test_a_lone_strong_dark_tells_nothing_of_the_noise_of_strong_darks(dark_nights, noise):
    model = dark_nights.model
    alone = known_noise(of_frames(model, strongest_and_biases(model)), 0)
    assert alone.is_known
    assert alone.law.amplitude < 0.05
    assert alone.most(1.0) > 100.0 * noise.most(1.0)
    assert alone.slope_adu == 0.0


def test_frames_of_which_none_resembles_another_tell_no_noise(dark_nights):
    model = dark_nights.model
    chosen = strongest_and_biases(model)[-2:]
    alone = known_noise(of_frames(model, chosen, series=np.arange(2)), 0)
    assert not alone.is_known
    assert alone.most(0.5) == np.inf
    assert alone.least(0.5) == 0.0


def test_series_of_one_frame_each_tell_no_gain(dark_nights, noise):
    model = dark_nights.model
    every = np.arange(len(model.library.states))
    scattered = known_noise(of_frames(model, every, series=every), 0)
    assert scattered.slope_adu == 0.0
    assert scattered.least(0.5) == 0.0
    assert scattered.most(0.5) == pytest.approx(noise.most(0.5), rel=0.2)
