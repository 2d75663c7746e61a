"""A model that grows knows what it would know had it seen all frames at once."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, grow, learn, predict, solve
from solodark.dark_model.dark_signal import library_strength2
from solodark.dark_model.fit_rows import Library
from solodark.dark_model.levels import remove_levels
from solodark.dark_model.past import Past
from solodark.dark_model.series import is_bias
from solodark.errors import (
    FrameMismatchError,
    ModelFileError,
    NotEnoughFramesError,
    WrongSubError,
)

SETTINGS = LearnSettings(ranks=(1,), n_random=8000, n_hot=800, rounds=3)


def learned(frames):
    return learn(frames, rng=np.random.default_rng(1), settings=SETTINGS)


def night(frame):
    return frame.acquisition.date_obs.date().toordinal()


@pytest.fixture(scope="module")
def halves(dark_nights):
    """The library's earlier nights, and its later ones."""
    nights = sorted(night(frame) for frame in dark_nights.library)
    middle = nights[len(nights) // 2]
    early = [frame for frame in dark_nights.library if night(frame) < middle]
    late = [frame for frame in dark_nights.library if night(frame) >= middle]
    return early, late


@pytest.fixture(scope="module")
def models(halves):
    """Learned from the earlier nights, grown by the later ones, and learned from all at once."""
    early, late = halves
    before = learned(early)
    return before, grow(before, late, settings=SETTINGS), learned([*early, *late])


def error_adu2(model, shots):
    """Mean squared error of the first shot's pattern, winsorised; the truth is their mean."""
    pattern = predict(model, solve(model, shots[0].frame).state).pattern
    error = pattern - np.mean([shot.frame.data for shot in shots], axis=0)
    error -= np.median(error, axis=1, keepdims=True)
    return float(np.mean(np.minimum(error**2, 25.0 * np.median(error**2))))


def test_growing_foretells_a_new_night_as_well_as_all_frames_together(models, dark_nights):
    shots = dark_nights.later(days=1.0, n=40)
    before, grown, together = (error_adu2(model, shots) for model in models)
    assert grown < 1.01 * together
    assert grown < before - 0.8 * (before - together)


def test_a_grown_model_knows_all_frames_and_each_series(models, halves):
    before, grown, together = models
    assert sorted(grown.library.names) == sorted(together.library.names)
    assert grown.library.series.max() > before.library.series.max()
    assert len(grown.law.frame_variance) == len(grown.library.states) == sum(map(len, halves))
    assert grown.model_id != before.model_id


def test_a_model_that_grows_stays_as_it_was(halves):
    early, late = halves
    model = learned(early[::2])
    maps = model.pixels.maps.copy()
    grow(model, late[::2], settings=SETTINGS)
    np.testing.assert_array_equal(model.pixels.maps, maps)


def brighter(model, frames, where):
    """The same frames of a sensor on which some pixels have turned hot: 600 ADU at most."""
    changed = []
    for frame in frames:
        state = solve(model, frame).state
        data = frame.data.astype(np.float32)
        data[where] += 600.0 * np.sqrt(state @ model.strength @ state)
        changed.append(replace(frame, data=np.round(data).astype(np.uint16)))
    return changed


def rise_adu(before, grown):
    """How far a model foretells each pixel higher than it did, at full strength."""
    strongest = grown.library.states[np.argmax(grown.library.states[:, 0])]
    strength = np.sqrt(strongest @ grown.strength @ strongest)
    return (predict(grown, strongest).pattern - predict(before, strongest).pattern) / strength


def test_where_a_pixel_has_turned_hot_the_old_frames_count_no_more(halves):
    early, late = halves
    before = learned(early)
    dice = np.random.default_rng(2)
    ordinary = np.argwhere(before.pixels.component == np.argmax(before.prior.weights))
    where = tuple(dice.choice(ordinary, 60, replace=False).T)
    grown = grow(before, brighter(before, late, where), settings=SETTINGS)
    rise = rise_adu(before, grown)[where]
    assert np.median(rise) == pytest.approx(600.0, rel=0.02)
    assert np.mean(np.abs(rise - 600.0) < 30.0) > 0.9


def test_the_noise_of_a_pixel_that_has_turned_hot_is_what_it_is_now(halves, monkeypatch):
    """But for those whose frames are kept, which are fitted to all of them."""
    monkeypatch.setattr("solodark.dark_model.kept_frames._VALUES_PER_PIXEL", 0.0)
    early, late = halves
    where, dice = some_ordinary(learned(early), 40), np.random.default_rng(4)
    noisy = []
    for frame in early:
        data = frame.data.astype(np.float32)
        data[where] += dice.normal(0.0, 20.0, 40)
        noisy.append(replace(frame, data=np.round(data).astype(np.uint16)))
    before = learned(noisy)
    grown = grow(before, brighter(before, late, where), settings=SETTINGS)
    assert np.median(before.pixels.excess[where]) > 3.0
    assert np.median(grown.pixels.excess[where]) < 1.5


def test_births_are_counted_when_a_model_grows(halves):
    early, late = halves
    before = learned(early)
    flat = np.random.default_rng(3).choice(before.pixels.excess.size, 400, replace=False)
    where = np.unravel_index(flat, before.shape)
    grown = grow(before, brighter(before, late, where), settings=SETTINGS)
    assert grown.births_per_year > 5.0 * before.births_per_year


def test_in_one_new_frame_a_ray_is_no_birth_where_rays_are_more_frequent(halves):
    early, late = halves
    before = replace(learned(early), births_per_year=1e-6)
    dark = max(late, key=lambda frame: frame.acquisition.exposure_s)
    flat = np.random.default_rng(3).choice(before.pixels.excess.size, 30, replace=False)
    where = np.unravel_index(flat, before.shape)
    data = dark.data.copy()
    data[where] += 3000
    struck = grow(before, [replace(dark, data=data)], settings=SETTINGS)
    clean = grow(before, [dark], settings=SETTINGS)
    moved = np.abs(struck.pixels.maps[-1][where] - clean.pixels.maps[-1][where])
    assert np.median(moved) < 30.0


def flat(planes):
    return planes.reshape(len(planes), -1)


def test_a_sensor_that_stays_as_it_was_is_not_forgotten(models, halves):
    grown = models[1]
    assert len(halves[1]) > 20
    assert len(grown.pixels.residuals) == grown.library.kept_as.max() + 1
    by_means = np.delete(flat(grown.pixels.residuals), grown.pixels.kept.place, axis=1)
    assert np.mean(by_means == 0) < 1e-3


def test_the_means_that_a_model_keeps_are_those_of_its_frames(models, halves):
    model, past = models[0], Past(models[0])
    frames = {frame.name: frame for frame in halves[0]}
    series = int(np.argmax(np.bincount(model.library.series) > 3))
    own = model.library.series == series
    named = np.array(model.library.names)[own]
    above = [above_level_and_rows(model, past, frames[name]) for name in named]
    kept = past.values(rows_of_means(past), slice(0, model.shape[0]), slice(None))
    kept = kept[model.library.kept_as[own][0]]
    difference = kept.reshape(model.shape) - np.mean(above, axis=0)
    error = np.sqrt(model.law.frame_variance[own].mean() / own.sum())
    by_means = np.delete(difference.ravel(), model.pixels.kept.place)
    assert np.mean(np.isnan(by_means)) < 1e-3  # of pixels that stand elsewhere for good
    assert np.nanmedian(np.abs(difference)) < 0.1 * error


def rows_of_means(past):
    """What a pixel is fitted to of which all frames are gone."""
    library = past.model.library
    sources = [SimpleNamespace(acquisition=taken) for taken in past.acquisitions]
    frames = Library(sources, library.series, past.fit, library.kept_as, past.fit)
    return frames.rows(past.n_frames, library.kept_as)


def above_level_and_rows(model, past, frame):
    """What a frame shows above level and rows, as it was learned."""
    place = model.library.names.index(frame.name)
    levels = past.survey.levels[place]
    above = remove_levels(frame.data.astype(np.float32), levels, model.level_parts)
    return above - past.fit.rows[place][:, None]


def some_ordinary(model, n):
    ordinary = np.argwhere(model.pixels.component == np.argmax(model.prior.weights))
    return tuple(np.random.default_rng(2).choice(ordinary, n, replace=False).T)


def hopping(model, frames, where):
    """The same frames, but for pixels that stand 600 ADU higher every other night."""
    high = set(sorted({night(frame) for frame in frames})[1::2])
    return [
        brighter(model, [frame], where)[0] if night(frame) in high else frame for frame in frames
    ]


def known_hops(model, where):
    """Which of the telegraph pixels that a model knows are these, and where they are."""
    table, flat = model.pixels.telegraph, np.ravel_multi_index(where, model.shape)
    own = table.where(np.isin(table.place, flat) & table.settled)
    return own, np.unravel_index(own.place, model.shape)


def test_a_pixel_that_turned_hot_among_the_new_nights_is_hot_for_good(halves):
    early, late = halves
    before = learned(early)
    where = some_ordinary(before, 40)
    first = min(map(night, late))
    of_first = [frame for frame in late if night(frame) == first]
    of_others = [frame for frame in late if night(frame) > first]
    grown = grow(before, [*of_first, *brighter(before, of_others, where)], settings=SETTINGS)
    rise = rise_adu(before, grown)[where]
    assert np.median(rise) == pytest.approx(600.0, rel=0.02)
    assert np.mean(np.abs(rise - 600.0) < 30.0) > 0.9


@pytest.mark.parametrize("births_per_year", [1e-9, 0.1])
def test_a_pixel_that_begins_to_hop_was_low_before(halves, births_per_year):
    """However likely it may look to have changed for good."""
    early, late = halves
    before = replace(learned(early), births_per_year=births_per_year)
    where = some_ordinary(before, 40)
    grown = grow(before, hopping(before, late, where), settings=SETTINGS)
    hops, place = known_hops(grown, where)
    strongest = grown.library.states[np.argmax(grown.library.states[:, 0])]
    low = predict(grown, strongest).pattern[place] - hops.duty * hops.rise_adu
    known = predict(before, strongest).pattern[place]
    assert hops.place.size > 30
    assert np.median(hops.rise_adu) == pytest.approx(600.0, rel=0.1)
    assert np.median(np.abs(low - known)) < 15.0


def test_a_pixel_that_is_known_to_hop_may_stand_still_for_a_night(models, halves, dark_nights):
    where = some_ordinary(models[0], 40)
    before = learned(hopping(models[0], [*halves[0], *halves[1]], where))
    known, _ = known_hops(before, where)
    assert known.place.size > 30
    tonight = [shot.frame for shot in dark_nights.later(days=1.0, n=40)]
    for frames in (tonight, brighter(models[0], tonight, where)):
        hops, _ = known_hops(grow(before, frames, settings=SETTINGS), where)
        assert hops.place.size > 0.95 * known.place.size
        assert np.median(hops.rise_adu) == pytest.approx(np.median(known.rise_adu), rel=0.05)
        assert np.median(hops.duty) == pytest.approx(0.5, abs=0.1)


def test_a_model_grows_another_map_where_all_frames_together_need_one(halves):
    early, late = halves
    short = [frame for frame in early if frame.acquisition.exposure_s < 150.0]
    rest = [frame for frame in [*early, *late] if frame.acquisition.exposure_s >= 150.0]
    settings = replace(SETTINGS, ranks=(1, 2))
    begun = replace(learned(short), births_per_year=1e-5)
    assert begun.rank == 1
    together = learn([*short, *rest], rng=np.random.default_rng(1), settings=settings)
    grown = grow(begun, rest, settings=settings)
    assert grown.rank == together.rank
    assert grown.library.states.shape == (len(short) + len(rest), grown.rank)


def test_a_model_without_the_sample_of_its_frames_cannot_grow_and_says_so(models, halves):
    forgetful = replace(models[0], survey=None)
    with pytest.raises(ModelFileError, match="learn it anew"):
        grow(forgetful, halves[1], settings=SETTINGS)


def test_of_very_many_frames_a_part_of_the_sample_is_kept(models, halves, monkeypatch):
    monkeypatch.setattr("solodark.dark_model.growth.FRAMES_AT_FULL_SAMPLE", 4)
    grown = grow(models[0], halves[1], settings=SETTINGS)
    assert len(grown.sample) < 0.6 * len(models[0].sample)
    assert grown.survey.values.shape == (len(grown.library.names), len(grown.sample))
    share = grown.sample_random / len(grown.sample)
    assert share == pytest.approx(models[0].sample_random / len(models[0].sample), abs=0.01)


def test_without_a_new_frame_nothing_can_grow(models):
    with pytest.raises(NotEnoughFramesError, match="no new dark"):
        grow(models[0], [])


def test_a_frame_of_another_sensor_is_refused(models, halves):
    small = replace(halves[1][0], data=halves[1][0].data[:64])
    with pytest.raises(FrameMismatchError, match="the model"):
        grow(models[0], [small])


def test_a_gain_the_model_does_not_know_is_refused(models, halves):
    frame = halves[1][0]
    other = replace(frame, acquisition=replace(frame.acquisition, iso=12800))
    with pytest.raises(WrongSubError, match="12800"):
        grow(models[0], [other])


def with_full_pixel(frames, y, x, full_adu):
    """The same frames, but for a pixel that is always full."""
    stuck = []
    for frame in frames:
        data = frame.data.copy()
        data[y, x] = full_adu
        stuck.append(replace(frame, data=data))
    return stuck


def test_a_pixel_that_is_always_full_is_foretold_full_at_any_exposure(halves):
    early, late = halves
    full_adu = float(early[0].acquisition.saturation_adu or 16383.0)
    model = learned(with_full_pixel(early, 20, 31, full_adu))
    grown = grow(model, with_full_pixel(late, 20, 31, full_adu), settings=SETTINGS)
    for one in (model, grown):
        assert one.pixels.maps[0, 20, 31] > one.censor_adu
        np.testing.assert_array_equal(one.pixels.maps[1:, 20, 31], 0.0)
        bias = predict(one, np.zeros(one.rank)).pattern[20, 31]
        strongest = predict(one, one.library.states.max(axis=0)).pattern[20, 31]
        assert bias == strongest > one.censor_adu


def test_a_pixel_that_is_full_in_every_dark_is_foretold_full_before_and_after(halves):
    early, late = halves
    full_adu = float(early[0].acquisition.saturation_adu or 16383.0)

    def with_full_darks(frames):
        pairs = zip(frames, with_full_pixel(frames, 20, 31, full_adu), strict=True)
        return [frame if is_bias(frame) else full for frame, full in pairs]

    model = learned(with_full_darks(early))
    for one in (model, grow(model, with_full_darks(late), settings=SETTINGS)):
        strengths = library_strength2(one)
        dark = np.isfinite(one.library.exposure_s) & (one.library.exposure_s > 0.01)
        weakest = one.library.states[dark][np.argmin(strengths[dark])]
        assert predict(one, weakest).pattern[20, 31] > one.censor_adu
        assert predict(one, np.zeros(one.rank)).pattern[20, 31] < 0.3 * one.censor_adu


def test_of_a_pixel_that_no_frame_told_nothing_is_remembered(halves):
    """Where the library knew nothing, a map is the word of a class and no frame's."""
    early, late = halves
    full_adu = float(early[0].acquisition.saturation_adu or 16383.0)
    model = learned(with_full_pixel(early, 20, 31, full_adu))
    grown, alone = grow(model, late, settings=SETTINGS), learned(late)
    expected = predict(alone, solve(alone, late[-1]).state).pattern[20, 31]
    found = predict(grown, solve(grown, late[-1]).state).pattern[20, 31]
    assert abs(found - expected) < 5.0 * np.sqrt(np.median(alone.law.frame_variance))
