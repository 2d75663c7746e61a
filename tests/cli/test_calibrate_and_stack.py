"""``solodark calibrate`` and ``solodark stack``, from the shell."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from astropy.io import fits

from solodark.formats import write_frame
from solodark.frames import Frame, FrameKind
from solodark.synthetic import Pointing, expose_light, make_camera, make_scene

SHAPE = (160, 200)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Four lights of a small camera that drift, one clouded, and its bias level as a dark."""
    folder = tmp_path_factory.mktemp("night")
    rng = np.random.default_rng(6)
    camera = make_camera(rng, shape=SHAPE, cfa_pattern="RGGB", optical_black_ratio=0.0)
    scene = make_scene(rng, shape=SHAPE, stars_per_megapixel=4000)
    (folder / "lights").mkdir()
    for k in range(5):
        place = Pointing(dy_px=1.7 * k, dx_px=-2.3 * k, transparency=0.0 if k == 4 else 1.0)
        shot = expose_light(
            camera,
            scene,
            rng,
            exposure_s=180.0,
            temperature_c=15.0,
            date=datetime(2024, 8, 10, 22, k, tzinfo=UTC),
            pointing=place,
        )
        write_frame(folder / "lights" / f"light_{k}.fits", shot.frame, pixel_type="uint16")
    taken = replace(shot.frame.acquisition, kind=FrameKind.DARK)
    write_frame(folder / "dark.fits", Frame(np.full(SHAPE, 2048.0), taken), pixel_type="uint16")
    short = replace(taken, exposure_s=30.0)
    write_frame(folder / "short.fits", Frame(np.full(SHAPE, 2048.0), short), pixel_type="uint16")
    return folder


@pytest.fixture
def process(run, night, tmp_path):
    code, out, _ = run(
        "calibrate", night / "lights", "-o", tmp_path / "pp", "--dark", night / "dark.fits"
    )
    assert code == 0
    return tmp_path / "pp", out


def test_calibrate_says_what_it_wrote_and_which_dark_it_used(process, night):
    folder, out = process
    assert len(list(folder.iterdir())) == 5
    assert "Calibrated 5 lights" in out
    assert f"dark from {night / 'dark.fits'}" in out
    assert "no flat" in out


def test_stack_makes_a_colour_picture_and_lists_the_clouded_light(process, run, tmp_path):
    folder, _ = process
    code, out, _ = run("stack", folder, "-o", tmp_path / "m31.fits")
    assert code == 0
    assert "Stacked 4 lights onto" in out
    assert "Left out 1 file" in out
    assert "clouds" in out
    assert fits.getdata(tmp_path / "m31.fits").shape == (3, *SHAPE)
    assert (tmp_path / "m31.tif").is_file()
    assert (tmp_path / "m31.png").is_file()


def test_a_drizzled_stack_says_where_too_few_drops_fell(process, run, tmp_path):
    folder, _ = process
    code, out, _ = run("stack", folder, "-o", tmp_path / "m31.fits", "--drizzle", "2")
    assert code == 0
    assert "got no drop" in out
    assert fits.getdata(tmp_path / "m31.fits").shape == (3, 2 * SHAPE[0], 2 * SHAPE[1])


def test_drops_are_for_drizzle_only(process, run, tmp_path):
    folder, _ = process
    code, _, err = run("stack", folder, "-o", tmp_path / "m31.fits", "--pixfrac", "0.8")
    assert code == 2
    assert "without drizzle" in err


def test_stars_too_narrow_for_one_colours_pixels_are_told(process, run, tmp_path, monkeypatch):
    folder, _ = process
    said = []
    for narrow in (0.1, 99.0):
        monkeypatch.setattr("solodark.cli.stack._NARROW_PX", narrow)
        said.append("--drizzle 1" in run("stack", folder, "-o", tmp_path / "m31.fits")[1])
    assert said == [False, True]


def test_json_holds_the_figures(process, run, night, tmp_path):
    folder, _ = process
    code, out, _ = run("stack", folder, "-o", tmp_path / "m31.fits", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["n_lights"] == 4
    assert 0 < told["rms_px"] < 1
    code, out, _ = run("calibrate", night / "lights", "-o", tmp_path / "again", "--json")
    assert code == 0
    assert len(json.loads(out)["lights"]) == 5


def test_a_short_dark_is_refused_with_exit_2(run, night, tmp_path):
    words = ("calibrate", night / "lights", "-o", tmp_path / "pp", "--dark", night / "short.fits")
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "exposed 180 s and its dark 30 s" in err
    assert len(err.splitlines()) == 1
    assert not any(tmp_path.rglob("*.fits"))


def test_a_night_of_clouds_is_exit_2_and_one_sentence(run, night, tmp_path):
    light = night / "lights" / "light_4.fits"
    twin = tmp_path / "twin.fits"
    twin.write_bytes(light.read_bytes())
    code, out, err = run("stack", light, twin, "-o", tmp_path / "m31.fits")
    assert (code, out) == (2, "")
    assert "clouds" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "m31.fits").exists()
