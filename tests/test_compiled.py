"""Compiled functions are compiled anew when anything changes that went into them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import solodark.compiled
from solodark.compiled import stamp_of

FILES = {
    "__init__.py": "",
    "numbers.py": "SPEED = 2.0\n",
    "steps.py": (
        "from solodark.compiled import njit\n"
        "from solodark.numbers import SPEED\n\n"
        "@njit(cache=True)\ndef step(x):\n    return SPEED * x\n"
    ),
    "walk.py": (
        "from solodark.compiled import njit\n"
        "from solodark.steps import (\n    step,\n)\n\n"
        "@njit(cache=True)\ndef walk(x):\n    return step(x) + 1.0\n\n"
        "print(walk(10.0))\n"
    ),
    "apart.py": "NOTHING = 0\n",
}


@pytest.fixture
def package(tmp_path):
    """A small program whose compiled function takes a constant from two files away."""
    folder = tmp_path / "solodark"
    folder.mkdir()
    shutil.copy(Path(solodark.compiled.__file__), folder)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def walk(package, **settings):
    path = {"PYTHONPATH": str(package.parent), "NUMBA_CACHE_DIR": str(package.parent / "cache")}
    path |= settings
    command = [sys.executable, "-c", "import solodark.walk"]
    done = subprocess.run(  # noqa: S603 - a program that this test wrote
        command, env={**os.environ, **path}, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_an_update_of_a_file_far_away_is_not_answered_by_the_old_code(package):
    assert walk(package) == 21.0
    (package / "numbers.py").write_text("SPEED = 3.0\n")
    assert walk(package) == 31.0


def test_an_update_that_does_away_with_a_class_leaves_what_was_compiled_for_it(package):
    (package / "numbers.py").write_text(
        "from typing import NamedTuple\n\nSPEED = 2.0\n\nclass Pace(NamedTuple):\n    x: float\n"
    )
    (package / "walk.py").write_text(
        "from solodark.compiled import njit\nfrom solodark.numbers import Pace\n\n"
        "@njit(cache=True)\ndef walk(pace):\n    return 2.0 * pace.x\n\nprint(walk(Pace(10.0)))\n"
    )
    assert walk(package) == 20.0
    for name in ("numbers.py", "walk.py"):
        path = package / name
        path.write_text(path.read_text().replace("Pace", "Gait"))
    assert walk(package) == 20.0


def test_a_stamp_is_of_the_files_a_function_rests_on_and_of_no_others(package):
    def stamp(name):
        stamp_of.cache_clear()
        solodark.compiled._contents.cache_clear()
        return stamp_of(str(package / name), str(package))

    before, alone = stamp("walk.py"), stamp("apart.py")
    (package / "apart.py").write_text("NOTHING = 1\n")
    assert stamp("walk.py") == before
    assert stamp("apart.py") != alone
    (package / "numbers.py").write_text("SPEED = 4.0\n")
    assert stamp("walk.py") != before


def test_what_is_compiled_is_kept_on_disk(package):
    walk(package)
    kept = {path: path.stat().st_mtime_ns for path in package.parent.rglob("*.nb[ic]")}
    assert len(kept) == 4
    walk(package)
    assert {path: path.stat().st_mtime_ns for path in package.parent.rglob("*.nb[ic]")} == kept


def test_the_program_runs_where_numba_is_told_to_compile_nothing(package):
    assert walk(package, NUMBA_DISABLE_JIT="1") == 21.0
