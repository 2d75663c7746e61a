"""A full-resolution master dark from one new dark.

Frames go in, a model of the sensor is learned, a master dark comes out, and its worth is measured.
What is named here is loaded when it is first used, so that ``import solodark`` costs nothing.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from solodark.version import __version__

# Numba would take TBB first. Where the system has one (Siril brings it), a process that ends under
# load can wait for ever in TBB's finalize(); GNU OpenMP ends at once.
os.environ.setdefault("NUMBA_THREADING_LAYER_PRIORITY", "omp workqueue tbb")

if TYPE_CHECKING:
    from solodark.dark_model import DarkModel, learn
    from solodark.errors import SolodarkError, SolodarkWarning
    from solodark.evaluation import EvaluationTable, evaluate_series
    from solodark.formats import read_acquisition, read_frame, write_frame, write_master
    from solodark.frames import (
        Acquisition,
        Camera,
        Frame,
        FrameKind,
        Master,
        MasterDark,
        PixelFlags,
        Verdict,
    )
    from solodark.synthetic import make_camera
    from solodark.workflows.calibrate import calibrate_files
    from solodark.workflows.combine import combine_files
    from solodark.workflows.evaluate import evaluate_files
    from solodark.workflows.generate import generate_file
    from solodark.workflows.learn import learn_files
    from solodark.workflows.model_files import load_model, save_model
    from solodark.workflows.networks import load_network
    from solodark.workflows.stack import stack_files
    from solodark.workflows.train import train_files

__all__ = [
    "Acquisition",
    "Camera",
    "DarkModel",
    "EvaluationTable",
    "Frame",
    "FrameKind",
    "Master",
    "MasterDark",
    "PixelFlags",
    "SolodarkError",
    "SolodarkWarning",
    "Verdict",
    "__version__",
    "calibrate_files",
    "combine_files",
    "evaluate_files",
    "evaluate_series",
    "generate_file",
    "learn",
    "learn_files",
    "load_model",
    "load_network",
    "make_camera",
    "read_acquisition",
    "read_frame",
    "save_model",
    "stack_files",
    "train_files",
    "write_frame",
    "write_master",
]

_ROOMS = {
    "dark_model": "DarkModel learn",
    "errors": "SolodarkError SolodarkWarning",
    "evaluation": "EvaluationTable evaluate_series",
    "formats": "read_acquisition read_frame write_frame write_master",
    "frames": "Acquisition Camera Frame FrameKind Master MasterDark PixelFlags Verdict",
    "synthetic": "make_camera",
    "workflows.calibrate": "calibrate_files",
    "workflows.combine": "combine_files",
    "workflows.evaluate": "evaluate_files",
    "workflows.generate": "generate_file",
    "workflows.learn": "learn_files",
    "workflows.model_files": "load_model save_model",
    "workflows.networks": "load_network",
    "workflows.stack": "stack_files",
    "workflows.train": "train_files",
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Load what is asked for from its room."""
    if name not in _ROOM_OF:
        raise AttributeError(f"solodark has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"solodark.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
