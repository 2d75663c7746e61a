"""Banding of rows is new in every frame: no model takes it for the sensor's own pattern."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.dark_model.row_pattern import rows_beyond

QUICK = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=3)
BANDING_ADU = 12.0
"""Twice the noise of a pixel."""


def banded(frames, rng):
    """The same frames from a camera that shifts each row anew in each of them."""
    shifts = rng.normal(0.0, BANDING_ADU, (len(frames), len(frames[0].data), 1))
    return [replace(f, data=f.data + shift) for f, shift in zip(frames, shifts, strict=True)]


@pytest.fixture(scope="module")
def camera(dark_nights):
    """A model of banded darks, and one more of these beside its twin without banding."""
    rng = np.random.default_rng(11)
    model = learn(banded(dark_nights.library, rng), rng=rng, settings=QUICK)
    plain = [shot.frame for shot in dark_nights.later(n=20)]
    return model, banded(plain, rng), np.mean([frame.data for frame in plain], axis=0)


def above_rows(model, truth):
    """Mean of each row of what a master shows beyond the truth, ADU, its level removed."""
    means = np.median(model.data - truth, axis=1)
    return means - np.median(means)


def test_the_rows_of_a_master_are_quieter_than_the_mean_of_the_whole_library(camera, dark_nights):
    model, subs, truth = camera
    rows = above_rows(generate(model, subs[0]), truth)
    assert rows.std() < 0.75 * BANDING_ADU / np.sqrt(len(dark_nights.library))


def test_a_dark_with_the_banding_that_its_library_has_is_trusted(camera):
    model, subs, _ = camera
    assert all(generate(model, sub).verdict.trusted for sub in subs[:4])


def test_a_row_pattern_of_the_sensor_is_kept_be_it_smooth_or_of_one_row(rng):
    n_frames, ny = 40, 600
    strength = np.linspace(0.0, 1.0, n_frames)
    glow = 30.0 * np.exp(-np.arange(ny) / 80.0)
    stuck = np.where(np.arange(ny) == 400, 25.0, 0.0)
    banding = rng.normal(0.0, 3.0, (n_frames, ny))
    profiles = banding + stuck + strength[:, None] * glow
    design = np.stack([np.ones(n_frames), strength], axis=1)
    by_mean, kept = (
        np.linalg.lstsq(design, taken, rcond=None)[0] - np.stack([stuck, glow])
        for taken in (profiles, profiles - rows_beyond(design, profiles))
    )
    bright, quiet = np.s_[:, :100], np.s_[:, 450:]
    assert np.abs(kept[:, 400]).max() < np.abs(by_mean[:, 400]).max() + 1.0
    assert kept[bright].std() < 1.1 * by_mean[bright].std()
    assert kept[quiet].std() < 0.4 * by_mean[quiet].std()


def test_what_one_design_tells_does_not_depend_on_how_it_is_written(rng):
    design, profiles = rng.normal(size=(12, 3)), rng.normal(size=(12, 80))
    turned = design @ np.array([[2.0, 1.0, 0.0], [0.0, 100.0, 1.0], [0.0, 0.0, 1e-3]])
    twice = np.column_stack([design, design[:, 0]])
    expected = rows_beyond(design, profiles)
    np.testing.assert_allclose(rows_beyond(turned, profiles), expected, atol=1e-7)
    np.testing.assert_allclose(rows_beyond(twice, profiles), expected, atol=1e-9)
