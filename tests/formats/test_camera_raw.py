"""Camera raws: the sensor's numbers, its colours in phase, and what EXIF knows."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, NotAMosaicError, TruncatedFileError
from solodark.formats import open_frame, read_acquisition, read_frame
from solodark.formats.camera_raw import scan_camera_raw
from solodark.formats.exif import read_exif

Mosaic = NDArray[np.uint16]
WriteDng = Callable[..., Path]

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10


@pytest.fixture
def write_dng(tmp_path: Path) -> WriteDng:
    """Write a DNG as a camera would: a mosaic with masked borders, its active area in a tag."""

    def write(mosaic: Mosaic, *, top: int = 0, left: int = 0, flip: int = 1) -> Path:
        ny, nx = mosaic.shape
        name = "Testcam X1"
        tags = [
            (50706, BYTE, 4, (1, 4, 0, 0), True),  # DNGVersion
            (50707, BYTE, 4, (1, 1, 0, 0), True),  # DNGBackwardVersion
            (50708, ASCII, 0, name, True),  # UniqueCameraModel
            (271, ASCII, 0, "Testcam", True),  # Make
            (272, ASCII, 0, name, True),  # Model
            (274, SHORT, 1, flip, True),  # Orientation
            (33421, SHORT, 2, (2, 2), True),  # CFARepeatPatternDim
            (33422, BYTE, 4, (0, 1, 1, 2), True),  # CFAPattern: RGGB, from the active area's corner
            (50714, SHORT, 1, 512, True),  # BlackLevel
            (50717, LONG, 1, 16000, True),  # WhiteLevel
            (50829, LONG, 4, (top, left, ny, nx), True),  # ActiveArea
            (
                50721,
                SRATIONAL,
                9,
                (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1),
                True,
            ),
            (50728, RATIONAL, 3, (1, 2, 1, 1, 1, 3), True),  # AsShotNeutral: not to be applied
            (33434, RATIONAL, 1, (25, 2), True),  # ExposureTime
            (34855, SHORT, 1, 1600, True),  # ISOSpeedRatings
            (36867, ASCII, 0, "2024:05:06 01:02:03", True),  # DateTimeOriginal
            (50735, ASCII, 0, "SN0042", True),  # CameraSerialNumber
        ]
        path = tmp_path / "IMG_0042.DNG"
        tifffile.imwrite(
            path, mosaic, photometric=32803, metadata=None, software=False, extratags=tags
        )
        return path

    return write


@pytest.fixture
def mosaic(rng: np.random.Generator) -> Mosaic:
    return rng.integers(400, 16000, (70, 90)).astype(np.uint16)


def test_the_mosaic_is_neither_balanced_nor_scaled_nor_is_black_subtracted(
    write_dng: WriteDng, mosaic: Mosaic
) -> None:
    frame = read_frame(write_dng(mosaic))
    np.testing.assert_array_equal(frame.data, mosaic)


def test_exif_tells_how_it_was_taken(write_dng: WriteDng, mosaic: Mosaic) -> None:
    acquisition = read_acquisition(write_dng(mosaic))
    assert acquisition.exposure_s == 12.5
    assert acquisition.iso == 1600
    assert acquisition.camera.model == "Testcam X1"
    assert acquisition.camera.serial == "SN0042"
    assert acquisition.date_obs == datetime(2024, 5, 6, 1, 2, 3, tzinfo=UTC)
    assert (acquisition.black_level_adu, acquisition.saturation_adu) == (512.0, 16000.0)


@pytest.mark.parametrize(
    ("top", "left", "first_row", "first_column", "pattern"),
    [(4, 6, 4, 6, "RGGB"), (3, 5, 4, 6, "BGGR"), (3, 6, 4, 6, "GBRG"), (4, 5, 4, 6, "GRBG")],
)
def test_margins_are_made_even_and_the_colours_stay_in_phase(
    write_dng: WriteDng,
    mosaic: Mosaic,
    top: int,
    left: int,
    first_row: int,
    first_column: int,
    pattern: str,
) -> None:
    frame = read_frame(write_dng(mosaic, top=top, left=left))
    np.testing.assert_array_equal(frame.data, mosaic[first_row:, first_column:])
    assert frame.acquisition.cfa_pattern == pattern


@pytest.mark.parametrize("flip", [3, 6, 8])
def test_the_rotation_flag_is_ignored(write_dng: WriteDng, mosaic: Mosaic, flip: int) -> None:
    np.testing.assert_array_equal(read_frame(write_dng(mosaic, flip=flip)).data, mosaic)


def test_bands_of_rows_equal_the_whole_and_the_spool_goes(
    write_dng: WriteDng, mosaic: Mosaic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spools))
    with open_frame(write_dng(mosaic)) as frame:
        np.testing.assert_array_equal(frame.read_rows(10, 30), mosaic[10:30])
        assert len(list(spools.iterdir())) == 1
    assert list(spools.iterdir()) == []


def test_a_second_frame_of_a_camera_is_not_unpacked_for_its_header(
    write_dng: WriteDng, mosaic: Mosaic, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dng(mosaic)
    first = scan_camera_raw(path).acquisition
    monkeypatch.setattr("solodark.formats.camera_raw._learned", pytest.fail)
    assert scan_camera_raw(path).acquisition == first


def test_a_cut_file_says_what_is_missing(write_dng: WriteDng, mosaic: Mosaic) -> None:
    path = write_dng(mosaic)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(
        TruncatedFileError, match=r"IMG_0042\.DNG: is cut short: .* 4000 are missing"
    ):
        open_frame(path)


def test_a_header_without_pixels_is_called_that(write_dng: WriteDng) -> None:
    path = write_dng(np.zeros((1000, 1000), np.uint16))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(TruncatedFileError, match="a header without its pixels"):
        open_frame(path)


def test_what_libraw_does_not_know_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.cr2"
    path.write_bytes(b"no raw file" * 100)
    with pytest.raises(FrameFormatError, match=r"x\.cr2: LibRaw cannot read it: \w") as caught:
        open_frame(path)
    assert "b'" not in str(caught.value)


@pytest.mark.real_data
def test_a_linear_dng_is_told_from_a_mosaic(real_data: Path) -> None:
    with pytest.raises(NotAMosaicError, match=r"3-channel\.dng: holds linear colour"):
        open_frame(real_data / "raw-samples" / "canon-6d-linear-3-channel.dng")


@pytest.mark.real_data
def test_a_canon_mosaic_is_read_as_libraw_sees_it(real_data: Path) -> None:
    frame = read_frame(real_data / "raw-samples" / "canon-550d-magic-lantern.dng")
    assert frame.shape == (1156, 1734)
    assert frame.acquisition.cfa_pattern == "RGGB"
    assert frame.acquisition.black_level_adu == 2056
    assert frame.acquisition.saturation_adu == 15000
    assert frame.data.min() < 2056 < frame.data.max() <= 15000


@pytest.mark.real_data
def test_a_name_outside_ascii_does_no_harm(real_data: Path) -> None:
    acquisition = read_acquisition(real_data / "raw-samples" / "RAW_KODAK_DC50_é.KDC")
    assert acquisition.exposure_s == pytest.approx(0.00435)
    assert acquisition.date_obs == datetime(1997, 4, 23, 8, 0, 47, tzinfo=UTC)


@pytest.mark.real_data
def test_maker_notes_know_the_sensor_temperature(real_data: Path) -> None:
    from solodark.formats.header_reading import acquisition_from_header

    stub = real_data / "raw-samples" / "header-stubs" / "Canon-R6-pruned.CR3"
    acquisition = acquisition_from_header(read_exif(stub))
    assert acquisition.sensor_temperature_c == 38.0
    assert acquisition.camera.serial == "093022004357"
    assert acquisition.date_obs == datetime(2021, 5, 12, 10, 21, 21, 920000, UTC)


@pytest.mark.real_data
def test_stubs_are_refused_and_nothing_is_printed_beside(
    real_data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stubs = sorted((real_data / "raw-samples" / "header-stubs").iterdir())
    assert len(stubs) == 15
    for stub in stubs:
        with pytest.raises(FrameFormatError) as caught:
            open_frame(stub)
        assert str(caught.value).startswith(f"{stub}: ")
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
