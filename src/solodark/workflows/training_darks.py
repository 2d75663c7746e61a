"""Darks that can train a network: in series, of one sensor, and new to its dark model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solodark.dark_model import DarkModel, is_bias, series_index
from solodark.dark_model.model import SAME_SENSOR
from solodark.errors import FrameMismatchError, NotEnoughFramesError
from solodark.formats import file_sha256
from solodark.frames import FrameSource, Progress, require_matching
from solodark.workflows.model_files import open_frames
from solodark.workflows.nights import night_of

__all__ = ["TrainingDarks", "find_training_darks"]


@dataclass(frozen=True, eq=False, slots=True)
class TrainingDarks:
    """Darks in series and nights.

    Attributes
    ----------
    paths : list of Path
        Files.
    hashes : list of str
        SHA-256 of each.
    series : list of int
        Series of each, from 0.
    sessions : list of str
        Night in which its series began, or its series where no header tells a date.
    """

    paths: list[Path]
    hashes: list[str]
    series: list[int]
    sessions: list[str]


def find_training_darks(
    files: Sequence[Path], model: DarkModel | None, progress: Progress
) -> tuple[TrainingDarks, list[tuple[Path, str]]]:
    """Keep darks of which a network can learn something new.

    Parameters
    ----------
    files : sequence of Path
        Darks and biases.
    model : DarkModel or None
        The dark model that the network shall correct.
    progress : Progress
        Told of each file that is hashed.

    Returns
    -------
    darks : TrainingDarks
        What can be used.
    left_out : list of (Path, str)
        What cannot, and why; biases are not listed.

    Raises
    ------
    NotEnoughFramesError
        Nothing is left.
    FrameMismatchError
        Frames of several cameras, sizes or binnings, or not of the model's.
    """
    files = _without_biases(files)
    learned = set() if model is None else set(model.library.hashes)
    hashes = {path: file_sha256(path) for path in progress(files, "Hashing", len(files))}
    left_out = [(p, "the dark model has learned from it") for p in files if hashes[p] in learned]
    fresh = [path for path in files if hashes[path] not in learned]
    darks, unfit = _in_series(fresh, hashes, model)
    left_out += unfit
    if not darks.paths:
        why = f"; {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise NotEnoughFramesError(
            f"none of {len(left_out)} frames can train a network{why}. Give darks in series; a "
            "--prior must be learned with --leave-out some, or leave it out for --preset sensor"
        )
    return darks, left_out


def _in_series(
    paths: Sequence[Path], hashes: dict[Path, str], model: DarkModel | None
) -> tuple[TrainingDarks, list[tuple[Path, str]]]:
    if not paths:
        return TrainingDarks([], [], [], []), []
    with open_frames(paths) as sources:
        _require_one_sensor(sources, model)
        numbers = series_index(sources)
        sizes = np.bincount(numbers)
        reasons = [_reason_to_leave_out(int(sizes[number])) for number in numbers]
        nights = _nights(sources, numbers.tolist())
    kept = [i for i, reason in enumerate(reasons) if not reason]
    names = sorted({int(numbers[i]) for i in kept})
    darks = TrainingDarks(
        paths=[paths[i] for i in kept],
        hashes=[hashes[paths[i]] for i in kept],
        series=[names.index(int(numbers[i])) for i in kept],
        sessions=[nights[int(numbers[i])] for i in kept],
    )
    return darks, [(path, r) for path, r in zip(paths, reasons, strict=True) if r]


def _nights(sources: Sequence[FrameSource], series: Sequence[int]) -> dict[int, str]:
    """Name the night in which each series began: one that runs past noon stays whole."""
    nights: dict[int, str] = {}
    for source, number in zip(sources, series, strict=True):
        night = night_of(source)
        nights[number] = min(nights.get(number) or night, night)
    return {number: night or f"series {number}" for number, night in nights.items()}


def _require_one_sensor(sources: Sequence[FrameSource], model: DarkModel | None) -> None:
    require_matching(sources, SAME_SENSOR)
    if model is None:
        return
    try:
        require_matching([model, sources[0]], SAME_SENSOR)
    except FrameMismatchError as error:
        raise FrameMismatchError(
            f"the darks are not of the dark model's sensor: {error}"
        ) from error


def _without_biases(files: Sequence[Path]) -> list[Path]:
    with open_frames(files) as sources:
        return [path for path, s in zip(files, sources, strict=True) if not is_bias(s)]


def _reason_to_leave_out(n_in_series: int) -> str:
    return "" if n_in_series > 1 else "the only dark of its series; its master would be itself"
