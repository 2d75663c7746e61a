"""The health of a dark model, and the advice it gives."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, examine, generate, learn

SETTINGS = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=2)


@pytest.fixture(scope="module")
def last_taken(dark_nights):
    return dark_nights.last.frame.acquisition.date_obs


def test_the_expected_worth_is_what_a_generated_master_says_of_itself(dark_nights, last_taken):
    health = examine(dark_nights.model, last_taken)
    masters = [generate(dark_nights.model, shot.frame) for shot in dark_nights.later(n=3)]
    told = np.mean([master.equivalent_subs for master in masters])
    assert health.equivalent_subs == pytest.approx(told, rel=0.5)


def test_newborn_pixels_grow_with_the_age_of_the_last_dark(dark_nights, last_taken):
    young, old = (
        examine(dark_nights.model, last_taken + timedelta(days=days)) for days in (36.525, 365.25)
    )
    assert young.newborn == pytest.approx(0.1 * old.newborn, rel=0.05)
    assert old.newborn == pytest.approx(old.births_per_year, rel=0.01)


def test_a_night_more_is_worth_more_about_as_the_advice_foretells(dark_nights, last_taken):
    frames = dark_nights.library[: 5 * 8]  # five sessions of five darks and three biases
    fewer = learn(frames, rng=np.random.default_rng(1), settings=SETTINGS)
    before = examine(fewer, last_taken)
    assert before.advice[0].equivalent_subs > 1.1 * before.equivalent_subs
    assert examine(dark_nights.model, last_taken).equivalent_subs == pytest.approx(
        before.advice[0].equivalent_subs, rel=0.5
    )


def test_advice_is_given_for_each_exposure_once_and_the_best_first(dark_nights, last_taken):
    advice = examine(dark_nights.model, last_taken).advice
    assert len({piece.exposure_s for piece in advice}) == len(advice) <= 3
    worth = [piece.equivalent_subs for piece in advice]
    assert worth == sorted(worth, reverse=True)


def test_a_library_without_dates_has_no_age(dark_nights, last_taken):
    library = dark_nights.model.library
    undated = replace(library, taken_s=np.full_like(library.taken_s, np.nan))
    health = examine(replace(dark_nights.model, library=undated), last_taken)
    assert health.last_taken is None
    assert health.newborn is None


def test_a_library_in_which_every_dark_stands_alone_is_told_to_repeat_them(dark_nights, last_taken):
    model = dark_nights.model
    alone = replace(model.library, series=np.arange(len(model.library.series)))
    assert examine(model, last_taken).unrepeated == ()
    assert examine(replace(model, library=alone), last_taken).unrepeated == ("ISO 800",)
