"""Calibrate files: a folder of lights becomes a folder of calibrated lights."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.calibration import CalibratedLight, NormalisedFlat, calibrate_light, normalised_flat
from solodark.dark_model import DarkModel, generate_each_light
from solodark.dark_model.gain_settings import require_setting
from solodark.errors import OutputError, SettingError
from solodark.formats import find_frame_paths, open_frame, write_light
from solodark.frames import Frame, FrameKind, Master, PixelFlags, Progress, silent
from solodark.version import __version__
from solodark.workflows.lights import places_for, sort_lights
from solodark.workflows.masters import require_master
from solodark.workflows.model_files import load_model, open_frames

__all__ = ["CalibrateSummary", "LightSummary", "calibrate_files"]

PathLike = str | os.PathLike[str]

_ADVICE = "Give the folder of the night's lights, as the camera wrote them"
_AT_ONCE = 2  # lights in memory: one is read while the other is written


@dataclass(frozen=True, slots=True, kw_only=True)
class LightSummary:
    """What became of one light.

    Attributes
    ----------
    light, output : Path
        The light, and the file that was written.
    background_adu, uncertainty_adu : float
        Median of the calibrated pixels, and of their uncertainty.
    n_repaired : int
        Pixels that were replaced by their neighbours.
    notes : tuple of str
        What was used, and why.
    doubts : tuple of str
        Reasons to look twice.
    """

    light: Path
    output: Path
    background_adu: float
    uncertainty_adu: float
    n_repaired: int
    notes: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateSummary:
    """What became of the lights.

    Attributes
    ----------
    output : Path
        The folder of the calibrated lights.
    lights : tuple of LightSummary
        In their order.
    left_out : tuple of (Path, str)
        Files that are no lights, and why.
    """

    output: Path
    lights: tuple[LightSummary, ...]
    left_out: tuple[tuple[Path, str], ...]


def calibrate_files(
    lights: PathLike | Iterable[PathLike],
    output: PathLike,
    *,
    dark: PathLike | None = None,
    model: PathLike | DarkModel | None = None,
    bias: PathLike | None = None,
    flat: PathLike | None = None,
    progress: Progress = silent,
) -> CalibrateSummary:
    """Calibrate lights, and write each as ``pp_<name>.fits``.

    Parameters
    ----------
    lights : path-like or iterable of path-like
        Folders and files; frames that are no lights are left out and listed.
    output : path-like
        The folder for the calibrated lights; it is made where it is not there.
    dark : path-like, optional
        Master dark, or a folder of darks, of the lights' exposure.
    model : path-like or DarkModel, optional
        The camera's dark model, instead of a dark: it gives each light a dark of its own, from the
        light's own warm pixels.
    bias : path-like, optional
        Master bias, or a folder of biases or flat-darks: taken off the flat, and off lights without
        a dark.
    flat : path-like, optional
        Master flat, or a folder of flats.
    progress : Progress
        Told about each light.

    Returns
    -------
    CalibrateSummary
        What was written.

    Raises
    ------
    SettingError
        Both a dark and a model are given.
    FrameNotFoundError, FrameFormatError, ModelFileError
        A file cannot be read.
    FrameMismatchError
        Dark, bias or flat does not belong to a light; it is named.
    NotEnoughFramesError
        There is no light.
    WrongSubError
        A light is not of the model's sensor.
    OutputError
        A file cannot be written there; those written before stay, each whole.

    Examples
    --------
    >>> from solodark.formats import write_frame
    >>> from solodark.frames import Acquisition
    >>> folder = getfixture("tmp_path")
    >>> taken = Acquisition(kind=FrameKind.LIGHT, exposure_s=60.0)
    >>> write_frame(folder / "m31.fits", Frame(np.full((4, 6), 600.0), taken))
    >>> done = calibrate_files(folder / "m31.fits", folder / "process")
    >>> done.lights[0].output.name, done.lights[0].notes[0]
    ('pp_m31.fits', 'no dark and no bias: their level is still in the light')
    """
    if dark is not None and model is not None:
        raise SettingError("found both a dark and a model; expected one of them")
    paths, left_out = sort_lights(find_frame_paths(lights), advice=_ADVICE)
    folder = Path(output)
    places = places_for(paths, folder, "pp_{}.fits")
    _require_new(places, paths)
    recipe = _recipe(dark, bias, flat, progress)
    works = _with_one_dark(paths, places, recipe)
    if model is not None:
        works = _with_model(_loaded(model), paths, places, recipe, progress)
    folder.mkdir(exist_ok=True)
    done = progress(_two_at_once(works), "calibrating", len(paths))
    return CalibrateSummary(output=folder, lights=tuple(done), left_out=tuple(left_out))


def _require_new(places: Sequence[Path], lights: Sequence[Path]) -> None:
    """Refuse to write over a light."""
    for place in places:
        if place.exists() and any(place.samefile(light) for light in lights):
            raise OutputError(f"{place} is one of the lights; choose another folder")


def _loaded(model: PathLike | DarkModel) -> DarkModel:
    return model if isinstance(model, DarkModel) else load_model(model)


@dataclass(frozen=True, eq=False, slots=True)
class _Recipe:
    """What lights are calibrated with."""

    dark: Master | None
    bias: Master | None
    flat: NormalisedFlat | None
    gain_e_per_adu: float | None = None
    used: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class _Work:
    """One light to be calibrated and written."""

    light: Path
    place: Path
    recipe: _Recipe


def _recipe(
    dark: PathLike | None, bias: PathLike | None, flat: PathLike | None, progress: Progress
) -> _Recipe:
    """Read or combine the masters."""
    offset = None if bias is None else require_master(bias, FrameKind.BIAS, progress=progress)
    response = None
    if flat is not None:
        master = require_master(flat, FrameKind.FLAT, offset=offset, progress=progress)
        response = normalised_flat(master, offset=offset)
    files = {"dark": dark, "bias": bias, "flat": flat}
    return _Recipe(
        dark=None if dark is None else require_master(dark, FrameKind.DARK, progress=progress),
        bias=offset,
        flat=response,
        used=tuple(f"{name} from {path}" for name, path in files.items() if path is not None),
    )


def _with_one_dark(
    paths: Sequence[Path], places: Sequence[Path], recipe: _Recipe
) -> Iterator[_Work]:
    return (_Work(light, place, recipe) for light, place in zip(paths, places, strict=True))


def _with_model(
    model: DarkModel,
    paths: Sequence[Path],
    places: Sequence[Path],
    recipe: _Recipe,
    progress: Progress,
) -> Iterator[_Work]:
    """Give each light the dark of its own state, one after the other."""
    with open_frames(paths) as sources:
        darks = generate_each_light(model, sources, progress=progress)
        for light, place, source, dark in zip(paths, places, sources, darks, strict=True):
            gain = float(model.gain_e_per_adu[require_setting(model.settings, source)])
            own = replace(
                recipe,
                dark=dark,
                gain_e_per_adu=gain if np.isfinite(gain) else None,
                used=("dark of its own, from the light's warm pixels", *recipe.used),
            )
            yield _Work(light, place, own)


def _two_at_once(works: Iterator[_Work]) -> Iterator[LightSummary]:
    """Calibrate and write, one light being read while the other is written."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        while batch := list(islice(works, _AT_ONCE)):
            yield from threads.map(_calibrate, batch)


