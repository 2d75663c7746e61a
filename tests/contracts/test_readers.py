"""What every reader and every writer promises, whatever the format."""

import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import xisf
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from solodark.errors import FrameNotFoundError, OutputError, SolodarkError, UnknownFormatError
from solodark.formats import (
    READERS,
    WRITERS,
    open_frame,
    read_acquisition,
    read_frame,
    write_frame,
)
from solodark.frames import Acquisition, Camera, Frame, FrameKind, FrameSource, row_bands

Pixels = NDArray[Any]
MOSAIC = (1000 + np.random.default_rng(7).permutation(40 * 52)).reshape(40, 52).astype(np.uint16)
DARK = Acquisition(
    kind=FrameKind.DARK,
    camera=Camera("ZWO ASI294MC Pro", "1f2e3d", 4.63),
    exposure_s=180.5,
    sensor_temperature_c=-9.9,
    setpoint_temperature_c=-10.0,
    gain_setting=120.0,
    offset_setting=30.0,
    iso=800,
    gain_e_per_adu=0.95,
    binning=(2, 2),
    cfa_pattern="GRBG",
    black_level_adu=1920.0,
    saturation_adu=65535.0,
    n_combined=7,
    date_obs=datetime(2024, 3, 9, 21, 14, 15, 926535, UTC),
)

gentle = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def in_an_extension(path: Path, pixels: Pixels) -> None:
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels)]).writeto(path)


def bottom_up(path: Path, pixels: Pixels) -> None:
    header = fits.Header({"ROWORDER": "BOTTOM-UP"})
    fits.PrimaryHDU(pixels[::-1], header).writeto(path)


def tiled(packing: str) -> Callable[[Path, Pixels], None]:
    def build(path: Path, pixels: Pixels) -> None:
        fits.CompImageHDU(pixels, compression_type=packing).writeto(path)

    return build


def xisf_with(codec: str | None) -> Callable[[Path, Pixels], None]:
    def build(path: Path, pixels: Pixels) -> None:
        xisf.XISF.write(str(path), pixels[:, :, None], codec=codec, shuffle=codec is not None)

    return build


def tiff_with(**options: Any) -> Callable[[Path, Pixels], None]:
    def build(path: Path, pixels: Pixels) -> None:
        tifffile.imwrite(path, pixels, photometric="minisblack", metadata=None, **options)

    return build


def dng(path: Path, pixels: Pixels) -> None:
    tags = [
        (50706, 1, 4, (1, 4, 0, 0), True), (50708, 2, 0, "Contract", True),
        (33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True),
        (50721, 10, 9, (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1), True),
    ]  # fmt: skip
    tifffile.imwrite(path, pixels, photometric=32803, metadata=None, extratags=tags)


FILES: dict[str, Callable[[Path, Pixels], None]] = {
    "plain.fits": lambda path, pixels: fits.PrimaryHDU(pixels).writeto(path),
    "float.fit": lambda path, pixels: fits.PrimaryHDU(pixels.astype(np.float32)).writeto(path),
    "signed.fts": lambda path, pixels: fits.PrimaryHDU(pixels.astype(np.int32)).writeto(path),
    "extension.fits": in_an_extension,
    "bottom-up.fits": bottom_up,
    "rice.fits.fz": tiled("RICE_1"),
    "gzip.fits.fz": tiled("GZIP_2"),
    "whole.fits.gz": lambda path, pixels: fits.PrimaryHDU(pixels).writeto(path),
    "plain.xisf": xisf_with(None),
    "zlib.xisf": xisf_with("zlib"),
    "lz4.xisf": xisf_with("lz4"),
    "plain.tif": tiff_with(),
    "big-endian.tiff": tiff_with(byteorder=">"),
    "zlib.tif": tiff_with(compression="zlib", rowsperstrip=7),
    "tiles.tif": tiff_with(compression="lzw", tile=(16, 16)),
    "camera.dng": dng,
}


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One good file of each kind, with the pixels of `MOSAIC`."""
    path = tmp_path / request.param
    FILES[request.param](path, MOSAIC)
    return path


def refusal_of(path: Path) -> str | None:
    """Read a file of any content; the words of its refusal, or None where it can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with open_frame(path) as frame:
                frame.read_rows(0, frame.shape[0])
        except SolodarkError as error:
            return str(error)
    return None


