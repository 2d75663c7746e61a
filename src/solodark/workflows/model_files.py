"""Model files, and many frames at once, opened without loading what computes with them.

Reading a model of 24 megapixels takes as long as importing what is compiled; so the one can go on
beside the other.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from solodark.errors import OutputError
from solodark.formats import open_frame
from solodark.formats.model_file import MODEL_SUFFIX, read_arrays, write_arrays
from solodark.frames import FrameSource

if TYPE_CHECKING:
    from solodark.dark_model import DarkModel

__all__ = ["load_model", "open_frames", "require_model_path", "save_model"]

PathLike = str | os.PathLike[str]

_CONTENT = "dark model"
# As the storage of models names them; its import runs beside the reading.
_FOR_GROWTH = (
    "residuals",
    "kept_place",
    "kept_since",
    "kept_values",
    "survey_levels",
    "survey_profiles",
    "survey_values",
    "survey_blocks",
)


def save_model(path: PathLike, model: "DarkModel") -> None:
    """Write a dark model; the file is whole or not there.

    Parameters
    ----------
    path : path-like
        The ``.solodark`` file.
    model : DarkModel
        The model.
    """
    from solodark.dark_model import to_arrays

    arrays, description = to_arrays(model)
    write_arrays(path, arrays, description, content=_CONTENT)


def load_model(path: PathLike, *, to_grow: bool = False) -> "DarkModel":
    """Read a dark model.

    Parameters
    ----------
    path : path-like
        The ``.solodark`` file.
    to_grow : bool
        Read what only growing needs as well: the sample and the means of all its frames.

    Returns
    -------
    DarkModel
        The model.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    ModelFileError
        The file is damaged, of another kind or of a later version.
    """
    without = () if to_grow else _FOR_GROWTH
    arrays, description = read_arrays(path, content=_CONTENT, without=without)
    from solodark.dark_model import from_arrays

    return from_arrays(arrays, description, name=str(path))


@contextmanager
def open_frames(paths: Iterable[PathLike]) -> Iterator[list[FrameSource]]:
    """Open many frames, and close them all.

    Parameters
    ----------
    paths : iterable of path-like
        Files.

    Yields
    ------
    list of FrameSource
        In the order of `paths`.
    """
    with ExitStack() as opened:
        yield [opened.enter_context(open_frame(path)) for path in paths]


def require_model_path(output: Path) -> Path:
    """Raise before the work rather than after it.

    Parameters
    ----------
    output : Path
        Where a model or a network shall be written.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    OutputError
        Its name does not end in ``.solodark``, or its folder is not there.
    """
    if output.suffix.lower() != MODEL_SUFFIX:
        raise OutputError(f"{output}: a model is written as {MODEL_SUFFIX}; give a name ending so")
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: there is no folder {output.parent}")
    return output
