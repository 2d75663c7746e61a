"""Pixels that hop: what a library tells of them, and what one new frame is then worth."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from solodark.dark_model import (
    LearnSettings,
    generate,
    generate_for_lights,
    grow,
    learn,
)
from solodark.dark_model.frame_times import MeansTaken, frame_times
from solodark.dark_model.storage import from_arrays, to_arrays
from solodark.dark_model.telegraph import TelegraphPixels, series_memory
from solodark.dark_model.telegraph_fit import _without_hops
from solodark.dark_model.telegraph_update import _beside, stand
from solodark.frames import Acquisition, Frame, FrameKind, PixelFlags
from solodark.synthetic import (
    NightPlan,
    SeriesPlan,
    expose_library,
    expose_night,
    make_camera,
    make_scene,
    stream_series,
)

SETTINGS = LearnSettings(ranks=(1,), n_random=8000, n_hot=800, rounds=3)


@pytest.fixture(scope="module")
def years():
    """A camera that hops much, and three years of its darks."""
    rng = np.random.default_rng(3)
    camera = make_camera(rng, shape=(128, 192))
    sessions = list(
        expose_library(
            camera, rng, n_sessions=24, subs_per_session=8, biases_per_session=2, isos=[800],
            exposures_s=(120.0, 180.0, 300.0), years=3.0,
        )
    )  # fmt: skip
    return camera, sessions


@pytest.fixture(scope="module")
def model(years):
    return learned(frames_of(years[1]))


def frames_of(sessions):
    return [shot.frame for session in sessions for shot in (*session.darks, *session.biases)]


def learned(frames):
    return learn(frames, rng=np.random.default_rng(1), settings=SETTINGS)


def without_telegraph(model):
    pixels = replace(model.pixels, telegraph=TelegraphPixels.none())
    return replace(model, pixels=pixels)


@pytest.fixture(scope="module")
def tonight(years):
    """Ten darks of a later night."""
    camera, sessions = years
    last = sessions[-1].darks[-1]
    plan = SeriesPlan(
        kind=FrameKind.DARK,
        n=10,
        exposure_s=180.0,
        ambient_temperature_c=10.0,
        iso=800,
        start=last.frame.acquisition.date_obs + timedelta(days=3),
        warm_s=6000.0,
    )
    dice = np.random.default_rng(5)
    state = last.truth.telegraph_state
    return list(stream_series(camera, dice, plan, telegraph_state=state))


def error_on(model, place, master, tonight):
    """Squared error at some pixels, clipped at ten sigma; the truth is what they did on average."""
    truth = np.mean([shot.frame.data for shot in tonight], axis=0)
    error = master.data - truth
    error -= np.median(error)
    sigma = np.sqrt(model.law.frame_variance.min())
    return float(np.mean(np.clip(error.ravel()[place] / sigma, -10, 10) ** 2))


def settled(model):
    return model.pixels.telegraph.place[model.pixels.telegraph.settled]


def test_pixels_that_are_known_to_hop_do_hop(years, model):
    camera, _ = years
    hops = np.union1d(camera.telegraph_dark.index, camera.newborn.index)
    place = settled(model)
    assert place.size > 30
    assert np.mean(np.isin(place, hops)) > 0.9


def test_their_rise_and_duty_are_those_of_the_camera(years, model):
    telegraph = years[0].telegraph_dark
    known = model.pixels.telegraph
    known = known.where(known.settled & np.isin(known.place, telegraph.index))
    true = np.array([int(np.flatnonzero(telegraph.index == place)[0]) for place in known.place])
    ratio = known.rise_adu / telegraph.rise_e_per_s[true]
    assert np.median(np.abs(ratio / np.median(ratio) - 1.0)) < 0.06
    assert np.median(np.abs(known.duty - telegraph.duty[true])) < 0.08


def test_levels_are_found_though_maps_bend_after_the_hops(years, monkeypatch):
    """With several maps a bright pixel's hops pass for another mixture of them."""
    camera, sessions = years
    several = replace(SETTINGS, ranks=(3,))
    found = {}
    for turns in (0, 2):
        monkeypatch.setattr("solodark.dark_model.telegraph_fit._TURNS", turns)
        model = learn(frames_of(sessions), rng=np.random.default_rng(1), settings=several)
        found[turns] = settled(model)
    late = np.setdiff1d(found[2], found[0])
    assert late.size > 0
    assert np.isin(late, camera.telegraph_dark.index).all()
    assert np.isin(found[0], found[2]).all()


def test_one_dark_tells_their_level_better_than_without_it(model, tonight):
    place, sub = settled(model), tonight[0].frame
    with_levels, without = generate(model, sub), generate(without_telegraph(model), sub)
    error = error_on(model, place, with_levels, tonight)
    assert error < 0.7 * error_on(model, place, without, tonight)