def assert_read_or_refused(path: Path) -> None:
    """Pixels, or one sentence that names the file; nothing else."""
    words = refusal_of(path)
    if words is not None:
        assert words.startswith(f"{path}: ")
        assert words.isprintable()
        assert len(words) < 600 + len(str(path))


class TestReaders:
    def test_pixels_are_those_of_the_file(self, file: Path) -> None:
        frame = read_frame(file)
        assert frame.data.dtype == np.float32
        np.testing.assert_array_equal(frame.data, MOSAIC)

    @pytest.mark.parametrize("rows", [1, 2, 7, 16, 40])
    def test_bands_of_rows_equal_the_whole(self, file: Path, rows: int) -> None:
        with open_frame(file) as frame:
            assert isinstance(frame, FrameSource)
            assert frame.shape == MOSAIC.shape
            bands = [frame.read_rows(*band) for band in row_bands(frame.shape, rows=rows)]
        assert {band.dtype for band in bands} <= {np.dtype(np.uint16), np.dtype(np.float32)}
        assert all(band.dtype.isnative and band.flags.c_contiguous for band in bands)
        np.testing.assert_array_equal(np.concatenate(bands), MOSAIC)

    def test_bands_do_not_share_memory(self, file: Path) -> None:
        with open_frame(file) as frame:
            frame.read_rows(0, 4)[:] = 0
            np.testing.assert_array_equal(frame.read_rows(0, 4), MOSAIC[:4])

    def test_several_threads_read_at_once(self, file: Path) -> None:
        start_together = threading.Barrier(4)
        with open_frame(file) as frame, ThreadPoolExecutor(4) as threads:

            def read(first: int) -> Pixels:
                start_together.wait(timeout=30)
                return frame.read_rows(first, first + 10)

            bands = list(threads.map(read, (0, 10, 20, 30)))
        np.testing.assert_array_equal(np.concatenate(bands), MOSAIC)

    def test_header_and_open_frame_agree(self, file: Path) -> None:
        with open_frame(file) as frame:
            assert read_acquisition(file) == frame.acquisition

    def test_the_file_is_not_changed(self, file: Path) -> None:
        before = file.read_bytes()
        read_frame(file)
        assert file.read_bytes() == before
        assert [path.name for path in file.parent.iterdir()] == [file.name]

    @gentle
    @given(share=st.floats(0, 1))
    def test_a_file_cut_anywhere_is_told_from_a_good_one(self, file: Path, share: float) -> None:
        content = file.read_bytes()
        cut = file.with_name(f"cut {file.name}")
        cut.write_bytes(content[: int(share * len(content))])
        assert_read_or_refused(cut)

    @gentle
    @given(data=st.data())
    def test_damaged_bytes_never_leak_a_foreign_error(self, file: Path, data: Any) -> None:
        content = bytearray(file.read_bytes())
        places = st.tuples(st.integers(0, min(len(content), 9000) - 1), st.integers(0, 255))
        for place, value in data.draw(st.lists(places, min_size=1, max_size=12)):
            content[place] = value
        damaged = file.with_name(f"damaged {file.name}")
        damaged.write_bytes(content)
        assert_read_or_refused(damaged)


