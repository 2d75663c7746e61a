"""FITS layouts: whatever holds one plane of numbers is read, and all else is refused by name."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from solodark.errors import FrameFormatError, NotAMosaicError, SettingError, TruncatedFileError
from solodark.formats import open_frame, read_acquisition, read_frame
from solodark.frames import FrameSource

WriteCards = Callable[..., Path]
WriteFits = Callable[..., Path]
Mosaic = NDArray[np.uint16]


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_every_pixel_type_gives_the_same_adu(write_fits: WriteFits, dtype: str) -> None:
    pixels = np.arange(24).reshape(4, 6).astype(dtype)
    frame = read_frame(write_fits(pixels))
    np.testing.assert_array_equal(frame.data, pixels.astype(np.float32))


@pytest.mark.parametrize(("dtype", "served"), [("u1", "u2"), ("u2", "u2"), ("i2", "f4")])
def test_whole_numbers_that_fit_are_served_as_uint16_in_native_order(
    write_fits: WriteFits, dtype: str, served: str
) -> None:
    with open_frame(write_fits(np.ones((4, 6), dtype))) as frame:
        rows = frame.read_rows(0, 2)
    assert rows.dtype == np.dtype(served)
    assert rows.dtype.isnative


def test_negative_values_of_an_int16_file_stay_negative(write_fits: WriteFits) -> None:
    assert read_frame(write_fits(np.full((4, 6), -7, "i2"))).data.min() == -7


def test_bscale_and_bzero_turn_stored_numbers_into_adu(write_cards: WriteCards) -> None:
    path = write_cards(["BSCALE  = 0.5", "BZERO   = 100"], np.full((4, 6), 20, ">i2"))
    assert set(read_frame(path).data.ravel()) == {110.0}


def test_blank_pixels_have_no_value(write_cards: WriteCards) -> None:
    stored = np.array([[1, -99], [3, 4]], ">i2")
    data = read_frame(write_cards(["BLANK   = -99"], stored)).data
    assert np.isnan(data[0, 1])
    assert np.isfinite(data).sum() == 3


def test_nan_is_allowed_in_floating_point_frames(write_fits: WriteFits) -> None:
    pixels = np.full((16, 16), np.nan, np.float32)
    pixels[3, 4] = 5
    assert np.nansum(read_frame(write_fits(pixels)).data) == 5


def test_an_image_in_an_extension_is_found_with_the_primary_headers_keywords(
    tmp_path: Path, mosaic: Mosaic
) -> None:
    primary = fits.PrimaryHDU(header=fits.Header({"EXPTIME": 30.0, "GAIN": 100}))
    image = fits.ImageHDU(mosaic, header=fits.Header({"EXPTIME": 60.0}))
    path = tmp_path / "x.fits"
    fits.HDUList([primary, fits.BinTableHDU.from_columns([]), image]).writeto(path)
    frame = read_frame(path)
    np.testing.assert_array_equal(frame.data, mosaic)
    assert (frame.acquisition.exposure_s, frame.acquisition.gain_setting) == (60.0, 100.0)


@pytest.mark.parametrize("packing", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"])
def test_tile_compressed_pixels_come_out_as_they_went_in(
    tmp_path: Path, mosaic: Mosaic, packing: str
) -> None:
    path = tmp_path / "x.fits.fz"
    pixels = mosaic.astype(np.int16) if packing == "PLIO_1" else mosaic
    tile = (17, 46) if packing == "HCOMPRESS_1" else (3, 46)
    fits.CompImageHDU(pixels, compression_type=packing, tile_shape=tile).writeto(path)
    with open_frame(path) as frame:
        np.testing.assert_array_equal(frame.read_rows(0, 34), mosaic)
        np.testing.assert_array_equal(frame.read_rows(7, 20), mosaic[7:20])


@pytest.mark.parametrize("name", ["dark.fits.gz", "dark.fits.fz"])
def test_a_packed_file_is_unpacked_once_and_its_spool_removed(
    name: str,
    tmp_path: Path,
    write_fits: WriteFits,
    mosaic: Mosaic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spools))
    if name.endswith(".fz"):
        path = tmp_path / name
        fits.CompImageHDU(mosaic, compression_type="RICE_1").writeto(path)
    else:
        path = write_fits(mosaic, name)
    with open_frame(path) as frame:
        assert list(spools.iterdir()) == []
        np.testing.assert_array_equal(frame.read_rows(4, 9), mosaic[4:9])
        np.testing.assert_array_equal(frame.read_rows(0, 34), mosaic)
        assert len(list(spools.iterdir())) == 1
    assert list(spools.iterdir()) == []


def test_a_single_plane_among_three_axes_is_a_frame(write_fits: WriteFits, mosaic: Mosaic) -> None:
    np.testing.assert_array_equal(read_frame(write_fits(mosaic[None])).data, mosaic)


@pytest.mark.parametrize("shape", [(3, 8, 10), (8, 10, 3)])
def test_three_colour_planes_are_no_mosaic(
    write_fits: WriteFits, shape: tuple[int, int, int]
) -> None:
    with pytest.raises(NotAMosaicError, match=r"x\.fits: holds three colour planes"):
        read_acquisition(write_fits(np.zeros(shape, np.uint16)))


def test_a_cube_of_frames_is_refused(write_fits: WriteFits) -> None:
    with pytest.raises(FrameFormatError, match="cube of 10 x 8 x 5"):
        read_acquisition(write_fits(np.zeros((5, 8, 10), np.uint16)))


def test_a_truncated_file_says_what_is_there_and_what_is_missing(
    write_fits: WriteFits, mosaic: Mosaic
) -> None:
    path = write_fits(mosaic)
    path.write_bytes(path.read_bytes()[: 2880 + 1000])
    with pytest.raises(
        TruncatedFileError, match=r"x\.fits: is cut short: 1000 of 3128 .* 2128 are missing"
    ):
        open_frame(path)


def test_a_file_without_its_last_padding_is_whole(write_fits: WriteFits, mosaic: Mosaic) -> None:
    path = write_fits(mosaic)
    path.write_bytes(path.read_bytes()[: 2880 + mosaic.nbytes])
    np.testing.assert_array_equal(read_frame(path).data, mosaic)


def test_a_truncated_gzip_says_what_is_missing(tmp_path: Path, write_fits: WriteFits) -> None:
    noise = np.random.default_rng(5).integers(0, 65535, (64, 64)).astype(np.uint16)
    packed = gzip.compress(write_fits(noise).read_bytes())
    path = tmp_path / "cut.fits.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(TruncatedFileError, match=r"cut\.fits\.gz: .* are missing"):
        read_frame(path)


def test_a_tiled_file_that_is_cut_is_refused_before_it_is_decoded(
    tmp_path: Path, mosaic: Mosaic
) -> None:
    path = tmp_path / "x.fits.fz"
    fits.CompImageHDU(mosaic, compression_type="RICE_1").writeto(path)
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(TruncatedFileError, match=r"x\.fits\.fz"):
        open_frame(path)


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        (["NAXIS1  = 1"], None),  # of a repeated keyword the first counts
        (["BZERO   = 'much'"], "BZERO = 'much' does not scale"),
        (["BSCALE  = 0"], "BSCALE = 0 does not scale"),
    ],
)
def test_structure_that_contradicts_itself_is_told(
    write_cards: WriteCards, cards: list[str], words: str | None
) -> None:
    path = write_cards(cards)
    if words is None:
        assert read_frame(path).shape == (4, 6)
    else:
        with pytest.raises(FrameFormatError, match=words):
            read_frame(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"NAXIS1  =                    6", b"NAXIS1  =               999999", "is cut short"),
        (b"NAXIS1  =                    6", b"NAXIS1  =          99999999999", "is cut short"),
        (b"NAXIS1  =                    6", b"NAXIS1  =                   -6", "negative size"),
        (b"NAXIS1  =                    6", b"NAXIS1  =                    0", "holds no image"),
        (b"NAXIS1  =                    6", b"NAXIS1  =                 many", "whole number"),
        (
            b"BITPIX  =                   16",
            b"BITPIX  =                   24",
            "no FITS pixel type",
        ),
        (b"NAXIS   =                    2", b"NAXIS   =                 9999", "is no count"),
        (b"NAXIS   =                    2", b"NAXIS   =                    1", "image of 6 pixels"),
        (b"END", b"EMD", "no END|ends inside"),
        (b"SIMPLE  =", b"SAMPLE  =", "begins with"),
    ],
)
def test_a_damaged_header_is_refused_in_words(
    write_cards: WriteCards, old: bytes, new: bytes, words: str
) -> None:
    path = write_cards([])
    damaged = path.read_bytes().replace(old, new, 1)
    path.write_bytes(damaged)
    with pytest.raises(FrameFormatError, match=words):
        open_frame(path)


def test_a_file_without_an_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.fits"
    fits.PrimaryHDU().writeto(path)
    with pytest.raises(FrameFormatError, match="holds no image"):
        open_frame(path)


@pytest.mark.parametrize(
    "card",
    [
        "EXPTIME = '3,2E-05 '           / broken quotes follow 'here",
        "EXPTIME = 3,2E-05 / an unquoted comma",
        "EXPTIME =3,2E-05",
        "exptime = 3,2E-05",
        "EXPTIME = '3,2E-05",
        "EXPTIME = 3.2D-05",
    ],
)
def test_a_broken_card_still_tells_the_exposure(write_cards: WriteCards, card: str) -> None:
    assert read_acquisition(write_cards([card])).exposure_s == 3.2e-5


def test_cards_that_break_the_standard_do_not_hide_the_others(write_cards: WriteCards) -> None:
    cards = [
        "THIS IS NOT A CARD AT ALL",
        "OBJECT  = 'na\xefve M\xfcller'",
        "HIERARCH ESO DET WIN1 DIT1 = 5.0",
        "INSTRUME= 'a very long name of a camera that needs two cards to be written d&'",
        "CONTINUE  'own'",
        "\x00\x01\x02",
        "EXPTIME =                 60.0",
    ]
    acquisition = read_acquisition(write_cards(cards))
    assert acquisition.exposure_s == 60.0
    assert acquisition.camera.model is not None
    assert acquisition.camera.model.endswith("written down")


def test_the_tolerant_header_reads_what_astropy_reads(write_fits: WriteFits) -> None:
    keywords = {
        "EXPTIME": 1.5e-3, "GAIN": 120, "OBJECT": "it's / here", "FLAG": True, "LONG": "x" * 150,
    }  # fmt: skip
    from solodark.formats.fits_header import read_hdus

    path = write_fits(np.zeros((2, 2), np.uint16), **keywords)
    with path.open("rb") as file:
        header = next(read_hdus(file, path)).header
    assert {key: header[key].value for key in keywords} == keywords


def test_fractions_of_full_scale_are_kept_and_remarked(write_fits: WriteFits) -> None:
    path = write_fits(np.full((4, 6), 0.25, np.float32), PROGRAM="Siril 1.4")
    frame = read_frame(path)
    assert frame.data.max() == 0.25
    assert "fractions of full scale" in frame.acquisition.notes[0]


def test_any_number_of_frames_can_be_open_at_once(write_fits: WriteFits, mosaic: Mosaic) -> None:
    path = write_fits(mosaic, IMAGETYP="Dark Frame")
    frames = [open_frame(path) for _ in range(2000)]  # more than a process may open files
    assert all((frame.read_rows(3, 4) == mosaic[3]).all() for frame in frames[::500])


def test_an_open_frame_is_a_frame_source(write_fits: WriteFits, mosaic: Mosaic) -> None:
    with open_frame(write_fits(mosaic)) as frame:
        assert isinstance(frame, FrameSource)
        assert frame.name.endswith("x.fits")
        assert frame.shape == (34, 46)


def test_rows_outside_the_frame_are_left_out_as_in_a_slice(
    write_fits: WriteFits, mosaic: Mosaic
) -> None:
    with open_frame(write_fits(mosaic)) as frame:
        np.testing.assert_array_equal(frame.read_rows(30, 99), mosaic[30:])
        assert frame.read_rows(20, 10).shape == (0, 46)


def test_a_closed_frame_gives_no_rows(write_fits: WriteFits, mosaic: Mosaic) -> None:
    frame = open_frame(write_fits(mosaic))
    frame.close()
    frame.close()
    with pytest.raises(SettingError, match=r"x\.fits: was closed"):
        frame.read_rows(0, 1)


def test_a_file_cut_while_it_is_open_is_told(write_fits: WriteFits, mosaic: Mosaic) -> None:
    path = write_fits(mosaic)
    with open_frame(path) as frame:
        path.write_bytes(path.read_bytes()[:4000])
        with pytest.raises(TruncatedFileError, match="was changed or cut"):
            frame.read_rows(0, 34)


def test_rows_of_a_bottom_up_file_come_from_the_top(write_fits: WriteFits, mosaic: Mosaic) -> None:
    path = write_fits(mosaic[::-1], ROWORDER="BOTTOM-UP", BAYERPAT="RGGB")
    with open_frame(path) as frame:
        np.testing.assert_array_equal(frame.read_rows(0, 34), mosaic)
        np.testing.assert_array_equal(frame.read_rows(5, 12), mosaic[5:12])
        assert frame.read_rows(5, 12).flags.c_contiguous
        assert frame.acquisition.row_order == "BOTTOM-UP"
        assert frame.acquisition.cfa_pattern == "RGGB"


@pytest.mark.parametrize("keywords", [{}, {"ROWORDER": "TOP-DOWN"}, {"ROWORDER": "sideways"}])
def test_without_a_bottom_up_row_order_nothing_is_flipped(
    write_fits: WriteFits, mosaic: Mosaic, keywords: dict[str, Any]
) -> None:
    np.testing.assert_array_equal(read_frame(write_fits(mosaic, **keywords)).data, mosaic)
