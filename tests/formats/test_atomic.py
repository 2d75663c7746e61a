"""Files are whole or not there."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from solodark.errors import FrameNotFoundError, NotEnoughFramesError, OutputError
from solodark.formats import atomic_write, file_sha256


def test_a_written_file_holds_what_was_written_and_lies_alone(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "master.fits") as temporary:
        temporary.write_bytes(b"pixels")
        assert not (tmp_path / "master.fits").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["master.fits"]
    assert (tmp_path / "master.fits").read_bytes() == b"pixels"


def write_half(target: Path, failure: BaseException) -> None:
    with atomic_write(target) as temporary:
        temporary.write_bytes(b"half of the n")
        raise failure


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, NotEnoughFramesError])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    target = tmp_path / "master.fits"
    target.write_bytes(b"old")
    with pytest.raises(failure):
        write_half(target, failure("told by the block"))
    assert [file.name for file in tmp_path.iterdir()] == ["master.fits"]
    assert target.read_bytes() == b"old"


def test_a_full_disk_is_told_in_one_sentence_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"master\.fits.*No space left") as caught:
        write_half(tmp_path / "master.fits", OSError(28, "No space left on device"))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_who_reads_the_old_file_is_not_disturbed(tmp_path: Path) -> None:
    target = tmp_path / "master.fits"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        with atomic_write(target) as temporary:
            temporary.write_bytes(b"new")
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new"


def test_a_missing_folder_is_told_before_the_work_begins(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"folder .*nowhere does not exist"):
        write_half(tmp_path / "nowhere" / "master.fits", AssertionError("the block began"))


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        write_half(tmp_path, AssertionError("the block began"))


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.fits").write_bytes(b"old")
    (tmp_path / "link.fits").symlink_to("real.fits")
    with atomic_write(tmp_path / "link.fits") as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "link.fits").is_symlink()
    assert (tmp_path / "real.fits").read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a POSIX signal")
def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "master.fits"
    target.write_bytes(b"old")
    code = (
        "import sys, time\nfrom solodark.formats.atomic import atomic_write\n"
        "with atomic_write(sys.argv[1]) as path:\n"
        "    path.write_bytes(b'half')\n    print('writing', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen(  # noqa: S603 - a fixed program, run by our own interpreter
        [sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"writing\n"
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=30)
    child.stdout.close()
    assert target.read_bytes() == b"old"
    assert all(file.name.startswith(".") for file in tmp_path.iterdir() if file != target)


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "dark.fits"
    file.write_bytes(b"dark" * 1000)
    assert file_sha256(file) == hashlib.sha256(b"dark" * 1000).hexdigest()


def test_what_is_not_there_cannot_be_hashed(tmp_path: Path) -> None:
    with pytest.raises(FrameNotFoundError, match=r"dark\.fits"):
        file_sha256(tmp_path / "dark.fits")
