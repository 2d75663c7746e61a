"""Calibrated lights become one picture in three files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from PIL import Image

from solodark.errors import (
    FrameMismatchError,
    FrameNotFoundError,
    NotEnoughFramesError,
    OutputError,
    RegistrationError,
    UnknownFormatError,
)
from solodark.formats import write_frame, write_light
from solodark.frames import Acquisition, Frame, FrameKind, PixelFlags
from solodark.synthetic import Pointing, Scene, make_scene, scene_electrons
from solodark.workflows.calibrate import calibrate_files
from solodark.workflows.stack import stack_files

SHAPE = (200, 260)
TAKEN = Acquisition(kind=FrameKind.LIGHT, exposure_s=180.0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(np.random.default_rng(4), shape=SHAPE, stars_per_megapixel=3000)


def save(folder: Path, number: int, pixels, taken=TAKEN) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"pp_light_{number}.fits"
    flags = np.zeros(pixels.shape, np.uint8)
    flags[20, 30] = PixelFlags.DEAD
    frame = Frame(pixels, taken, path.name)
    write_light(path, frame, np.ones(pixels.shape, np.float32), flags)
    return path


@pytest.fixture
def lights(tmp_path, scene, rng):
    """Six drifting lights, with colour filters or without."""

    def take(cfa_pattern=None, n=6) -> Path:
        for k in range(n):
            place = Pointing(dy_px=2.1 * k, dx_px=-1.2 * k, rotation_rad=0.003 * k)
            mean = scene_electrons(
                scene, SHAPE, exposure_s=180.0, cfa_pattern=cfa_pattern, pointing=place
            )
            taken = replace(TAKEN, cfa_pattern=cfa_pattern)
            save(tmp_path / "pp", k, rng.poisson(mean) + rng.normal(0, 3, SHAPE), taken)
        return tmp_path / "pp"

    return take


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_a_night_becomes_fits_tiff_and_png(lights, tmp_path, cfa_pattern):
    done = stack_files(lights(cfa_pattern), tmp_path / "m31.fits")
    colours = 1 if cfa_pattern is None else 3
    assert (done.n_lights, done.colours, done.left_out) == (6, colours, ())
    assert 0 < done.rms_px < 0.3
    with fits.open(done.output) as hdus:
        picture, coverage = hdus[0].data, hdus["COVERAGE"].data
        header, history = hdus[0].header, str(hdus[0].header["HISTORY"])
    assert picture.shape == (SHAPE if colours == 1 else (3, *SHAPE))
    assert header["STACKCNT"] == 6
    assert header["LIVETIME"] == 1080.0
    assert f"reference {done.reference.name}" in history
    assert history.count("weight") == 6
    assert coverage.max() == 6
    assert tifffile.imread(done.tiff).shape == (SHAPE if colours == 1 else (*SHAPE, 3))
    with Image.open(done.preview) as preview:
        assert preview.size == SHAPE[::-1]
        assert 0.1 < np.median(np.asarray(preview)) / 255 < 0.45


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_a_stack_among_its_lights_is_not_stacked_again(lights, cfa_pattern):
    folder = lights(cfa_pattern)
    for _ in range(2):
        done = stack_files(folder, folder / "m31.fits")
    assert done.n_lights == 6
    assert sorted(path.name for path, _ in done.left_out) == ["m31.fits", "m31.tif"]


def test_the_stack_is_deeper_than_a_light(lights, tmp_path):
    from solodark.frames.block_levels import difference_noise

    folder = lights()
    done = stack_files(folder, tmp_path / "m31.fits")
    single = difference_noise(fits.getdata(folder / "pp_light_0.fits").astype(np.float32))
    assert done.noise_adu < 1.2 * single / np.sqrt(6)


def test_clouded_and_foreign_lights_are_listed_and_left_out(lights, tmp_path, rng):
    folder = lights()
    save(folder, 8, rng.normal(900.0, 30.0, SHAPE))
    other = make_scene(np.random.default_rng(9), shape=SHAPE, stars_per_megapixel=3000)
    elsewhere = scene_electrons(other, SHAPE, exposure_s=180.0, cfa_pattern=None)
    save(folder, 9, rng.poisson(elsewhere).astype(float))
    write_frame(folder / "dark.fits", Frame(np.zeros(SHAPE), replace(TAKEN, kind=FrameKind.DARK)))
    done = stack_files(folder, tmp_path / "m31.fits")
    assert done.n_lights == 6
    reasons = {path.name: reason for path, reason in done.left_out}
    assert "clouds" in reasons["pp_light_8.fits"]
    assert "another field" in reasons["pp_light_9.fits"]
    assert "a dark" in reasons["dark.fits"]


def test_the_reference_is_the_light_that_was_asked_for(lights, tmp_path):
    folder = lights()
    done = stack_files(folder, tmp_path / "m31.fits", reference=folder / "pp_light_3.fits")
    assert done.reference.name == "pp_light_3.fits"
    with pytest.raises(FrameNotFoundError, match="is none of the 6 lights"):
        stack_files(folder, tmp_path / "m31.fits", reference=tmp_path / "m31.fits")


def test_lights_may_stay_as_they_lie_on_the_sensor(lights, tmp_path):
    folder = lights()
    done = stack_files(folder, tmp_path / "m31.fits", kind="identity", method="mean")
    assert done.reference is None
    frames = [fits.getdata(path) for path in sorted(folder.glob("pp_*.fits"))]
    stars = np.mean(frames, axis=0)
    assert np.corrcoef(fits.getdata(done.output).ravel(), stars.ravel())[0, 1] > 0.999


def test_a_night_of_clouds_writes_nothing(tmp_path, rng):
    for k in range(3):
        save(tmp_path / "pp", k, rng.normal(900.0, 30.0, SHAPE))
    with pytest.raises(RegistrationError, match="none of 3 lights shows 3 stars"):
        stack_files(tmp_path / "pp", tmp_path / "m31.fits")
    assert [path.name for path in tmp_path.iterdir()] == ["pp"]


def test_one_light_is_no_stack(lights, tmp_path):
    folder = lights(n=1)
    with pytest.raises(NotEnoughFramesError, match=r"pp_light_0\.fits.*two or more"):
        stack_files(folder, tmp_path / "m31.fits")


def test_a_light_of_another_size_is_named(lights, tmp_path, rng):
    folder = lights()
    save(folder, 7, rng.normal(900.0, 30.0, (100, 100)))
    with pytest.raises(FrameMismatchError, match=r"100 x 100 pixels in .*pp_light_7\.fits"):
        stack_files(folder, tmp_path / "m31.fits")


def test_a_stack_is_not_written_over_a_light_nor_under_another_name(lights, tmp_path):
    folder = lights()
    with pytest.raises(OutputError, match="one of the lights"):
        stack_files(folder, folder / "pp_light_0.fits")
    with pytest.raises(UnknownFormatError, match=r"m31\.jpg"):
        stack_files(folder, tmp_path / "m31.jpg")
    with pytest.raises(OutputError, match="no folder"):
        stack_files(folder, tmp_path / "not" / "m31.fits")


def test_a_full_disk_leaves_the_old_stack(lights, tmp_path, monkeypatch):
    from solodark.formats import fits_writer

    folder = lights()
    (tmp_path / "m31.fits").write_bytes(b"the old one")

    def full(*_job):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits_writer, "_write_hdu", full)
    with pytest.raises(OutputError, match=r"m31\.fits.*No space left"):
        stack_files(folder, tmp_path / "m31.fits")
    assert (tmp_path / "m31.fits").read_bytes() == b"the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m31.fits", "pp"]


@pytest.mark.real_data
def test_a_real_night_is_calibrated_and_stacked(real_data, tmp_path):
    folder = real_data / "mit-luxembourg-2018-10-12"
    lights = sorted((folder / "lights").iterdir())[:5]
    calibrate_files(lights, tmp_path / "pp", dark=folder / "darks")
    done = stack_files(tmp_path / "pp", tmp_path / "asteroid.fits")
    assert (done.n_lights, done.left_out) == (5, ())
    assert done.rms_px < 0.15
    assert done.noise_adu < 25  # of one light: about 49


@pytest.mark.parametrize(("scale", "shape"), [(1.0, SHAPE), (2.0, (400, 520))])
def test_a_night_can_be_drizzled(lights, tmp_path, scale, shape):
    done = stack_files(lights("RGGB"), tmp_path / "m31.fits", drizzle_scale=scale, pixfrac=0.9)
    with fits.open(done.output) as hdus:
        assert hdus[0].data.shape == (3, *shape)
        assert f"setting drizzle scale = {scale:g}, pixfrac = 0.9" in str(hdus[0].header["HISTORY"])
    assert 0.0 < done.filled_fraction < 0.2
    assert tifffile.imread(done.tiff).shape == (*shape, 3)
