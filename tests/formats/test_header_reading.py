"""Headers of every dialect say the same."""

from datetime import UTC, datetime

import pytest

from solodark.formats.header_dialects import DIALECTS, kind_from_words
from solodark.formats.header_reading import acquisition_from_header
from solodark.formats.header_units import MEANINGS
from solodark.formats.header_values import Header, HeaderCard, HeaderValue
from solodark.frames import Acquisition, FrameKind


def read(**keywords: HeaderValue | tuple[HeaderValue, str]) -> Acquisition:
    header: Header = {}
    for keyword, value in keywords.items():
        card = value if isinstance(value, tuple) else (value, "")
        header[keyword.replace("__", ":").replace("_", "-")] = HeaderCard(*card)
    return acquisition_from_header(header)


def test_every_row_of_the_table_names_a_unit_that_has_a_meaning() -> None:
    assert {dialect.unit for dialect in DIALECTS} <= set(MEANINGS)


@pytest.mark.parametrize(
    ("keywords", "exposure_s"),
    [
        ({"EXPTIME": 180.0}, 180.0),
        ({"EXPOSURE": 180}, 180.0),
        ({"EXPOINUS": 32, "EXPTIME": "3,2E-05", "EXPOSURE": "3,2E-05"}, 3.2e-5),
        ({"EXPOINUS": 32, "EXPTIME": "0,00", "EXPOSURE": "0,00"}, 3.2e-5),
        ({"EXPTIME": "3,2E-05"}, 3.2e-5),
        ({"EXPTIME": 0.0}, 0.0),
        ({"EXPTIME": "unknown"}, None),
        ({"EXPTIME": -1.0}, None),
    ],
)
def test_the_exposure_is_in_seconds_whatever_the_keyword(
    keywords: dict[str, HeaderValue], exposure_s: float | None
) -> None:
    assert read(**keywords).exposure_s == exposure_s


def test_two_exposures_that_contradict_each_other_are_remarked() -> None:
    acquisition = read(EXPTIME=100.0, EXPOSURE=180.0)
    assert acquisition.exposure_s == 100.0
    assert acquisition.notes == ("EXPTIME says 100 s and EXPOSURE 180 s; took EXPTIME",)
    assert read(EXPTIME=100.0, EXPOSURE=100.2).notes == ()


@pytest.mark.parametrize("keyword", ["CCD_TEMP", "CCDTEMP", "TEMPERAT", "CAMTCCD", "CAMTEMP"])
def test_the_sensor_temperature_has_many_names(keyword: str) -> None:
    assert read(**{keyword: -10.5}).sensor_temperature_c == -10.5


def test_a_temperature_in_kelvin_becomes_celsius() -> None:
    assert read(CCD_TEMP=263.15).sensor_temperature_c == pytest.approx(-10.0)


def test_gain_of_an_amateur_program_is_the_drivers_setting() -> None:
    acquisition = read(SWCREATE="N.I.N.A. 3.0", GAIN=100, EGAIN=0.24)
    assert (acquisition.gain_setting, acquisition.gain_e_per_adu) == (100.0, 0.24)
    assert acquisition.notes == ()


def test_gain_of_an_observatory_is_electrons_per_adu_and_that_is_said() -> None:
    acquisition = read(GAIN=1.62)
    assert (acquisition.gain_setting, acquisition.gain_e_per_adu) == (None, 1.62)
    assert "took GAIN = 1.62 for e-/ADU" in acquisition.notes[0]


def test_the_comment_of_gain_decides_where_its_value_could_be_both() -> None:
    acquisition = read(GAIN=(2, "CCD gain (e-/ADU)"))
    assert (acquisition.gain_setting, acquisition.gain_e_per_adu) == (None, 2.0)


def test_a_whole_gain_of_an_unknown_program_is_taken_for_a_setting_and_that_is_said() -> None:
    acquisition = read(GAIN=120)
    assert (acquisition.gain_setting, acquisition.gain_e_per_adu) == (120.0, None)
    assert "driver's setting" in acquisition.notes[0]


def test_cvf_and_blklevel_are_sirils_names() -> None:
    acquisition = read(PROGRAM="Siril", CVF=0.8, BLKLEVEL=50)
    assert (acquisition.gain_e_per_adu, acquisition.offset_setting) == (0.8, 50.0)


