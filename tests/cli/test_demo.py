"""The demo tells the whole story; here with a small camera, so that it takes seconds."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

import solodark.workflows.demo as demo_module
from solodark.dark_model import LearnSettings
from solodark.errors import OutputError
from solodark.frames import silent
from solodark.report import Story, page_html
from solodark.workflows.demo import DemoSummary, run_demo
from solodark.workflows.demo_camera import DemoPlan
from solodark.workflows.demo_network import NETWORK, NETWORK_ROW, train_a_network

SMALL = DemoPlan(
    shape=(64, 96),
    n_sessions=6,
    subs_per_session=4,
    biases_per_session=3,
    subs_tonight=6,
    subs_averaged=4,
    n_lights=5,
    n_night_darks=4,
    stars_per_megapixel=8000.0,
)
QUICK = LearnSettings(ranks=(2,), n_random=4_000, n_hot=1_000, rounds=2)
TINY = replace(NETWORK, width=4, depth=2, crop_px=32, constant_epochs=1, decay_epochs=1)


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return []


@pytest.fixture(scope="module")
def summary(tmp_path_factory, told, stories) -> DemoSummary:
    def listen(story: Story) -> str:
        stories.append(story)
        return page_html(story)

    folder = tmp_path_factory.mktemp("demo") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_module, "page_html", listen)
        return run_demo(folder, plan=SMALL, settings=QUICK, network=TINY, tell=told.append)


def test_one_dark_beats_the_average_and_every_rival_without_new_darks(summary):
    worth = {row.name: row.cells["ordinary"].equivalent_subs for row in summary.table.rows}
    others = [name for name in worth if name not in ("solodark", NETWORK_ROW)]
    assert all(worth["solodark"] > worth[name] for name in others), worth
    assert worth["one sub"] == pytest.approx(1.0, abs=0.1)
    assert worth["mean of 4 subs"] == pytest.approx(4.0, abs=0.6)


def test_a_network_takes_part_and_its_row_is_shown_whatever_it_says(summary):
    worth = summary.table.cell(NETWORK_ROW, "ordinary").equivalent_subs
    ours = summary.table.cell("solodark", "ordinary").equivalent_subs
    assert worth > 0.5 * ours
    page = summary.report.read_text("utf-8")
    assert NETWORK_ROW in page
    assert "corrected pixel by pixel by a small network" in page


def test_where_networks_cannot_run_the_demo_says_so_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    said = []
    rows = train_a_network(
        tmp_path,
        [],
        tmp_path / "camera.solodark",
        settings=TINY,
        learn_settings=QUICK,
        tell=said.append,
        progress=silent,
    )
    assert rows == {}
    assert "pip install 'solodark[network]'" in said[0]


def test_every_planted_mistake_is_found_and_named(summary):
    assert summary.planted_found == summary.planted == 3
    said = "\n".join(summary.findings)
    for name in ("dark_0090", "dark_0091", "dark_0092"):
        assert name in said


def test_the_pictures_show_the_darks_that_their_titles_name(summary, stories):
    (story,) = stories
    left = {panel.title: panel.data - story.truth.data for panel in story.panels}
    noise = {title: np.median(np.abs(r - np.median(r))) for title, r in left.items()}
    assert noise["average of 4 darks"] == pytest.approx(noise["your one dark"] / 2, rel=0.1)
    assert noise["made by solodark"] < noise["average of 4 darks"]


def test_the_page_and_the_picture_are_there(summary):
    page = summary.report.read_text("utf-8")
    assert summary.report.stat().st_size < 15e6
    assert "made by solodark" in page
    assert "average of 4 darks" in page
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"', "", page))
    with Image.open(summary.picture) as picture:
        assert picture.width > picture.height


def test_the_page_of_stacks_is_there_beside_the_truth(summary):
    page = summary.comparison.read_text("utf-8")
    assert summary.comparison.stat().st_size < 15e6
    names = [row.name for row in summary.stacks]
    assert names[0] == "no dark"
    assert names[-1] == "true dark"
    assert "nearest library master" in names
    for name in names:
        assert name in page
    errors = {row.name: row.error_adu for row in summary.stacks}
    assert errors["true dark"] == 0.0
    assert errors["generated for each light"] < errors["one sub"]


def test_the_night_lies_on_disk_as_a_photographer_keeps_it(summary):
    night = summary.folder / "night"
    counts = {folder.name: len(list(folder.iterdir())) for folder in night.iterdir()}
    assert counts == {"lights": 5, "darks": 4, "flats": 8, "biases": 8}


def test_the_master_says_that_it_was_generated(summary):
    header = fits.getheader(summary.folder / "master.fits")
    assert header["SD_ORIG"] == "generated"
    assert header["EXPTIME"] == 240.0
    assert "STACKCNT" not in header


def test_each_step_is_told_with_the_command_that_does_it(summary, told):
    text = "\n".join(told)
    for command in ("library check", "learn", "generate", "train", "evaluate", "compare"):
        assert f"solodark {command}" in text


def test_a_demo_may_be_repeated_in_its_own_folder(summary, monkeypatch):
    marked = demo_module._claim(summary.folder)
    assert marked == summary.folder


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"me")
    with pytest.raises(OutputError, match="did not write"):
        run_demo(tmp_path, plan=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "demo").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        run_demo(tmp_path / "demo", plan=SMALL)


def test_the_command_prints_where_to_look(summary, run, monkeypatch, tmp_path):
    monkeypatch.setattr(demo_module, "run_demo", lambda *_, **__: summary)
    code, out, _ = run("demo", "-o", tmp_path / "demo")
    assert code == 0
    assert str(summary.comparison) in out
    assert str(summary.report) in out
    assert "mean of 4 subs" in out
    assert "solodark learn" in out.splitlines()[-1]


def test_the_command_gives_json(summary, run, monkeypatch, tmp_path):
    monkeypatch.setattr(demo_module, "run_demo", lambda *_, **__: replace(summary, seconds=1.0))
    code, out, _ = run("demo", "-o", tmp_path / "demo", "--json")
    assert code == 0
    figures = json.loads(out)
    assert Path(figures["report"]) == summary.report
    assert {row["name"] for row in figures["table"]["rows"]} >= {"solodark", "one sub"}


@pytest.mark.slow
def test_the_demo_itself_is_worth_more_than_the_average_of_twenty(tmp_path):
    table = run_demo(tmp_path / "demo").table
    ours, average = (
        table.cell(name, "winsorised").equivalent_subs for name in ("solodark", "mean of 20 subs")
    )
    assert ours > average > 1
