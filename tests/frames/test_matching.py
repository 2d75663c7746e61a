"""Frames that must belong together, and the sentence for those that do not."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.errors import FrameMismatchError, SettingError
from solodark.frames import Acquisition, Camera, Frame, FrameKind
from solodark.frames.matching import MATCHING_FIELDS, require_matching

SERIES = Acquisition(
    kind=FrameKind.DARK,
    camera=Camera("ZWO ASI178MC", "1234"),
    exposure_s=60.0,
    gain_setting=100.0,
    offset_setting=30.0,
    iso=None,
    cfa_pattern="RGGB",
)


def dark(name, *, shape=(4, 6), **changes):
    return Frame(np.zeros(shape), replace(SERIES, **changes), name)


def series(n, **changes):
    return [dark(f"dark_{i:03d}.fit", **changes) for i in range(n)]


def refusal(frames, fields=MATCHING_FIELDS):
    with pytest.raises(FrameMismatchError) as caught:
        require_matching(frames, fields)
    return str(caught.value)


def test_one_series_belongs_together():
    require_matching(series(20), MATCHING_FIELDS)


def test_no_frames_contradict_nobody():
    require_matching([], MATCHING_FIELDS)


@pytest.mark.parametrize(
    ("change", "found", "expected"),
    [
        ({"shape": (4, 8)}, "size is 8 x 4 pixels in odd.fit", "6 x 4 pixels"),
        ({"camera": Camera("QHY 5")}, "camera is QHY 5 in odd.fit", "ZWO ASI178MC"),
        ({"camera": Camera("ZWO ASI178MC", "99")}, "serial number is 99 in odd.fit", "1234"),
        ({"kind": FrameKind.LIGHT}, "kind is light in odd.fit", "dark"),
        ({"gain_setting": 200.0}, "gain setting is 200 in odd.fit", "100"),
        ({"offset_setting": 10.0}, "offset setting is 10 in odd.fit", "30"),
        ({"binning": (2, 2)}, "binning is 2x2 in odd.fit", "1x1"),
        ({"cfa_pattern": "GBRG"}, "colour filter pattern is GBRG in odd.fit", "RGGB"),
        ({"exposure_s": 30.0}, "exposure is 30 s in odd.fit", "60 s"),
    ],
)
def test_a_stranger_is_named_with_what_it_has_and_what_the_others_have(change, found, expected):
    text = refusal([*series(3), dark("odd.fit", **change)])
    assert found in text
    assert f"but {expected} in the other 3" in text


def test_the_stranger_is_named_wherever_it_stands():
    assert "exposure is 5 s in odd.fit, but 60 s" in refusal(
        [dark("odd.fit", exposure_s=5.0), *series(4)]
    )


def test_iso_tells_frames_apart():
    frames = [dark(f"{i}.cr2", iso=iso) for i, iso in enumerate((800, 800, 1600))]
    assert "ISO is 1600 in 2.cr2" in refusal(frames, ["iso"])


def test_two_frames_that_differ_are_both_named():
    text = refusal([dark("a.fit", gain_setting=0.0), dark("b.fit", gain_setting=120.0)])
    assert "120 in b.fit, but 0 in a.fit" in text


def test_only_the_asked_fields_are_compared():
    require_matching([dark("a.fit", exposure_s=1.0), dark("b.fit")], ["shape", "camera", "iso"])


def test_every_field_that_differs_is_told():
    text = refusal([*series(3), dark("odd.fit", gain_setting=1.0, shape=(2, 2))])
    assert "size is" in text
    assert "gain setting is" in text


def test_what_a_header_does_not_tell_contradicts_nobody():
    bare = Frame(np.zeros((4, 6)), Acquisition(), "headerless.fit")
    require_matching([*series(3), bare], MATCHING_FIELDS)


def test_a_silent_header_is_not_counted_among_those_that_agree():
    frames = [*series(3), dark("silent.fit", gain_setting=None), dark("odd.fit", gain_setting=7.0)]
    assert "gain setting is 7 in odd.fit, but 100 in 3 others" in refusal(frames)


def test_shutters_that_report_a_hair_more_agree():
    require_matching(
        [dark("a.fit", exposure_s=30.0), dark("b.fit", exposure_s=30.02)], ["exposure_s"]
    )


def test_short_exposures_are_told_apart():
    frames = [dark("a.fit", exposure_s=3.2e-5), dark("b.fit", exposure_s=1e-3)]
    assert "3.2e-05 s in a.fit" in refusal(frames, ["exposure_s"])


def test_spelling_of_the_camera_does_not_matter():
    frames = [dark("a.fit", camera=Camera(" zwo asi178mc")), dark("b.fit")]
    require_matching(frames, ["camera"])


def test_five_hundred_files_still_make_a_short_sentence():
    odd = [dark(f"odd_{i:03d}.fit", gain_setting=float(i)) for i in range(200)]
    text = refusal(series(300) + odd, ["gain_setting"])
    assert len(text) < 600
    assert "more values in other frames" in text
    many = [dark(f"odd_{i:03d}.fit", exposure_s=5.0) for i in range(100)]
    text = refusal(series(400) + many, ["exposure_s"])
    assert "odd_003.fit and 96 more, but 60 s in the other 400" in text


def test_a_field_nobody_knows_is_an_error():
    with pytest.raises(SettingError, match="phase_of_the_moon"):
        require_matching(series(2), ["phase_of_the_moon"])
