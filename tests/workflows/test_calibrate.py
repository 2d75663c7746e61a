"""A folder of lights becomes a folder of calibrated lights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.nddata import CCDData

from solodark.errors import (
    FrameFormatError,
    FrameMismatchError,
    FrameNotFoundError,
    NotEnoughFramesError,
    OutputError,
    SettingError,
)
from solodark.formats import read_frame, write_frame
from solodark.frames import Acquisition, Camera, Frame, FrameKind
from solodark.workflows.calibrate import calibrate_files

SHAPE = (64, 80)
RESPONSE = np.linspace(0.9, 1.1, SHAPE[1])
TAKEN = Acquisition(camera=Camera("Cam A"), exposure_s=60.0, gain_setting=100.0)


def save(folder: Path, kind: FrameKind, level, rng, n=3, **acquisition) -> Path:
    """Frames of a kind, with noise of 10 ADU."""
    folder.mkdir(exist_ok=True)
    taken = replace(TAKEN, kind=kind, **acquisition)
    for k in range(n):
        pixels = rng.normal(level, 10.0, SHAPE)
        write_frame(folder / f"{kind}_{k}.fits", Frame(pixels, taken), pixel_type="uint16")
    return folder


@pytest.fixture
def night(tmp_path, rng) -> Path:
    """Lights of an even sky of 1000 ADU, vignetted, with darks, biases and flats."""
    save(tmp_path / "lights", FrameKind.LIGHT, 700 + 1000 * RESPONSE, rng)
    save(tmp_path / "darks", FrameKind.DARK, 700.0, rng, n=8)
    save(tmp_path / "biases", FrameKind.BIAS, 300.0, rng, n=8, exposure_s=0.001)
    flats = tmp_path / "flats"
    save(flats, FrameKind.FLAT, 300 + 20_000 * RESPONSE, rng, n=8, exposure_s=1.0)
    return tmp_path


def test_folders_of_frames_calibrate_the_lights(night):
    done = calibrate_files(
        night / "lights",
        night / "pp",
        dark=night / "darks",
        bias=night / "biases",
        flat=night / "flats",
    )
    assert [one.output.name for one in done.lights] == [f"pp_light_{k}.fits" for k in range(3)]
    for one in done.lights:
        ccd = CCDData.read(one.output)
        assert ccd.data.mean() == pytest.approx(1000.0, abs=3)
        assert np.abs(ccd.data.mean(axis=0) - 1000).max() < 15
        assert np.median(ccd.uncertainty.array) == pytest.approx(10.6, rel=0.15)
    assert f"dark from {night / 'darks'}" in done.lights[0].notes
    assert "dark: combined from 8 frames, 60 s" in done.lights[0].notes
    assert "flat: master bias subtracted" in done.lights[0].notes


def test_twilight_flats_of_any_brightness_make_one_flat(night, rng):
    flats = night / "twilight"
    for n, brightness in enumerate((30_000, 20_000, 9_000, 4_000)):
        light = 300 + brightness * RESPONSE
        save(flats, FrameKind.FLAT, light, rng, n=1, exposure_s=1.0)
        (flats / "flat_0.fits").rename(flats / f"twilight_{n}.fits")
    done = calibrate_files(
        night / "lights", night / "pp", dark=night / "darks", bias=night / "biases", flat=flats
    )
    pixels = read_frame(done.lights[0].output).data
    assert np.abs(pixels.mean(axis=0) - 1000).max() < 15


def test_one_dark_may_stand_for_a_master(night):
    done = calibrate_files(night / "lights", night / "pp", dark=night / "darks" / "dark_0.fits")
    assert read_frame(done.lights[0].output).data.mean() == pytest.approx(1000, abs=3)


def test_lights_among_other_frames_are_found_and_the_rest_is_listed(night):
    done = calibrate_files([night / "lights", night / "darks"], night / "pp")
    assert len(done.lights) == 3
    assert len(done.left_out) == 8
    assert "a dark" in done.left_out[0][1]


def test_a_damaged_light_is_left_out_and_listed(night):
    bad = night / "lights" / "light_1.fits"
    bad.write_bytes(bad.read_bytes()[:5000])
    done = calibrate_files(night / "lights", night / "pp", dark=night / "darks")
    assert [path.name for path, _ in done.left_out] == ["light_1.fits"]
    assert len(done.lights) == 2


def test_a_light_of_another_size_is_named_and_the_others_are_whole(night, rng):
    odd = Frame(np.full((8, 8), 900.0), replace(TAKEN, kind=FrameKind.LIGHT))
    write_frame(night / "lights" / "light_9.fits", odd)
    with pytest.raises(FrameMismatchError, match=r"8 x 8 pixels in .*light_9.fits"):
        calibrate_files(night / "lights", night / "pp", dark=night / "darks")
    assert all(read_frame(path).data.size for path in (night / "pp").iterdir())


def test_a_flat_of_zeros_is_refused_before_anything_is_written(night, rng):
    zeros = save(night / "zeros", FrameKind.FLAT, 100.0, rng, exposure_s=1.0)
    with pytest.raises(FrameFormatError, match="do not respond to light"):
        calibrate_files(night / "lights", night / "pp", flat=zeros, bias=night / "biases")
    assert not (night / "pp").exists()


@pytest.mark.parametrize("wrong", ["lights", "biases"])
def test_a_dark_that_is_none_is_refused(night, wrong):
    with pytest.raises(FrameMismatchError, match=r"expected a dark"):
        calibrate_files(night / "lights", night / "pp", dark=night / wrong)


def test_darks_of_another_exposure_are_refused(night, rng):
    short = save(night / "short", FrameKind.DARK, 500.0, rng, exposure_s=10.0)
    with pytest.raises(FrameMismatchError, match=r"exposed 60 s and its dark 10 s"):
        calibrate_files(night / "lights", night / "pp", dark=short)


def test_dark_and_model_together_are_refused(night):
    with pytest.raises(SettingError, match="both a dark and a model"):
        calibrate_files(night / "lights", night / "pp", dark=night / "darks", model="cam.solodark")


def test_no_light_is_one_sentence(night):
    with pytest.raises(NotEnoughFramesError, match="none of 8 frames is a light"):
        calibrate_files(night / "darks", night / "pp")
    with pytest.raises(FrameNotFoundError, match="nowhere"):
        calibrate_files(night / "nowhere", night / "pp")


def test_a_file_is_no_folder_to_write_to(night):
    (night / "pp").write_text("a note")
    with pytest.raises(OutputError, match="is a file"):
        calibrate_files(night / "lights", night / "pp")
    with pytest.raises(OutputError, match="no folder"):
        calibrate_files(night / "lights", night / "not" / "there")


def test_two_lights_of_one_name_are_not_written_over_each_other(night, rng):
    save(night / "lights2", FrameKind.LIGHT, 900.0, rng)
    with pytest.raises(OutputError, match="several lights"):
        calibrate_files([night / "lights", night / "lights2"], night / "pp")


def test_a_full_disk_is_one_sentence_and_nothing_is_half_written(night, monkeypatch):
    from solodark.formats import fits_writer

    write, calls = fits_writer._write_hdu, []

    def until_full(*job):
        calls.append(job)
        if len(calls) > 6:
            raise OSError(28, "No space left on device")
        write(*job)

    monkeypatch.setattr(fits_writer, "_write_hdu", until_full)
    with pytest.raises(OutputError, match=r"pp_light_.*No space left"):
        calibrate_files(night / "lights", night / "pp", dark=night / "darks")
    for path in (night / "pp").iterdir():
        assert CCDData.read(path).data.mean() == pytest.approx(1000, abs=3)


def test_each_light_gets_the_dark_of_its_own_state(dark_nights, tmp_path, rng):
    """A camera that cools by 9 C: one dark for all would leave hot pixels in half of the lights."""
    warm, cold = (
        dark_nights.later(0.2, temperature_c=celsius)[0].frame for celsius in (22.0, 13.0)
    )
    folder = tmp_path / "lights"
    folder.mkdir()
    for name, frame in (("warm", warm), ("cold", cold)):
        taken = replace(frame.acquisition, kind=FrameKind.LIGHT)
        sky = Frame(frame.data + rng.poisson(200.0, frame.shape), taken)
        write_frame(folder / f"{name}.fits", sky, pixel_type="uint16")
    done = calibrate_files(folder, tmp_path / "pp", model=dark_nights.model)
    assert done.lights[0].notes[0] == "dark of its own, from the light's warm pixels"
    residual = {
        one.light.stem: read_frame(one.output).data - read_frame(one.light).data
        for one in done.lights
    }
    hot = warm.data > np.percentile(warm.data, 99)
    taken_off = {name: -np.median(change[hot]) for name, change in residual.items()}
    assert taken_off["warm"] > taken_off["cold"] + 5
    for one in done.lights:
        left = read_frame(one.output).data
        assert np.median(left[hot]) - np.median(left) < 0.2 * np.median(warm.data[hot] - 2048)
