"""A model is judged by darks that it has never seen, and by no others."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings
from solodark.errors import FrameNotFoundError, NotEnoughFramesError, WrongSubError
from solodark.formats import write_frame
from solodark.frames import Frame
from solodark.workflows.evaluate import evaluate_files, known_levels
from solodark.workflows.learn import learn_files

# Two ranks to choose from: held to one map, the library's warm nights differ by more than noise.
SETTINGS = LearnSettings(ranks=(1, 2), n_random=4000, n_hot=600, rounds=2)


@pytest.fixture(scope="module")
def files(dark_nights, tmp_path_factory):
    """A library folder, its model, and four darks of a later night."""
    root = tmp_path_factory.mktemp("evaluate")
    for name in ("library", "tonight"):
        (root / name).mkdir()
    for i, frame in enumerate(dark_nights.library):
        write_frame(root / "library" / f"{i:02d}.fits", frame, pixel_type="uint16")
    for shot in dark_nights.later(n=4):
        path = root / "tonight" / f"{shot.frame.name}.fits"
        write_frame(path, shot.frame, pixel_type="uint16")
    learn_files(root / "library", root / "camera.solodark", settings=SETTINGS)
    return root


@pytest.fixture(scope="module")
def summary(files):
    return evaluate_files(files / "tonight", files / "camera.solodark")


def worth(summary, row, stratum="ordinary"):
    return summary.table.cell(row, stratum).equivalent_subs


def test_the_model_beats_every_rival_on_ordinary_pixels(summary):
    rivals = {row.name for row in summary.table.rows if not row.name.startswith("solodark")}
    assert {"one sub", "nearest master", "one k (best)"} < rivals
    assert worth(summary, "solodark") > 10.0
    for rival in rivals:
        assert worth(summary, "solodark") > worth(summary, rival)


def test_one_sub_is_worth_one_and_the_update_is_worth_more_than_the_maps_alone(summary):
    assert worth(summary, "one sub") == pytest.approx(1.0, abs=0.1)
    assert worth(summary, "solodark") > worth(summary, "solodark, maps alone")


def test_a_pixel_of_which_the_library_knows_nothing_is_no_ordinary_one(dark_nights):
    model = dark_nights.model
    levels = known_levels(model)
    coldest = np.unravel_index(np.argmin(levels), levels.shape)
    information = model.pixels.information.copy()
    information[coldest] *= 1e-6
    doubted = replace(model, pixels=replace(model.pixels, information=information))
    assert known_levels(doubted)[coldest] == levels.max()
    assert np.count_nonzero(known_levels(doubted) != levels) == 1


def test_the_held_out_series_is_described(summary, files):
    (series,) = summary.series
    assert series.startswith("4 darks of 180 s")
    assert summary.left_out == ()


def test_a_dark_that_the_model_has_learned_does_not_judge_it(files, tmp_path):
    for path in (files / "tonight").iterdir():
        shutil.copy(path, tmp_path)
    shutil.copy(files / "library" / "00.fits", tmp_path / "renamed.fits")
    summary = evaluate_files(tmp_path, files / "camera.solodark")
    (left_out,) = summary.left_out
    assert left_out == (tmp_path / "renamed.fits", "the model has learned from it")


def test_a_library_cannot_judge_the_model_learned_from_it(files):
    with pytest.raises(NotEnoughFramesError, match=r"the model has learned from it.*--leave-out"):
        evaluate_files(files / "library", files / "camera.solodark")


def test_two_darks_are_too_few_to_judge(files, tmp_path):
    for path in sorted((files / "tonight").iterdir())[:2]:
        shutil.copy(path, tmp_path)
    with pytest.raises(NotEnoughFramesError, match=r"its series has fewer than 3 darks"):
        evaluate_files(tmp_path, files / "camera.solodark")


def test_biases_and_broken_files_are_left_out_with_their_reason(files, dark_nights, tmp_path):
    for path in (files / "tonight").iterdir():
        shutil.copy(path, tmp_path)
    write_frame(tmp_path / "bias.fits", dark_nights.library[-1], pixel_type="uint16")
    cut = tmp_path / "cut.fits"
    cut.write_bytes((files / "library" / "00.fits").read_bytes()[:1000])
    left_out = dict(evaluate_files(tmp_path, files / "camera.solodark").left_out)
    assert left_out.keys() == {tmp_path / "bias.fits", cut}
    assert left_out[tmp_path / "bias.fits"] == "not a dark"
    assert str(cut) in left_out[cut]


def test_without_the_librarys_files_the_model_is_still_judged(files, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(files / "library", moved)
    learn_files(moved, tmp_path / "moved.solodark", settings=SETTINGS)
    shutil.rmtree(moved)
    table = evaluate_files(files / "tonight", tmp_path / "moved.solodark").table
    rows = {row.name for row in table.rows}
    assert {"solodark", "one sub"} <= rows
    assert "nearest master" not in rows


def test_darks_of_another_size_are_named(files, dark_nights, tmp_path):
    for i, shot in enumerate(dark_nights.later(n=3)):
        frame = Frame(shot.frame.data[:96], shot.frame.acquisition)
        write_frame(tmp_path / f"{i}.fits", frame, pixel_type="uint16")
    with pytest.raises(WrongSubError, match=r"192 x 96 pixels, the model 192 x 128"):
        evaluate_files(tmp_path, files / "camera.solodark")


def test_a_missing_folder_is_named(files, tmp_path):
    with pytest.raises(FrameNotFoundError, match=r"gone"):
        evaluate_files(tmp_path / "gone", files / "camera.solodark")
