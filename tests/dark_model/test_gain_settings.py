"""Gain settings: one dark signal, a bias pattern and a noise for each."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.dark_model.gain_settings import GainSetting, gain_settings, require_setting
from solodark.errors import FrameMismatchError, WrongSubError
from solodark.frames import Acquisition, Frame
from solodark.synthetic import expose_library, make_camera


def frame(**header):
    return Frame(np.zeros((4, 6), np.float32), Acquisition(**header), "dark.fits")


def test_a_header_that_is_silent_means_the_only_setting_there_is():
    known, index = gain_settings([frame(iso=800), frame(), frame(iso=800)])
    assert known == (GainSetting(iso=800),)
    assert index.tolist() == [0, 0, 0]


def test_a_silent_header_among_several_settings_is_one_of_its_own():
    known, index = gain_settings([frame(iso=1600), frame(), frame(iso=800)])
    assert known == (GainSetting(), GainSetting(iso=800), GainSetting(iso=1600))
    assert index.tolist() == [2, 0, 1]


def test_the_setting_of_a_sub_is_found_by_what_its_header_tells():
    known = (GainSetting(gain_setting=100.0, offset_setting=30.0), GainSetting(gain_setting=200.0))
    assert require_setting(known, frame(gain_setting=200.0, offset_setting=10.0)) == 1
    assert require_setting(known, frame(offset_setting=30.0, gain_setting=100.0)) == 0


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"iso": 400}, "taken at ISO 400; the model knows ISO 800 or ISO 1600"),
        ({}, "does not tell its gain setting or ISO, and the model knows ISO 800 or ISO 1600"),
    ],
)
def test_an_unknown_setting_is_refused(header, sentence):
    known = (GainSetting(iso=800), GainSetting(iso=1600))
    with pytest.raises(WrongSubError, match=sentence):
        require_setting(known, frame(**header))


@pytest.fixture(scope="module")
def two_isos():
    """A camera, a year of its darks at two ISOs, and what came last."""
    rng = np.random.default_rng(5)
    camera = make_camera(rng, shape=(96, 160), cosmic_rate_per_cm2_s=0.0)
    sessions = expose_library(
        camera,
        rng,
        n_sessions=12,
        subs_per_session=4,
        biases_per_session=3,
        isos=[400, 1600],
        exposures_s=(120.0, 180.0, 300.0),
        years=1.0,
    )
    return camera, list(sessions)


def learned(frames):
    settings = LearnSettings(ranks=(1,), n_random=4000, n_hot=500, rounds=3)
    return learn(frames, rng=np.random.default_rng(1), settings=settings)


def frames_of(sessions):
    return [shot.frame for s in sessions for shot in (*s.darks, *s.biases)]


def error(camera, model, shot):
    """Typical error of the generated master over that of the sub, on the steady pixels."""
    truth = camera.expected_for(shot)
    steady = np.ones(camera.shape, bool)
    steady.flat[camera.telegraph_dark.index] = False
    steady.flat[camera.newborn.index] = False

    def spread(image):
        difference = (image - truth)[steady]
        return np.median(np.abs(difference - np.median(difference)))

    return spread(generate(model, shot.frame).data) / spread(shot.frame.data)


def test_darks_of_two_isos_make_one_model_that_serves_both(two_isos):
    camera, sessions = two_isos
    model = learned(frames_of(sessions[:-2]))
    assert [setting.iso for setting in model.settings] == [400, 1600]
    assert model.pixels.maps.shape[0] == 2 + model.rank
    for session in sessions[-2:]:
        assert error(camera, model, session.darks[-1]) < 0.6


def test_gain_and_read_noise_are_told_for_each_iso(two_isos):
    camera, sessions = two_isos
    model = learned(frames_of(sessions))
    modes = [camera.settings.mode(setting.iso) for setting in model.settings]
    np.testing.assert_allclose(
        model.gain_e_per_adu, [mode.gain_e_per_adu for mode in modes], rtol=0.2
    )
    np.testing.assert_allclose(model.read_noise_e, [mode.read_noise_e for mode in modes], rtol=0.3)


def test_an_iso_with_one_night_of_darks_borrows_the_dark_signal_of_the_other(two_isos):
    camera, sessions = two_isos
    many = [s for s in sessions if s.plan.iso == 400]
    few = [s for s in sessions if s.plan.iso == 1600]
    alone = learned(frames_of(few[:1]))
    together = learned(frames_of([*many, *few[:1]]))
    shot = few[-1].darks[-1]
    assert error(camera, together, shot) < 0.9 * error(camera, alone, shot)


def test_one_stray_frame_does_not_open_a_setting(two_isos):
    frames = [f for f in frames_of(two_isos[1]) if f.acquisition.iso == 400]
    stray = replace(
        frames[0], acquisition=replace(frames[0].acquisition, iso=800), name="stray.fits"
    )
    with pytest.raises(FrameMismatchError, match=r"stray\.fits"):
        learned([*frames, stray])
