"""The catalogue keeps what was read, whatever happens to the process."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from solodark.errors import FrameFormatError, LibraryError
from solodark.frames import Acquisition, Frame
from solodark.frames.statistics import measure_statistics
from solodark.library import BadFile, Catalogue, FileStamp, FrameRecord, schema
from solodark.library import catalogue as catalogue_module

STAMP = FileStamp(1000, 123_456_789)
STATISTICS = measure_statistics(Frame(np.arange(4096.0).reshape(64, 64)))


def a_frame(path, **header) -> FrameRecord:
    return FrameRecord(Path(path), Acquisition(**header), STATISTICS)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "library.sqlite"


def test_frames_are_found_again_after_closing(path):
    with Catalogue(path) as catalogue:
        catalogue.store(
            [(a_frame("/d/2.fit", exposure_s=60.0), STAMP), (a_frame("/d/1.fit"), STAMP)]
        )
    with Catalogue(path, create=False) as catalogue:
        first, second = catalogue.frames()
        headers = catalogue.headers()
    assert (first.path, second.path) == (Path("/d/1.fit"), Path("/d/2.fit"))
    assert second.acquisition.exposure_s == 60.0
    assert np.array_equal(first.statistics.sample_adu, STATISTICS.sample_adu)
    assert [(h.path, h.shape) for h in headers] == [(f.path, (64, 64)) for f in (first, second)]


def test_only_a_file_of_another_size_or_time_has_changed(path):
    with Catalogue(path) as catalogue:
        assert catalogue.state_of(Path("/d/1.fit"), STAMP) == "new"
        catalogue.store([(a_frame("/d/1.fit"), STAMP)])
        assert catalogue.state_of(Path("/d/1.fit"), STAMP) == "unchanged"
        assert catalogue.state_of(Path("/d/1.fit"), FileStamp(1001, STAMP.mtime_ns)) == "changed"
        assert (
            catalogue.state_of(Path("/d/1.fit"), FileStamp(1000, STAMP.mtime_ns + 1)) == "changed"
        )


def test_frames_that_an_older_version_measured_count_as_changed(path, monkeypatch):
    with Catalogue(path) as catalogue:
        catalogue.store([(a_frame("/d/1.fit"), STAMP)])
        monkeypatch.setattr(catalogue_module, "STATISTICS_VERSION", 10**6)
        assert catalogue.state_of(Path("/d/1.fit"), STAMP) == "changed"


def test_a_bad_file_is_kept_with_its_sentence_and_replaced_when_it_is_mended(path):
    bad = BadFile.from_error(Path("/d/1.fit"), FrameFormatError("/d/1.fit: is empty"))
    with Catalogue(path) as catalogue:
        catalogue.store([(bad, STAMP)])
        assert catalogue.bad_files() == [bad]
        assert list(catalogue.frames()) == []
        catalogue.store([(a_frame("/d/1.fit"), FileStamp(2000, 1))])
        assert catalogue.bad_files() == []
        assert [frame.path for frame in catalogue.frames()] == [bad.path]


@pytest.mark.parametrize("name", ["dunkel_é_日本.fit", "a\nb.fit", os.fsdecode(b"dark_\xe9.fit")])
def test_any_file_name_is_kept(path, name):
    bad = BadFile(Path("/d") / ("bad" + name), "unreadable", f"{name}: is empty")
    with Catalogue(path) as catalogue:
        catalogue.store([(a_frame(Path("/d") / name), STAMP), (bad, STAMP)])
        assert [frame.path.name for frame in catalogue.frames()] == [name]
        assert catalogue.bad_files()[0].path == bad.path
        assert catalogue.stamps() == {Path("/d") / name: STAMP, bad.path: STAMP}


def test_paths_are_kept_absolute(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with Catalogue(path) as catalogue:
        catalogue.store([(a_frame("darks/../1.fit"), STAMP)])
        assert list(catalogue.stamps()) == [tmp_path / "1.fit"]
        assert catalogue.state_of(Path("1.fit"), STAMP) == "unchanged"


def test_what_is_forgotten_is_gone_and_nothing_else(path):
    with Catalogue(path) as catalogue:
        catalogue.store([(a_frame("/d/1.fit"), STAMP), (a_frame("/d/2.fit"), STAMP)])
        catalogue.forget([Path("/d/1.fit"), Path("/d/never.fit")])
        assert list(catalogue.stamps()) == [Path("/d/2.fit")]


def test_a_batch_that_fails_half_way_leaves_nothing(path, monkeypatch):
    honest = catalogue_module._row

    def broken(record, stamp):
        row = honest(record, stamp)
        return (*row[:-1], object()) if record.path.name == "2.fit" else row

    monkeypatch.setattr(catalogue_module, "_row", broken)
    with Catalogue(path) as catalogue:
        with pytest.raises(LibraryError):
            catalogue.store([(a_frame("/d/1.fit"), STAMP), (a_frame("/d/2.fit"), STAMP)])
        assert list(catalogue.stamps()) == []


def test_a_catalogue_in_memory_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Catalogue() as catalogue:
        catalogue.store([(a_frame("/d/1.fit"), STAMP)])
        assert len(catalogue.headers()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_new_library_is_made(tmp_path):
    with Catalogue(tmp_path / "new" / "folder" / "library.sqlite"):
        pass
    assert (tmp_path / "new" / "folder" / "library.sqlite").exists()


def test_an_empty_file_becomes_a_library(path):
    path.touch()
    with Catalogue(path) as catalogue:
        assert catalogue.headers() == []


def assert_refused(path, *words, create=True):
    with pytest.raises(LibraryError) as caught, Catalogue(path, create=create) as catalogue:
        list(catalogue.frames())
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    for word in words:
        assert word in sentence
    assert "\n" not in sentence


def test_a_library_that_is_not_there_is_not_made_by_looking(path):
    assert_refused(path, "solodark library add", create=False)
    assert not path.exists()


def test_a_folder_is_no_library(tmp_path):
    assert_refused(tmp_path, "is a folder")


def test_a_place_where_no_folder_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert_refused(tmp_path / "file" / "sub" / "library.sqlite", "folder")


@pytest.mark.parametrize("content", [b"SIMPLE  =                    T" * 100, b"x", b"\0" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    assert_refused(path, "library")
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_refused_and_left_alone(path):
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE frames (path TEXT)")
    foreign.commit()
    foreign.close()
    before = path.read_bytes()
    assert_refused(path, "another program")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_library_of_a_newer_version_is_refused(path, monkeypatch):
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 99)
    with Catalogue(path):
        pass
    monkeypatch.undo()
    assert_refused(path, "newer solodark", "99")


def test_a_damaged_library_gives_sound_frames_or_one_sentence(path, rng):
    with Catalogue(path) as catalogue:
        catalogue.store([(a_frame(f"/d/{n}.fit", exposure_s=60.0), STAMP) for n in range(20)])
    whole = path.read_bytes()
    sentences = [read_spoilt(path, spoil(whole, rng)) for _ in range(60)]
    refusals = [sentence for sentence in sentences if sentence]
    assert len(refusals) > 10
    assert all(sentence.startswith(str(path)) for sentence in refusals)


def spoil(whole, rng):
    spoilt = bytearray(whole)
    for place in rng.integers(0, len(whole), 40):
        spoilt[place] = rng.integers(256)
    return bytes(spoilt[: rng.integers(1, len(whole))] if rng.random() < 0.3 else spoilt)


def read_spoilt(path, content) -> str:
    """The sentence of the refusal, or nothing where all that came out was sound."""
    path.write_bytes(content)
    for left in path.parent.glob("library.sqlite-*"):
        left.unlink()
    try:
        with Catalogue(path) as catalogue:
            assert all(frame.shape == (64, 64) for frame in catalogue.frames())
            catalogue.headers(), catalogue.bad_files(), catalogue.stamps()
    except LibraryError as error:
        return str(error)
    return ""


def test_a_library_that_another_program_holds_for_long_is_told_so(path, monkeypatch):
    monkeypatch.setattr(schema, "PATIENCE_S", 0.05)
    with Catalogue(path) as catalogue:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryError, match="another program has held"):
            catalogue.store([(a_frame("/d/1.fit"), STAMP)])
        other.execute("COMMIT")
        other.close()
        catalogue.store([(a_frame("/d/1.fit"), STAMP)])


WRITER = """
import sys
from pathlib import Path
import numpy as np
from solodark.frames import Acquisition, Frame
from solodark.frames.statistics import measure_statistics
from solodark.library import Catalogue, FileStamp, FrameRecord

