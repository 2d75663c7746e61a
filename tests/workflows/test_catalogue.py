"""The library on disk: the user's files are read once, and never changed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from solodark.cli.printing import as_json_value
from solodark.errors import FrameNotFoundError, LibraryError
from solodark.workflows import catalogue_adding
from solodark.workflows.catalogue import (
    check_frames,
    forget_vanished,
    library_dark_paths,
    list_frames,
)
from solodark.workflows.catalogue_adding import add_frames


def write_frame(path: Path, rng, *, kind="Dark Frame", exposure_s=60.0, minute=0, shape=(64, 96)):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = fits.Header()
    header["IMAGETYP"] = kind
    header["EXPTIME"] = exposure_s
    header["CCD-TEMP"] = -10.0
    header["INSTRUME"] = "Kamera 1"
    header["DATE-OBS"] = f"2024-01-05T20:{minute:02d}:00"
    data = rng.normal(1000, 8, shape).round().astype(np.uint16)
    fits.writeto(path, data, header, overwrite=True)
    return path


@pytest.fixture
def library(tmp_path) -> Path:
    return tmp_path / "library.sqlite"


@pytest.fixture
def darks(tmp_path, rng) -> Path:
    folder = tmp_path / "darks"
    for n in range(5):
        write_frame(folder / f"dark_{n}.fits", rng, minute=n)
    return folder


@pytest.fixture
def read_paths(monkeypatch) -> list[Path]:
    """Every file that is opened for its pixels."""
    opened = []
    honest = catalogue_adding.open_frame

    def spy(path):
        opened.append(path)
        return honest(path)

    monkeypatch.setattr(catalogue_adding, "open_frame", spy)
    return opened


def snapshot(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


def test_adding_reads_every_frame_once_and_changes_none(library, darks, read_paths):
    before = snapshot(darks)
    summary = add_frames(library, darks)
    assert (summary.added, summary.changed, summary.unchanged, summary.failed) == (5, 0, 0, ())
    assert sorted(read_paths) == sorted(before)
    assert snapshot(darks) == before


def test_unchanged_files_are_not_read_again(library, darks, read_paths):
    add_frames(library, darks)
    read_paths.clear()
    summary = add_frames(library, darks)
    assert (summary.added, summary.unchanged) == (0, 5)
    assert read_paths == []


def test_a_file_that_changed_is_read_again(library, darks, read_paths, rng):
    add_frames(library, darks)
    read_paths.clear()
    changed = write_frame(darks / "dark_2.fits", rng, exposure_s=120.0, shape=(64, 98))
    summary = add_frames(library, darks)
    assert (summary.added, summary.changed, summary.unchanged) == (0, 1, 4)
    assert read_paths == [changed]
    assert {row.exposure_s for row in list_frames(library).series} == {60.0, 120.0}


def test_a_bad_file_stops_nothing_and_is_read_again_only_when_it_changes(
    library, darks, read_paths, rng
):
    bad = darks / "dark_1.fits"
    bad.write_bytes(bad.read_bytes()[:4000])
    first = add_frames(library, darks)
    assert (first.added, [path for path, _ in first.failed]) == (4, [bad])
    ((_, sentence),) = first.failed
    assert sentence.startswith(str(bad))
    read_paths.clear()
    again = add_frames(library, darks)
    assert again.failed == first.failed
    assert (again.added, again.unchanged, read_paths) == (0, 4, [])
    write_frame(bad, rng)
    mended = add_frames(library, darks)
    assert (mended.changed, mended.unchanged, mended.failed) == (1, 4, ())


def test_folders_are_searched_to_their_depth(library, tmp_path, rng):
    write_frame(tmp_path / "a" / "b" / "c" / "deep.fit", rng)
    assert add_frames(library, [tmp_path / "a"]).added == 1


def test_names_outside_ascii_and_outside_utf_8_are_catalogued(library, tmp_path, rng):
    names = ["dunkel_é_日本.fits", os.fsdecode(b"dark_\xe9.fits")]
    paths = [write_frame(tmp_path / "f" / name, rng, minute=n) for n, name in enumerate(names)]
    assert add_frames(library, tmp_path / "f").added == 2
    assert sorted(library_dark_paths(library)) == sorted(paths)
    assert check_frames(library).n_frames == 2


def test_relative_paths_are_kept_absolute(library, darks, monkeypatch):
    monkeypatch.chdir(darks.parent)
    add_frames(library, "darks")
    assert add_frames(library, darks).unchanged == 5
    assert all(path.is_absolute() for path in library_dark_paths(library))


def test_a_folder_that_does_not_exist_is_told_before_a_library_is_made(library, tmp_path):
    with pytest.raises(FrameNotFoundError):
        add_frames(library, tmp_path / "nowhere")
    assert not library.exists()


def test_progress_is_told_of_every_file(library, darks):
    told = []

    def progress(items, description, total=None):
        for item in items:
            told.append((item, description, total))
            yield item

    add_frames(library, darks, progress=progress)
    assert len(told) == 5
    assert {total for _, _, total in told} == {5}


def test_the_list_shows_series_and_coverage(library, darks, rng):
    write_frame(darks.parent / "biases" / "b.fits", rng, kind="Bias Frame", exposure_s=0.0)
    add_frames(library, darks.parent)
    listing = list_frames(library)
    assert listing.n_frames == 6
    assert {(row.kind, row.n_frames) for row in listing.series} == {("dark", 5), ("bias", 1)}
    dark = next(row for row in listing.series if row.kind == "dark")
    assert (dark.size, dark.night, dark.temperatures_c) == ((96, 64), "2024-01-05", (-10.0, -10.0))
    (table,) = listing.coverage
    assert (table.exposures_s, table.temperatures_c, table.counts) == ((60.0,), (-10.0,), ((5,),))


def test_lists_and_reports_can_be_told_as_json(library, darks):
    bad = darks / "dark_1.fits"
    bad.write_bytes(b"SIMPLE")
    summary = add_frames(library, darks)
    for value in (summary, list_frames(library), check_frames(library).to_dict()):
        assert json.loads(json.dumps(as_json_value(value)))


def test_darks_and_biases_are_offered_for_learning_and_nothing_else(library, tmp_path, rng):
    for n, kind in enumerate(("Dark Frame", "Bias Frame", "Light Frame", "Flat Frame")):
        write_frame(tmp_path / "f" / f"{n}.fits", rng, kind=kind, minute=n)
    master = write_frame(tmp_path / "f" / "master.fits", rng, kind="Master Dark")
    fits.setval(master, "NCOMBINE", value=20)
    add_frames(library, tmp_path / "f")
    assert [path.name for path in library_dark_paths(library)] == ["0.fits", "1.fits"]


def findings_of(report) -> dict[str, list[str]]:
    return {f.code: sorted(path.name for path in f.paths) for f in report.findings}


def test_a_check_lists_bad_files_and_copies(library, darks):
    (darks / "copy.fits").write_bytes((darks / "dark_0.fits").read_bytes())
    (darks / "dark_1.fits").write_bytes((darks / "dark_1.fits").read_bytes()[:4000])
    add_frames(library, darks)
    found = findings_of(check_frames(library))
    assert found == {"truncated": ["dark_1.fits"], "duplicate": ["dark_0.fits"]}


def test_a_check_reads_no_pixels(library, darks, read_paths):
    add_frames(library, darks)
    read_paths.clear()
    check_frames(library)
    assert read_paths == []


def test_vanished_files_are_told_until_they_are_forgotten(library, darks):
    add_frames(library, darks)
    (darks / "dark_3.fits").unlink()
    assert findings_of(check_frames(library)) == {"vanished": ["dark_3.fits"]}
    assert findings_of(check_frames(library)) == {"vanished": ["dark_3.fits"]}
    assert forget_vanished(library) == [darks / "dark_3.fits"]
    assert findings_of(check_frames(library)) == {}


def test_an_unplugged_disk_is_one_loss(library, darks):
    add_frames(library, darks)
    darks.rename(darks.parent / "elsewhere")
    (finding,) = check_frames(library).findings
    assert (finding.code, len(finding.paths)) == ("vanished", 5)
    assert f"{darks} with 5 frames" in finding.sentence


def test_a_file_that_moved_is_told_as_moved(library, darks):
    add_frames(library, darks)
    (darks / "dark_3.fits").rename(darks / "renamed.fits")
    add_frames(library, darks)
    assert findings_of(check_frames(library)) == {"moved": ["dark_3.fits"]}


def test_a_bad_file_that_was_removed_is_no_longer_told(library, darks):
    bad = darks / "dark_1.fits"
    bad.write_bytes(b"SIMPLE")
    add_frames(library, darks)
    bad.unlink()
    assert findings_of(check_frames(library)) == {}


def test_a_file_written_again_since_it_was_read_is_told(library, darks, rng):
    add_frames(library, darks)
    write_frame(darks / "dark_3.fits", rng, shape=(64, 98))
    assert findings_of(check_frames(library)) == {"stale": ["dark_3.fits"]}


def test_folders_can_be_checked_without_a_library(darks, monkeypatch):
    (darks / "copy.fits").write_bytes((darks / "dark_0.fits").read_bytes())
    monkeypatch.chdir(darks.parent)
    before = snapshot(darks.parent)
    report = check_frames(None, darks)
    assert (report.n_frames, findings_of(report)) == (6, {"duplicate": ["dark_0.fits"]})
    assert report.count("doubt") == 1
    assert snapshot(darks.parent) == before


def test_a_check_can_be_narrowed_to_a_folder(library, darks, rng):
    add_frames(library, darks)
    other = write_frame(darks.parent / "other" / "o.fits", rng)
    other.write_bytes(other.read_bytes()[:4000])
    add_frames(library, other)
    assert findings_of(check_frames(library, darks)) == {}
    assert findings_of(check_frames(library, [other.parent])) == {"truncated": ["o.fits"]}
    with pytest.raises(FrameNotFoundError, match="knows no frame here"):
        check_frames(library, darks.parent / "never")


@pytest.mark.parametrize("ask", [list_frames, check_frames, library_dark_paths, forget_vanished])
def test_a_library_that_is_not_there_is_told_so(library, ask):
    with pytest.raises(LibraryError, match="no library here"):
        ask(library)


ADDER = """
import sys
from solodark.workflows import catalogue_adding
catalogue_adding.BATCH = 2
def progress(items, description, total=None):
    for n, item in enumerate(items):
        print(n, flush=True)
        yield item
