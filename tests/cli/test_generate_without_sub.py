"""``solodark generate`` without a dark, from the shell."""

import json

import numpy as np
import pytest
from astropy.io import fits

from solodark.formats import read_frame, write_frame


@pytest.fixture(scope="module")
def lights(photographer, tmp_path_factory):
    """Tonight's darks under a flat sky, and called lights."""
    folder = tmp_path_factory.mktemp("sky") / "lights"
    folder.mkdir()
    dice = np.random.default_rng(3)
    for number, path in enumerate(sorted(photographer.tonight.iterdir())[:3]):
        frame = read_frame(path)
        sky = dice.poisson(100.0, frame.shape).astype(np.float32)
        write_frame(
            folder / f"light_{number}.fits", type(frame)(frame.data + sky, frame.acquisition)
        )
        with fits.open(folder / f"light_{number}.fits", mode="update") as hdus:
            hdus[0].header["IMAGETYP"] = "Light Frame"
    return folder


def test_lights_make_one_dark(run, model, lights, tmp_path):
    code, out, err = run("generate", "--lights", lights, "-m", model, "-o", tmp_path / "dark.fits")
    assert code == 0
    assert "From 3 lights" in out
    assert "differs by" in err  # a camera that has just begun warms itself
    assert fits.getval(tmp_path / "dark.fits", "SD_ORIG") == "generated"


def test_each_light_gets_its_dark_and_json_lists_them(run, model, lights, tmp_path):
    words = ("generate", "--lights", lights, "-m", model, "-o", tmp_path / "darks", "--each")
    code, out, _ = run(*words, "--json")
    told = json.loads(out)
    assert code == 0
    assert [one["output"] for one in told["masters"]] == [
        str(tmp_path / "darks" / f"light_{k}_dark.fits") for k in range(3)
    ]


def test_exposure_and_temperature_make_a_dark(run, model, tmp_path):
    words = ("--exposure-s", 120, "--temperature-c", 14, "--iso", 800, "-m", model)
    code, out, _ = run("generate", *words, "-o", tmp_path / "dark.fits")
    assert code == 0
    assert "Wrote" in out


def test_outside_the_library_a_warning_names_its_range(run, model, tmp_path):
    words = ("--exposure-s", 4000, "--temperature-c", 14, "-m", model)
    code, _, err = run("generate", *words, "-o", tmp_path / "dark.fits")
    assert code == 0
    assert "warning: 4000 s is outside the library's 60 to 300 s" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "found nothing to generate from"),
        (["SUB", "--lights", "LIGHTS"], "found a SUB and --lights"),
        (["SUB", "--exposure-s", "60"], "found a SUB and --exposure-s"),
        (["--lights", "LIGHTS", "--exposure-s", "60"], "found --lights and --exposure-s"),
        (["SUB", "--each"], "--each without --lights"),
        (["SUB", "--temperature-c", "20"], "--temperature-c without --exposure-s"),
        (["--lights", "LIGHTS", "--iso", "800"], "--iso without --exposure-s"),
        (["--exposure-s", "60", "--force"], "--force without a SUB"),
        (["--exposure-s", "-1"], "expected more than 0 s"),
        (["--exposure-s", "60", "--iso", "3200"], "the model knows ISO 800"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(
    run, model, photographer, lights, tmp_path, words, said
):
    given = {"SUB": photographer.sub, "LIGHTS": lights}
    words = [given.get(word, word) for word in words]
    code, out, err = run("generate", *words, "-m", model, "-o", tmp_path / "dark.fits")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
