"""Bad input: exit 2, one sentence that names the file, no traceback, nothing half-written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from solodark.formats import atomic_write, write_frame
from solodark.frames import Acquisition, Camera, Frame, FrameKind

COMMANDS = ("combine", "learn", "generate", "evaluate", "calibrate", "stack", "compare")


def dark(name: str, shape=(32, 48), **acquisition) -> Frame:
    rng = np.random.default_rng(len(name))
    taken = {"kind": FrameKind.DARK, "exposure_s": 60.0, "camera": Camera("Cam A")} | acquisition
    return Frame(rng.normal(500, 5, shape), Acquisition(**taken), name)


def save(folder: Path, frame: Frame) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{frame.name}.fits"
    write_frame(path, frame, pixel_type="uint16")
    return path


@pytest.fixture
def words_for(request):
    """The command with a file in the place where that command takes frames."""

    def words(command: str, given: Path, output: Path) -> list[str]:
        master, page = ["-o", str(output / "master.fits")], ["-o", str(output / "page.html")]
        words = {
            "combine": [str(given), *master],
            "learn": [str(given), "-o", str(output / "camera.solodark")],
            "calibrate": [str(given), "-o", str(output / "process")],
            "stack": [str(given), *master],
            "evaluate": [str(given)],
            "generate": [str(given), *master],
            "compare": ["--lights", str(given), "--darks", ".", "--sub", "a.fits", *page],
        }[command]
        if command in {"evaluate", "generate", "compare"}:
            words += ["-m", str(request.getfixturevalue("model"))]
        return [command, *words]

    return words


def assert_refused(result: tuple[int, str, str], *said: str) -> None:
    code, out, err = result
    assert code == 2, err
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith("solodark: ")
    assert len(err.splitlines()) == 1
    for words in said:
        assert words in err


@pytest.fixture
def output(tmp_path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4000])


BAD_FILES = {
    "random bytes": lambda path: path.write_bytes(np.random.default_rng(1).bytes(5000)),
    "empty file": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a picture"),
    "truncated": truncated,
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", BAD_FILES)
@pytest.mark.parametrize("suffix", [".fits", ".tif", ".cr2", ".xisf", ".dng"])
def test_a_damaged_file_is_named(command, fault, suffix, words_for, run, output, tmp_path):
    bad = tmp_path / f"dark_bäd{suffix}"
    save(tmp_path, dark("good")).rename(bad)
    BAD_FILES[fault](bad)
    assert_refused(run(*words_for(command, bad, output)), bad.name)
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_is_named(command, words_for, run, output, tmp_path):
    missing = tmp_path / "nowhere.fits"
    assert_refused(run(*words_for(command, missing, output)), "nowhere.fits")
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_folder_is_named(command, words_for, run, output, tmp_path):
    folder = tmp_path / "no_darks"
    folder.mkdir()
    assert_refused(run(*words_for(command, folder, output)), "no_darks")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_another_kind_is_named(command, words_for, run, output, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("clouds at two")
    assert_refused(run(*words_for(command, notes, output)), "notes.txt")
    assert list(output.iterdir()) == []


DIFFERENCES = {
    "size": {"shape": (32, 50)},
    "camera": {"camera": Camera("Cam B")},
    "gain": {"gain_setting": 200.0},
    "ISO": {"iso": 1600},
    "binning": {"binning": (2, 2)},
}


@pytest.mark.parametrize("command", ["combine", "learn"])
@pytest.mark.parametrize("what", DIFFERENCES)
def test_frames_that_differ_are_listed_with_their_difference(
    command, what, words_for, run, output, tmp_path
):
    folder = tmp_path / "darks"
    common = {"gain_setting": 100.0, "iso": 800}
    # learning needs more than one exposure, combining just one
    exposures_s = (60.0, 60.0 if command == "combine" else 120.0)
    for number in range(6):
        save(folder, dark(f"same_{number}", exposure_s=exposures_s[number % 2], **common))
    save(folder, dark("other", **(common | DIFFERENCES[what])))
    result = run(*words_for(command, folder, output))
    assert_refused(result, "other.fits", what)
    assert list(output.iterdir()) == []


def test_a_model_that_is_none_is_named(photographer, run, output):
    words = ["generate", photographer.sub, "-m", photographer.sub, "-o", output / "master.fits"]
    assert_refused(run(*words), photographer.sub.name)
    assert list(output.iterdir()) == []


def test_a_missing_model_is_named(photographer, run, output):
    words = ["generate", photographer.sub, "-m", "no.solodark", "-o", output / "master.fits"]
    assert_refused(run(*words), "no.solodark")


def test_a_cut_off_model_is_named(photographer, model, run, output, tmp_path):
    cut = tmp_path / "cut.solodark"
    cut.write_bytes(model.read_bytes()[:-1000])
    words = ["generate", photographer.sub, "-m", cut, "-o", output / "master.fits"]
    assert_refused(run(*words), "cut.solodark")


def test_a_sub_of_another_size_is_refused(photographer, model, run, output, tmp_path):
    other = save(tmp_path, dark("other"))
    words = ["generate", other, "-m", model, "-o", output / "master.fits", "--force"]
    assert_refused(run(*words), "other.fits")
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("command", ["combine", "learn", "generate"])
def test_a_folder_that_is_not_there_is_no_place_to_write(
    command, photographer, words_for, run, tmp_path
):
    nowhere = tmp_path / "not" / "there"
    given = photographer.sub if command == "generate" else photographer.darks
    assert_refused(run(*words_for(command, given, nowhere)), "there")
    assert not nowhere.exists()


def test_an_output_that_is_no_fits_name_is_refused_before_the_work(photographer, run, output):
    result = run("combine", photographer.tonight, "-o", output / "master.jpg")
    assert_refused(result, "master.jpg", ".fits")


@pytest.mark.parametrize(
    "words",
    [
        ["combin"],
        ["combine"],
        ["combine", "darks"],
        ["learn", "darks", "-o"],
        ["learn", "darks", "--leave-out-exposure-s", "long", "-o", "x.solodark"],
        ["generate", "a", "b", "-m", "x", "-o", "y"],
        ["--colour"],
    ],
)
def test_a_mistyped_command_is_exit_2_with_a_hint(words, run):
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert "Error: " in err
    assert "Traceback" not in err


@pytest.mark.skipif(os.name != "posix", reason="only POSIX file names can be bytes")
def test_a_file_name_that_is_no_text_is_named_all_the_same(tmp_path):
    bad = os.fsencode(tmp_path) + b"/dark_\xff.fits"
    Path(os.fsdecode(bad)).write_bytes(b"nothing")
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "solodark", "combine", bad, "-o", "master.fits"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert ended.returncode == 2
    assert b"dark_\\udcff.fits" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_command_interrupted_while_it_writes_leaves_nothing(how, run, output, monkeypatch):
    def interrupted(paths: object, target: Path, **options: object) -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half a model")
            os.kill(os.getpid(), how)
            time.sleep(10)

    monkeypatch.setattr("solodark.workflows.learn.learn_files", interrupted)
    # A shell that runs the tests in the background has them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, _, err = run("learn", "darks", "-o", output / "camera.solodark")
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130
    assert err == "solodark: interrupted; nothing half-written was left\n"
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("own", [None, "4"])
def test_no_thread_of_blas_waits_busily_unless_the_user_wants_them(own):
    env = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    ask = (
        "import atexit, os, sys; from solodark.cli import main; before = 'numpy' in sys.modules; "
        "atexit.register(lambda: print(before, os.environ['OPENBLAS_NUM_THREADS'])); "
        "main(['--version'])"
    )
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", ask],
        capture_output=True,
        env=env | ({} if own is None else {"OPENBLAS_NUM_THREADS": own}),
        check=True,
        text=True,
    )
    assert ended.stdout.splitlines()[-1] == f"False {own or 1}"
