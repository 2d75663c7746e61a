"""A folder of frames becomes a master, or a sentence that says why not."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from solodark.errors import (
    FrameFormatError,
    FrameMismatchError,
    FrameNotFoundError,
    OutputError,
    SettingError,
    UnknownFormatError,
)
from solodark.formats import file_sha256, read_acquisition, write_frame
from solodark.frames import Acquisition, Camera, Frame, FrameKind
from solodark.workflows.combine import combine_files

DARK = Acquisition(
    kind=FrameKind.DARK,
    camera=Camera("Testcam"),
    exposure_s=60.0,
    gain_setting=100.0,
    cfa_pattern="RGGB",
)


@pytest.fixture
def darks(rng, tmp_path):
    folder = tmp_path / "darks"
    folder.mkdir()
    for i in range(12):
        pixels = rng.normal(500.0, 6.0, (40, 60))
        pixels[i, i] += 9000.0  # a cosmic ray in each
        acquisition = replace(DARK, sensor_temperature_c=20.0 + 0.1 * i)
        write(folder / f"dark_{i:02d}.fits", pixels, acquisition)
    return folder


def write(path, pixels, acquisition=DARK):
    write_frame(path, Frame(pixels, acquisition), pixel_type="uint16")
    return path


def refused(error, paths, output, **settings):
    """Give the sentence of a refusal, which leaves nothing behind."""
    before = sorted(Path(output).parent.iterdir())
    with pytest.raises(error) as caught:
        combine_files(paths, output, **settings)
    assert sorted(Path(output).parent.iterdir()) == before
    return str(caught.value)


def test_a_folder_of_darks_becomes_a_master_without_cosmic_rays(darks, tmp_path):
    master = tmp_path / "master.fits"
    summary = combine_files(darks, master)
    assert (summary.n_frames, summary.kind, summary.method) == (12, FrameKind.DARK, "winsorized")
    assert summary.level_adu == pytest.approx(500.0, abs=0.5)
    assert summary.noise_adu == pytest.approx(6.0, rel=0.05)
    assert summary.uncertainty_adu == pytest.approx(6.0 / np.sqrt(12), rel=0.1)
    assert 12 / (12 * 2400) <= summary.rejected_fraction_high < 0.01
    assert fits.getdata(master).max() < 520.0


def test_the_sentence_says_what_was_done(darks, tmp_path):
    sentence = combine_files(darks, tmp_path / "master.fits", method="sigma").sentence
    assert sentence.startswith("Combined 12 darks (so says header IMAGETYP), sigma: level ")
    assert str(tmp_path / "master.fits") in sentence


def test_the_master_is_read_with_its_uncertainty_by_astropy(darks, tmp_path):
    combine_files(darks, tmp_path / "master.fits")
    master = CCDData.read(tmp_path / "master.fits")
    assert master.unit == "adu"
    assert np.median(master.uncertainty.array) == pytest.approx(6.0 / np.sqrt(12), rel=0.1)
    assert not master.mask.any()


def test_the_header_tells_how_the_series_was_taken(darks, tmp_path):
    combine_files(darks, tmp_path / "master.fits")
    acquisition = read_acquisition(tmp_path / "master.fits")
    assert acquisition.kind is FrameKind.DARK
    assert acquisition.n_combined == 12
    assert acquisition.exposure_s == 60.0
    assert acquisition.sensor_temperature_c == pytest.approx(20.55, abs=0.01)
    assert acquisition.cfa_pattern == "RGGB"


def test_the_history_names_every_input_with_its_hash(darks, tmp_path):
    combine_files(darks, tmp_path / "master.fits", sigma=2.5)
    history = "".join(fits.getheader(tmp_path / "master.fits")["HISTORY"]).replace("\n", "")
    assert "combine winsorized" in history
    assert "sigma = 2.5" in history
    for path in darks.iterdir():
        assert path.name in history
        assert file_sha256(path)[:16] in history


def test_files_and_folders_mix_and_the_order_does_not_matter(darks, tmp_path):
    files = sorted(darks.iterdir())
    combine_files(darks, tmp_path / "a.fits")
    combine_files([*files[6:], *files[:6]], tmp_path / "b.fits")
    assert (fits.getdata(tmp_path / "a.fits") == fits.getdata(tmp_path / "b.fits")).all()


def test_sigma_decides_how_much_is_rejected(darks, tmp_path):
    strict = combine_files(darks, tmp_path / "a.fits", sigma=2.0)
    mild = combine_files(darks, tmp_path / "b.fits", sigma=100.0)
    assert strict.rejected_fraction_low > 0.01
    assert mild.rejected_fraction_low == 0.0


def test_progress_hears_of_files_bands_and_hashes(darks, tmp_path):
    heard = []

    def progress(items, description, total=None):
        heard.append((description, total))
        return items

    combine_files(darks, tmp_path / "master.fits", progress=progress)
    assert heard[0] == ("opening", 12)
    assert heard[-1] == ("hashing", 12)
    assert "combining" in [description for description, _ in heard]


def test_garbage_is_collected_again_afterwards(darks, tmp_path):
    combine_files(darks, tmp_path / "master.fits")
    assert gc.isenabled()
    write(darks / "odd.fits", np.full((20, 60), 500.0))
    refused(FrameMismatchError, darks, tmp_path / "again.fits")
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gain_setting": 200.0}, "gain setting is 200 in"),
        ({"camera": Camera("Othercam")}, "camera is OTHERCAM in"),
        ({"binning": (2, 2)}, "binning is 2x2 in"),
        ({"cfa_pattern": "BGGR"}, "colour filter pattern is BGGR in"),
        ({"exposure_s": 30.0}, "exposure is 30 s in"),
        ({"kind": FrameKind.FLAT}, "kind is flat in"),
    ],
)
def test_a_frame_of_another_series_is_refused_by_name(darks, tmp_path, change, words):
    odd = write(darks / "odd.fits", np.full((40, 60), 500.0), replace(DARK, **change))
    sentence = refused(FrameMismatchError, darks, tmp_path / "master.fits")
    assert f"{words} {odd}, but" in sentence


def test_a_frame_of_another_size_is_refused_by_name(darks, tmp_path):
    write(darks / "odd.fits", np.full((20, 60), 500.0))
    sentence = refused(FrameMismatchError, darks, tmp_path / "master.fits")
    assert f"size is 60 x 20 pixels in {darks / 'odd.fits'}, but 60 x 40 pixels" in sentence


def test_flats_may_differ_in_exposure(rng, tmp_path):
    for i in range(5):
        flat = replace(DARK, kind=FrameKind.FLAT, exposure_s=1.0 + i)
        write(tmp_path / f"flat_{i}.fits", rng.normal(30000, 90, (10, 10)), flat)
    summary = combine_files(tmp_path, tmp_path / "master.fits")
    assert summary.kind is FrameKind.FLAT
    assert read_acquisition(tmp_path / "master.fits").exposure_s == 3.0


def test_the_users_word_on_the_kind_stands_against_the_headers(darks, tmp_path):
    write(darks / "odd.fits", np.full((40, 60), 500.0), replace(DARK, kind=FrameKind.LIGHT))
    summary = combine_files(darks, tmp_path / "master.fits", kind=FrameKind.DARK)
    assert (summary.kind, summary.n_frames) == (FrameKind.DARK, 13)
    assert read_acquisition(tmp_path / "master.fits").kind is FrameKind.DARK
    sentence = refused(SettingError, darks, tmp_path / "master.fits", kind="darkness")
    assert "found kind = 'darkness', expected one of light, dark, bias, flat" in sentence


def test_lights_are_not_combined_by_accident(tmp_path):
    light = replace(DARK, kind=FrameKind.LIGHT)
    paths = [write(tmp_path / f"{i}.fits", np.full((4, 4), 500.0), light) for i in range(4)]
    sentence = refused(FrameMismatchError, paths, tmp_path / "master.fits")
    assert f"{paths[0]} is a light, says its header IMAGETYP" in sentence
    combine_files(paths, tmp_path / "master.fits", kind=FrameKind.LIGHT)


def test_a_master_among_the_frames_is_refused(darks, tmp_path):
    combine_files(darks, darks / "master.fits")
    sentence = refused(FrameMismatchError, darks, tmp_path / "again.fits")
    assert f"{darks / 'master.fits'} is a master of many frames" in sentence


def test_a_damaged_frame_stops_everything_and_is_named(darks, tmp_path):
    broken = darks / "dark_05.fits"
    broken.write_bytes(broken.read_bytes()[:4000])
    assert str(broken) in refused(FrameFormatError, darks, tmp_path / "master.fits")


def test_an_empty_folder_and_a_missing_file_are_told(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(FrameNotFoundError, tmp_path / "empty", tmp_path / "master.fits")
    refused(FrameNotFoundError, tmp_path / "nowhere.fits", tmp_path / "master.fits")


def test_an_output_that_cannot_be_is_told_before_the_work(darks, tmp_path):
    def never(items, description, total=None):
        raise AssertionError("work was begun")

    refused(UnknownFormatError, darks, tmp_path / "master.jpg", progress=never)
    with pytest.raises(OutputError, match="there is no folder"):
        combine_files(darks, tmp_path / "nowhere" / "master.fits", progress=never)
    sentence = refused(OutputError, darks, darks / "dark_00.fits", progress=never)
    assert "is one of the frames to combine" in sentence
    (tmp_path / "master.fits").write_bytes(b"mine")
    refused(OutputError, darks, tmp_path / "master.fits", overwrite=False, progress=never)
    assert (tmp_path / "master.fits").read_bytes() == b"mine"


def test_a_drifting_temperature_and_too_few_frames_are_doubted(rng, tmp_path):
    for i, celsius in enumerate((20.0, 24.5)):
        warm = replace(DARK, sensor_temperature_c=celsius)
        write(tmp_path / f"{i}.fits", rng.normal(500, 6, (10, 10)), warm)
    doubts = combine_files(tmp_path, tmp_path / "master.fits").doubts
    assert "temperature runs from 20 to 24.5 C" in doubts[0]
    assert "from 2 frames nothing can be rejected" in doubts[1]


def test_saturated_pixels_are_counted_and_masked(rng, tmp_path):
    for i in range(5):
        pixels = rng.normal(500, 6, (10, 10))
        pixels[3, 4] = 65535
        write(tmp_path / f"dark_{i}.fits", pixels)
    assert combine_files(tmp_path, tmp_path / "master.fits").n_saturated == 1
    assert np.argwhere(CCDData.read(tmp_path / "master.fits").mask).tolist() == [[3, 4]]


@pytest.mark.real_data
def test_real_darks_agree_with_ccdproc(real_data, tmp_path):
    import ccdproc

    paths = sorted((real_data / "asi178mc" / "darks").glob("*_70sec_*"))
    assert len(paths) == 5
    summary = combine_files(paths, tmp_path / "master.fits", method="mean")
    assert (summary.n_frames, summary.kind) == (5, FrameKind.DARK)
    assert summary.level_adu == pytest.approx(1350.0, abs=20.0)
    frames = [CCDData(fits.getdata(path).astype(np.float32), unit="adu") for path in paths]
    theirs = ccdproc.combine(frames, method="average").data
    assert np.abs(fits.getdata(tmp_path / "master.fits") - theirs).max() < 1e-3 + 65535 * 1e-7


@pytest.mark.real_data
def test_real_darks_of_two_exposures_are_refused_in_one_sentence(real_data, tmp_path):
    sentence = refused(
        FrameMismatchError, real_data / "asi178mc" / "darks", tmp_path / "master.fits"
    )
    assert "exposure is" in sentence
    assert len(sentence) < 2000


@pytest.mark.real_data
def test_biases_with_decimal_commas_are_combined(real_data, tmp_path):
    summary = combine_files(real_data / "asi178mc" / "biases", tmp_path / "master.fits")
    assert (summary.n_frames, summary.kind) == (8, FrameKind.BIAS)
    assert read_acquisition(tmp_path / "master.fits").exposure_s == pytest.approx(32e-6)
