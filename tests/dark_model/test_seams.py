"""Sensors that are read out through several amplifiers, whose levels drift apart."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, grow, learn
from solodark.dark_model.level_parts import NO_SEAMS, LevelParts, Seams
from solodark.dark_model.levels import part_levels, remove_levels
from solodark.dark_model.storage import from_arrays, to_arrays

QUICK = LearnSettings(ranks=(1, 2), n_random=6000, n_hot=1000, rounds=3)
DRIFT_ADU = 12.0
"""Twice the noise of a pixel."""
MIDDLE = Seams(64, 96)


def drifting(frames, rng, seams):
    """The same frames, with a step of another height across each seam in every one of them."""
    y, x = np.indices(frames[0].data.shape)
    sides = [place >= seam for place, seam in zip((y, x), seams, strict=True) if seam is not None]
    for frame in frames:
        step = sum(side * rng.normal(0.0, DRIFT_ADU) for side in sides)
        yield replace(frame, data=frame.data + step)


def learned(frames):
    return learn(list(frames), rng=np.random.default_rng(1), settings=QUICK)


@pytest.fixture(scope="module")
def tonight(dark_nights):
    return [shot.frame for shot in dark_nights.later(n=14)]


@pytest.fixture(scope="module")
def quarters(dark_nights):
    return learned(drifting(dark_nights.library, np.random.default_rng(5), MIDDLE))


def errors_of(masters, truth, seams):
    """What masters show beyond the truth and the levels of their parts, ADU, and those levels."""
    parts = LevelParts("RGGB", seams)
    errors = [(master.data - truth).astype(np.float32) for master in masters]
    levels = [part_levels(error, parts) for error in errors]
    above = [remove_levels(*both, parts) for both in zip(errors, levels, strict=True)]
    return np.clip(above, -30.0, 30.0), np.array(levels)


def test_halves_and_quarters_that_drift_apart_are_found(dark_nights, quarters):
    assert quarters.seams == MIDDLE
    for seams in (Seams(x=96), Seams(y=64)):
        rng = np.random.default_rng(6)
        assert learned(drifting(dark_nights.library, rng, seams)).seams == seams


def test_no_seam_is_seen_where_halves_keep_together_whatever_rows_and_slopes_do(dark_nights, rng):
    assert dark_nights.model.seams == NO_SEAMS
    ny, nx = dark_nights.camera.shape
    slope = np.linspace(-20.0, 20.0, nx) + np.linspace(-20.0, 20.0, ny)[:, None]
    restless = [
        replace(f, data=f.data + rng.normal() * slope + rng.normal(0.0, 12.0, (ny, 1)))
        for f in dark_nights.library
    ]
    assert learned(restless).seams == NO_SEAMS


def test_one_dark_is_worth_as_much_as_if_amplifiers_kept_together(dark_nights, quarters, tonight):
    subs = list(drifting(tonight, np.random.default_rng(7), MIDDLE))
    truth = np.mean([frame.data for frame in tonight[4:]], axis=0)
    drifted = [generate(quarters, sub) for sub in subs[:4]]
    steady = [generate(dark_nights.model, sub) for sub in tonight[:4]]
    assert all(master.verdict.trusted for master in drifted)
    above, levels = errors_of(drifted, truth, MIDDLE)
    assert np.mean(above**2) < 1.1 * np.mean(errors_of(steady, truth, NO_SEAMS)[0] ** 2)
    assert np.std(levels) < 0.3 * DRIFT_ADU  # its halves stand where they do in the long run


def test_a_model_remembers_its_seams_and_grows_with_them(dark_nights, quarters, tonight):
    read = from_arrays(*to_arrays(quarters), name="file")
    assert read.seams == MIDDLE
    assert read.survey.parts == quarters.level_parts
    subs = list(drifting(tonight, np.random.default_rng(8), MIDDLE))
    grown = grow(read, subs[4:], settings=QUICK)
    assert grown.seams == MIDDLE
    assert generate(grown, subs[0]).verdict.trusted