name, n_batches = sys.argv[2], int(sys.argv[3])
statistics = measure_statistics(Frame(np.arange(4096.0).reshape(64, 64)))
with Catalogue(sys.argv[1]) as catalogue:
    print("open", flush=True)
    for batch in range(n_batches):
        catalogue.store(
            (
                FrameRecord(Path(f"/{name}/{batch}_{n}.fit"), Acquisition(), statistics),
                FileStamp(batch, n),
            )
            for n in range(4)
        )
        print(batch, flush=True)
"""


def start_writer(path, name, n_batches):
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), name, str(n_batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own


def assert_whole_batches(path, *, at_least):
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with Catalogue(path, create=False) as catalogue:
        frames = list(catalogue.frames())
    batches = {}
    for frame in frames:
        batches.setdefault(frame.path.name.split("_")[0], []).append(frame)
    assert len(batches) >= at_least
    assert all(len(held) % 4 == 0 for held in batches.values())


@pytest.mark.parametrize("lived_batches", [0, 7])
def test_a_process_killed_while_it_adds_leaves_a_whole_library(path, lived_batches):
    writer = start_writer(path, "d", 10**6)
    assert writer.stdout.readline() == "open\n"
    for _ in range(lived_batches):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    assert_whole_batches(path, at_least=lived_batches)


def test_two_processes_add_at_once_and_nothing_is_lost(path):
    writers = [start_writer(path, name, 25) for name in ("d", "e")]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with Catalogue(path, create=False) as catalogue:
        assert len(catalogue.headers()) == 2 * 25 * 4
