"""What is smooth in a dark is of its night, or of that one frame: the library tells which."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.dark_model.drift import NO_DRIFT, measure_drift
from solodark.dark_model.storage import from_arrays, to_arrays
from solodark.synthetic import expose_library, make_camera

QUICK = LearnSettings(ranks=(1, 2), n_random=8000, n_hot=1000, rounds=3)
SLOPE_ADU = 6.0
"""At the edge of the frame, one sigma: about the noise of a pixel."""
NY = 256


@pytest.fixture(scope="module")
def nights():
    """Thirteen nights of darks, the last of them kept out of the library."""
    rng = np.random.default_rng(3)
    camera = make_camera(rng, shape=(NY, 320), cosmic_rate_per_cm2_s=0.0)
    sessions = expose_library(
        camera,
        rng,
        n_sessions=13,
        subs_per_session=4,
        biases_per_session=1,
        isos=[800],
        exposures_s=(120.0, 180.0, 300.0),
        years=0.3,
    )
    return [([s.frame for s in one.darks], [s.frame for s in one.biases]) for one in sessions]


def sloping(frames, strengths):
    """The same frames, rising from top to bottom by some strengths, as a bias that settles does."""
    slope = np.linspace(-SLOPE_ADU, SLOPE_ADU, NY)[:, None]
    return [replace(f, data=f.data + s * slope) for f, s in zip(frames, strengths, strict=True)]


def learned(nights, darks):
    biases = [bias for _, own in nights[:-1] for bias in own]
    return learn([*darks, *biases], rng=np.random.default_rng(1), settings=QUICK)


@pytest.fixture(scope="module")
def restless(nights):
    """A model of darks that slope anew in every frame."""
    rng = np.random.default_rng(8)
    darks = [dark for own, _ in nights[:-1] for dark in own]
    return learned(nights, sloping(darks, rng.normal(size=len(darks))))


def slope_of(master, frames):
    """How much of the slope a master shows beyond the mean of some frames."""
    error = (master.data - np.mean([frame.data for frame in frames], axis=0)).mean(axis=1)
    shape = np.linspace(-SLOPE_ADU, SLOPE_ADU, NY)
    return float(shape @ (error - error.mean()) / (shape @ shape))


def test_what_is_new_in_every_frame_does_not_enter_the_master_and_is_no_light(nights, restless):
    tonight, steep = nights[-1][0], 2.0
    master = generate(restless, *sloping(tonight[:1], [steep]))
    assert restless.drift.share_of_night < 0.25
    assert master.verdict.trusted
    assert abs(slope_of(master, tonight)) < 0.25 * steep


def test_what_all_frames_of_a_night_share_enters_the_master(nights):
    rng = np.random.default_rng(9)
    darks = [dark for own, _ in nights[:-1] for dark in sloping(own, [rng.normal()] * len(own))]
    model = learned(nights, darks)
    tonight, steep = nights[-1][0], 0.4
    master = generate(model, *sloping(tonight[:1], [steep]))
    assert model.drift.share_of_night > 0.9
    assert slope_of(master, tonight) == pytest.approx(steep, abs=0.15)


def test_a_slope_that_no_dark_of_the_library_had_is_light(nights, restless):
    tonight = nights[-1][0]
    steady = learned(nights, [dark for own, _ in nights[:-1] for dark in own])
    assert steady.drift.of_frame == 0.0
    for model, steep in ((steady, 2.0), (restless, 8.0)):
        master = generate(model, *sloping(tonight[:1], [steep]), force=True)
        assert any("brighter by" in reason for reason in master.verdict.reasons)


def test_a_model_remembers_how_its_darks_drift(restless):
    assert from_arrays(*to_arrays(restless), name="file").drift == restless.drift


def test_single_frames_and_tiny_samples_tell_nothing_of_drift(rng):
    place = rng.integers(0, 100, (2, 3000))
    frames = [rng.normal(size=3000) * (1.0 + place[0]) for _ in range(6)]
    assert measure_drift(frames, tuple(place), (100, 100), np.arange(6)) == NO_DRIFT
    few = rng.integers(0, 100, (2, 200))
    assert measure_drift([f[:200] for f in frames], tuple(few), (100, 100), np.zeros(6)) == NO_DRIFT
