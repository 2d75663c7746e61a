"""XISF from PixInsight and N.I.N.A., and our own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xisf
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, NotAMosaicError, TruncatedFileError
from solodark.formats import open_frame, read_acquisition, read_frame, write_frame
from solodark.frames import Acquisition, Frame, FrameKind

Mosaic = NDArray[np.uint16]


def write(path: Path, pixels: NDArray[Any], codec: str | None = None, **keywords: str) -> Path:
    metadata = {
        "FITSKeywords": {k: [{"value": v, "comment": ""}] for k, v in keywords.items()},
        "XISFProperties": {
            "Instrument:Sensor:Temperature": {
                "id": "Instrument:Sensor:Temperature", "type": "Float32", "value": -9.5,
            },
        },
    }  # fmt: skip
    data = pixels if pixels.ndim == 3 else pixels[:, :, None]
    xisf.XISF.write(str(path), data, image_metadata=metadata, codec=codec, shuffle=codec == "lz4")
    return path


@pytest.mark.parametrize("codec", [None, "zlib", "lz4", "zstd"])
def test_pixels_come_out_as_they_went_in(tmp_path: Path, mosaic: Mosaic, codec: str | None) -> None:
    with open_frame(write(tmp_path / "x.xisf", mosaic, codec)) as frame:
        np.testing.assert_array_equal(frame.read_rows(0, 34), mosaic)
        np.testing.assert_array_equal(frame.read_rows(3, 8), mosaic[3:8])


def test_keywords_and_properties_are_read(tmp_path: Path, mosaic: Mosaic) -> None:
    path = write(tmp_path / "x.xisf", mosaic, EXPTIME="300.0", IMAGETYP="'DARK'", GAIN="100")
    acquisition = read_acquisition(path)
    assert acquisition.exposure_s == 300.0
    assert acquisition.kind is FrameKind.DARK
    assert acquisition.sensor_temperature_c == -9.5


def test_fractions_of_full_scale_are_kept_and_remarked(tmp_path: Path) -> None:
    frame = read_frame(write(tmp_path / "x.xisf", np.full((8, 8), 0.25, np.float32)))
    assert frame.data.max() == 0.25
    assert "fractions of full scale" in frame.acquisition.notes[0]


def test_colour_is_no_mosaic(tmp_path: Path) -> None:
    with pytest.raises(NotAMosaicError, match=r"x\.xisf: holds 3 colour planes"):
        open_frame(write(tmp_path / "x.xisf", np.zeros((8, 8, 3), np.uint16)))


@pytest.mark.parametrize("codec", [None, "zlib"])
def test_a_cut_file_says_what_is_missing(tmp_path: Path, mosaic: Mosaic, codec: str | None) -> None:
    path = write(tmp_path / "x.xisf", mosaic, codec)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(TruncatedFileError, match=r"x\.xisf: is cut short: .* 700 are missing"):
        open_frame(path)


def test_what_the_reader_does_not_know_is_not_printed(
    tmp_path: Path, mosaic: Mosaic, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "x.xisf", mosaic)
    unknown = b'type="Float32" value="-9.5"'
    assert unknown in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(unknown, b'type="Table7"              '))
    assert read_acquisition(path).sensor_temperature_c is None
    assert capsys.readouterr().out == ""


def test_big_endian_pixels_are_read(tmp_path: Path, mosaic: Mosaic) -> None:
    path = tmp_path / "x.xisf"
    write_frame(path, Frame(mosaic.astype(np.float32)), pixel_type="uint16")
    data = path.read_bytes()
    swapped = data[:4096].replace(b'colorSpace="Gray"', b'byteOrder="big"  ')
    path.write_bytes(swapped + mosaic.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_frame(path).data, mosaic)


@pytest.mark.parametrize("pixel_type", ["float32", "uint16"])
def test_our_files_are_read_by_the_public_package(
    tmp_path: Path, mosaic: Mosaic, pixel_type: Any, cooled_dark: Acquisition
) -> None:
    path = tmp_path / "x.xisf"
    write_frame(path, Frame(mosaic.astype(np.float32), cooled_dark), pixel_type=pixel_type)
    file = xisf.XISF(str(path))
    image = file.get_images_metadata()[0]
    np.testing.assert_array_equal(file.read_image(0)[:, :, 0], mosaic)
    assert image["dtype"] == np.dtype(pixel_type)
    assert image["FITSKeywords"]["EXPTIME"][0]["value"] == "180.0"
    assert image.get("bounds") == ("0:65535" if pixel_type == "float32" else None)
    assert read_acquisition(path).notes == ()


def test_many_keywords_push_the_pixels_further_back(tmp_path: Path, mosaic: Mosaic) -> None:
    from solodark.formats.fits_cards import Card
    from solodark.formats.xisf import write_xisf

    path = tmp_path / "x.xisf"
    cards = [Card(f"KEY{n}", "x" * 60, "remark") for n in range(300)]
    write_xisf(path, mosaic, cards, bounds="0:1")
    np.testing.assert_array_equal(read_frame(path).data, mosaic)


@pytest.mark.parametrize(
    "content", [b"XISF0100", b"XISF0100\xff\xff\xff\xff\0\0\0\0<xisf", b"not XISF at all"]
)
def test_what_is_no_xisf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xisf"
    path.write_bytes(content)
    with pytest.raises(FrameFormatError, match=r"x\.xisf: cannot be read as XISF"):
        open_frame(path)
