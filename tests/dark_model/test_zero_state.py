"""States are measured from what biases show."""

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, learn
from solodark.dark_model.past import Past
from solodark.dark_model.strength import squared_strength
from solodark.dark_model.zero_state import at_zero


def spread(fit):
    """What each component foretells of frames: mean and covariance."""
    covariances = np.linalg.inv(fit.prior.precisions)
    return fit.design @ fit.prior.means.T, fit.design @ covariances @ fit.design.T


def test_frames_are_foretold_alike_wherever_states_are_measured_from(dark_nights):
    fit, sample = Past(dark_nights.model).fit, Past(dark_nights.model).sample
    called_zero = fit.states[:, 0] > np.median(fit.states[:, 0])
    moved = at_zero(fit, called_zero)
    assert np.abs(moved.states - fit.states).max() > 0.1
    assert moved.states[called_zero].mean(axis=0) == pytest.approx(0.0, abs=1e-9)
    for before, after in zip(spread(fit), spread(moved), strict=True):
        assert after == pytest.approx(before, rel=1e-5, abs=1e-5 * np.abs(before).max())
    before, after = (one.design @ one.smooth.at(sample.y, sample.x) for one in (fit, moved))
    assert after == pytest.approx(before, rel=1e-5, abs=1e-4)


def test_without_biases_states_stay_as_they_are(dark_nights):
    fit = Past(dark_nights.model).fit
    moved = at_zero(fit, np.zeros(len(fit.design), bool))
    assert moved.states.tolist() == fit.states.tolist()


def test_the_rounds_of_a_fit_do_not_creep_away_from_what_biases_show(dark_nights):
    settings = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=2)
    model = learn(dark_nights.library, rng=np.random.default_rng(1), settings=settings)
    biases = model.library.states[model.library.exposure_s < 0.01]
    mean = biases.mean(axis=0, keepdims=True)
    assert squared_strength(mean, model.strength)[0] < 1e-5**2
