"""Of the few pixels that may hop a model keeps the frames, for their means would not tell."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, grow, learn
from solodark.dark_model.kept_frames import KeptFrames, most_kept
from solodark.dark_model.storage import from_arrays, to_arrays
from solodark.errors import ModelFileError
from solodark.synthetic import expose_library, make_camera

SETTINGS = LearnSettings(ranks=(1,), n_random=8000, n_hot=800, rounds=3)
BEGUN, LATER = 14, 4


@pytest.fixture(scope="module")
def sessions():
    """Two years of a camera that hops much."""
    rng = np.random.default_rng(3)
    camera = make_camera(rng, shape=(96, 128))
    return list(
        expose_library(
            camera, rng, n_sessions=BEGUN + 2 * LATER, subs_per_session=6, biases_per_session=2,
            isos=[800], exposures_s=(120.0, 180.0, 300.0), years=2.0,
        )
    )  # fmt: skip


def frames_of(sessions):
    return [shot.frame for session in sessions for shot in (*session.darks, *session.biases)]


@pytest.fixture(scope="module")
def begun(sessions):
    frames = frames_of(sessions[:BEGUN])
    return learn(frames, rng=np.random.default_rng(1), settings=SETTINGS)


@pytest.fixture(scope="module")
def grown(begun, sessions):
    """Grown twice."""
    once = grow(begun, frames_of(sessions[BEGUN : BEGUN + LATER]), settings=SETTINGS)
    return once, grow(once, frames_of(sessions[BEGUN + LATER :]), settings=SETTINGS)


def by_name(sessions):
    return {frame.name: frame.data.ravel() for frame in frames_of(sessions)}


def test_the_frames_of_pixels_that_hop_are_kept_as_they_were_read(begun, grown, sessions):
    read = by_name(sessions)
    for model in (begun, *grown):
        kept, hops = model.pixels.kept, model.pixels.telegraph
        assert hops.place.size > 20
        assert np.isin(hops.place, kept.place).all()
        for f, name in enumerate(model.library.names):
            there = kept.since <= f
            np.testing.assert_array_equal(kept.values[there, f], read[name][kept.place[there]])


def test_those_that_are_found_late_are_kept_from_then_on_and_by_means_of_before(begun, grown):
    n_begun = len(begun.library.names)
    kept = grown[0].pixels.kept
    late = kept.place[kept.since == n_begun]
    assert set(np.unique(kept.since)) == {0, n_begun}
    codes = grown[0].pixels.residuals.reshape(len(grown[0].pixels.residuals), -1)
    assert np.mean(codes[:, late] > 0) > 0.5
    assert np.all(codes[:, kept.place[kept.since == 0]] == 0)


def test_a_grown_model_knows_pixels_that_hop_as_one_that_saw_all_frames(grown, sessions):
    """Of these nothing is lost, in however many steps."""
    together = learn(frames_of(sessions), rng=np.random.default_rng(1), settings=SETTINGS)
    known, stepwise = (model.pixels.telegraph for model in (together, grown[1]))
    whole = grown[1].pixels.kept.where(grown[1].pixels.kept.since == 0).place
    both = np.intersect1d(known.place[known.settled], stepwise.place[stepwise.settled])
    both = np.intersect1d(both, whole)
    assert both.size > 20
    rise, duty = (
        [getattr(table, name)[np.searchsorted(table.place, both)] for table in (known, stepwise)]
        for name in ("rise_adu", "duty")
    )
    assert np.median(np.abs(rise[1] / rise[0] - 1.0)) < 0.01
    assert np.median(np.abs(duty[1] - duty[0])) < 0.005


def test_where_there_is_no_room_for_frames_means_tell_of_all_of_them(begun, sessions, monkeypatch):
    monkeypatch.setattr("solodark.dark_model.kept_frames._VALUES_PER_PIXEL", 0.0)
    model = grow(begun, frames_of(sessions[BEGUN : BEGUN + LATER]), settings=SETTINGS)
    assert model.pixels.kept.place.size == 0
    codes = model.pixels.residuals.reshape(len(model.pixels.residuals), -1)
    assert np.mean(codes[:, begun.pixels.kept.place] == 0) < 0.01


def test_frames_are_kept_of_pixels_that_hop_and_then_of_the_most_restless():
    hopping = np.array([False, True, False, True, False])
    restless = np.array([9.0, 1.0, 50.0, 4.0, 0.5])

    def kept(n_pixels):
        chosen = most_kept(hopping, restless, n_pixels=n_pixels, n_frames=200)
        return np.flatnonzero(chosen).tolist()

    assert kept(10) == []
    assert kept(25) == [3]
    assert kept(75) == [1, 2, 3]
    assert kept(1000) == [0, 1, 2, 3, 4]


def test_parts_of_the_sensor_are_counted_from_their_first_pixel():
    kept = KeptFrames(
        np.array([3, 8, 11], np.int32),
        np.zeros(3, np.int32),
        np.arange(6, dtype=np.uint16).reshape(3, 2),
    )
    part = kept.between(8, 12)
    assert part.place.tolist() == [0, 3]
    assert part.values.tolist() == [[2, 3], [4, 5]]


def test_kept_frames_survive_in_the_file(begun):
    arrays, description = to_arrays(begun)
    again = from_arrays(arrays, description, name="camera.solodark").pixels.kept
    for name in ("place", "since", "values"):
        np.testing.assert_array_equal(getattr(again, name), getattr(begun.pixels.kept, name))


def test_a_model_of_an_older_version_cannot_grow_and_says_so(begun, sessions):
    older = replace(begun, pixels=replace(begun.pixels, kept=None))
    with pytest.raises(ModelFileError, match="learn it anew"):
        grow(older, frames_of(sessions[BEGUN:]), settings=SETTINGS)
