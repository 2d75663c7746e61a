"""Real cameras: no false alarm, and frames that are spoilt on purpose are found."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.library.conftest import codes_of, with_header

from solodark.formats import open_frame, read_frame
from solodark.frames import Frame, FrameKind
from solodark.frames.statistics import measure_statistics
from solodark.library import FrameRecord, Severity, find_misfits

pytestmark = pytest.mark.real_data

# A choice of the frames, because reading all of them takes half a minute.
ASI = (
    "asi178mc/biases/*000[1-3].fit",
    "asi178mc/darks/*_5sec*000[12]*",
    "asi178mc/darks/*_10sec*",
    "asi178mc/darks/*_30sec*",
    "asi178mc/darks/*_100sec*000[1-3]*",
)
SBIG = (
    "sbig-stl1001e/2017_-10C/biases/*000[01]_*",
    "sbig-stl1001e/2017_-10C/darks/*0s-*",
    "sbig-stl1001e/2017_-5C/biases/*000[01]_*",
    "sbig-stl1001e/2017_-5C/darks/*[35]0s-Neg5*",
    "sbig-stl1001e/2017_-5C/darks/*1-Neg5*000[0-3]_*",
    "sbig-stl1001e/2019_+0C/biases/*000[1-4]_*",
    "sbig-stl1001e/2019_+0C/darks/dark_series_0c_*0000[12]_*",
)
MIT = ("mit-luxembourg-2018-10-12/biases/*4[6-8]*", "mit-luxembourg-2018-10-12/darks/*")
MIT_LIGHTS = ("mit-luxembourg-2018-10-12/lights/*1[5-7]*", "mit-luxembourg-2018-10-12/lights/*24*")


def measured(path: Path) -> FrameRecord:
    with open_frame(path) as source:
        return FrameRecord(path, source.acquisition, measure_statistics(source))


@pytest.fixture(scope="module")
def cameras(real_data) -> dict[str, list[FrameRecord]]:
    groups = {"asi": ASI, "sbig": SBIG, "mit": MIT, "lights": MIT_LIGHTS}
    with ThreadPoolExecutor(2) as readers:
        return {
            name: list(
                readers.map(measured, sorted(p for glob in globs for p in real_data.glob(glob)))
            )
            for name, globs in groups.items()
        }


def respoilt(frame: FrameRecord, change) -> FrameRecord:
    data = change(read_frame(frame.path).data.astype(np.float64))
    whole = np.clip(np.round(data), 0, 65535)
    return replace(frame, statistics=measure_statistics(Frame(whole, frame.acquisition)))


def exchanged(frames, *changed):
    new = {frame.path: frame for frame in changed}
    return [new.get(frame.path, frame) for frame in frames]


def alarms(findings) -> dict[Path, str]:
    return codes_of(finding for finding in findings if finding.severity is not Severity.NOTE)


def long_darks(frames, *, every=1):
    darks = [f for f in frames if f.acquisition.kind is FrameKind.DARK]
    return [f for f in darks if f.acquisition.exposure_s >= 5.0][::every]


@pytest.mark.parametrize("name", ["asi", "sbig", "mit"])
def test_three_real_cameras_raise_no_false_alarm(cameras, name):
    findings = find_misfits(cameras[name])
    assert {finding.code for finding in findings} <= {"first-sub-settling"}


def test_the_asi_s_first_30_s_dark_was_still_settling(cameras):
    (finding,) = find_misfits(cameras["asi"])
    assert [path.name for path in finding.paths] == ["Dark_ASIImg_30sec_frame0001.fits.fz"]


def test_a_level_that_drifts_by_11_adu_is_no_fault(cameras):
    levels = [f.statistics.mean_level_adu for f in long_darks(cameras["mit"])]
    assert levels[0] - levels[-1] > 10.0
    assert find_misfits(cameras["mit"]) == []


def test_all_cameras_in_one_library_are_kept_apart(cameras):
    frames = cameras["asi"] + cameras["sbig"] + cameras["mit"] + cameras["lights"]
    findings = find_misfits(frames)
    assert alarms(findings) == {}
    (two,) = [finding for finding in findings if finding.code == "two-sensors"]
    assert {path.parts[-3] for path in two.paths} == {"mit-luxembourg-2018-10-12"}


@pytest.mark.parametrize("n_lights", [1, 4])
def test_real_lights_among_real_darks_are_found(cameras, n_lights):
    lights = [with_header(f, kind=FrameKind.DARK) for f in cameras["lights"][-n_lights:]]
    found = alarms(find_misfits(cameras["mit"] + lights))
    assert found == {light.path: "light-among-darks" for light in lights}


@pytest.mark.parametrize("name", ["asi", "sbig", "mit"])
@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_wrong_exposures_are_found_in_every_header(cameras, name, factor):
    for dark in long_darks(cameras[name], every=10):
        lie = with_header(dark, exposure_s=factor * dark.acquisition.exposure_s)
        found = alarms(find_misfits(exchanged(cameras[name], lie)))
        assert found == {dark.path: "wrong-exposure"}


@pytest.mark.parametrize("name", ["asi", "sbig", "mit"])
@pytest.mark.parametrize("off_c", [8.0, -8.0])
def test_wrong_temperatures_are_found_in_every_header(cameras, name, off_c):
    for dark in long_darks(cameras[name], every=13):
        told = dark.acquisition.sensor_temperature_c + off_c
        lie = with_header(dark, sensor_temperature_c=told)
        found = alarms(find_misfits(exchanged(cameras[name], lie)))
        assert found == {dark.path: "wrong-temperature"}


@pytest.mark.parametrize("name", ["asi", "sbig", "mit"])
@pytest.mark.parametrize("clip", [False, True])
def test_darks_that_a_camera_would_subtract_are_found(cameras, name, clip):
    darks = long_darks(cameras[name])
    twins = [(dark, twin) for dark in darks for twin in darks if is_twin(dark, twin)]
    for dark, twin in twins[1 :: len(twins) // 2]:
        other = read_frame(twin.path).data
        spoilt = respoilt(dark, lambda a, o=other: subtracted(a, o, clip=clip))
        found = alarms(find_misfits(exchanged(cameras[name], spoilt)))
        assert found == {dark.path: "camera-side-subtraction"}


def subtracted(pixels, other, *, clip):
    """The difference on its black level, below which some cameras keep nothing."""
    level = np.median(pixels)
    difference = pixels - other - np.median(pixels - other)
    return level + (np.maximum(difference, 0.0) if clip else difference)


def is_twin(first, second):
    return (
        first is not second
        and first.path.parent == second.path.parent
        and first.acquisition.exposure_s == second.acquisition.exposure_s
    )


@pytest.mark.parametrize(("name", "adu_per_e"), [("asi", 4.0), ("sbig", 0.5), ("mit", 0.5)])
@pytest.mark.parametrize("noises", [1.5, 6.0])
def test_light_leaks_are_found_from_one_and_a_half_times_the_noise(
    cameras, name, adu_per_e, noises, rng
):
    for dark in long_darks(cameras[name])[3::12]:
        ny, nx = dark.shape
        y, x = np.mgrid[:ny, :nx] / nx
        electrons = noises * dark.statistics.mean_noise_adu / adu_per_e
        light = adu_per_e * rng.poisson(electrons * np.exp(-(x**2 + (y - 0.4) ** 2) / 0.1))
        lit = respoilt(dark, lambda a, more=light: a + more)
        found = alarms(find_misfits(exchanged(cameras[name], lit)))
        assert found == {dark.path: "light-leak"}


@pytest.mark.parametrize("name", ["asi", "sbig", "mit"])
def test_an_upside_down_dark_is_found(cameras, name):
    dark = long_darks(cameras[name])[-1]
    turned = respoilt(dark, lambda a: a[::-1])
    assert alarms(find_misfits(exchanged(cameras[name], turned))) == {dark.path: "flipped"}


def test_a_dark_of_the_other_stl_1001_is_found_though_its_header_is_alike(cameras):
    folder = cameras["sbig"][-1].path.parent
    stranger = replace(long_darks(cameras["mit"])[0], path=folder / "stranger.fits")
    found = alarms(find_misfits([*cameras["sbig"], stranger]))
    assert found == {stranger.path: "other-sensor"}
