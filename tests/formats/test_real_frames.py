"""Real frames of six cameras, with all their headers' quirks."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from solodark.errors import FrameFormatError, TruncatedFileError
from solodark.formats import find_frame_paths, open_frame, read_acquisition, read_frame
from solodark.frames import FrameKind

pytestmark = pytest.mark.real_data


@pytest.mark.parametrize(
    ("folder", "source", "counts"),
    [
        ("asi178mc", "folder", {"dark": 42, "bias": 8}),
        ("sbig-stl1001e/2017_-10C", "header IMAGETYP", {"dark": 6, "bias": 6}),
        ("sbig-stl1001e/2019_+0C", "header IMAGETYP", {"dark": 20, "bias": 6}),
        ("mit-luxembourg-2018-10-12", "header IMAGETYP", {"light": 16, "dark": 5, "bias": 8}),
    ],
)
def test_every_frame_is_told_for_what_it_is(
    real_data: Path, folder: str, source: str, counts: dict[str, int]
) -> None:
    frames = [read_acquisition(path) for path in find_frame_paths(real_data / folder)]
    assert Counter(frame.kind for frame in frames) == counts
    assert all(frame.kind_source.startswith(source) for frame in frames)


def test_flats_that_call_themselves_lights_are_remarked(real_data: Path) -> None:
    flats = find_frame_paths(real_data / "sbig-stl1001e" / "2017_-5C" / "flats")
    for acquisition in map(read_acquisition, flats):
        assert acquisition.kind is FrameKind.LIGHT
        assert "its folder flats flat" in acquisition.notes[0]


def test_the_pixels_alone_would_tell_nearly_all_of_them(real_data: Path, tmp_path: Path) -> None:
    samples = {
        "asi178mc/darks/Dark_ASIImg_100sec_frame0001.fits.fz": FrameKind.DARK,
        "asi178mc/biases/Bias_ASIImg_frame0001.fit": FrameKind.BIAS,
        "raw-samples/panoptes/unsolved.fits": FrameKind.LIGHT,
        "raw-samples/panoptes/noheader.fits": FrameKind.LIGHT,
    }
    for number, (name, kind) in enumerate(samples.items()):
        link = (
            tmp_path
            / f"{number}{''.join(Path(name).suffixes[-2:]) if '.fz' in name else Path(name).suffix}"
        )
        link.symlink_to((real_data / name).resolve())
        acquisition = read_acquisition(link)
        assert (acquisition.kind, acquisition.kind_source) == (kind, "exposure and statistics")


def test_microseconds_win_over_seconds_with_a_comma(real_data: Path) -> None:
    for path in find_frame_paths(real_data / "asi178mc" / "biases"):
        acquisition = read_acquisition(path)
        assert acquisition.exposure_s == 3.2e-5
        assert acquisition.notes == ()


def test_the_exposure_in_a_name_is_not_believed(real_data: Path) -> None:
    biases = find_frame_paths(real_data / "mit-luxembourg-2018-10-12" / "biases")
    assert {read_acquisition(path).exposure_s for path in biases} == {0.0}


def test_an_asi_header_is_read_whole(real_data: Path) -> None:
    path = real_data / "asi178mc" / "darks" / "Dark_ASIImg_0.1sec_frame0001.fits.fz"
    acquisition = read_acquisition(path)
    assert acquisition.camera.model == "ZWO ASI178MC"
    assert acquisition.camera.pixel_size_um == 2.4
    assert (acquisition.gain_setting, acquisition.offset_setting) == (0.0, 340.0)
    assert acquisition.sensor_temperature_c == 35.6
    assert acquisition.cfa_pattern == "RGGB"
    assert acquisition.exposure_s == 0.1
    assert acquisition.program == "ASIImg"
    assert acquisition.date_obs is not None
    assert acquisition.date_obs.isoformat() == "2024-04-18T14:17:42.973000+00:00"


def test_an_sbig_header_is_read_whole(real_data: Path) -> None:
    path = (
        real_data / "mit-luxembourg-2018-10-12/lights/lux-180_000secs_Light_Open_00000015.fits.fz"
    )
    acquisition = read_acquisition(path)
    assert acquisition.camera.model == "SBIG STL-1001 3 CCD Camera"
    assert acquisition.gain_e_per_adu == 2.07
    assert acquisition.sensor_temperature_c == pytest.approx(-20, abs=0.5)
    assert acquisition.setpoint_temperature_c == pytest.approx(-20, abs=0.5)
    assert acquisition.black_level_adu == 100.0
    assert acquisition.cfa_pattern is None
    assert acquisition.exposure_s == 180.0


def test_a_dslr_frame_in_fits_keeps_its_iso_serial_and_colours(real_data: Path) -> None:
    acquisition = read_acquisition(real_data / "raw-samples" / "panoptes" / "solved.fits.fz")
    assert acquisition.iso == 100
    assert acquisition.camera.serial == "012070048413"
    assert acquisition.cfa_pattern == "RGGB"
    assert acquisition.sensor_temperature_c == 13.0


@pytest.mark.parametrize(
    "name",
    [
        "asi178mc/darks/Dark_ASIImg_70sec_frame0001.fits.fz",
        "asi178mc/biases/Bias_ASIImg_frame0001.fit",
        "raw-samples/panoptes/solved.fits.fz",
        "sbig-stl1001e/2019_+0C/darks/dark_series_0c_5m_00000002_DARK.fits.fz",
    ],
)
@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
def test_pixels_are_those_that_astropy_reads(real_data: Path, name: str) -> None:
    path = real_data / name
    with fits.open(path) as hdus:
        expected = np.array(hdus[-1].data)
    np.testing.assert_array_equal(read_frame(path).data, expected)
    with open_frame(path) as frame:
        rows = frame.read_rows(100, 164)
    assert rows.dtype == np.uint16
    np.testing.assert_array_equal(rows, expected[100:164])


@pytest.mark.parametrize(("mib", "there"), [(1, 1042816), (2, 2091392)])
def test_truncated_files_say_how_much_is_missing(real_data: Path, mib: int, there: int) -> None:
    path = real_data / "raw-samples" / f"truncated-at-{mib}MiB.fit"
    with pytest.raises(TruncatedFileError, match=f"{there} of 2457600 bytes") as caught:
        open_frame(path)
    assert str(path) in str(caught.value)
    assert f"{2457600 - there} are missing" in str(caught.value)


def refusal_of(path: Path) -> str | None:
    try:
        read_frame(path)
    except FrameFormatError as error:
        return str(error)
    return None


def test_every_raw_sample_is_read_or_refused_in_one_sentence(real_data: Path) -> None:
    paths = sorted((real_data / "raw-samples").rglob("*.*"))
    refusals = {path: words for path in paths if (words := refusal_of(path)) is not None}
    assert (len(paths), len(refusals)) == (26, 18)
    assert all(words.startswith(f"{path}: ") for path, words in refusals.items())
    assert all(words.isprintable() for words in refusals.values())
