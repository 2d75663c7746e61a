"""Frames that do not belong are found, and sound ones are left in peace."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.library.conftest import (
    LEVEL_ADU,
    READ_NOISE_ADU,
    START,
    DarkCamera,
    codes_of,
    record,
    with_header,
)

from solodark.frames import Camera, FrameKind
from solodark.library import CODES, Severity, find_misfits

HOUR = timedelta(hours=1)
FIRST_300S = 6 + 3 * 6
"""Where the 300 s darks begin in the library."""


def spoilt(library, camera, place, change):
    """The library with one frame's pixels changed; and that frame's path."""
    old = library[place]
    taken = old.acquisition
    pixels = camera.pixels(taken.exposure_s, taken.sensor_temperature_c)
    frame = camera.frame(change(pixels), taken.exposure_s, kind=taken.kind, at=taken.date_obs)
    new = record(frame, old.path)
    return [new if other is old else other for other in library], old.path


def misread(library, places, **header):
    """The library with some headers changed; and the paths of those frames."""
    odd = [library[place] for place in places]
    changed = [with_header(f, **header) if f in odd else f for f in library]
    return changed, {frame.path for frame in odd}


def only(findings, severity=None) -> tuple[str, Severity]:
    (finding,) = findings
    assert finding.code in CODES
    return finding.code, finding.severity


def test_a_sound_library_is_left_in_peace(library):
    assert find_misfits(library) == []


def test_an_empty_library_has_nothing_to_find():
    assert find_misfits([]) == []


@pytest.mark.parametrize("seed", range(2))
def test_an_uncooled_camera_that_warms_over_the_night_is_left_in_peace(seed):
    rng = np.random.default_rng(seed)
    camera = DarkCamera(rng, cooled=False)
    frames = camera.biases(4)
    for n, exposure_s in enumerate((30.0, 60.0, 120.0, 300.0)):
        for k in range(6):
            warm = 12.0 + n + 5.0 * (1 - np.exp(-k / 4)) + rng.normal(0, 0.3)
            frames.append(
                camera.dark(
                    f"/darks/{exposure_s}_{k}",
                    exposure_s,
                    temperature_c=warm,
                    at=START + n * HOUR + k * timedelta(seconds=exposure_s),
                )
            )
    blind = [with_header(f, sensor_temperature_c=None) for f in frames]
    for told in (frames, blind):
        assert {f.severity for f in find_misfits(told)} <= {Severity.NOTE}


@pytest.mark.parametrize("trend", [2.0, -2.0])
def test_a_level_that_drifts_evenly_is_no_fault(camera, trend):
    frames = camera.biases(4)
    for k in range(6):
        pixels = camera.pixels(120.0) + trend * k
        at = START + k * timedelta(minutes=2)
        frames.append(record(camera.frame(pixels, 120.0, at=at), f"/darks/{k}"))
    assert find_misfits(frames) == []


# Lights among the darks, and leaks


def with_stars(pixels, rng, n=40):
    y, x = np.mgrid[-5:6, -5:6]
    star = np.exp(-(y**2 + x**2) / (2 * 1.4**2))
    lit = pixels.copy()
    for cy, cx in zip(rng.integers(8, 190, n), rng.integers(8, 290, n), strict=True):
        lit[cy - 5 : cy + 6, cx - 5 : cx + 6] += rng.uniform(300, 3000) * star
    return lit


def test_a_light_among_the_darks_is_found_by_its_stars(library, camera, rng):
    frames, path = spoilt(library, camera, FIRST_300S + 2, lambda p: with_stars(p, rng))
    findings = find_misfits(frames)
    assert only(findings) == ("light-among-darks", Severity.ERROR)
    assert findings[0].paths == (path,)
    assert "header IMAGETYP says dark" in findings[0].sentence


def test_a_light_without_any_peer_is_found_too(camera, rng):
    light = camera.frame(with_stars(camera.pixels(60.0), rng), 60.0)
    assert only(find_misfits([record(light, "/only")])) == ("light-among-darks", Severity.ERROR)


def test_where_most_darks_show_stars_the_sensor_is_suspected_too(camera, rng):
    frames = [
        record(camera.frame(with_stars(camera.pixels(60.0), rng), 60.0), f"/d/{n}")
        for n in range(5)
    ]
    (finding,) = find_misfits(frames)
    assert (finding.code, finding.severity) == ("light-among-darks", Severity.DOUBT)
    assert len(finding.paths) == 5


def test_a_light_that_says_so_is_no_fault(library, camera, rng):
    pixels = with_stars(camera.pixels(60.0) + 500, rng)
    light = camera.frame(pixels, 60.0, kind=FrameKind.LIGHT)
    assert find_misfits([*library, record(light, "/lights/1")]) == []


def flat_field(pixels):
    return np.random.default_rng(5).poisson(20_000 * np.ones_like(pixels)).astype(float)


def test_a_flat_among_the_darks_is_found_though_it_has_no_stars(library, camera):
    frames, path = spoilt(library, camera, FIRST_300S, flat_field)
    assert codes_of(find_misfits(frames)) == {path: "light-among-darks"}


def leak(pixels, noises, rng):
    y, x = np.mgrid[:200, :300] / 300
    light = noises * READ_NOISE_ADU * np.exp(-((x - 0.9) ** 2 + (y - 0.1) ** 2) / 0.1)
    return pixels + rng.poisson(light)


@pytest.mark.parametrize(("noises", "severity"), [(1.0, Severity.DOUBT), (5.0, Severity.ERROR)])
@pytest.mark.parametrize("place", [8, 15, FIRST_300S - 6])
def test_a_light_leak_in_one_dark_is_found(library, camera, rng, noises, severity, place):
    frames, path = spoilt(library, camera, place, lambda p: leak(p, noises, rng))
    findings = find_misfits(frames)
    assert only(findings) == ("light-leak", severity)
    assert findings[0].paths == (path,)


def test_a_light_leak_through_a_whole_series_is_found(camera, rng):
    library = camera.library()
    lit = {}
    for old in library[12:18]:
        frame = camera.frame(leak(camera.pixels(60.0), 3.0, rng), 60.0)
        lit[old.path] = replace(record(frame, old.path), acquisition=old.acquisition)
    frames = [lit.get(frame.path, frame) for frame in library]
    assert codes_of(find_misfits(frames)) == dict.fromkeys(lit, "light-leak")


def test_even_light_shows_in_level_and_noise(library, camera, rng):
    frames, path = spoilt(library, camera, 15, lambda p: p + rng.poisson(60.0, p.shape))
    findings = find_misfits(frames)
    assert only(findings) == ("light-leak", Severity.ERROR)
    assert findings[0].paths == (path,)


def test_a_jump_of_the_level_alone_is_a_note(library, camera):
    frames, path = spoilt(library, camera, 15, lambda p: p + 30.0)
    findings = find_misfits(frames)
    assert only(findings) == ("level-jump", Severity.NOTE)
    assert findings[0].paths == (path,)


# Cameras that help too much


def subtracted(camera, exposure_s):
    return lambda pixels: pixels - camera.pixels(exposure_s) + LEVEL_ADU


@pytest.mark.parametrize("place", [12, 18, FIRST_300S + 3])
@pytest.mark.parametrize("clip", [False, True])
def test_a_dark_that_the_camera_subtracted_is_found(library, camera, place, clip):
    exposure_s = library[place].acquisition.exposure_s
    subtract = subtracted(camera, exposure_s)
    frames, path = spoilt(
        library, camera, place, lambda p: np.maximum(subtract(p), LEVEL_ADU if clip else 0)
    )
    findings = find_misfits(frames)
    assert only(findings) == ("camera-side-subtraction", Severity.ERROR)
    assert findings[0].paths == (path,)
    assert "noise reduction" in findings[0].sentence


def test_a_series_that_the_camera_subtracted_from_end_to_end_is_found(library, camera):
    frames = library
    for place in range(FIRST_300S, FIRST_300S + 6):
        frames, _ = spoilt(frames, camera, place, subtracted(camera, 300.0))
    (finding,) = find_misfits(frames)
    assert finding.code == "camera-side-subtraction"
    assert len(finding.paths) == 6


def test_darks_that_were_all_subtracted_betray_themselves_by_their_holes(camera):
    frames = [
        record(camera.frame(subtracted(camera, 900.0)(camera.pixels(900.0)), 900.0), f"/d/{n}")
        for n in range(4)
    ]
    (finding,) = find_misfits(frames)
    assert (finding.code, finding.severity) == ("camera-side-subtraction", Severity.DOUBT)


def test_noise_cut_off_at_the_black_level_is_told(camera):
    frames = [
        record(camera.frame(np.maximum(camera.pixels(60.0), LEVEL_ADU), 60.0), f"/d/{n}")
        for n in range(4)
    ]
    (finding,) = find_misfits(frames)
    assert (finding.code, finding.severity) == ("clipped-at-black", Severity.DOUBT)
    assert "offset" in finding.sentence


# Headers that lie


@pytest.mark.parametrize("told_s", [120.0, 30.0, 600.0, 90.0])
def test_a_wrong_exposure_in_one_header_is_found(library, told_s):
    frames, paths = misread(library, [12], exposure_s=told_s)  # it was 60 s
    findings = find_misfits(frames)
    assert set(codes_of(findings)) == paths
    assert findings[0].code == "wrong-exposure"
    assert "60 s" in findings[0].sentence


@pytest.mark.parametrize(("first", "told_s"), [(12, 120.0), (12, 200.0), (FIRST_300S, 150.0)])
def test_a_wrong_exposure_through_a_whole_series_is_found(library, first, told_s):
    frames, paths = misread(library, range(first, first + 6), exposure_s=told_s)
    assert codes_of(find_misfits(frames)) == dict.fromkeys(paths, "wrong-exposure")


def test_the_rest_of_a_series_is_witness_enough(camera):
    frames = camera.biases(4) + camera.series(60.0, 6)
    longer = camera.frame(camera.pixels(150.0), 60.0, at=frames[7].acquisition.date_obs)
    frames[7] = record(longer, frames[7].path)
    findings = find_misfits(frames)
    assert only(findings) == ("wrong-exposure", Severity.ERROR)
    assert findings[0].paths == (frames[7].path,)
    assert "the rest of its series" in findings[0].sentence


def test_of_two_series_that_contradict_each_other_neither_is_condemned(camera):
    frames = camera.biases(4) + camera.series(60.0, 4) + camera.series(120.0, 3, at=START + HOUR)
    frames, paths = misread(frames, range(8, 11), exposure_s=30.0)
    findings = find_misfits(frames)
    assert only(findings) == ("wrong-exposure", Severity.DOUBT)
    assert set(findings[0].paths) == paths
    assert "one of the two" in findings[0].sentence


def test_a_bias_that_calls_itself_a_dark_is_found(library):
    frames, paths = misread(library, [2], kind=FrameKind.DARK, exposure_s=300.0)
    findings = find_misfits(frames)
    assert codes_of(findings) == dict.fromkeys(paths, "wrong-exposure")
    assert "looks like a bias" in findings[0].sentence


def test_a_dark_that_calls_itself_a_bias_is_found(library):
    frames, paths = misread(library, [FIRST_300S + 1], kind=FrameKind.BIAS, exposure_s=0.0)
    assert codes_of(find_misfits(frames)) == dict.fromkeys(paths, "dark-among-biases")


@pytest.mark.parametrize("told_c", [0.0, -20.0])
def test_a_temperature_that_the_pattern_contradicts_is_found(library, told_c):
    frames, paths = misread(library, [14], sensor_temperature_c=told_c)
    findings = find_misfits(frames)
    assert only(findings) == ("wrong-temperature", Severity.DOUBT)
    assert set(findings[0].paths) == paths
    assert "-10 C" in findings[0].sentence


def test_a_series_whose_thermometer_lied_is_found(camera):
    frames = camera.library()
    frames, paths = misread(
        frames, range(12, 18), sensor_temperature_c=5.0, setpoint_temperature_c=-10.0
    )
    assert codes_of(find_misfits(frames)) == dict.fromkeys(paths, "wrong-temperature")


def test_a_warmer_night_is_no_wrong_exposure(camera):
    later = START + timedelta(days=20)
    warm = [
        f
        for n, t in enumerate((60.0, 120.0, 300.0))
        for f in camera.series(t, 4, at=later + n * HOUR, temperature_c=5.0)
    ]
    frames = [with_header(f, setpoint_temperature_c=None) for f in camera.library() + warm]
    assert find_misfits(frames) == []


# The first sub


def test_a_first_sub_that_was_still_warming_gets_a_note(camera):
    frames = camera.biases(4)
    for k, temperature_c in enumerate((-11.5, -10.2, -10.1, -10.0, -10.0, -10.0)):
        at = START + k * timedelta(minutes=5)
        pixels = camera.pixels(300.0, temperature_c)
        frames.append(record(camera.frame(pixels, 300.0, at=at), f"/darks/{k}"))
    findings = find_misfits(frames)
    assert only(findings) == ("first-sub-settling", Severity.NOTE)
    assert findings[0].paths == (Path("/darks/0"),)
    assert "weaker" in findings[0].sentence


def test_a_first_bias_at_another_level_gets_a_note(camera):
    frames = camera.biases(5)
    first = record(camera.frame(camera.pixels(0.0) + 4, 0.0, kind=FrameKind.BIAS), "/biases/0.fit")
    first = replace(first, acquisition=frames[0].acquisition)
    findings = find_misfits([first, *frames[1:]])
    assert only(findings) == ("first-sub-settling", Severity.NOTE)
    assert findings[0].paths == (first.path,)


# Strangers


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"camera": Camera("Kamera 2")}, "other-camera"),
        ({"gain_setting": 200.0}, "other-setting"),
        ({"binning": (2, 2)}, "other-setting"),
        ({"offset_setting": 20.0}, None),
    ],
)
def test_a_stranger_in_a_folder_is_found(library, header, code):
    frames, paths = misread(library, [15], **header)
    found = codes_of(find_misfits(frames))
    # An offset that only one header tells contradicts nothing.
    assert found == ({} if code is None else dict.fromkeys(paths, code))


def test_a_frame_of_another_size_in_a_folder_is_found(library, camera):
    cut = camera.frame(camera.pixels(60.0)[:100], 60.0)
    found = codes_of(find_misfits([*library, record(cut, "/darks/cut")]))
    assert found == {Path("/darks/cut"): "other-size"}


def test_a_folder_that_is_meant_to_be_mixed_is_left_in_peace(rng):
    first, second = DarkCamera(rng), DarkCamera(rng, model="Kamera 2")
    assert find_misfits(first.series(60.0, 4) + second.series(120.0, 4)) == []


def test_a_dark_of_another_unit_of_the_same_model_is_found(library, rng):
    stranger = DarkCamera(rng).dark("/darks/stranger", 300.0, at=START + 3.5 * HOUR)
    findings = find_misfits([*library, stranger])
    assert only(findings) == ("other-sensor", Severity.ERROR)
    assert findings[0].paths == (stranger.path,)


def test_two_units_of_one_model_in_folders_of_their_own_are_a_note(library, rng):
    others = DarkCamera(rng).series(300.0, 6, folder="/second", at=START + timedelta(days=9))
    findings = find_misfits(library + others)
    assert only(findings) == ("two-sensors", Severity.NOTE)


def test_an_upside_down_frame_is_found(library, camera):
    frames, path = spoilt(library, camera, FIRST_300S + 1, lambda p: p[::-1])
    findings = find_misfits(frames)
    assert only(findings) == ("flipped", Severity.ERROR)
    assert findings[0].paths == (path,)
    assert "ROWORDER" in findings[0].sentence


def test_a_copy_is_found_whatever_its_name(library):
    copy = replace(library[10], path=Path("/elsewhere/copy.fits"))
    findings = find_misfits([*library, copy])
    assert only(findings) == ("duplicate", Severity.DOUBT)
    assert findings[0].paths == (copy.path,)


# Useless pixels


@pytest.mark.parametrize("value", [0.0, 65535.0, np.nan])
def test_a_frame_of_one_value_is_empty(library, camera, value):
    blank = camera.frame(np.full((200, 300), value), 60.0)
    found = codes_of(find_misfits([*library, record(blank, "/darks/blank")]))
    assert found == {Path("/darks/blank"): "empty"}


def test_a_saturated_dark_is_found(library, camera):
    frames, path = spoilt(library, camera, 15, lambda p: np.where(p > LEVEL_ADU + 5, 65535.0, p))
    assert codes_of(find_misfits(frames)) == {path: "saturated"}


def test_a_saturated_flat_is_a_doubt_and_a_saturated_light_is_not(camera, rng):
    pixels = rng.normal(64_000, 900, (200, 300))
    flat = record(camera.frame(pixels, 1.0, kind=FrameKind.FLAT), "/flats/1")
    light = record(camera.frame(pixels, 1.0, kind=FrameKind.LIGHT), "/lights/1")
    findings = find_misfits(
        [flat, replace(light, statistics=record(camera.frame(pixels + 1, 1.0), "/").statistics)]
    )
    assert only(findings) == ("saturated", Severity.DOUBT)


def test_a_frame_with_many_bad_numbers_is_a_doubt(library, camera):
    pixels = camera.pixels(60.0)
    pixels[:10] = np.nan
    found = codes_of(find_misfits([*library, record(camera.frame(pixels, 60.0), "/darks/nan")]))
    assert found[Path("/darks/nan")] == "not-finite"


def test_a_master_is_not_measured_against_single_frames(library, camera):
    mean = np.mean([camera.pixels(300.0) for _ in range(20)], axis=0)
    master = with_header(record(camera.frame(mean, 300.0), "/masters/m"), n_combined=20)
    assert find_misfits([*library, master]) == []


@pytest.mark.parametrize("place", [2, 8, FIRST_300S])
def test_a_master_that_calls_itself_a_single_frame_is_found(library, camera, place):
    exposure_s = library[place].acquisition.exposure_s
    mean = np.mean([camera.pixels(exposure_s) for _ in range(10)], axis=0)
    frames, path = spoilt(library, camera, place, lambda _: mean)
    findings = find_misfits(frames)
    assert only(findings) == ("master-among-subs", Severity.DOUBT)
    assert findings[0].paths == (path,)


def test_every_sentence_names_its_file_and_helps(library, camera):
    frames, path = spoilt(library, camera, FIRST_300S, flat_field)
    (finding,) = find_misfits(frames)
    assert finding.sentence.startswith(f"darks/{path.name}: ")
    assert finding.to_dict() == {
        "code": finding.code,
        "severity": "error",
        "paths": [str(path)],
        "sentence": finding.sentence,
    }


def test_headers_without_exposure_date_or_temperature_stop_nothing(library):
    bare = [
        with_header(f, exposure_s=None, date_obs=None, sensor_temperature_c=None) for f in library
    ]
    assert {finding.severity for finding in find_misfits(bare)} <= {Severity.NOTE}
