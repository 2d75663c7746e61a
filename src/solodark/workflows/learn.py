"""Learn files: folders of darks and biases become the dark model of their camera."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from solodark.dark_model import (
    DarkModel,
    LearnSettings,
    grow,
    is_bias,
    learn,
)
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.errors import FrameFormatError, NotEnoughFramesError
from solodark.formats import file_sha256, find_frame_paths, read_acquisition
from solodark.frames import Acquisition, FrameKind, FrameSource, Progress, silent
from solodark.workflows.model_files import load_model, open_frames, require_model_path, save_model

__all__ = [
    "LearnSummary",
    "gather_darks",
    "learn_files",
    "sort_out_darks",
]

PathLike = str | os.PathLike[str]

_EXPOSURE_TOLERANCE = 1e-3
_SEED = 1  # the choice of sampled pixels; any other gives the same model within its uncertainty


@dataclass(frozen=True, slots=True)
class SettingSummary:
    """What was learned of one gain setting.

    Attributes
    ----------
    setting : str
        In words, "ISO 800".
    gain_e_per_adu, read_noise_e : float
        Learned from the darks' own noise; NaN where they cannot tell.
    """

    setting: str
    gain_e_per_adu: float
    read_noise_e: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnSummary:
    """What was learned.

    Attributes
    ----------
    model_path : Path
        The file that was written.
    model_id : str
        Identity of the model.
    n_frames, n_biases : int
        Frames that were learned from, and how many of them are biases.
    n_new : int
        How many of the frames were learned now; all of them unless a model has grown.
    n_series : int
        Series they form.
    rank : int
        Number of dark maps, chosen by how well left-out series were foretold.
    n_new_maps : int
        How many of them the model did not have before it grew; 0 where it was learned anew.
    shape : tuple of int
        (ny, nx).
    camera : str or None
        Its name.
    exposure_range_s, temperature_range_c : tuple of float or None
        From the headers.
    settings : tuple of SettingSummary
        The gain settings or ISOs that were learned.
    seconds : float
        How long it took.
    left_out : tuple of (Path, str)
        Files that were not learned from, and why.
    """

    model_path: Path
    model_id: str
    n_frames: int
    n_biases: int
    n_new: int
    n_series: int
    rank: int
    n_new_maps: int
    shape: tuple[int, int]
    camera: str | None
    exposure_range_s: tuple[float, float] | None
    temperature_range_c: tuple[float, float] | None
    settings: tuple[SettingSummary, ...]
    seconds: float
    left_out: tuple[tuple[Path, str], ...]


def learn_files(
    paths: PathLike | Iterable[PathLike],
    output: PathLike,
    *,
    library: PathLike | None = None,
    model: PathLike | None = None,
    leave_out_exposures_s: Sequence[float] = (),
    leave_out: Iterable[PathLike] = (),
    settings: LearnSettings | None = None,
    progress: Progress = silent,
) -> LearnSummary:
    """Learn the dark model of a camera from files and folders, and write it.

    Lights, flats, masters and files that cannot be read are left out and listed.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders of darks and biases, lying together in any order.
    output : path-like
        The model, a ``.solodark`` file.
    library : path-like, optional
        A catalogue whose darks and biases are learned too.
    model : path-like, optional
        A model that the frames are added to; those it has learned from already are left out.
    leave_out_exposures_s : sequence of float
        Darks of these exposures are left out, to judge the model on them.
    leave_out : iterable of path-like
        Files and folders that are left out.
    settings : LearnSettings, optional
        How to learn.
    progress : Progress
        Who is told.

    Returns
    -------
    LearnSummary
        What was learned.

    Raises
    ------
    FrameNotFoundError
        A path does not exist, or holds no frame.
    FrameMismatchError
        Frames of several cameras, sizes, gains or binnings; lists which differ and how.
    NotEnoughFramesError
        Too few darks are left, or none that the model does not know.
    WrongSubError
        A frame is of a gain setting that the given model does not know.
    OutputError
        The model cannot be written there.
    """
    began = perf_counter()
    output = require_model_path(Path(output))
    files = gather_darks(paths, library)
    known = load_model(model, to_grow=True) if model is not None else None
    kept, left_out = sort_out_darks(files, leave_out_exposures_s, leave_out, progress)
    hashes = {path: file_sha256(path) for path in progress(kept, "Hashing", len(kept))}
    again = {path for path in kept if known and hashes[path] in known.library.hashes}
    left_out += [(path, "the model has learned from it already") for path in sorted(again)]
    kept = [path for path in kept if path not in again]
    if not kept:
        raise NotEnoughFramesError(_nothing_kept(left_out))
    with open_frames(kept) as sources:
        learned = _learn(known, sources, [hashes[path] for path in kept], settings, progress)
        n_biases = sum(is_bias(source) for source in sources) + _n_biases(known)
    save_model(output, learned)
    new_maps = max(learned.rank - known.rank, 0) if known else 0
    counts = _Counts(len(kept), n_biases, new_maps)
    return _summarise(output, learned, counts, left_out, perf_counter() - began)


def _learn(
    known: DarkModel | None,
    sources: Sequence[FrameSource],
    hashes: Sequence[str],
    settings: LearnSettings | None,
    progress: Progress,
) -> DarkModel:
    """Learn a model, or let one grow."""
    if known is not None:
        return grow(known, sources, settings=settings, hashes=hashes, progress=progress)
    rng = np.random.default_rng(_SEED)
    return learn(sources, rng=rng, settings=settings, hashes=hashes, progress=progress)


def _n_biases(model: DarkModel | None) -> int:
    """Biases among the frames that a model was learned from."""
    if model is None:
        return 0
    exposure_s = model.library.exposure_s
    return int(np.count_nonzero(~(exposure_s > BIAS_EXPOSURE_S)))


def gather_darks(paths: PathLike | Iterable[PathLike], library: PathLike | None) -> list[Path]:
    """List the frames of files, folders and a library, each once.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders.
    library : path-like or None
        A catalogue whose darks and biases are added.

    Returns
    -------
    list of Path
        Files.

    Raises
    ------
    NotEnoughFramesError
        There is none.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    files = find_frame_paths(given) if given else []
    if library is not None:
        from solodark.workflows.catalogue import library_dark_paths

        files += [path for path in library_dark_paths(library) if path not in set(files)]
    if not files:
        raise NotEnoughFramesError(
            "no darks were given; expected files, folders or a library made by "
            "`solodark library add`"
        )
    return files


