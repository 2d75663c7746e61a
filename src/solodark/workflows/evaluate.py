"""Evaluate files: how good a model is on darks that it has never seen, beside every rival."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model import (
    DarkModel,
    is_bias,
    level_image,
    predict,
    series_index,
    solve,
    update,
)
from solodark.dark_model.dark_signal import least_information, strongest_state
from solodark.dark_model.master import TELEGRAPH_EXCESS
from solodark.errors import FrameFormatError, NotEnoughFramesError, WrongSubError
from solodark.evaluation import EvaluationTable, SeriesSums, measure_series, tabulate
from solodark.evaluation.rivals import standard_rivals
from solodark.evaluation.series import AnyEstimator
from solodark.formats import file_sha256, find_frame_paths, read_acquisition, read_frame
from solodark.frames import (
    Frame,
    FrameKind,
    Master,
    Progress,
    series_acquisition,
    silent,
)
from solodark.workflows.library_masters import find_library_masters
from solodark.workflows.model_files import load_model, open_frames
from solodark.workflows.networks import load_network, network_rows
from solodark.workflows.nights import night_of

__all__ = ["EvaluationSummary", "evaluate_files", "known_levels", "model_rows"]

PathLike = str | os.PathLike[str]

_MIN_SUBS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSummary:
    """How good a model is.

    Attributes
    ----------
    table : EvaluationTable
        Equivalent subs of the model and its rivals, by class of pixel, with intervals.
    model_id : str
        The model that was judged.
    series : tuple of str
        The held-out series, in words.
    left_out : tuple of (Path, str)
        Files that could not serve, and why.
    """

    table: EvaluationTable
    model_id: str
    series: tuple[str, ...]
    left_out: tuple[tuple[Path, str], ...]


def evaluate_files(
    paths: PathLike | Iterable[PathLike],
    model: PathLike | DarkModel,
    *,
    network: PathLike | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> EvaluationSummary:
    """Judge a model on darks that it has never seen.

    Every dark in turn is the one new sub; the others of its series are the truth. Rivals that need
    a library are made from the model's own frames where these still lie in their place.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Held-out darks, in series of three or more.
    model : path-like or DarkModel
        The model.
    network : path-like, optional
        A network that `train_files` made, for a further row.
    seed : int
        Dice of the bootstrap and of the stars.
    progress : Progress
        Who is told.

    Returns
    -------
    EvaluationSummary
        The table.

    Raises
    ------
    NotEnoughFramesError
        No series of three darks that the model has not seen.
    FrameMismatchError
        Frames of another size.
    """
    dark_model = model if isinstance(model, DarkModel) else load_model(model)
    seen = dict.fromkeys(dark_model.library.hashes, "the model has learned from it")
    more: dict[str, AnyEstimator] = {}
    if network is not None:
        trained = load_network(network)
        darks = trained.recipe["darks"]
        used = (*darks["training"], *darks["validation"])
        seen |= dict.fromkeys(used, "the network was trained on it")
        more = network_rows(trained, dark_model)
    series, left_out = _held_out(find_frame_paths(paths), seen, progress)
    rng = np.random.default_rng(seed)
    sums, described = [], []
    for number, files in enumerate(series):
        subs = [read_frame(path) for path in files]
        session = night_of(subs[0]) or f"series {number + 1}"
        sums.append(_measure(dark_model, subs, more, session, rng, progress))
        described.append(_in_words(subs))
    return EvaluationSummary(
        table=tabulate(sums, rng=rng),
        model_id=dark_model.model_id,
        series=tuple(described),
        left_out=tuple(left_out),
    )


def model_rows(model: DarkModel) -> dict[str, AnyEstimator]:
    """Rows of the table that the model fills.

    Parameters
    ----------
    model : DarkModel
        The model.

    Returns
    -------
    dict of str to estimator
        The full estimate, and the maps alone without the update by the sub's own pixels.
    """
    return {
        "solodark": partial(_generated, model),
        "solodark, maps alone": partial(_maps_alone, model),
    }


def _generated(model: DarkModel, sub: Frame) -> NDArray[np.float32]:
    solved = solve(model, sub)
    prediction = predict(model, solved.state, solved.covariance)
    return update(model, sub, solved, prediction)[0] + level_image(model, solved.state)


def _maps_alone(model: DarkModel, sub: Frame) -> NDArray[np.float32]:
    state = solve(model, sub).state
    return predict(model, state).pattern + level_image(model, state)


def _held_out(
    files: Sequence[Path], seen: Mapping[str, str], progress: Progress
) -> tuple[list[list[Path]], list[tuple[Path, str]]]:
    fresh: list[Path] = []
    left_out: list[tuple[Path, str]] = []
    for path in progress(files, "Looking at darks", len(files)):
        reason = _reason_to_leave_out(path, seen)
        if reason:
            left_out.append((path, reason))
        else:
            fresh.append(path)
    groups = _series_of(fresh) if fresh else []
    for group in (group for group in groups if len(group) < _MIN_SUBS):
        left_out += [(path, f"its series has fewer than {_MIN_SUBS} darks") for path in group]
    series = [group for group in groups if len(group) >= _MIN_SUBS]
    if not series:
        path, reason = min(left_out, key=lambda entry: entry[1] == "not a dark")
        raise NotEnoughFramesError(
            f"no series of {_MIN_SUBS} darks that the model has not seen ({path}: {reason}); "
            "learn with --leave-out-exposure-s or --leave-out, and judge on what was left out"
        )
    return series, left_out


def _reason_to_leave_out(path: Path, seen: Mapping[str, str]) -> str:
    try:
        kind = read_acquisition(path).kind
    except FrameFormatError as error:
        return str(error)
    if kind is not FrameKind.DARK:
        return "not a dark"
    return seen.get(file_sha256(path), "")


def _series_of(files: Sequence[Path]) -> list[list[Path]]:
    """Files by series, in order of time, and none of them a bias."""
    with open_frames(files) as sources:
        index = series_index(sources)
        darks = [i for i, source in enumerate(sources) if not is_bias(source)]
        when = [str(source.acquisition.date_obs or source.name) for source in sources]
    groups: dict[int, list[int]] = {}
    for i in sorted(darks, key=lambda i: when[i]):
        groups.setdefault(int(index[i]), []).append(i)
    return [[files[i] for i in group] for group in groups.values()]


def _measure(
    model: DarkModel,
    subs: Sequence[Frame],
    more: dict[str, AnyEstimator],
    session: str,
    rng: np.random.Generator,
    progress: Progress,
) -> SeriesSums:
    for sub in subs:
        if sub.shape != model.shape:
            raise WrongSubError(
                f"{sub.name} has {sub.shape[1]} x {sub.shape[0]} pixels, the model "
                f"{model.shape[1]} x {model.shape[0]}; give darks of the model's camera"
            )
    rows = model_rows(model) | more | _rivals(model, subs)
    return measure_series(
        subs,
        rows,
        level_map=known_levels(model),
        masks={"telegraph": model.pixels.excess > TELEGRAPH_EXCESS},
        session=session,
        rng=rng,
        progress=progress,
    )


def known_levels(model: DarkModel) -> NDArray[np.float32]:
    """Give the dark level by which pixels are parted into ordinary and hot ones.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU above the level in the strongest dark of the library. A pixel that was full there, or
        never twice the same, so that nothing is known of it, stands as high as the highest.
    """
    level = predict(model, strongest_state(model)).pattern
    unknown = model.pixels.information < least_information(model)
    return np.where(unknown, level.max(), level)


def _rivals(model: DarkModel, subs: Sequence[Frame]) -> dict[str, AnyEstimator]:
    """Offer what a photographer with the same library would do today."""
    wanted = series_acquisition(subs)
    library = find_library_masters(model, wanted)
    masters = [] if library.dark is None else [_as_frame(library.dark)]
    bias = None if library.bias is None else _as_frame(library.bias)
    return standard_rivals(masters, wanted, n_subs=len(subs), bias=bias)


def _as_frame(master: Master) -> Frame:
    return Frame(master.data, master.acquisition, name="library master")


def _in_words(subs: Sequence[Frame]) -> str:
    acquisition = series_acquisition(subs)
    temperature = acquisition.sensor_temperature_c
    at = "" if temperature is None else f" at {temperature:.1f} C"
    return f"{len(subs)} darks of {acquisition.exposure_s:g} s{at}"
