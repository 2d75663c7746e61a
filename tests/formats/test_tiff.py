"""TIFF from other programs, and our own with an Astro-TIFF header."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, NotAMosaicError, TruncatedFileError
from solodark.formats import open_frame, read_acquisition, read_frame, write_frame
from solodark.frames import Acquisition, Frame

Mosaic = NDArray[np.uint16]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(pixels: NDArray[Any], **options: Any) -> Path:
        path = tmp_path / "x.tif"
        tifffile.imwrite(path, pixels, **{"metadata": None, "photometric": "minisblack"} | options)
        return path

    return written


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_pixels_come_out_as_they_went_in(
    write: Callable[..., Path], compression: str | None, byteorder: str, dtype: str
) -> None:
    pixels = np.arange(240).reshape(20, 12).astype(dtype)
    path = write(pixels, compression=compression, byteorder=byteorder, rowsperstrip=7)
    with open_frame(path) as frame:
        np.testing.assert_array_equal(frame.read_rows(0, 20), pixels)
        np.testing.assert_array_equal(frame.read_rows(5, 9), pixels[5:9])


def test_tiled_pixels_are_read(write: Callable[..., Path], mosaic: Mosaic) -> None:
    np.testing.assert_array_equal(read_frame(write(mosaic, tile=(16, 16))).data, mosaic)


def test_the_private_tags_of_deepskystacker_are_read(
    write: Callable[..., Path], mosaic: Mosaic
) -> None:
    tags = [(50000, 4, 1, 25, True), (50002, 4, 1, 800, True), (50008, 11, 1, 300.0, True),
            (50006, 4, 1, 1, True), (50009, 4, 1, 2, True), (50011, 4, 1, 100, True)]  # fmt: skip
    acquisition = read_acquisition(write(mosaic, extratags=tags, description="a master dark"))
    assert (acquisition.iso, acquisition.exposure_s) == (800, 300.0)
    assert (acquisition.cfa_pattern, acquisition.gain_setting) == ("GRBG", 100.0)
    assert acquisition.n_combined == 25


@pytest.mark.parametrize("description", ["holiday in Spain", "{'EXPTIME': 5}", "SIMPLE minds"])
def test_an_ordinary_description_is_ignored(
    write: Callable[..., Path], mosaic: Mosaic, description: str
) -> None:
    assert read_acquisition(write(mosaic, description=description)).exposure_s is None


def test_the_fits_header_in_an_astro_tiff_is_read(
    write: Callable[..., Path], mosaic: Mosaic
) -> None:
    header = "SIMPLE  =  T\r\nEXPTIME = 60.0 / s\r\nINSTRUME= 'ZWO'\r\nGAIN = 5\r\nEND"
    acquisition = read_acquisition(write(mosaic, description=header))
    assert (acquisition.exposure_s, acquisition.camera.model) == (60.0, "ZWO")


def test_an_astro_tiff_of_a_top_down_fits_file_is_turned_back(
    write: Callable[..., Path], mosaic: Mosaic
) -> None:
    header = "SIMPLE  =  T\nROWORDER= 'TOP-DOWN'\nEND"
    np.testing.assert_array_equal(read_frame(write(mosaic[::-1], description=header)).data, mosaic)


def test_our_own_tiff_shows_the_top_of_the_sensor_first(
    tmp_path: Path, mosaic: Mosaic, cooled_dark: Acquisition
) -> None:
    path = tmp_path / "x.tif"
    write_frame(path, Frame(mosaic.astype(np.float32), cooled_dark), pixel_type="uint16")
    np.testing.assert_array_equal(tifffile.imread(path), mosaic)
    assert read_acquisition(path).row_order == "TOP-DOWN"


def test_colour_is_no_mosaic(write: Callable[..., Path]) -> None:
    with pytest.raises(NotAMosaicError, match=r"x\.tif: holds colours"):
        open_frame(write(np.zeros((8, 8, 3), np.uint16), photometric="rgb"))


def test_several_frames_in_one_file_are_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(FrameFormatError, match="several images"):
        open_frame(write(np.zeros((5, 8, 8), np.uint16)))


def test_a_negative_is_refused(write: Callable[..., Path], mosaic: Mosaic) -> None:
    with pytest.raises(FrameFormatError, match="negative"):
        open_frame(write(mosaic, photometric="miniswhite"))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_cut_file_says_what_is_missing(
    write: Callable[..., Path], mosaic: Mosaic, compression: str | None
) -> None:
    path = write(mosaic, compression=compression)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(TruncatedFileError, match=r"x\.tif: is cut short: .* 300 are missing"):
        open_frame(path)