@pytest.fixture(params=READERS)
def suffix(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param


class TestEverySuffix:
    def test_an_empty_file_is_called_empty(self, tmp_path: Path, suffix: str) -> None:
        (tmp_path / f"x{suffix}").touch()
        with pytest.raises(SolodarkError, match=rf"x{suffix}: is empty \(0 bytes\)"):
            open_frame(tmp_path / f"x{suffix}")

    def test_a_missing_file_is_not_found(self, tmp_path: Path, suffix: str) -> None:
        with pytest.raises(FrameNotFoundError, match=rf"x{suffix}: there is no such file"):
            read_acquisition(tmp_path / f"x{suffix}")

    def test_a_folder_is_no_frame(self, tmp_path: Path, suffix: str) -> None:
        (tmp_path / f"x{suffix}").mkdir()
        with pytest.raises(FrameNotFoundError, match=rf"x{suffix}: is a folder"):
            open_frame(tmp_path / f"x{suffix}")

    @gentle
    @given(
        begin=st.sampled_from(
            [b"", b"SIMPLE  =", b"II*\0\x08\0\0\0", b"XISF0100", b"\x1f\x8b\x08"]
        ),
        rest=st.binary(min_size=1, max_size=3000),
    )
    def test_random_bytes_are_refused_in_words(
        self, tmp_path: Path, suffix: str, begin: bytes, rest: bytes
    ) -> None:
        path = tmp_path / f"x{suffix}"
        path.write_bytes(begin + rest)
        assert_read_or_refused(path)


def test_an_unknown_suffix_is_named(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(
        UnknownFormatError, match=r"holiday\.jpg: no reader knows files named '\.jpg'"
    ):
        open_frame(tmp_path / "holiday.jpg")
    with pytest.raises(UnknownFormatError, match=r"holiday\.jpg: no writer knows"):
        write_frame(tmp_path / "holiday.jpg", Frame(MOSAIC))


def test_a_name_that_breaks_lines_does_not_break_the_sentence(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines.fits"
    path.write_bytes(b"x")
    with pytest.raises(SolodarkError) as caught:
        open_frame(path)
    assert "two\\nlines.fits" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture(params=WRITERS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"é x{request.param}"


@pytest.mark.parametrize("pixel_type", ["float32", "uint16"])
class TestWriters:
    def test_pixels_come_back(self, target: Path, pixel_type: Any) -> None:
        quarter = 0.25 if pixel_type == "float32" else 0.0
        write_frame(target, Frame(MOSAIC + quarter, DARK), pixel_type=pixel_type)
        np.testing.assert_array_equal(read_frame(target).data, MOSAIC + np.float32(quarter))

    def test_everything_known_comes_back(self, target: Path, pixel_type: Any) -> None:
        write_frame(target, Frame(MOSAIC, DARK), pixel_type=pixel_type)
        back = read_acquisition(target)
        written_anew = {"kind_source", "program", "row_order"}
        for field in fields(Acquisition):
            if field.name not in written_anew:
                assert getattr(back, field.name) == getattr(DARK, field.name), field.name
        assert back.kind_source == "header IMAGETYP"
        assert back.row_order == "TOP-DOWN"

    def test_what_is_not_known_stays_unknown(self, target: Path, pixel_type: Any) -> None:
        write_frame(target, Frame(MOSAIC), pixel_type=pixel_type)
        back = read_acquisition(target, look_at_pixels=False)
        assert (back.kind, back.exposure_s, back.iso, back.date_obs) == (None,) * 4
        assert back.camera == Camera()

    def test_an_old_file_is_replaced(self, target: Path, pixel_type: Any) -> None:
        target.write_bytes(b"old" * 10000)
        write_frame(target, Frame(MOSAIC), pixel_type=pixel_type)
        np.testing.assert_array_equal(read_frame(target).data, MOSAIC)

    def test_a_failure_leaves_the_old_file_and_nothing_else(
        self, target: Path, pixel_type: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(path: Path) -> None:
            raise OSError(28, "No space left on device")

        target.write_bytes(b"old")
        monkeypatch.setattr("solodark.formats.atomic._flush_to_disk", full)
        with pytest.raises(OutputError, match="No space left"):
            write_frame(target, Frame(MOSAIC), pixel_type=pixel_type)
        assert target.read_bytes() == b"old"
        assert list(target.parent.iterdir()) == [target]

    def test_a_missing_folder_is_named(self, target: Path, pixel_type: Any) -> None:
        with pytest.raises(OutputError, match=r"the folder .*nowhere does not exist"):
            write_frame(
                target.parent / "nowhere" / target.name, Frame(MOSAIC), pixel_type=pixel_type
            )
