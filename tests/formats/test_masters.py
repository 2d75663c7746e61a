"""Masters are written for those who subtract them."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from numpy.typing import NDArray

from solodark.errors import OutputError, SettingError, SolodarkWarning, UnknownFormatError
from solodark.formats import read_acquisition, read_frame, write_master
from solodark.frames import (
    Acquisition,
    FrameKind,
    InputRecord,
    Master,
    MasterDark,
    PixelFlags,
    Provenance,
    Verdict,
)


@pytest.fixture
def master(cooled_dark: Acquisition, rng: np.random.Generator) -> Master:
    data = rng.normal(1920.0, 10.0, (34, 46)).astype(np.float32)
    flags = np.zeros(data.shape, np.uint8)
    flags[3, 4] = PixelFlags.SATURATED | PixelFlags.HOT
    flags[5, 6] = PixelFlags.TELEGRAPH
    return Master(
        data=data,
        uncertainty=np.full(data.shape, 2.5, np.float32),
        flags=flags,
        acquisition=replace(cooled_dark, n_combined=20, iso=None),
        origin="combined",
        provenance=Provenance(
            action="combine winsorized",
            inputs=(InputRecord("nights/é dark_1.fits", "ab" * 32),),
            versions={"numpy": "2.4"},
            settings={"sigma": "3.0"},
        ),
    )


@pytest.fixture
def generated(master: Master) -> MasterDark:
    return MasterDark(
        data=master.data,
        uncertainty=master.uncertainty,
        flags=master.flags,
        acquisition=master.acquisition,
        origin="generated",
        provenance=Provenance(action="generate", model_id="asi294-7c1d"),
        equivalent_subs=61.5,
        verdict=Verdict(trusted=False, reasons=("the sub is 4 C warmer than any frame learned",)),
    )


def test_ccddata_reads_data_uncertainty_and_mask(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "master.fits", master)
    ccd = CCDData.read(tmp_path / "master.fits")
    assert ccd.unit == "adu"
    np.testing.assert_array_equal(ccd.data, master.data)
    assert isinstance(ccd.uncertainty, StdDevUncertainty)
    np.testing.assert_array_equal(ccd.uncertainty.array, master.uncertainty)
    np.testing.assert_array_equal(ccd.mask, master.mask)
    assert ccd.mask.sum() == 1


def test_flags_say_why(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "master.fits", master)
    with fits.open(tmp_path / "master.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "UNCERT", "MASK", "FLAGS"]
        np.testing.assert_array_equal(hdus["FLAGS"].data, master.flags)
        assert hdus["FLAGS"].header["BIT1"] == "TELEGRAPH"


def test_the_header_says_what_every_program_asks(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "master.fits", master, comments=["for the winter"])
    header = fits.getheader(tmp_path / "master.fits")
    expected = {
        "IMAGETYP": "Master Dark", "EXPTIME": 180.0, "EXPOSURE": 180.0, "CCD-TEMP": -9.9,
        "SET-TEMP": -10.0, "GAIN": 120, "OFFSET": 30, "EGAIN": 0.95, "CVF": 0.95,
        "XBINNING": 2, "YBINNING": 2, "XPIXSZ": 9.26, "INSTRUME": "ZWO ASI294MC Pro",
        "BAYERPAT": "GRBG", "XBAYROFF": 0, "YBAYROFF": 0, "ROWORDER": "TOP-DOWN", "STACKCNT": 20,
        "NCOMBINE": 20, "DATE-OBS": "2024-03-09T21:14:15.926535", "BUNIT": "adu",
        "SD_ORIG": "combined", "SD_BIAS": True,
    }  # fmt: skip
    assert {keyword: header[keyword] for keyword in expected} == expected
    assert isinstance(header["GAIN"], int)
    assert header["SWCREATE"].startswith("solodark ")
    assert "PEDESTAL" not in header
    assert list(header["COMMENT"]) == ["for the winter"]


@pytest.mark.parametrize(("kind", "name"), [("bias", "Master Bias"), ("flat", "Master Flat")])
def test_the_kind_of_master_is_in_its_header(
    tmp_path: Path, master: Master, kind: str, name: str
) -> None:
    other = replace(master, acquisition=replace(master.acquisition, kind=FrameKind(kind)))
    write_master(tmp_path / "master.fits", other)
    assert fits.getheader(tmp_path / "master.fits")["IMAGETYP"] == name


def test_history_keeps_the_recipe_with_the_dish(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "master.fits", master)
    history = "".join(fits.getheader(tmp_path / "master.fits")["HISTORY"])
    for fact in ("combine winsorized", "ab" * 32, "numpy 2.4", "sigma = 3.0", "dark_1.fits"):
        assert fact in history
    assert "nights/" not in history


def test_equivalent_subs_are_never_passed_off_as_real_ones(
    tmp_path: Path, generated: MasterDark
) -> None:
    write_master(tmp_path / "master.fits", generated)
    header = fits.getheader(tmp_path / "master.fits")
    assert "STACKCNT" not in header
    assert "NCOMBINE" not in header
    assert (header["SD_ORIG"], header["SD_EQSUB"]) == ("generated", 61.5)
    assert header["SD_MODEL"] == "asi294-7c1d"
    assert header["SD_TRUST"] is False
    assert "4 C warmer" in "".join(header["HISTORY"])


def test_a_written_master_is_read_back_as_a_frame(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "master.fits", master)
    frame = read_frame(tmp_path / "master.fits")
    np.testing.assert_array_equal(frame.data, master.data)
    assert frame.acquisition.n_combined == 20
    assert frame.acquisition.kind is FrameKind.DARK


def test_siril_gets_adu_as_it_divides_them_itself(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "m.fit", master, target="siril")
    with fits.open(tmp_path / "m.fit") as hdus:
        assert len(hdus) == 1
        np.testing.assert_array_equal(hdus[0].data, master.data)


def test_siril_gets_fractions_where_it_would_take_adu_for_fractions(
    tmp_path: Path, master: Master
) -> None:
    write_master(tmp_path / "m.fit", replace(master, data=master.data / 1000), target="siril")
    np.testing.assert_allclose(
        fits.getdata(tmp_path / "m.fit") * 65535, master.data / 1000, rtol=1e-6
    )


@pytest.mark.parametrize("name", ["m.fits", "m.xisf"])
def test_pixinsight_gets_fractions_of_full_scale(tmp_path: Path, master: Master, name: str) -> None:
    write_master(tmp_path / name, master, target="pixinsight")
    frame = read_frame(tmp_path / name)
    np.testing.assert_allclose(frame.data * 65535, master.data, rtol=1e-6)
    assert read_acquisition(tmp_path / name).exposure_s == 180.0


def test_deepskystacker_gets_rounded_whole_numbers(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "m.fits", master, target="dss")
    data = fits.getdata(tmp_path / "m.fits")
    assert data.dtype == np.uint16
    np.testing.assert_array_equal(data, np.rint(master.data))


def test_values_beyond_16_bits_are_clipped_and_counted_but_never_wrap(
    tmp_path: Path, master: Master
) -> None:
    data = master.data.copy()
    data[0, :3] = (-5.0, 70000.0, 65535.4)
    with pytest.warns(SolodarkWarning, match=r"m\.fits: 2 values lie outside 0 to 65535"):
        write_master(tmp_path / "m.fits", replace(master, data=data), target="dss")
    written = fits.getdata(tmp_path / "m.fits")
    assert list(written[0, :3]) == [0, 65535, 65535]


@pytest.mark.parametrize("target", ["siril", "pixinsight", "dss", "astap"])
def test_no_program_is_handed_nan(tmp_path: Path, master: Master, target: str) -> None:
    data = master.data.copy()
    data[2, 2] = np.nan
    with pytest.warns(SolodarkWarning, match="1 pixels without a value"):
        write_master(tmp_path / "m.fits", replace(master, data=data), target=target)  # type: ignore[arg-type]
    plane = np.delete(master.data[::2, ::2].ravel(), 1 * 23 + 1)
    scale = 65535 if target == "pixinsight" else 1
    assert fits.getdata(tmp_path / "m.fits")[2, 2] * scale == pytest.approx(
        np.median(plane), abs=0.51
    )


def test_an_unknown_target_or_suffix_is_refused_and_leaves_nothing(
    tmp_path: Path, master: Master
) -> None:
    with pytest.raises(SettingError, match=r"photoshop.*expected one of siril"):
        write_master(tmp_path / "m.fits", master, target="photoshop")  # type: ignore[arg-type]
    with pytest.raises(UnknownFormatError, match=r"m\.jpg.*\.fits or \.fit"):
        write_master(tmp_path / "m.jpg", master)
    with pytest.raises(OutputError, match=r"m\.fits cannot be written"):
        write_master(tmp_path / "nowhere" / "m.fits", master)
    assert list(tmp_path.iterdir()) == []


def of_a_camera_raw(master: Master) -> Master:
    return replace(master, acquisition=replace(master.acquisition, iso=1600))


def test_the_iso_of_a_photographic_camera_is_in_the_header(tmp_path: Path, master: Master) -> None:
    write_master(tmp_path / "m.fits", of_a_camera_raw(master))
    assert fits.getheader(tmp_path / "m.fits")["ISOSPEED"] == 1600


def test_rows_stand_in_the_order_of_the_frames_they_are_subtracted_from(
    tmp_path: Path, master: Master
) -> None:
    turned = replace(master, acquisition=replace(master.acquisition, row_order="BOTTOM-UP"))
    write_master(tmp_path / "m.fits", turned)
    with fits.open(tmp_path / "m.fits") as hdus:
        assert hdus[0].header["ROWORDER"] == "BOTTOM-UP"
        np.testing.assert_array_equal(hdus[0].data, master.data[::-1])
        np.testing.assert_array_equal(hdus["UNCERT"].data, master.uncertainty[::-1])
        np.testing.assert_array_equal(hdus["MASK"].data, master.mask[::-1])
        np.testing.assert_array_equal(hdus["FLAGS"].data, master.flags[::-1])
    np.testing.assert_array_equal(read_frame(tmp_path / "m.fits").data, master.data)


def test_siril_gets_masters_of_camera_raws_upside_down_as_it_stores_the_raws(
    tmp_path: Path, master: Master
) -> None:
    write_master(tmp_path / "m.fits", of_a_camera_raw(master), target="siril")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "m.fits"), master.data[::-1])
    write_master(tmp_path / "m.fits", of_a_camera_raw(master), target="astap")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "m.fits"), master.data)


def test_users_of_deepskystacker_are_warned_of_what_it_does_to_raws(
    tmp_path: Path, master: Master
) -> None:
    with pytest.warns(SolodarkWarning, match=r"m\.fits: DeepSkyStacker .* CFA FITS files"):
        write_master(tmp_path / "m.fits", of_a_camera_raw(master), target="dss")


def siril(folder: Path, *commands: str) -> None:
    script = folder / "script.ssf"
    script.write_text("\n".join(("requires 1.0.0", "setext fit", *commands, "")))
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    done = subprocess.run(  # noqa: S603 - Siril, on files that a test wrote
        ["siril-cli", "-d", str(folder), "-s", str(script)],  # noqa: S607 - wherever it is
        env=os.environ | home, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("siril-cli") is None, reason="Siril is not installed")
@pytest.mark.parametrize("row_order", ["TOP-DOWN", "BOTTOM-UP"])
def test_siril_itself_subtracts_the_master_without_loss(
    tmp_path: Path, master: Master, rng: np.random.Generator, row_order: str
) -> None:
    even = rng.uniform(1900.25, 1940.25, master.data.shape).astype(np.float32)
    light: NDArray[np.float64] = np.rint(even + rng.normal(3000.0, 9.0, even.shape))
    stored = light[::-1] if row_order == "BOTTOM-UP" else light
    header = fits.Header({"ROWORDER": row_order, "BAYERPAT": "RGGB"})
    for number in (1, 2):
        path = tmp_path / f"light_0000{number}.fit"
        fits.PrimaryHDU(stored.astype(np.uint16), header).writeto(path)
    # Without hot pixels, which Siril would also correct.
    dark = replace(master, data=even, acquisition=read_acquisition(path))
    write_master(tmp_path / "dark.fit", dark, target="siril")
    siril(tmp_path, "set32bits", "preprocess light_ -dark=dark")
    calibrated = read_frame(tmp_path / "pp_light_00001.fit")
    assert any("fractions of full scale" in note for note in calibrated.acquisition.notes)
    np.testing.assert_allclose(calibrated.data * 65535, light - even, atol=0.01)


@pytest.mark.real_data
@pytest.mark.skipif(shutil.which("siril-cli") is None, reason="Siril is not installed")
def test_siril_converts_a_camera_raw_to_the_pixels_we_read(tmp_path: Path, real_data: Path) -> None:
    raw = real_data / "raw-samples" / "canon-550d-magic-lantern.dng"
    for number in (1, 2):
        (tmp_path / f"raw_0000{number}.dng").symlink_to(raw.resolve())
    siril(tmp_path, "set16bits", "convert raw_ -out=.")
    ours, theirs = read_frame(raw), read_frame(tmp_path / "raw_00001.fit")
    assert theirs.acquisition.row_order == "BOTTOM-UP"
    assert theirs.acquisition.cfa_pattern == ours.acquisition.cfa_pattern
    np.testing.assert_array_equal(theirs.data, ours.data)
