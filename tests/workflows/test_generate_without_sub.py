"""Lights on disk, or a mere question, become master darks on disk."""

import gzip
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from solodark.dark_model import generate_each_light, generate_for_exposure, generate_for_lights
from solodark.errors import NotEnoughFramesError, OutputError, WrongSubError
from solodark.formats import file_sha256, read_frame, write_frame
from solodark.synthetic import NightPlan, expose_night, make_scene
from solodark.workflows.generate import generate_file_for_exposure, generate_files_for_lights


@pytest.fixture(scope="module")
def night(dark_nights):
    start = dark_nights.last.frame.acquisition.date_obs + timedelta(hours=12)
    plan = NightPlan(n_lights=3, n_darks=1, n_flats=0, n_biases=0, iso=800, start=start)
    scene = make_scene(np.random.default_rng(4), shape=(128, 192))
    dice = np.random.default_rng(5)
    return [shot.frame for shot in expose_night(dark_nights.camera, scene, dice, plan)]


@pytest.fixture
def lights(night, tmp_path):
    """A folder of three lights and one dark."""
    folder = tmp_path / "lights"
    folder.mkdir()
    for frame in night:
        write_frame(folder / f"{frame.name}.fits", frame, pixel_type="uint16")
    return folder


def test_the_file_holds_the_dark_that_the_lights_make(dark_nights, night, lights, tmp_path):
    summary = generate_files_for_lights(lights, dark_nights.model, tmp_path / "dark.fits")
    master = generate_for_lights(dark_nights.model, night[:3])
    found = CCDData.read(tmp_path / "dark.fits")
    np.testing.assert_array_equal(found.data, master.data)
    np.testing.assert_array_equal(found.uncertainty.array, master.uncertainty)
    assert [path.name for path in summary.lights] == sorted(f"{f.name}.fits" for f in night[:3])
    ((dark, reason),) = summary.left_out
    assert dark.name == f"{night[3].name}.fits"
    assert "a dark" in reason


@pytest.mark.parametrize("made_before", [False, True])
def test_each_light_gets_a_dark_of_its_name(dark_nights, night, lights, tmp_path, made_before):
    folder = tmp_path / "darks"
    if made_before:  # then the folder alone says what is wanted
        folder.mkdir()
    summary = generate_files_for_lights(lights, dark_nights.model, folder, each=not made_before)
    names = [f"{frame.name}_dark.fits" for frame in night[:3]]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert [one.output.name for one in summary.masters] == names
    wanted = list(generate_each_light(dark_nights.model, night[:3]))
    for name, master, light in zip(names, wanted, night, strict=False):
        np.testing.assert_array_equal(read_frame(folder / name).data, master.data)
        header = fits.getheader(folder / name)
        assert header["DATE-OBS"][:19] == light.acquisition.date_obs.isoformat()[:19]


def test_the_header_names_the_lights_and_where_the_state_is_from(dark_nights, lights, tmp_path):
    generate_files_for_lights(lights, dark_nights.model, tmp_path / "dark.fits")
    header = fits.getheader(tmp_path / "dark.fits")
    history = "".join(header["HISTORY"]).replace(" ", "")
    for path in sorted(lights.iterdir())[1:]:
        assert file_sha256(path)[:16] in history
    assert "warmpixels" in history
    assert "Generatedfrom3lights" in "".join(header["COMMENT"]).replace(" ", "")


def test_a_packed_light_gives_its_name_without_both_suffixes(dark_nights, lights, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    original = min(lights.glob("light*"))
    (packed / "M31_1.fits.gz").write_bytes(gzip.compress(original.read_bytes()))
    generate_files_for_lights(packed, dark_nights.model, tmp_path / "darks", each=True)
    assert [path.name for path in (tmp_path / "darks").iterdir()] == ["M31_1_dark.fits"]


def test_two_lights_of_one_name_are_refused_before_the_work(dark_nights, night, lights, tmp_path):
    (lights / "more").mkdir()
    write_frame(lights / "more" / f"{night[0].name}.fits", night[0], pixel_type="uint16")
    with pytest.raises(OutputError, match="each folder of lights by itself"):
        generate_files_for_lights(lights, dark_nights.model, tmp_path / "darks", each=True)
    assert not (tmp_path / "darks").exists()


def test_a_light_is_never_overwritten(dark_nights, night, lights):
    target = lights / f"{night[0].name}.fits"
    before = target.read_bytes()
    with pytest.raises(OutputError, match="is one of the lights"):
        generate_files_for_lights(lights, dark_nights.model, target)
    assert target.read_bytes() == before


def test_a_folder_without_lights_and_a_file_for_a_folder_are_named(
    dark_nights, night, lights, tmp_path
):
    darks = tmp_path / "only_darks"
    darks.mkdir()
    write_frame(darks / "d.fits", night[3], pixel_type="uint16")
    with pytest.raises(NotEnoughFramesError, match="none of 1 frames is a light"):
        generate_files_for_lights(darks, dark_nights.model, tmp_path / "dark.fits")
    with pytest.raises(OutputError, match="needs a folder"):
        generate_files_for_lights(lights, dark_nights.model, darks / "d.fits", each=True)


def test_a_turned_light_leaves_no_file_and_is_named(dark_nights, night, lights, tmp_path):
    turned = lights / "z_turned.fits"
    data = night[1].data[::-1].copy()
    write_frame(turned, replace(night[1], data=data), pixel_type="uint16")
    with pytest.raises(WrongSubError, match="z_turned"):
        generate_files_for_lights(lights, dark_nights.model, tmp_path / "darks", each=True)
    assert not (tmp_path / "darks").exists()


def test_a_question_alone_becomes_a_dark(dark_nights, tmp_path):
    output = tmp_path / "dark.fits"
    summary = generate_file_for_exposure(120.0, dark_nights.model, output, temperature_c=14.0)
    master = generate_for_exposure(dark_nights.model, 120.0, temperature_c=14.0)
    np.testing.assert_array_equal(read_frame(output).data, master.data)
    header = fits.getheader(output)
    assert (header["EXPTIME"], header["CCD-TEMP"]) == (120.0, 14.0)
    assert summary.flags["EXTRAPOLATED"] == 0


def test_outside_the_library_the_header_keeps_the_warning(dark_nights, tmp_path):
    output = tmp_path / "dark.fits"
    summary = generate_file_for_exposure(3000.0, dark_nights.model, output, temperature_c=14.0)
    assert summary.flags["EXTRAPOLATED"] == 128 * 192
    comments = "".join(fits.getheader(output)["COMMENT"]).replace(" ", "")
    assert "outsidethelibrary's60to300s" in comments