catalogue_adding.add_frames(sys.argv[1], sys.argv[2:], progress=progress)
"""


def start_adding(library, *folders):
    command = [sys.executable, "-c", ADDER, str(library), *map(str, folders)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own


def test_adding_goes_on_where_a_kill_stopped_it(library, tmp_path, rng):
    folder = tmp_path / "many"
    for n in range(30):
        write_frame(folder / f"{n:02d}.fits", rng, minute=n)
    adding = start_adding(library, folder)
    for _ in range(9):
        adding.stdout.readline()
    adding.send_signal(signal.SIGKILL)
    adding.communicate()
    kept = list_frames(library).n_frames
    assert 6 <= kept < 30
    summary = add_frames(library, folder)
    assert (summary.unchanged, summary.added) == (kept, 30 - kept)


def test_two_processes_adding_at_once_catalogue_everything(library, tmp_path, rng):
    for name in "ab":
        for n in range(8):
            write_frame(tmp_path / name / f"{n}.fits", rng, minute=n)
    both = [start_adding(library, tmp_path / name, tmp_path / "a") for name in "ab"]
    for adding in both:
        adding.communicate()
        assert adding.returncode == 0
    assert list_frames(library).n_frames == 16


def test_a_file_that_is_still_being_written_is_read_again_next_time(library, darks, monkeypatch):
    honest = catalogue_adding.measure_statistics
    late = darks / "dark_4.fits"

    def slow(source):
        found = honest(source)
        if source.name.endswith("dark_4.fits"):
            os.utime(late, ns=(time.time_ns(), time.time_ns()))
        return found

    monkeypatch.setattr(catalogue_adding, "measure_statistics", slow)
    add_frames(library, darks)
    monkeypatch.setattr(catalogue_adding, "measure_statistics", honest)
    assert add_frames(library, darks).changed == 1
