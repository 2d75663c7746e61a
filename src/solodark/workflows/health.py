"""The health of a model file."""

import os
from datetime import UTC, datetime

from solodark.dark_model import ModelHealth, examine
from solodark.workflows.model_files import load_model

__all__ = ["check_model"]


def check_model(path: str | os.PathLike[str]) -> ModelHealth:
    """Tell how a dark model fares today, and which darks would gain it most.

    Parameters
    ----------
    path : path-like
        The ``.solodark`` file.

    Returns
    -------
    ModelHealth
        Age, range, hot and telegraph pixels, worth and advice.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    ModelFileError
        The file is no dark model.
    """
    return examine(load_model(path), datetime.now(UTC))
