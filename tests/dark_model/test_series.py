"""Which exposures were taken one after the other."""

from datetime import UTC, datetime, timedelta

import numpy as np

from solodark.dark_model import is_bias, series_index
from solodark.dark_model.series import in_order
from solodark.frames import Acquisition, Frame, FrameKind

EVENING = datetime(2024, 3, 1, 20, 0, tzinfo=UTC)


def dark(minutes, exposure_s=60.0, **known):
    date = None if minutes is None else EVENING + timedelta(minutes=minutes)
    known = {"kind": FrameKind.DARK} | known
    acquisition = Acquisition(exposure_s=exposure_s, date_obs=date, **known)
    return Frame(np.zeros((2, 2)), acquisition, name=f"{minutes}_{exposure_s}")


def test_a_pause_of_more_than_three_hours_begins_a_new_series():
    frames = [dark(0), dark(1), dark(170), dark(170 + 181)]
    assert series_index(frames).tolist() == [0, 0, 0, 1]


def test_another_exposure_or_cooler_target_or_iso_is_another_series():
    frames = [
        dark(0),
        dark(1, exposure_s=30.0),
        dark(2, setpoint_temperature_c=-10.0),
        dark(3, iso=800),
        dark(4),
    ]
    index = series_index(frames)
    assert len(set(index.tolist())) == 4
    assert index[0] == index[4]


def test_frames_without_a_date_form_one_series_for_each_exposure():
    assert series_index([dark(None), dark(None, 30.0), dark(None)]).tolist() == [1, 0, 1]


def test_the_shortest_exposures_are_biases_whatever_they_are_called():
    assert is_bias(dark(0, exposure_s=0.000032))
    assert is_bias(dark(0, exposure_s=None, kind=FrameKind.BIAS))
    assert not is_bias(dark(0, exposure_s=0.1))
    assert not is_bias(dark(0, exposure_s=None))


def test_frames_are_put_in_the_order_of_time_within_each_series(rng):
    frames = [dark(m, e) for e in (60.0, 30.0) for m in (0, 1, 2, 500, 501)]
    shuffled = [frames[i] for i in rng.permutation(len(frames))]
    order = in_order(shuffled, series_index(shuffled))
    whole = in_order(frames, series_index(frames))
    assert [shuffled[i].name for i in order] == [frames[i].name for i in whole]
    assert [shuffled[i].name for i in order][:3] == ["0_30.0", "1_30.0", "2_30.0"]
