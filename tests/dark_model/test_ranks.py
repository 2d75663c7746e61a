"""The number of dark maps, and where the next one comes from."""

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, learn, ranks
from solodark.dark_model.map_worth import of_most_pixels
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.posterior import map_covariances
from solodark.dark_model.states import SamplePixels, solve_state
from solodark.frames import Acquisition, Frame
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
    assert model.rank >= 2


def test_the_rank_behind_the_one_that_is_kept_was_tried_unless_there_is_none(model):
    assert model.rank == max(model.evidence) - 1 or model.rank == max(SETTINGS.ranks)


def darks_of_one_pattern(rng, *, n_repeats, born=0.0):
    """Biases and darks whose every pixel has a rate of its own, and shot noise at 1 e-/ADU.

    A share of the pixels is born hot before the warmer half of them.
    """
    shape = (192, 256)
    rate = np.exp(rng.normal(-3.0, 0.8, shape)) * np.where(rng.random(shape) < 0.02, 20.0, 1.0)
    bias = 500.0 + rng.normal(0.0, 2.0, shape)
    births = np.where(rng.random(shape) < born, 3.0, 0.0)
    for warmth in (1.0, 1.4):
        rate += births if warmth > 1.0 else 0.0
        for exposure_s in (0.001, 60.0, 180.0, 300.0):
            for i in range(n_repeats):
                signal = rng.poisson(rate * warmth * exposure_s)
                pixels = np.rint(bias + signal + rng.normal(0.0, 3.0, shape))
                acquisition = Acquisition(exposure_s=exposure_s, sensor_temperature_c=20 * warmth)
                name = f"{exposure_s:g} s {warmth:g} {i}"
                yield Frame(name=name, data=pixels.astype(np.float32), acquisition=acquisition)


def test_frames_of_one_pattern_need_one_map(rng):
    frames = list(darks_of_one_pattern(rng, n_repeats=3))
    many = LearnSettings(n_random=30_000, n_hot=2400)  # of few pixels chance alone fills a map
    assert learn(frames, rng=rng, settings=many).rank == 1


def test_pixels_that_turned_hot_are_no_map_even_where_they_are_many(rng):
    frames = list(darks_of_one_pattern(rng, n_repeats=3, born=0.003))
    many = LearnSettings(n_random=30_000, n_hot=2400)
    assert learn(frames, rng=rng, settings=many).rank == 1


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_the_fit_gains_by_going_on_is_no_merit_of_another_map(rng, rounds):
    frames = list(darks_of_one_pattern(rng, n_repeats=3))
    hasty = LearnSettings(n_random=30_000, n_hot=2400, rounds=rounds)
    assert learn(frames, rng=rng, settings=hasty).rank == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_a_map_of_nothing_but_noise_is_narrowed_until_it_costs_nothing(seed):
    """Few pixels tell its states, which follow their noise as if there was a map."""
    rng = np.random.default_rng(seed)
    frames = list(darks_of_one_pattern(rng, n_repeats=3))
    few = LearnSettings(n_random=2000, n_hot=500)
    model = learn(frames, rng=rng, settings=few)
    n_series = len(np.unique(model.library.series))
    gain = (model.evidence[2] - model.evidence[1]) * (n_series - 1)
    assert gain == pytest.approx(0.0, abs=0.004)  # processors round differently, by .0003


def test_a_map_is_not_worth_itself_for_a_few_pixels_that_turned_hot(rng):
    gain = rng.normal(-0.05, 0.1, 50_000)
    gain[rng.choice(gain.size, 200, replace=False)] += 30.0
    assert gain.mean() > 0.05
    assert of_most_pixels(gain, 40_000) == pytest.approx(-0.05, abs=0.02)
    everywhere = rng.normal(0.05, 1.0, 50_000)
    assert of_most_pixels(everywhere, 40_000) == pytest.approx(0.05, abs=0.02)


def test_the_hottest_pixels_count_as_much_as_all_others():
    gain = np.where(np.arange(5000) < 4000, 0.0, 1.0)
    assert of_most_pixels(gain, 4000) == 0.5
    assert of_most_pixels(gain[:4000], 4000) == 0.0


def test_exposures_that_were_never_repeated_still_tell_the_gain(rng):
    frames = list(darks_of_one_pattern(rng, n_repeats=1))
    model = learn(frames, rng=rng, settings=SETTINGS)
    np.testing.assert_allclose(model.gain_e_per_adu, 1.0, rtol=0.15)


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
    covariance = map_covariances(
        np.moveaxis(information, 0, -1).copy(),
        pulls.T.copy(),
        precision,
        np.zeros((1, 2)),
        np.zeros(1),
    )
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


def test_states_go_on_to_where_their_rounds_creep(rng):
    """Rounds that shrink the error of a map's states by a fifth each need not all be gone."""
    settings, goal, error = np.ones((6, 1)), rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    shrink = np.array([0.8, 0.5])
    rounds = [np.hstack([settings, goal + error * shrink**step]) for step in range(3)]
    further = ranks._further(*rounds)
    np.testing.assert_array_equal(further[:, 0], 1.0)
    np.testing.assert_allclose(further[:, 1:], goal, atol=1e-9)


def test_states_that_hardly_bend_are_not_thrown_far_away(rng):
    start, ahead = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    further = ranks._further(start, start + ahead, start + 1.999 * ahead)
    assert np.abs(further - start).max() < 12.0 * np.abs(ahead).max()