def test_the_uncertainty_of_their_level_is_honest(years, model, tonight):
    camera, _ = years
    place = settled(model)
    squares = []
    for shot in tonight[::3]:
        master = generate(model, shot.frame)
        error = master.data - camera.expected_for(tonight[5], frozen_telegraph=True)
        z = (error - np.median(error)).ravel()[place] / master.uncertainty.ravel()[place]
        squares.append(np.mean(np.clip(z, -6, 6) ** 2))
    assert 0.5 < np.sqrt(np.mean(squares)) < 1.4


def test_of_a_pixel_at_neither_level_its_levels_tell_nothing(model, tonight):
    sub = tonight[0].frame
    place = settled(model)[:5]
    data = sub.data.copy()
    data.flat[place] += 20_000.0
    beyond = replace(sub, data=data)
    master, without = generate(model, beyond), generate(without_telegraph(model), beyond)
    assert master.data.flat[place] == pytest.approx(without.data.flat[place], rel=1e-3)


def test_a_full_pixel_stays_full_whatever_its_levels(model, tonight):
    sub = tonight[0].frame
    place = settled(model)[:3]
    data = sub.data.copy()
    full = sub.acquisition.saturation_adu or 16_383.0
    data.flat[place] = full
    full_sub = replace(sub, data=data)
    levels = replace(
        model.pixels.telegraph, rise_adu=np.full_like(model.pixels.telegraph.rise_adu, 1e6)
    )
    lively = replace(model, pixels=replace(model.pixels, telegraph=levels))
    with_levels, without = generate(lively, full_sub), generate(without_telegraph(model), full_sub)
    assert with_levels.data.flat[place] == pytest.approx(without.data.flat[place])
    assert np.all(with_levels.data.flat[place] <= full)


def test_lights_tell_their_level_too(years, model, tonight):
    camera, _ = years
    rng = np.random.default_rng(4)
    plan = NightPlan(
        n_lights=10, n_darks=10, n_flats=0, n_biases=0, exposure_s=180.0, cooling_c=0.0,
        ambient_temperature_c=10.0, start=tonight[0].frame.acquisition.date_obs,
    )  # fmt: skip
    shots = list(expose_night(camera, make_scene(rng, shape=model.shape), rng, plan))
    kinds = [shot.frame.acquisition.kind for shot in shots]
    lights = [s.frame for s, kind in zip(shots, kinds, strict=True) if kind is FrameKind.LIGHT]
    darks = [s for s, kind in zip(shots, kinds, strict=True) if kind is FrameKind.DARK]
    place = settled(model)
    error = error_on(model, place, generate_for_lights(model, lights), darks)
    without = generate_for_lights(without_telegraph(model), lights)
    assert error < 0.9 * error_on(model, place, without, darks)


def test_a_model_that_grows_knows_them_as_one_that_saw_all_frames(years, tonight, model):
    _, sessions = years
    grown = grow(learned(frames_of(sessions[:16])), frames_of(sessions[16:]), settings=SETTINGS)
    both = np.intersect1d(settled(grown), settled(model))
    assert both.size > 0.7 * settled(model).size
    sub = tonight[0].frame
    error = error_on(model, both, generate(grown, sub), tonight)
    assert error < 1.2 * error_on(model, both, generate(model, sub), tonight)


def test_they_survive_in_the_file_and_older_files_know_none(model):
    arrays, description = to_arrays(model)
    again = from_arrays(arrays, description, name="camera.solodark").pixels.telegraph
    assert np.array_equal(again.place, model.pixels.telegraph.place)
    assert np.array_equal(again.rise_adu, model.pixels.telegraph.rise_adu)
    older = {name: value for name, value in arrays.items() if not name.startswith("telegraph")}
    assert from_arrays(older, description, name="x").pixels.telegraph.place.size == 0


def test_bayes_rule_tells_the_level():
    before, seen = np.array([0.25]), np.array([12.0])
    levels, variances = np.array([[0.0], [10.0]]), np.array([[16.0], [36.0]])
    low = 0.75 * np.exp(-0.5 * 144.0 / 16.0) / 4.0
    high = 0.25 * np.exp(-0.5 * 4.0 / 36.0) / 6.0
    found = stand(before, seen, levels, variances)
    assert found.high[0] == pytest.approx(high / (low + high))
    assert found.known[0] > 0.99
    assert stand(before, np.array([500.0]), levels, variances).known[0] < 0.01