@pytest.mark.parametrize(
    "keywords",
    [{"XBINNING": 2, "YBINNING": 2}, {"BINX": 2, "BINY": 2}, {"CCDSUM": "2 2"}, {"XBINNING": 2}],
)
def test_binning_has_many_names(keywords: dict[str, HeaderValue]) -> None:
    assert read(**keywords).binning == (2, 2)


def test_the_pixel_size_is_that_of_the_unbinned_pixel() -> None:
    assert read(XPIXSZ=7.52, XBINNING=2).camera.pixel_size_um == pytest.approx(3.76)
    assert read(PIXSIZE1=3.76, XPIXSZ=7.52, XBINNING=2).camera.pixel_size_um == 3.76


@pytest.mark.parametrize(
    ("x", "y", "pattern"), [(0, 0, "RGGB"), (1, 0, "GRBG"), (0, 1, "GBRG"), (1, 1, "BGGR")]
)
def test_bayer_offsets_shift_the_pattern(x: int, y: int, pattern: str) -> None:
    assert read(BAYERPAT="RGGB", XBAYROFF=x, YBAYROFF=y).cfa_pattern == pattern


def test_a_pattern_that_is_not_bayer_is_remarked() -> None:
    acquisition = read(BAYERPAT="GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG")
    assert acquisition.cfa_pattern is None
    assert "no Bayer pattern" in acquisition.notes[0]
    assert read(BAYERPAT="NONE").notes == ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Dark Frame", FrameKind.DARK),
        ("DARK", FrameKind.DARK),
        ("Master Dark", FrameKind.DARK),
        ("darkflat", FrameKind.DARK),
        ("Bias Frame", FrameKind.BIAS),
        ("zero", FrameKind.BIAS),
        ("Offset Frame", FrameKind.BIAS),
        ("Flat Field", FrameKind.FLAT),
        ("SKYFLAT", FrameKind.FLAT),
        ("Light Frame", FrameKind.LIGHT),
        ("object", FrameKind.LIGHT),
        ("Tricolour", None),
    ],
)
def test_the_kind_of_frame_has_many_spellings(value: str, kind: FrameKind | None) -> None:
    acquisition = read(IMAGETYP=value)
    assert acquisition.kind is kind
    assert acquisition.kind_source == ("header IMAGETYP" if kind else "")


def test_an_offset_in_a_name_is_a_setting_and_not_a_bias() -> None:
    assert kind_from_words("Light_M31_gain120_offset30") is FrameKind.LIGHT
    assert kind_from_words("gain120_offset30") is None


def test_sbig_numbers_its_kinds() -> None:
    assert read(SWCREATE="TheSkyX", PICTTYPE=3).kind is FrameKind.DARK
    assert read(SWCREATE="other", PICTTYPE=3).kind is None


def test_the_number_of_combined_frames_is_read() -> None:
    assert read(STACKCNT=20).n_combined == read(NCOMBINE=20).n_combined == 20


def test_exif_has_fraction_and_zone_in_tags_of_their_own() -> None:
    header = {
        "Exif.Photo.DateTimeOriginal": HeaderCard("2021:05:12 12:21:21"),
        "Exif.Photo.SubSecTimeOriginal": HeaderCard("92"),
        "Exif.Photo.OffsetTimeOriginal": HeaderCard("+02:00"),
    }
    assert acquisition_from_header(header).date_obs == datetime(
        2021, 5, 12, 10, 21, 21, 920000, UTC
    )


def test_a_camera_clock_without_zone_is_taken_for_utc_and_that_is_said() -> None:
    acquisition = acquisition_from_header(
        {"Exif.Photo.DateTimeOriginal": HeaderCard("2021:05:12 12:21:21")}
    )
    assert acquisition.date_obs == datetime(2021, 5, 12, 12, 21, 21, 0, UTC)
    assert "no time zone" in acquisition.notes[0]


def test_an_exposure_of_zero_in_exif_is_unknown_because_no_shutter_is_that_fast() -> None:
    header = {"Exif.Photo.ExposureTime": HeaderCard("0/1000000")}
    assert acquisition_from_header(header).exposure_s is None


def test_the_maker_stands_before_the_model_once() -> None:
    header = {
        "Exif.Image.Make": HeaderCard("Canon"),
        "Exif.Image.Model": HeaderCard("Canon EOS 6D"),
    }
    assert acquisition_from_header(header).camera.model == "Canon EOS 6D"
    header["Exif.Image.Model"] = HeaderCard("EOS 6D")
    assert acquisition_from_header(header).camera.model == "Canon EOS 6D"
