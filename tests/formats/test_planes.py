"""What stands beside an image travels with it: uncertainty, flags, coverage."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from astropy.nddata import CCDData

from solodark.errors import FrameFormatError, OutputError, TruncatedFileError, UnknownFormatError
from solodark.formats import (
    open_light,
    read_master,
    write_frame,
    write_light,
    write_master,
    write_picture,
    write_picture_tiff,
)
from solodark.frames import Acquisition, Frame, FrameKind, Master, PixelFlags

SHAPE = (35, 48)
TAKEN = Acquisition(kind=FrameKind.LIGHT, exposure_s=60.0, cfa_pattern="RGGB")


@pytest.fixture
def planes(rng):
    data = rng.normal(0.0, 20.0, SHAPE).astype(np.float32)
    flags = np.zeros(SHAPE, np.uint8)
    flags[3, 4], flags[5, 6] = PixelFlags.DEAD, PixelFlags.HOT
    return data, np.abs(data) + 1, flags


def test_a_calibrated_light_comes_back_with_its_flags(tmp_path, planes):
    data, uncertainty, flags = planes
    path = tmp_path / "pp_light.fits"
    write_light(path, Frame(data, TAKEN), uncertainty, flags, history=["dark: of tonight"])
    with open_light(path) as light:
        np.testing.assert_array_equal(light.read_rows(0, SHAPE[0]), data)
        np.testing.assert_array_equal(light.read_flags(2, 9), flags[2:9])
        assert light.acquisition.cfa_pattern == "RGGB"
        assert light.acquisition.kind is FrameKind.LIGHT
    ccd = CCDData.read(path)
    np.testing.assert_array_equal(ccd.uncertainty.array, uncertainty)
    np.testing.assert_array_equal(ccd.mask, flags == PixelFlags.DEAD)
    assert "dark: of tonight" in str(fits.getheader(path)["HISTORY"])


@pytest.mark.parametrize("suffix", [".fits", ".tif", ".xisf"])
def test_a_light_of_another_program_has_no_flags(tmp_path, planes, suffix):
    path = tmp_path / f"light{suffix}"
    write_frame(path, Frame(planes[0], TAKEN))
    with open_light(path) as light:
        assert light.read_flags(0, 4) is None
        assert light.shape == SHAPE


@pytest.mark.parametrize("row_order", [None, "BOTTOM-UP"])
def test_a_master_comes_back_as_it_was_written(tmp_path, planes, row_order):
    data, uncertainty, flags = planes
    taken = replace(TAKEN, kind=FrameKind.DARK, n_combined=20, row_order=row_order)
    master = Master(
        data=500 + data,
        uncertainty=uncertainty,
        flags=flags,
        acquisition=taken,
        origin="combined",
    )
    write_master(tmp_path / "dark.fits", master)
    back = read_master(tmp_path / "dark.fits")
    for name in ("data", "uncertainty", "flags"):
        np.testing.assert_array_equal(getattr(back, name), getattr(master, name))
    assert back.acquisition.n_combined == 20
    assert back.mask.sum() == 1


def test_another_program_s_master_has_no_uncertainty_and_no_flags(tmp_path, planes):
    write_frame(tmp_path / "dark.fits", Frame(500 + planes[0], TAKEN))
    back = read_master(tmp_path / "dark.fits")
    assert not back.uncertainty.any()
    assert not back.flags.any()


def test_a_master_in_fractions_of_full_scale_is_refused_where_adu_count(tmp_path):
    write_frame(tmp_path / "dark.fits", Frame(np.full(SHAPE, 0.03)))
    with pytest.raises(FrameFormatError, match=r"dark\.fits.*fractions of full scale"):
        read_master(tmp_path / "dark.fits")
    assert read_master(tmp_path / "dark.fits", holds_adu=False).data.max() < 1


def test_a_cut_plane_is_refused(tmp_path, planes):
    data, uncertainty, flags = planes
    path = tmp_path / "pp_light.fits"
    write_light(path, Frame(data, TAKEN), uncertainty, flags)
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(TruncatedFileError, match="pp_light"):
        open_light(path)


@pytest.mark.parametrize("colours", [1, 3])
def test_a_stack_holds_uncertainty_and_coverage(tmp_path, planes, colours):
    data = planes[0] if colours == 1 else np.stack([planes[0], planes[0] + 1, planes[0] + 2])
    coverage = np.full(data.shape, 7, np.uint8)
    taken = replace(TAKEN, cfa_pattern=None, n_combined=7)
    write_picture(tmp_path / "m31.fits", data, np.abs(data), coverage, taken, history=["made"])
    with fits.open(tmp_path / "m31.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "UNCERT", "COVERAGE"]
        np.testing.assert_array_equal(hdus[0].data, data)
        np.testing.assert_array_equal(hdus[1].data, np.abs(data))
        np.testing.assert_array_equal(hdus[2].data, coverage)
        assert hdus[0].header["LIVETIME"] == 420.0
        assert hdus[0].header["STACKCNT"] == 7


@pytest.mark.parametrize("colours", [1, 3])
def test_a_tiff_leads_back_to_adu(tmp_path, planes, colours):
    data = planes[0] if colours == 1 else np.stack([planes[0], planes[0] + 1, planes[0] + 2])
    data[..., 0, 0] = np.nan
    write_picture_tiff(tmp_path / "m31.tif", data, replace(TAKEN, n_combined=7))
    with tifffile.TiffFile(tmp_path / "m31.tif") as file:
        page = file.pages.first
        header = fits.Header.fromstring(page.description, sep="\n")
        levels = page.asarray().astype(np.float64)
    low, step = header["ADUZERO"], header["ADUSTEP"]
    assert header["STACKCNT"] == 7
    back = low + step * (levels if colours == 1 else np.moveaxis(levels, -1, 0))
    known = np.isfinite(data)
    np.testing.assert_allclose(back[known], data[known], atol=2 * step)


def test_a_stack_without_a_value_makes_no_tiff(tmp_path):
    with pytest.raises(FrameFormatError, match=r"m31\.tif"):
        write_picture_tiff(tmp_path / "m31.tif", np.full((4, 4), np.nan, np.float32), TAKEN)


def test_only_fits_names_are_taken_and_only_in_folders_that_are_there(tmp_path, planes):
    data, uncertainty, flags = planes
    with pytest.raises(UnknownFormatError, match=r"light\.tif"):
        write_light(tmp_path / "light.tif", Frame(data), uncertainty, flags)
    with pytest.raises(UnknownFormatError, match=r"m31\.png"):
        write_picture(tmp_path / "m31.png", data, data, flags, TAKEN)
    with pytest.raises(OutputError):
        write_light(tmp_path / "not" / "there.fits", Frame(data), uncertainty, flags)