def sort_out_darks(
    files: Sequence[Path],
    leave_out_exposures_s: Sequence[float],
    leave_out: Iterable[PathLike],
    progress: Progress,
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Tell darks and biases from other files, by their headers.

    Parameters
    ----------
    files : sequence of Path
        Frames of any kind.
    leave_out_exposures_s : sequence of float
        Exposures that are left out.
    leave_out : iterable of path-like
        Files and folders that are left out.
    progress : Progress
        Told of each file.

    Returns
    -------
    kept : list of Path
        Single darks and biases.
    left_out : list of (Path, str)
        All others, each with its reason.
    """
    unwanted = [Path(path).resolve() for path in leave_out]
    kept, left_out = [], []
    for path in progress(files, "Looking at headers", len(files)):
        reason = _reason_to_leave_out(path, leave_out_exposures_s, unwanted)
        if reason:
            left_out.append((path, reason))
        else:
            kept.append(path)
    return kept, left_out


def _reason_to_leave_out(
    path: Path, leave_out_exposures_s: Sequence[float], unwanted: Sequence[Path]
) -> str:
    if any(path.resolve().is_relative_to(place) for place in unwanted):
        return "left out by option"
    try:
        acquisition = read_acquisition(path)
    except FrameFormatError as error:
        return str(error)
    if acquisition.n_combined is not None:
        return "a master of many frames; expected single darks"
    if acquisition.kind not in (FrameKind.DARK, FrameKind.BIAS):
        kind, source = acquisition.kind or "neither dark nor bias", acquisition.kind_source
        return f"{kind}, says its {source}" if source else f"{kind} by anything it tells"
    if _is_exposure(acquisition, leave_out_exposures_s):
        return "left out by its exposure"
    return ""


def _is_exposure(acquisition: Acquisition, exposures_s: Sequence[float]) -> bool:
    found_s = acquisition.exposure_s
    return found_s is not None and any(
        abs(found_s - wanted_s) <= _EXPOSURE_TOLERANCE * wanted_s for wanted_s in exposures_s
    )


def _nothing_kept(left_out: Sequence[tuple[Path, str]]) -> str:
    path, reason = left_out[0]
    return (
        f"none of {len(left_out)} frames is a dark to learn from; {path}: {reason}. "
        "Give folders of darks and biases of one camera"
    )


class _Counts(NamedTuple):
    """What only the way to a model tells."""

    n_new: int
    n_biases: int
    n_new_maps: int


def _summarise(
    output: Path,
    model: DarkModel,
    counts: _Counts,
    left_out: Sequence[tuple[Path, str]],
    seconds: float,
) -> LearnSummary:
    return LearnSummary(
        model_path=output,
        model_id=model.model_id,
        n_frames=len(model.library.names),
        n_series=int(model.library.series.max()) + 1,
        rank=model.rank,
        shape=model.shape,
        camera=model.acquisition.camera.model,
        exposure_range_s=_range(model.library.exposure_s),
        temperature_range_c=_range(model.library.sensor_temperature_c),
        settings=tuple(
            SettingSummary(str(setting), float(gain), float(noise))
            for setting, gain, noise in zip(
                model.settings, model.gain_e_per_adu, model.read_noise_e, strict=True
            )
        ),
        seconds=seconds,
        left_out=tuple(left_out),
        **counts._asdict(),
    )


def _range(values: np.ndarray) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else None
