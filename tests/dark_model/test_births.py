"""The rate at which pixels turn hot, read off a library."""

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, learn
from solodark.synthetic import expose_library, make_camera


def births(per_year, years, cosmic_rate_per_cm2_s=0.0):
    rng = np.random.default_rng(3)
    camera = make_camera(
        rng,
        shape=(96, 160),
        cosmic_rate_per_cm2_s=cosmic_rate_per_cm2_s,
        birth_fraction_per_year=per_year,
    )
    sessions = expose_library(
        camera,
        rng,
        n_sessions=10,
        subs_per_session=4,
        biases_per_session=2,
        isos=[800],
        exposures_s=(180.0, 300.0),
        years=years,
    )
    frames = [shot.frame for s in sessions for shot in (*s.darks, *s.biases)]
    settings = LearnSettings(ranks=(1,), n_random=8000, n_hot=700, rounds=2)
    return learn(frames, rng=np.random.default_rng(1), settings=settings).births_per_year


def test_births_are_counted_as_often_as_they_are():
    # Births fainter than ten sigma are not counted, four of ten here.
    assert births(0.01, 2.0) == pytest.approx(0.006, rel=0.15)


def test_telegraph_pixels_are_no_births():
    assert births(0.0, 2.0) < 5e-4


def test_a_library_of_one_month_tells_nothing_and_the_usual_rate_is_taken():
    assert births(0.02, 0.05) == pytest.approx(1e-4)


def test_cosmic_rays_neither_make_births_nor_hide_them():
    assert births(0.0, 2.0, cosmic_rate_per_cm2_s=3.0) < 5e-4
    assert births(0.01, 2.0, cosmic_rate_per_cm2_s=3.0) == pytest.approx(0.006, rel=0.15)
