"""What `import solodark` offers, and what it costs."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pytest

import solodark

ROOMS = [
    "calibration",
    "cli",
    "combine",
    "dark_model",
    "errors",
    "evaluation",
    "formats",
    "frames",
    "library",
    "pix2pix",
    "registration",
    "report",
    "stacking",
    "synthetic",
]


@pytest.mark.parametrize("name", solodark.__all__)
def test_everything_that_is_offered_is_there(name):
    assert getattr(solodark, name).__doc__ is not None


def test_the_list_of_exports_is_complete_and_free_of_doubles():
    assert sorted(solodark.__all__) == sorted(["__version__", *solodark._ROOM_OF])
    assert set(solodark.__all__) <= set(dir(solodark))


def test_a_name_that_is_not_offered_is_an_attribute_error_that_helps():
    with pytest.raises(AttributeError, match="read_frame"):
        _ = solodark.read_frames


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_offers_what_it_lists(room):
    module = import_module(f"solodark.{room}")
    assert module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("statement", ["import solodark", "import solodark.cli"])
def test_importing_is_light(statement):
    heavy = "{'numpy', 'astropy', 'numba', 'scipy', 'matplotlib', 'torch', 'rawpy', 'PIL'}"
    check = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    ).stdout
    assert loaded.strip() == "[]"


def test_the_version_is_the_same_everywhere():
    assert solodark.__version__ == version("solodark")
