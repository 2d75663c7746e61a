"""The number of dark maps, and where the next one comes from."""

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, learn
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.posterior import map_covariances
from solodark.dark_model.states import SamplePixels, solve_state
from solodark.synthetic import expose_library, make_camera

SETTINGS = LearnSettings(n_random=6000, n_hot=1000)


@pytest.fixture(scope="module")
def nights():
    """Nights of a camera whose hot pixels have each an activation energy of their own."""
    rng = np.random.default_rng(2)
    camera = make_camera(rng, shape=(128, 192), birth_fraction_per_year=0.0)
    sessions = expose_library(
        camera, rng, n_sessions=20, subs_per_session=8, biases_per_session=4, isos=[800]
    )
    return camera, list(sessions)


@pytest.fixture(scope="module")
def model(nights):
    frames = [shot.frame for night in nights[1] for shot in (*night.darks, *night.biases)]
    return learn(frames, rng=np.random.default_rng(1), settings=SETTINGS)


def expected_darks(camera, night):
    """What endlessly many darks of each exposure would show, electrons, shape (n, ny * nx)."""
    return np.array(
        [
            camera.expected_dark_e(
                exposure_s=shot.frame.acquisition.exposure_s,
                temperature_c=shot.truth.temperature_c,
                glow_amplitude=shot.truth.glow_amplitude,
            ).ravel()
            for shot in night.darks
        ],
        dtype=np.float64,
    )


def test_hot_pixels_of_different_activation_energies_are_told_apart(nights, model):
    camera, sessions = nights
    hot = camera.hot_mask.ravel()
    truth = np.concatenate([expected_darks(camera, night) for night in sessions])[:, hot]
    number = {name: i for i, name in enumerate(model.library.names)}
    order = [number[shot.frame.name] for night in sessions for shot in night.darks]
    states = np.column_stack([model.library.states[order], np.ones(len(order))])
    left = truth - states @ np.linalg.lstsq(states, truth, rcond=None)[0]
    shot_and_read_noise2 = truth + 9.0
    assert np.mean(left**2 / shot_and_read_noise2) < 1.0 / 50.0
    assert model.rank >= 3


def test_a_rank_that_does_not_foretell_better_is_not_kept(model):
    best = max(model.evidence, key=model.evidence.get)
    assert model.rank == best
    assert max(model.evidence) <= best + 1


def test_a_state_is_not_drawn_to_the_noise_of_the_frame_that_its_maps_were_learned_from(rng):
    """Frames of one strength: maps learned from all of them know each frame's own noise."""
    n, n_frames, sigma, reach = 20_000, 4, 4.0, 1.0
    true_map = rng.normal(0.0, reach, n)
    state = np.array([1.0, 1.0, 0.5, 0.5])
    frames = np.outer(state, true_map) + sigma * rng.standard_normal((n_frames, n))
    information = np.zeros((n, 2, 2))
    information[:, 1, 1] = (state**2).sum() / sigma**2
    information[:, 0, 0] = 1e9
    pulls = np.zeros((n, 2))
    pulls[:, 1] = state @ frames / sigma**2
    precision = np.diag([1e9, reach**-2])[None]
    learned = pulls[:, 1] / (information[:, 1, 1] + reach**-2)
    covariance = map_covariances(information, pulls, precision, np.zeros((1, 2)), np.zeros(1))
    maps = np.column_stack([np.zeros(n), learned])
    naive = SamplePixels(maps, np.zeros(n), np.ones(n), np.zeros(n, np.intp))
    whole = naive._replace(map_covariance=np.ascontiguousarray(covariance[:, 1:]))
    law = NoiseLaw(np.full(n_frames, sigma**2), np.zeros(1), 0.0)

    def strength(pixels):
        return np.array(
            [solve_state(frame, pixels, law, sigma**2, np.zeros(1))[0][0] for frame in frames]
        )

    np.testing.assert_allclose(strength(whole), state, atol=0.06)
    assert strength(naive)[:2].mean() > 1.3
