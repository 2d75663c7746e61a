"""The library from the shell: add, list, check."""

import json
import shutil

import pytest


@pytest.fixture
def library(photographer, run, tmp_path):
    place = tmp_path / "library.sqlite"
    code, _, err = run("library", "add", photographer.darks, "--library", place)
    assert (code, err) == (0, "")
    return place


def test_adding_again_reads_nothing_again(photographer, library, run):
    words = ("library", "add", photographer.darks, "--library", library, "--json")
    code, out, _ = run(*words)
    counts = json.loads(out)
    assert code == 0
    assert (counts["added"], counts["changed"], counts["unchanged"]) == (0, 0, 40)


def test_a_bad_file_is_listed_at_the_end_and_stops_nothing(photographer, run, tmp_path):
    folder = tmp_path / "darks"
    shutil.copytree(photographer.tonight, folder)
    (folder / "dark_bad.fits").write_bytes(b"SIMPLE  = nothing")
    code, out, err = run("library", "add", folder, "--library", tmp_path / "library.sqlite")
    assert (code, err) == (0, "")
    assert "5 frames added" in out
    assert "dark_bad.fits" in out.splitlines()[-1]


def test_the_list_shows_series_and_coverage(library, run):
    code, out, _ = run("library", "list", "--library", library)
    assert code == 0
    assert "40 frames in 10 series" in out
    assert "Solodark Uncooled CMOS" in out
    assert "ISO 800, exposure against temperature" in out


def test_the_list_is_json_too(library, run):
    _, out, _ = run("library", "list", "--library", library, "--json")
    listing = json.loads(out)
    assert listing["n_frames"] == 40
    assert sum(series["n_frames"] for series in listing["series"]) == 40


def test_a_copy_among_the_darks_is_found(photographer, library, run, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    twice = min(photographer.darks.glob("*/dark*"))
    shutil.copy(twice, folder / "dark_again.fits")
    run("library", "add", folder, "--library", library)
    code, out, _ = run("library", "check", "--library", library)
    assert code == 0
    assert "dark_again.fits" in out
    assert twice.name in out


def test_paths_are_checked_by_themselves_without_a_library(photographer, run, tmp_path):
    folder = tmp_path / "darks"
    shutil.copytree(photographer.tonight, folder)
    (folder / "dark_bad.fits").write_bytes(b"")
    code, out, _ = run("library", "check", folder, "--json")
    report = json.loads(out)
    assert code == 0
    assert report["n_frames"] == 5
    assert any("dark_bad.fits" in path for f in report["findings"] for path in f["paths"])
    assert max(path.name for path in folder.iterdir()) == "dark_bad.fits"


def test_the_environment_says_where_the_library_lies(photographer, run, tmp_path, monkeypatch):
    monkeypatch.setenv("SOLODARK_LIBRARY", str(tmp_path / "deep" / "library.sqlite"))
    assert run("library", "add", photographer.tonight)[0] == 0
    assert (tmp_path / "deep" / "library.sqlite").is_file()
    assert "5 frames in" in run("library", "list")[1]


def test_a_library_that_is_not_there_is_named(run, tmp_path):
    code, out, err = run("library", "list", "--library", tmp_path / "none.sqlite")
    assert (code, out) == (2, "")
    assert "none.sqlite" in err
    assert "library add" in err


def test_a_library_that_is_none_is_named(photographer, run, tmp_path):
    other = tmp_path / "notes.sqlite"
    other.write_text("not a database, but long enough to look at" * 20)
    code, _, err = run("library", "add", photographer.tonight, "--library", other)
    assert code == 2
    assert "notes.sqlite" in err
    assert len(err.splitlines()) == 1
    assert other.read_text().startswith("not a database")


def test_a_missing_path_is_named(run, tmp_path):
    words = ("library", "add", tmp_path / "nowhere", "--library", tmp_path / "l.sqlite")
    code, _, err = run(*words)
    assert code == 2
    assert "nowhere" in err


def test_the_health_of_a_model_names_its_age_its_pixels_and_the_next_darks(learned, run):
    code, out, err = run("library", "check", "-m", learned.path)
    assert code == 0, err
    assert "One sub is worth" in out
    assert "pixels turn hot in a year" in out
    assert "Next: 20 " in out
    told = json.loads(run("library", "check", "-m", learned.path, "--json")[1])
    assert told["advice"][0]["equivalent_subs"] > told["equivalent_subs"]


def test_the_health_of_what_is_no_model_is_refused(photographer, run):
    code, _, err = run("library", "check", "-m", photographer.sub)
    assert code == 2
    assert photographer.sub.name in err
