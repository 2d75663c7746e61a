"""The main job from the shell: learn, generate, evaluate, combine."""

import json
from functools import partial

import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData

import solodark
from solodark.dark_model import LearnSettings
from solodark.formats import TARGETS, read_frame
from solodark.workflows.learn import learn_files
from solodark.workflows.model_files import load_model


def test_a_model_is_learned_and_described(learned):
    assert learned.path.is_file()
    assert "96 x 64 pixels, from 25 darks and 15 biases in 10 series" in learned.said
    assert "to 300 s at" in learned.said
    assert str(learned.path) in learned.said


def test_one_dark_becomes_a_master_that_astropy_reads(photographer, model, run, tmp_path):
    master = tmp_path / "master.fits"
    code, out, err = run("generate", photographer.sub, "-m", model, "-o", master)
    assert (code, err) == (0, "")
    ccd = CCDData.read(master)
    assert ccd.shape == read_frame(photographer.sub).shape
    assert ccd.unit == "adu"
    assert ccd.uncertainty is not None
    assert fits.getval(master, "SD_ORIG") == "generated"
    assert str(master) in out


def test_the_master_is_cleaner_than_its_sub(photographer, model, run, tmp_path):
    master = tmp_path / "master.fits"
    run("generate", photographer.sub, "-m", model, "-o", master)
    others = [read_frame(p).data for p in sorted(photographer.tonight.iterdir())[1:]]
    half_a, half_b = np.mean(others[:2], axis=0), np.mean(others[2:], axis=0)

    def error(estimate: np.ndarray) -> float:
        a, b = estimate - half_a, estimate - half_b
        # A pixel that hops between two levels counts for no more than 20 ADU: it did so tonight.
        product = np.clip((a - np.median(a)) * (b - np.median(b)), -400.0, 400.0)
        return float(np.mean(product))

    sub = read_frame(photographer.sub).data
    assert error(read_frame(master).data) < error(sub) / 3


def test_figures_come_as_json_too(photographer, model, run, tmp_path):
    master = tmp_path / "master.fits"
    words = ("generate", photographer.sub, "-m", model, "-o", master, "--json")
    code, out, _ = run(*words)
    figures = json.loads(out)
    assert code == 0
    assert figures["output"] == str(master)
    assert figures["equivalent_subs"] > 0
    assert figures["flags"]["HOT"] > 0


def test_the_model_is_judged_beside_its_rivals(photographer, model, run):
    code, out, _ = run("evaluate", photographer.tonight, "-m", model, "--json")
    table = json.loads(out)["table"]
    assert code == 0
    worth = {row["name"]: row["cells"]["winsorised"]["equivalent_subs"] for row in table["rows"]}
    assert abs(worth["one sub"] - 1) < 0.05
    assert worth["solodark"] > worth["one sub"]
    assert any(name.startswith("nearest master") for name in worth)


def test_the_table_for_people_names_every_row(photographer, model, run):
    code, out, _ = run("evaluate", photographer.tonight, "-m", model)
    assert code == 0
    for words in ("one sub", "solodark", "nearest master", "winsorised", "ordinary", "hot"):
        assert words in out
    assert "5 darks of" in out
    assert "what it leaves behind" in out
    assert "holes" in out


def test_masters_can_be_written_for_every_program_that_the_formats_know(
    photographer, model, run, tmp_path
):
    for program in TARGETS:
        master = tmp_path / f"{program}.fits"
        words = ("generate", photographer.sub, "-m", model, "-o", master, "--for", program)
        code, _, err = run(*words)
        assert code == 0, err
        assert all(line.startswith("solodark: warning: ") for line in err.splitlines())
        assert master.is_file()


def test_darks_the_model_has_seen_do_not_judge_it(photographer, model, run):
    code, _, err = run("evaluate", *photographer.darks.glob("*/dark*"), "-m", model)
    assert code == 2
    assert "learned from it" in err
    assert "--leave-out" in err


def test_darks_can_be_left_out_by_exposure_and_by_place(photographer, run, tmp_path):
    model, night = tmp_path / "camera.solodark", photographer.darks / "night_0"
    only_300_s = ["--leave-out-exposure-s", "60", "--leave-out-exposure-s", "120"]
    words = ["learn", photographer.darks, "-o", model, *only_300_s, "--leave-out"]
    code, _, err = run(*words, photographer.darks)
    assert code == 2
    assert "left out by option" in err
    code, _, err = run(
        "learn", night, "-o", model, "--leave-out-exposure-s", "0.00025", *only_300_s
    )
    assert code == 2


def test_a_model_that_grows_says_when_it_had_kept_too_little(
    photographer, model, run, tmp_path, monkeypatch
):
    known = load_model(model).rank
    one_more = LearnSettings(ranks=(known + 1,), n_random=2000, n_hot=300, rounds=2)
    monkeypatch.setattr(
        "solodark.workflows.learn.learn_files", partial(learn_files, settings=one_more)
    )
    words = ["learn", photographer.tonight, "-m", model, "-o", tmp_path / "grown.solodark"]
    code, out, err = run(*words)
    assert code == 0, err
    assert "Added 5 frames to what the model knew." in out
    assert "They showed a dark map that the model did not have" in out


def test_a_classical_master_is_combined(photographer, run, tmp_path):
    master = tmp_path / "classic.fits"
    code, out, _ = run("combine", photographer.tonight, "-o", master, "--method", "median")
    subs = [read_frame(p).data for p in sorted(photographer.tonight.iterdir())]
    assert code == 0
    assert str(master) in out
    np.testing.assert_allclose(read_frame(master).data, np.median(subs, axis=0), atol=1e-3)


def test_the_version_is_told(run):
    assert run("--version") == (0, f"solodark {solodark.__version__}\n", "")
