"""How the frame that stands for a series was taken."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from solodark.frames import Acquisition, Camera, Frame, FrameKind
from solodark.frames.series import series_acquisition

DARK = Acquisition(
    kind=FrameKind.DARK,
    kind_source="header IMAGETYP",
    camera=Camera("ZWO ASI178MC", None, 2.4),
    exposure_s=60.0,
    gain_setting=100.0,
    binning=(2, 2),
    cfa_pattern="RGGB",
    row_order="BOTTOM-UP",
    program="SharpCap",
    notes=("EXPTIME was odd",),
)


def series_of(*changes):
    return series_acquisition([Frame(np.zeros((2, 2)), replace(DARK, **c)) for c in changes])


def test_what_all_share_is_kept_and_the_frames_are_counted():
    series = series_of({}, {}, {})
    assert (series.kind, series.kind_source) == (FrameKind.DARK, "header IMAGETYP")
    assert (series.camera, series.binning, series.cfa_pattern) == (DARK.camera, (2, 2), "RGGB")
    assert series.n_combined == 3


def test_what_the_first_header_lacks_is_taken_from_the_next():
    nameless = Camera(serial="77")
    bare = {"gain_setting": None, "kind": None, "kind_source": "", "camera": nameless}
    series = series_of(bare, {})
    assert series.gain_setting == 100.0
    assert (series.kind, series.kind_source) == (FrameKind.DARK, "header IMAGETYP")
    assert series.camera == Camera("ZWO ASI178MC", "77", 2.4)


def test_temperatures_are_averaged_over_the_frames_that_tell():
    temperatures = ({"sensor_temperature_c": c} for c in (20.0, None, 23.0))
    series = series_of(*temperatures)
    assert series.sensor_temperature_c == pytest.approx(21.5)
    assert series.setpoint_temperature_c is None


def test_flats_of_many_exposures_have_their_median():
    assert series_of(*({"exposure_s": s} for s in (1.0, 2.0, 60.0))).exposure_s == 2.0


def test_the_lowest_full_scale_counts_and_the_first_date():
    first, second = (datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2))
    series = series_of(
        {"saturation_adu": 16000.0, "date_obs": second},
        {"saturation_adu": 15000.0},
        {"date_obs": first},
    )
    assert series.saturation_adu == 15000.0
    assert series.date_obs == first


def test_files_that_disagree_on_their_row_order_leave_it_open():
    assert series_of({}, {"row_order": None}).row_order == "BOTTOM-UP"
    assert series_of({}, {"row_order": "TOP-DOWN"}).row_order is None


def test_what_one_program_wrote_into_one_file_is_left_behind():
    series = series_of({}, {})
    assert (series.program, series.notes) == (None, ())
