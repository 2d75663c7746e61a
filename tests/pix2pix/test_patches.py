"""Pairs are cut where they belong: other subs, other nights, the same filters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.errors import NotEnoughFramesError, SettingError
from solodark.pix2pix import Scaling
from solodark.pix2pix.patches import Place, SensorPairs, SubPairs, draw_places, masters_of_others
from solodark.pix2pix.sensor_channels import CHANNELS, PLANES, SensorView, corrected_pattern
from solodark.pix2pix.sessions import split_sessions

SERIES = np.array([0, 0, 0, 1, 1])
OWN = ([0, 1, 2], [3, 4])


def pairs(shape=(40, 60), *, cfa_pattern="RGGB", cfa_planes=True, seed=1):
    rng = np.random.default_rng(seed)
    subs = rng.integers(1000, 1100, (5, *shape), dtype=np.uint16)
    totals = np.stack([subs[OWN[k]].sum(axis=0, dtype=np.uint32) for k in (0, 1)])
    return SubPairs(subs, totals, SERIES, Scaling(1000.0, 20.0), cfa_pattern, cfa_planes)


def test_the_master_of_a_sub_does_not_contain_it():
    found = pairs()
    place = Place(1, 4, 8, 10, 12)
    master = masters_of_others(found.subs, found.totals, SERIES, place)
    others = found.subs[[0, 2], 4:14, 8:20]
    assert np.array_equal(master, others.mean(axis=0))


def test_filters_become_planes_of_half_the_size():
    inputs, target = pairs().cut(Place(0, 2, 4, 16, 24))
    assert inputs.shape == target.shape == (4, 8, 12)
    sub = Scaling(1000.0, 20.0).unscale(inputs)
    assert sub[1] == pytest.approx(pairs().subs[0, 2:18:2, 5:28:2], abs=0.01)


def test_a_mosaic_can_stay_one_plane():
    assert pairs(cfa_planes=False).cut(Place(0, 2, 4, 16, 24))[0].shape == (1, 16, 24)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), ny=st.integers(17, 41), nx=st.integers(17, 41))
def test_no_crop_breaks_the_phase_of_the_filters(seed, ny, nx):
    y, x = np.indices((ny, nx))
    filters = (2 * (y % 2) + x % 2).astype(np.uint16)
    subs = np.stack([filters] * 5)
    totals = np.stack([3 * filters.astype(np.uint32), 2 * filters.astype(np.uint32)])
    found = SubPairs(subs, totals, SERIES, Scaling(0.0, 1.0), "RGGB", True)
    rng = np.random.default_rng(seed)
    for place in draw_places(found, range(5), crop_px=8, flips=True, rng=rng):
        inputs, target = found.cut(place)
        assert place.top + place.height <= ny
        assert place.left + place.width <= nx
        for plane in range(4):
            assert inputs[plane] == pytest.approx(found.scaling.scale(np.full((8, 8), plane)))
        assert np.allclose(inputs, target)


def test_crops_reach_every_corner_and_are_mirrored_about_half_the_time():
    found = pairs(cfa_pattern=None)
    rng = np.random.default_rng(3)
    places = [
        place
        for _ in range(400)
        for place in draw_places(found, [0], crop_px=38, flips=True, rng=rng)
    ]
    assert {place.top for place in places} == {0, 1, 2}
    assert {place.left for place in places} == set(range(23))
    assert 0.4 < np.mean([place.flip_x for place in places]) < 0.6


def test_an_epoch_sees_every_sub_once():
    rng = np.random.default_rng(3)
    places = list(draw_places(pairs(), [0, 2, 3], crop_px=8, flips=False, rng=rng))
    assert sorted(place.sub for place in places) == [0, 2, 3]
    assert all(place.top % 2 == place.left % 2 == 0 for place in places)


def test_crops_larger_than_the_sensor_are_refused():
    with pytest.raises(SettingError, match="60 x 40"):
        list(draw_places(pairs(), [0], crop_px=21, flips=False, rng=np.random.default_rng(1)))


def sensor_pairs(rng):
    pattern = rng.gamma(1.0, 30.0, (20, 30))
    above = (pattern + rng.normal(0.0, 5.0, (5, 20, 30))).astype(np.float32)
    plane = np.ones((20, 30), np.float32)
    views = [
        SensorView(
            above=sub,
            prediction=(0.9 * pattern).astype(np.float32),
            updated=(0.95 * pattern).astype(np.float32),
            doubt=1.5 * plane,
            uncertainty=2 * plane,
            changed=0 * plane,
            bias_map=0 * plane,
            dark_map=pattern.astype(np.float32),
            excess=plane,
            sigma_adu=5.0,
            is_mosaic=True,
        )
        for sub in above
    ]
    totals = np.stack([above[OWN[k]].sum(axis=0, dtype=np.float64) for k in (0, 1)])
    return SensorPairs(views, totals, SERIES), above


def test_the_sensor_network_is_taught_what_the_others_showed_above_the_prediction(rng):
    found, above = sensor_pairs(rng)
    place = Place(0, 2, 4, 8, 10)
    inputs, target = found.cut(place)
    view = found.views[0].cut(place.cut)
    assert inputs.shape == (len(CHANNELS), 8, 10)
    wanted = above[[1, 2], 2:10, 4:14].mean(axis=0)
    assert corrected_pattern(view, target[0]) == pytest.approx(wanted, abs=1e-3)


def test_channels_are_in_sigma_of_one_sub(rng):
    found, above = sensor_pairs(rng)
    inputs, _ = found.cut(Place(3, 0, 0, 20, 30))
    known = dict(zip(CHANNELS, inputs, strict=True))
    view = found.views[3]
    assert known["residual"] == pytest.approx((above[3] - view.prediction) / 5.0, abs=1e-4)
    assert known["uncertainty of the update"] == pytest.approx(np.full((20, 30), 0.3))
    assert known["uncertainty"] == pytest.approx(np.full((20, 30), 0.4))
    assert known["noise excess"] == pytest.approx(np.zeros((20, 30)))
    assert known["telegraph probability"] == pytest.approx(np.full((20, 30), 0.2))


def test_the_phase_of_a_crop_is_that_of_its_filters(rng):
    found, _ = sensor_pairs(rng)
    channels, _ = found.cut(Place(0, 2, 4, 8, 10))
    assert channels[-2, :2, 0].tolist() == channels[-1, 0, :2].tolist() == [-1.0, 1.0]


def test_a_view_lists_all_its_planes():
    assert len(PLANES) == 9


def test_sessions_are_never_torn_apart():
    sessions = [f"night {i // 6}" for i in range(120)]
    series = [i // 6 for i in range(120)]
    split = split_sessions(sessions, series, rng=np.random.default_rng(2))
    nights = [
        {sessions[i] for i in part} for part in (split.training, split.validation, split.test)
    ]
    assert [len(part) for part in nights] == [14, 3, 3]
    assert len(set.union(*nights)) == 20


def test_series_stand_in_where_all_was_taken_in_one_night():
    series = [i // 5 for i in range(40)]
    split = split_sessions(["one night"] * 40, series, rng=np.random.default_rng(2))
    assert [len(p) for p in (split.training, split.validation, split.test)] == [30, 5, 5]


def test_a_session_that_cannot_judge_trains():
    sessions = ["a", "a", "b", "b", "b", "c", "c", "c"]
    split = split_sessions(sessions, [0, 0, 1, 1, 1, 2, 2, 2], rng=np.random.default_rng(2))
    assert split.training == (0, 1)


def test_two_series_are_too_few():
    with pytest.raises(NotEnoughFramesError, match="three or more"):
        split_sessions(["a"] * 6, [0] * 3 + [1] * 3, rng=np.random.default_rng(2))