def test_what_a_series_remembers_is_the_mean_over_all_pairs_of_moments():
    moments = np.linspace(0.0, 3600.0, 2001)
    gaps = np.abs(moments[:, None] - moments)
    memories_s = np.array([300.0, 3600.0, 50_000.0, 1e8], dtype=np.float32)
    left = [np.mean(np.exp(-gaps / memory_s)) for memory_s in memories_s]
    assert series_memory(memories_s, 3600.0) == pytest.approx(left, rel=2e-3)
    assert np.all(series_memory(memories_s, 3600.0) <= 1.0)


def test_frames_follow_each_other_in_time_however_they_are_sorted():
    begun = datetime(2026, 3, 1, 22, tzinfo=UTC)
    darks = [
        Frame(np.zeros((2, 2)), Acquisition(exposure_s=exposure_s, date_obs=begun + after))
        for exposure_s, after in (
            (60.0, timedelta(0)),
            (60.0, timedelta(minutes=40)),
            (300.0, timedelta(minutes=10)),
            (300.0, timedelta(minutes=20)),
        )
    ]
    times = frame_times(darks, np.array([0, 2, 4]))
    assert times.order.tolist() == [0, 2, 3, 1]
    assert times.gaps_s.tolist() == [np.inf, 1080.0, 720.0, 600.0]


def test_frames_without_dates_follow_each_other_in_their_series_alone():
    darks = [Frame(np.zeros((2, 2)), Acquisition(exposure_s=60.0)) for _ in range(4)]
    times = frame_times(darks, np.array([0, 2, 4]))
    assert times.order.tolist() == [0, 1, 2, 3]
    assert times.gaps_s.tolist() == [np.inf, 60.0, np.inf, 60.0]


def test_means_come_before_frames_that_were_taken_after_them():
    begun = datetime(2026, 3, 1, 22, tzinfo=UTC)
    darks = [
        Frame(np.zeros((2, 2)), Acquisition(exposure_s=60.0, date_obs=begun + timedelta(hours=h)))
        for h in (0, 1)
    ]
    middle_s = begun.timestamp() + 30.0
    means_s = np.array([middle_s - 7200.0, np.nan, middle_s + 1800.0])
    taken = MeansTaken(means_s, np.array([False, True, False]))
    times = frame_times(darks, np.arange(6), taken)
    assert times.order.tolist() == [1, 0, 3, 2, 4]
    assert times.gaps_s.tolist() == [np.inf, np.inf, 1800.0, 7200.0, 1800.0]
    assert times.biases.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize(("born_in_series", "of_before"), [(2, np.nan), (3, 250.0)])
def test_a_pixel_that_turned_hot_forgets_what_it_was_once_enough_series_saw_it_hot(
    born_in_series, of_before
):
    """As many as there are dark maps. Until then its hop is added; a bias counts in any case."""
    series = np.array([0, 0, 1, 1, 2, 2, 3, 3])  # the first of biases
    amplitude, hot = 0.5 * (series > 0), series >= born_in_series
    columns = (np.full(1, of, np.float32) for of in (500.0, 1.0, 1e7, 4.0, 0.0))
    pixel = TelegraphPixels(np.zeros(1, np.int32), *columns)
    chain = SimpleNamespace(amplitude=amplitude, floor=np.full(8, 9.0))
    two_maps, starts = SimpleNamespace(strength=np.eye(2)), np.array([0, 2, 4, 6, 8])
    rows = SimpleNamespace(starts=starts)
    band = SimpleNamespace(values=(500.0 * amplitude * hot)[:, None], rows=rows, fit=two_maps)
    steady = _without_hops(band, chain, pixel, np.where(hot, 0.0, -1.0)[None])[0]
    assert steady[series == 0].tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(steady[(series > 0) & ~hot], of_before)
    np.testing.assert_array_equal(steady[hot], 250.0)


def test_a_level_that_is_soon_forgotten_leaves_the_duty():
    high, duty = np.array([1.0, 1.0, 0.0]), np.array([0.2, 0.2, 0.2])
    after = _beside(high, duty, np.array([1.0, 0.0, 0.5]))
    assert after.sum(axis=(0, 1)) == pytest.approx(1.0)
    upper = after[0, 1] + after[1, 0]  # stays there, or comes there from the low one
    assert upper == pytest.approx([1.0, 0.2, 0.1])


def test_a_pixel_that_turned_hot_for_good_has_levels_but_does_not_hop(years, model):
    pixels = model.pixels.telegraph
    born = np.isin(pixels.place, years[0].newborn.index)
    assert np.mean(pixels.settled[born]) > 0.9
    assert np.mean(pixels.hopping[born]) < 0.1
    flags = generate(model, years[1][-1].darks[0].frame).flags.ravel()[pixels.place]
    assert np.array_equal((flags & PixelFlags.TELEGRAPH.value) > 0, pixels.hopping)
