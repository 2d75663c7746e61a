"""The paper's experiment on files: the same lights, every kind of dark, one page."""

import errno
import json
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from solodark.cli.printing import as_json_value
from solodark.dark_model import DarkModel
from solodark.errors import (
    FrameFormatError,
    FrameMismatchError,
    NotEnoughFramesError,
    OutputError,
    RegistrationError,
    SolodarkError,
)
from solodark.formats import read_frame, write_frame
from solodark.frames import Frame, FrameKind
from solodark.synthetic import NightPlan, expose_night, make_scene
from solodark.workflows.compare import compare_files
from solodark.workflows.compare_story import lead_sentences
from solodark.workflows.learn import learn_files


@dataclass(frozen=True)
class Folders:
    """A night on disk, and the model of a camera whose library is on disk too."""

    night: Path
    model: DarkModel

    @property
    def sub(self) -> Path:
        return min((self.night / "dark").iterdir())

    def compare(self, output, **changed):
        inputs = {"darks": self.night / "dark", "sub": self.sub, "model": self.model} | changed
        lights = inputs.pop("lights", self.night / "light")
        return compare_files(lights, output, **inputs)


def write(folder: Path, frame: Frame, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.fits"
    write_frame(path, frame, pixel_type="uint16")
    return path


@pytest.fixture(scope="module")
def folders(dark_nights, tmp_path_factory) -> Folders:
    root = tmp_path_factory.mktemp("compare")
    dice = np.random.default_rng(3)
    scene = make_scene(dice, shape=dark_nights.camera.shape, nebula_e_per_s=0.02)
    start = dark_nights.last.frame.acquisition.date_obs + timedelta(days=5)
    plan = NightPlan(
        n_lights=6, n_darks=4, n_flats=4, n_biases=4, start=start, cooling_c=6.0, iso=800,
        drift_x_px=1.3, drift_y_px=0.4, jitter_px=0.2,
    )  # fmt: skip
    for number, shot in enumerate(expose_night(dark_nights.camera, scene, dice, plan)):
        kind = shot.frame.acquisition.kind
        write(root / "night" / kind, shot.frame, f"{kind}_{number:02d}")
    names = tuple(
        str(write(root / "library", frame, f"frame_{number:03d}"))
        for number, frame in enumerate(dark_nights.library)
    )
    library = replace(dark_nights.model.library, names=names)
    return Folders(root / "night", replace(dark_nights.model, library=library))


@pytest.fixture(scope="module")
def summary(folders, tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "compare.html"
    return folders.compare(page, flats=folders.night / "flat", biases=folders.night / "bias")


def test_every_way_to_get_a_dark_has_its_row(summary):
    assert [row.name for row in summary.rows] == [
        "no dark",
        "one sub",
        "real master",
        "nearest library master",
        "one k (PixInsight)",
        "one k (Siril)",
        "generated from one sub",
        "generated for each light",
    ]
    assert (summary.n_lights, summary.left_out) == (6, ())
    assert summary.registration_rms_px < 0.3


def test_a_dark_for_each_light_leaves_less_than_any_dark_of_the_nights_end(summary):
    rows = {row.name: row for row in summary.rows}
    each = rows["generated for each light"]
    for name in ("one sub", "real master", "generated from one sub"):
        assert each.noise_adu < rows[name].noise_adu
        assert abs(each.trail_mean_sigma) < abs(rows[name].trail_mean_sigma)
    assert abs(each.walking_correlation) < rows["no dark"].walking_correlation


def test_the_papers_figure_is_there_and_endless_for_the_picture_beside_itself(summary):
    figures = {row.name: row.psnr_db for row in summary.rows}
    assert figures["no dark"] == np.inf
    assert all(10 < figures[name] < 90 for name in figures if name != "no dark")


def test_without_the_truth_no_figure_claims_to_know_it(summary):
    assert all(np.isnan(row.error_adu) for row in summary.rows)
    assert "similarity" not in summary.report.read_text("utf-8")


def test_the_page_shows_every_row_and_how_it_was_made(summary):
    page = summary.report.read_text("utf-8")
    assert summary.report.stat().st_size < 15e6
    for row in summary.rows:
        assert row.name in page
    for said in ("4 darks", "27.688", summary.model_id, "winsorised rejection"):
        assert said in page


def assert_works(seen):
    assert seen["complaints"] == []
    assert seen["broken"] == 0
    assert seen["beside"] == "generated for each light"
    assert seen["blinking"]
    assert seen["theme"]
    assert seen["narrow"]


def test_in_a_browser_the_page_works(summary, visit):
    assert_works(visit(summary.report.read_text("utf-8")))


@pytest.mark.real_data
def test_a_real_night_is_compared(real_data, tmp_path, visit):
    night = real_data / "mit-luxembourg-2018-10-12"
    sub, *darks = sorted((night / "darks").iterdir())
    learn_files([*darks, *sorted((night / "biases").iterdir())], tmp_path / "c.solodark")
    found = compare_files(
        sorted((night / "lights").iterdir())[::4],
        tmp_path / "c.html",
        darks=darks,
        sub=sub,
        model=tmp_path / "c.solodark",
        biases=night / "biases",
    )
    assert (found.n_lights, found.left_out) == (4, ())
    assert found.registration_rms_px < 0.15
    rows = {row.name: row for row in found.rows}
    assert rows["generated from one sub"].noise_adu < rows["one sub"].noise_adu
    assert rows["generated from one sub"].noise_adu < 1.01 * rows["real master"].noise_adu
    assert rows["generated from one sub"].trail_rms_sigma < rows["no dark"].trail_rms_sigma
    assert_works(visit(found.report.read_text("utf-8")))


def test_figures_are_plain_json(summary):
    figures = json.loads(json.dumps(as_json_value(summary)))
    assert figures["rows"][0]["psnr_db"] is None
    assert figures["rows"][7]["noise_adu"] > 0


def test_the_result_names_whoever_is_best(summary):
    worst = replace(summary.rows[7], noise_adu=99.0, trail_rms_sigma=99.0)
    said = lead_sentences((*summary.rows[:7], worst), 6)[0]
    assert "generated for each light" not in said


def test_without_the_librarys_files_its_rows_are_left_out_and_that_is_said(folders, tmp_path):
    names = tuple(f"gone/{name}" for name in folders.model.library.names)
    library = replace(folders.model.library, names=names)
    found = folders.compare(tmp_path / "c.html", model=replace(folders.model, library=library))
    assert not {"nearest library master", "one k (Siril)"} & {row.name for row in found.rows}
    assert "no longer lie where they were learned" in found.report.read_text("utf-8")
    assert "bias generated" in found.rows[0].note


def test_a_networks_master_has_its_row_beside_the_others(folders, dark_nights, tmp_path):
    pytest.importorskip("torch")
    from solodark.pix2pix import PRESETS
    from solodark.workflows.train import train_files

    for night in range(3):
        for number, shot in enumerate(dark_nights.later(days=2.0 + night, n=3)):
            write(tmp_path / f"night_{night}", shot.frame, f"dark_{number}")
    quick = replace(
        PRESETS["paper"], width=4, depth=3, crop_px=32, batch_size=4, constant_epochs=1,
        decay_epochs=1,
    )  # fmt: skip
    network = tmp_path / "network.solodark"
    train_files(sorted(tmp_path.glob("night_*")), network, settings=quick)
    found = folders.compare(tmp_path / "c.html", network=network)
    assert "network from one sub" in [row.name for row in found.rows]
    assert "as the paper proposes" in found.report.read_text("utf-8")


def test_a_cloudy_light_is_left_out_and_listed(folders, tmp_path, rng):
    lights = sorted((folders.night / "light").iterdir())[:4]
    clear, dark_adu = read_frame(lights[0]), read_frame(folders.sub).data
    cloud = (dark_adu + 150 + rng.normal(0, 12, dark_adu.shape)).astype(np.float32)
    clouded = write(tmp_path, replace(clear, data=cloud), "light_cloud")
    found = folders.compare(tmp_path / "c.html", lights=[*lights, clouded])
    assert found.n_lights == 4
    ((path, reason),) = found.left_out
    assert path == clouded
    assert "stars" in reason


def test_one_light_is_no_stack(folders, tmp_path):
    light = min((folders.night / "light").iterdir())
    with pytest.raises(NotEnoughFramesError, match="found 1 light"):
        folders.compare(tmp_path / "c.html", lights=light)


def test_lights_without_stars_are_refused_and_nothing_is_written(folders, tmp_path):
    dark = read_frame(folders.sub)
    blank = [
        write(
            tmp_path / "blank",
            replace(dark, acquisition=replace(dark.acquisition, kind=FrameKind.LIGHT)),
            f"light_{n}",
        )
        for n in range(3)
    ]
    with pytest.raises(RegistrationError, match="stars"):
        folders.compare(tmp_path / "c.html", lights=blank)
    assert not (tmp_path / "c.html").exists()


def test_darks_of_another_exposure_are_no_real_master(folders, tmp_path):
    with pytest.raises(NotEnoughFramesError, match=r"is a dark of 180 s, the lights' exposure"):
        folders.compare(tmp_path / "c.html", darks=folders.night / "bias")


def test_a_light_of_another_size_is_named(folders, tmp_path):
    lights = sorted((folders.night / "light").iterdir())[:3]
    light = read_frame(lights[0])
    small = write(tmp_path, replace(light, data=light.data[:64]), "light_small")
    with pytest.raises(FrameMismatchError, match="light_small"):
        folders.compare(tmp_path / "c.html", lights=[*lights, small])


@pytest.mark.parametrize(
    ("name", "said"), [("c.pdf", "ends in .html"), ("nowhere/c.html", "there is no folder")]
)
def test_a_page_that_cannot_be_written_is_said_before_the_work(folders, tmp_path, name, said):
    with pytest.raises(OutputError, match=said):
        folders.compare(tmp_path / name)


def test_a_full_disk_is_said_and_leaves_nothing(folders, tmp_path, monkeypatch):
    def no_room(path, array):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("solodark.workflows.compare_stacks.np.save", no_room)
    with pytest.raises(OutputError, match=r"No space left on device.*TMPDIR"):
        folders.compare(tmp_path / "c.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["lights", "darks", "sub", "flats", "biases"])
def test_a_folder_without_frames_is_named(folders, tmp_path, place):
    empty = tmp_path / "nothing_here"
    empty.mkdir()
    with pytest.raises(SolodarkError, match="nothing_here"):
        folders.compare(tmp_path / "c.html", **{place: empty})
    assert not (tmp_path / "c.html").exists()


def flats_with(folders, folder, spoil):
    """The night's flats, spoilt."""
    for path in (folders.night / "flat").iterdir():
        flat = read_frame(path)
        spoilt = flat.data.copy()
        spoil(spoilt)
        write(folder, replace(flat, data=spoilt), path.stem)
    return folder


def test_flats_of_zeros_are_refused_and_nothing_is_written(folders, tmp_path):
    flats = flats_with(folders, tmp_path / "zeros", lambda pixels: pixels.fill(0))
    with pytest.raises(FrameFormatError, match="do not respond to light"):
        folders.compare(tmp_path / "c.html", flats=flats, biases=folders.night / "bias")
    assert not (tmp_path / "c.html").exists()


def test_a_column_that_the_flats_lack_is_mended_and_harms_no_figure(folders, summary, tmp_path):
    def kill(pixels):
        pixels[:, 40] = 0

    flats = flats_with(folders, tmp_path / "lame", kill)
    found = folders.compare(tmp_path / "c.html", flats=flats, biases=folders.night / "bias")
    for lame, sound in zip(found.rows, summary.rows, strict=True):
        assert lame.noise_adu == pytest.approx(sound.noise_adu, rel=0.05)
        assert lame.n_stars == pytest.approx(sound.n_stars, abs=3)
