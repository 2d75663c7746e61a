"""A folder of darks becomes a model, or a sentence that says why not."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings
from solodark.errors import (
    FrameMismatchError,
    FrameNotFoundError,
    ModelFileError,
    NotEnoughFramesError,
    OutputError,
)
from solodark.formats import file_sha256, write_frame
from solodark.frames import Frame, FrameKind
from solodark.workflows.learn import learn_files
from solodark.workflows.model_files import load_model, save_model

QUICK = LearnSettings(ranks=(1,), n_random=2000, n_hot=300, rounds=2, iterations=2)


def write(path, frame, **header):
    frame = Frame(frame.data[:64], replace(frame.acquisition, **header))
    write_frame(path, frame, pixel_type="uint16")
    return path


@pytest.fixture(scope="module")
def folder(dark_nights, tmp_path_factory):
    """Every second frame of the library, darks and biases lying together."""
    folder = tmp_path_factory.mktemp("library")
    for i, frame in enumerate(dark_nights.library[::2]):
        write(folder / f"{frame.name}_{i:02d}.fits", frame)
    return folder


@pytest.fixture(scope="module")
def strangers(dark_nights, tmp_path_factory):
    """What lies about in a folder of darks and is not one."""
    folder = tmp_path_factory.mktemp("strangers")
    dark = dark_nights.library[0]
    write(folder / "light.fits", dark, kind=FrameKind.LIGHT)
    write(folder / "flat.fits", dark, kind=FrameKind.FLAT)
    write(folder / "master.fits", dark, n_combined=20)
    cut = write(folder / "cut.fits", dark)
    cut.write_bytes(cut.read_bytes()[:1000])
    return folder


@pytest.fixture(scope="module")
def summary(folder, strangers, tmp_path_factory):
    output = tmp_path_factory.mktemp("model") / "camera.solodark"
    return learn_files([folder, strangers], output, settings=QUICK)


def test_the_summary_says_what_was_learned(summary, dark_nights, folder):
    frames = dark_nights.library[::2]
    biases = [f for f in frames if f.acquisition.kind is FrameKind.BIAS]
    assert (summary.n_frames, summary.n_biases) == (len(frames), len(biases))
    assert summary.n_frames == len(list(folder.iterdir()))
    assert (summary.shape, summary.rank) == ((64, 192), 1)
    assert summary.camera == "Solodark Uncooled CMOS"
    assert summary.exposure_range_s == (0.00025, 300.0)
    coldest_c, warmest_c = summary.temperature_range_c
    assert coldest_c < 5.0
    assert warmest_c > 20.0
    assert summary.seconds > 0.0


def test_lights_flats_masters_and_broken_files_are_left_out_with_their_reason(summary, strangers):
    reasons = {path.name: reason for path, reason in summary.left_out}
    assert reasons.keys() == {path.name for path in strangers.iterdir()}
    assert "light" in reasons["light.fits"]
    assert "flat" in reasons["flat.fits"]
    assert "a master of many frames" in reasons["master.fits"]
    assert "cut.fits" in reasons["cut.fits"]


def test_the_model_file_holds_the_model_and_knows_its_frames(summary, folder):
    model = load_model(summary.model_path)
    assert model.model_id == summary.model_id
    assert set(model.library.hashes) == {file_sha256(path) for path in folder.iterdir()}


def test_a_saved_model_is_loaded_as_it_was(dark_nights, tmp_path):
    save_model(tmp_path / "nights.solodark", dark_nights.model)
    found = load_model(tmp_path / "nights.solodark")
    for name in ("maps", "information", "component", "scatter"):
        expected = getattr(dark_nights.model.pixels, name)
        np.testing.assert_array_equal(getattr(found.pixels, name), expected)
    np.testing.assert_allclose(found.pixels.excess, dark_nights.model.pixels.excess, rtol=1e-3)
    assert found.library.names == dark_nights.model.library.names


def test_the_order_in_which_files_are_named_does_not_matter(summary, folder, tmp_path):
    files = sorted(folder.iterdir(), reverse=True)
    again = learn_files(files, tmp_path / "again.solodark", settings=QUICK)
    assert again.model_id == summary.model_id


def test_an_exposure_can_be_left_out_to_judge_by_it(folder, tmp_path):
    without = learn_files(
        folder, tmp_path / "a.solodark", leave_out_exposures_s=[180.0], settings=QUICK
    )
    assert 180.0 not in load_model(without.model_path).library.exposure_s
    assert without.left_out
    assert {reason for _, reason in without.left_out} == {"left out by its exposure"}


def test_a_folder_can_be_left_out(folder, strangers, tmp_path):
    summary = learn_files(
        [folder, strangers], tmp_path / "a.solodark", leave_out=[strangers], settings=QUICK
    )
    assert {reason for _, reason in summary.left_out} == {"left out by option"}


def refused(error, paths, output, **options):
    """Give the sentence of a refusal, which leaves nothing behind."""
    with pytest.raises(error) as caught:
        learn_files(paths, output, **options)
    if output.parent.is_dir():
        assert list(output.parent.iterdir()) == []
    return str(caught.value)


def test_a_folder_without_a_single_dark_says_what_it_found(strangers, tmp_path):
    said = refused(NotEnoughFramesError, strangers, tmp_path / "a.solodark")
    assert said.startswith("none of 4 frames is a dark to learn from")


def test_no_paths_at_all_say_what_to_give(tmp_path):
    assert "no darks were given" in refused(NotEnoughFramesError, [], tmp_path / "a.solodark")


def test_three_darks_are_too_few(folder, tmp_path):
    files = sorted(folder.iterdir())[:3]
    assert "found 3 darks" in refused(NotEnoughFramesError, files, tmp_path / "a.solodark")


def test_a_dark_of_another_iso_is_named(folder, dark_nights, tmp_path, tmp_path_factory):
    odd = write(tmp_path_factory.mktemp("odd") / "odd.fits", dark_nights.library[0], iso=1600)
    said = refused(FrameMismatchError, [folder, odd], tmp_path / "a.solodark")
    assert "ISO is 1600" in said
    assert str(odd) in said


def test_another_name_than_solodark_is_refused_before_the_work(folder, tmp_path):
    said = refused(OutputError, folder, tmp_path / "model.fits")
    assert "a model is written as .solodark" in said


def test_a_missing_output_folder_is_refused_before_the_work(folder, tmp_path):
    said = refused(OutputError, folder, tmp_path / "nowhere" / "a.solodark")
    assert "there is no folder" in said


def test_a_missing_path_is_named(tmp_path):
    said = refused(FrameNotFoundError, tmp_path / "gone", tmp_path / "a.solodark")
    assert str(tmp_path / "gone") in said


@pytest.mark.parametrize("stage", ["Hashing", "Reading darks", "Learning every pixel"])
def test_interrupting_leaves_no_file(folder, tmp_path, stage):
    def impatient(items, label, total=None):
        for item in items:
            if label == stage:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        learn_files(folder, tmp_path / "a.solodark", settings=QUICK, progress=impatient)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_model_is_refused_by_its_name(folder):
    dark = min(folder.iterdir())
    with pytest.raises(ModelFileError, match=r"is not a solodark model") as caught:
        load_model(dark)
    assert str(dark) in str(caught.value)


@pytest.fixture(scope="module")
def in_two_folders(folder, tmp_path_factory):
    """Half of the darks to begin with, and the other half that came later."""
    root = tmp_path_factory.mktemp("two")
    for i, path in enumerate(sorted(folder.iterdir())):
        target = root / ("first" if i % 2 else "later")
        target.mkdir(exist_ok=True)
        (target / path.name).write_bytes(path.read_bytes())
    return root / "first", root / "later"


def test_a_model_grows_by_new_files_and_leaves_out_those_it_knows(in_two_folders, tmp_path):
    first, later = in_two_folders
    begun = learn_files(first, tmp_path / "begun.solodark", settings=QUICK)
    model = tmp_path / "grown.solodark"
    grown = learn_files([first, later], model, model=begun.model_path, settings=QUICK)
    assert grown.n_new == len(list(later.iterdir()))
    assert grown.n_frames == begun.n_frames + grown.n_new
    assert {path.parent for path, _ in grown.left_out} == {first}
    assert all("already" in reason for _, reason in grown.left_out)
    names = load_model(model).library.names
    assert len(names) == len(set(names)) == grown.n_frames
    biases = [path for folder in in_two_folders for path in folder.iterdir() if "bias" in path.name]
    assert grown.n_biases == len(biases)


def test_a_model_that_knows_all_files_has_nothing_to_learn(in_two_folders, tmp_path):
    first, _ = in_two_folders
    begun = learn_files(first, tmp_path / "begun.solodark", settings=QUICK)
    with pytest.raises(NotEnoughFramesError, match="already"):
        learn_files(first, tmp_path / "again.solodark", model=begun.model_path, settings=QUICK)
    assert not (tmp_path / "again.solodark").exists()
