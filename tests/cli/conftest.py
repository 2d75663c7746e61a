"""A small photographer: darks of a few nights, one new night, and a model of the camera."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from solodark.cli import main
from solodark.formats import write_frame
from solodark.frames import Frame
from solodark.synthetic import expose_library, make_camera

SHAPE = (64, 96)


@dataclass(frozen=True)
class Photographer:
    """Folders on disk, written once and only read by the tests."""

    darks: Path
    tonight: Path

    @property
    def sub(self) -> Path:
        return min(self.tonight.iterdir())


@dataclass(frozen=True)
class Learned:
    """A model, and what the command that learned it said."""

    path: Path
    said: str


def write(folder: Path, frame: Frame) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_frame(folder / f"{frame.name}.fits", frame, pixel_type="uint16")


@pytest.fixture(scope="session")
def photographer(tmp_path_factory) -> Photographer:
    folder = tmp_path_factory.mktemp("photographer")
    rng = np.random.default_rng(5)
    camera = make_camera(rng, shape=SHAPE)
    sessions = expose_library(
        camera,
        rng,
        n_sessions=6,
        subs_per_session=5,
        biases_per_session=3,
        isos=[800],
        exposures_s=(60.0, 120.0, 300.0),
    )
    *library, last = sessions
    for session in library:
        for shot in (*session.darks, *session.biases):
            write(folder / "darks" / f"night_{session.index}", shot.frame)
    for shot in last.darks:
        write(folder / "tonight", shot.frame)
    return Photographer(folder / "darks", folder / "tonight")


@pytest.fixture(scope="session")
def learned(photographer, tmp_path_factory) -> Learned:
    """A model learned from the command line, once for all tests of a process."""
    path = tmp_path_factory.mktemp("model") / "camera.solodark"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as end:
        main(["learn", str(photographer.darks), "-o", str(path)])
    assert end.value.code == 0
    return Learned(path, said.getvalue())


@pytest.fixture
def model(learned) -> Path:
    return learned.path


@pytest.fixture
def run(capsys):
    """Run a command in this process; gives exit code, stdout, stderr."""

    def run_command(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run_command