def _calibrate(work: _Work) -> LightSummary:
    recipe = work.recipe
    with open_frame(work.light) as source:
        light = calibrate_light(
            source,
            dark=recipe.dark,
            bias=recipe.bias,
            flat=recipe.flat,
            gain_e_per_adu=source.acquisition.gain_e_per_adu or recipe.gain_e_per_adu,
        )
    frame = Frame(light.data, light.acquisition, light.name)
    write_light(work.place, frame, light.uncertainty, light.flags, history=_history(work, light))
    return LightSummary(
        light=work.light,
        output=work.place,
        background_adu=_median(light.data),
        uncertainty_adu=_median(light.uncertainty),
        n_repaired=int(np.count_nonzero(light.flags & int(PixelFlags.DEAD))),
        notes=(*recipe.used, *light.notes),
        doubts=light.doubts,
    )


def _history(work: _Work, light: CalibratedLight) -> list[str]:
    return [
        f"solodark {__version__} calibrate",
        f"input {work.light.name}",
        *work.recipe.used,
        *light.notes,
        *(f"doubt: {doubt}" for doubt in light.doubts),
    ]


def _median(plane: NDArray[np.float32]) -> float:
    """Median of some rows, those with a value; both rows of a CFA cell are among them."""
    sample = plane[:: max(1, plane.size // 250_000) | 1]
    known = sample[np.isfinite(sample)]
    return float(np.median(known)) if known.size else float("nan")
