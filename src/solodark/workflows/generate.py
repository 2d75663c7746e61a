"""Generate files: a master dark from one new dark, from lights or from no frame at all."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solodark.errors import OutputError, SettingError
from solodark.formats import (
    file_sha256,
    find_frame_paths,
    open_frame,
    write_master,
)
from solodark.formats.masters import Target
from solodark.frames import Frame, MasterDark, PixelFlags, Progress, Verdict, silent
from solodark.frames.sensor_sample import sample_positions
from solodark.workflows.garbage import without_garbage_collection
from solodark.workflows.lights import places_for, sort_lights
from solodark.workflows.model_files import load_model, open_frames

if TYPE_CHECKING:
    from solodark.dark_model import DarkModel

__all__ = [
    "GenerateSummary",
    "NightSummary",
    "generate_file",
    "generate_file_for_exposure",
    "generate_files_for_lights",
]

PathLike = str | os.PathLike[str]

_N_MEDIAN_SAMPLE = 131_072
_ADVICE = "Give the folder of tonight's lights, or one dark without --lights"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSummary:
    """What was generated.

    Attributes
    ----------
    output : Path
        The file that was written.
    equivalent_subs : float
        How many real subs the master is worth on ordinary pixels, by its own uncertainty.
    verdict : Verdict
        Whether it may be trusted, and why not.
    level_adu : float
        Median of the master, from a sample of its pixels.
    uncertainty_adu : float
        Median one sigma of a pixel, from the same sample.
    flags : dict of str to int
        Pixels that carry each flag.
    model_id : str
        Model that was used.
    """

    output: Path
    equivalent_subs: float
    verdict: Verdict
    level_adu: float
    uncertainty_adu: float
    flags: dict[str, int]
    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSummary:
    """What was generated for the lights of a night.

    Attributes
    ----------
    masters : tuple of GenerateSummary
        One for all lights, or one for each, in their order.
    lights : tuple of Path
        The lights that they are for.
    left_out : tuple of (Path, str)
        Files that are no lights, and why.
    """

    masters: tuple[GenerateSummary, ...]
    lights: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]


@without_garbage_collection()
def generate_file(
    sub: PathLike,
    model: "PathLike | DarkModel | None",
    output: PathLike,
    *,
    network: PathLike | None = None,
    target: Target | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> GenerateSummary:
    """Make a master dark from one new dark, and write it.

    Parameters
    ----------
    sub : path-like
        The new dark.
    model : path-like, DarkModel or None
        The camera's model; None for a network that sees the sub alone.
    output : path-like
        The master.
    network : path-like, optional
        A network that `train_files` made, to use instead of the model alone.
    target : {"siril", "pixinsight", "dss", "astap", "ccdproc"}, optional
        The program it is for.
    force : bool
        Write it even where the sub deserves doubt; a sub of another sensor is refused all the same.
    progress : Progress
        Who is told.

    Returns
    -------
    GenerateSummary
        What was generated.

    Raises
    ------
    FrameNotFoundError, FrameFormatError, ModelFileError
        The sub, the model or the network cannot be read.
    SettingError
        Neither model nor network, or two that do not belong together.
    WrongSubError
        The model cannot explain the sub; says why.
    OutputError
        The master cannot be written there.
    """
    output = _require_folder(Path(output))
    if output.exists() and output.samefile(sub):
        raise OutputError(f"{output} is the sub itself; choose another name for the master")
    steps = iter(progress(("model", "master", "file"), "Generating", 3))
    next(steps)
    with ThreadPoolExecutor() as threads:
        generator = threads.submit(_generator, model, network)  # reads while others import
        compiled = threads.submit(_load_compiled)
        with open_frame(sub) as source:
            frame = Frame.from_source(source)
        sub_sha256 = file_sha256(sub)
        compiled.result()
        make = generator.result()
        next(steps)
        for slow_to_import in ("scipy.optimize", "astropy.io.fits"):  # and not wanted at once
            threads.submit(import_module, slow_to_import)
        master = make(frame, force=force, sub_sha256=sub_sha256)
    next(steps)
    summary = _write(output, master, target, "one sub")
    next(steps, None)
    return summary


def generate_files_for_lights(
    lights: PathLike | Sequence[PathLike],
    model: "PathLike | DarkModel",
    output: PathLike,
    *,
    each: bool = False,
    target: Target | None = None,
    progress: Progress = silent,
) -> NightSummary:
    """Make master darks without any dark, from the lights' own warm pixels, and write them.

    Parameters
    ----------
    lights : path-like or sequence of path-like
        Folders and files; frames that are no lights are left out and listed.
    model : path-like or DarkModel
        The camera's model.
    output : path-like
        The master; with `each`, or where it is a folder, the folder for one master for each light,
        named after it: ``light_0001_dark.fits``.
    each : bool
        Give every light a dark of its own.
    target : {"siril", "pixinsight", "dss", "astap", "ccdproc"}, optional
        The program they are for.
    progress : Progress
        Who is told.

    Returns
    -------
    NightSummary
        What was generated.

    Raises
    ------
    FrameNotFoundError, FrameFormatError, ModelFileError
        A light or the model cannot be read.
    NotEnoughFramesError
        There is no light.
    WrongSubError
        A light is not of the model's sensor, or no light; says why.
    FrameMismatchError
        One master is wanted for lights of several exposures.
    OutputError
        A master cannot be written there.
    """
    from solodark.dark_model import generate_each_light, generate_for_lights

    output = Path(output)
    each = each or output.is_dir()
    paths, left_out = sort_lights(find_frame_paths(lights), advice=_ADVICE)
    outputs = places_for(paths, output, "{}_dark.fits") if each else [_require_folder(output)]
    _require_new(outputs, paths)
    dark_model = _load(model)
    hashes = [file_sha256(path) for path in paths]
    with open_frames(paths) as sources:
        if each:
            masters = generate_each_light(dark_model, sources, hashes=hashes, progress=progress)
        else:
            one = generate_for_lights(dark_model, sources, hashes=hashes, progress=progress)
            masters = iter([one])
        made_from = f"{len(paths)} lights"
        summaries = tuple(
            _write(place, next(masters), target, made_from)
            for place in progress(outputs, "Generating", len(outputs))
        )
    return NightSummary(masters=summaries, lights=tuple(paths), left_out=tuple(left_out))


def generate_file_for_exposure(
    exposure_s: float,
    model: "PathLike | DarkModel",
    output: PathLike,
    *,
    temperature_c: float | None = None,
    iso: int | None = None,
    gain_setting: float | None = None,
    target: Target | None = None,
) -> GenerateSummary:
    """Make a master dark without any frame, from exposure and temperature, and write it.

    Parameters
    ----------
    exposure_s : float
        Exposure time.
    model : path-like or DarkModel
        The camera's model.
    output : path-like
        The master.
    temperature_c : float, optional
        Temperature as this camera's headers tell it; left out, any that the library knew.
    iso : int, optional
        ISO, where the model knows several.
    gain_setting : float, optional
        The driver's gain number, where the model knows several.
    target : {"siril", "pixinsight", "dss", "astap", "ccdproc"}, optional
        The program it is for.

    Returns
    -------
    GenerateSummary
        What was generated.

    Raises
    ------
    FrameNotFoundError, ModelFileError
        The model cannot be read.
    SettingError
        An exposure or temperature that cannot be, or a gain setting that the model does not know.
    OutputError
        The master cannot be written there.
    """
    from solodark.dark_model import generate_for_exposure

    output = _require_folder(Path(output))
    master = generate_for_exposure(
        _load(model),
        exposure_s,
        temperature_c=temperature_c,
        iso=iso,
        gain_setting=gain_setting,
    )
    return _write(output, master, target, "the model alone")


def _generator(
    model: "PathLike | DarkModel | None", network: PathLike | None
) -> Callable[..., MasterDark]:
    """Choose what makes the master: the dark model, or a network with or without it."""
    dark_model = None if model is None else _load(model)
    if network is not None:
        from solodark.workflows.networks import generate_by_network, load_network

        return partial(generate_by_network, load_network(network), model=dark_model)
    if dark_model is None:
        raise SettingError("found nothing to generate with; expected --model, --network, or both")
    from solodark.dark_model import generate

    return partial(generate, dark_model)


def _load_compiled() -> None:
    """Import what is compiled, and call some of it: the first call loads slowly."""
    from solodark.dark_model.level_parts import LevelParts
    from solodark.dark_model.levels import part_levels

    part_levels(np.zeros((2, 2), np.float32), LevelParts(None))


def _load(model: "PathLike | DarkModel") -> "DarkModel":
    return load_model(model) if isinstance(model, str | os.PathLike) else model


def _require_folder(output: Path) -> Path:
    """Raise before the work rather than after it."""
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: there is no folder {output.parent}")
    return output


def _require_new(outputs: Sequence[Path], lights: Sequence[Path]) -> None:
    for output in outputs:
        if output.exists() and any(output.samefile(light) for light in lights):
            raise OutputError(f"{output} is one of the lights; choose another name for the master")


def _write(
    output: Path, master: MasterDark, target: Target | None, made_from: str
) -> GenerateSummary:
    output.parent.mkdir(exist_ok=True)  # the folder for one master for each light
    write_master(output, master, target=target, comments=_comments(master, made_from))
    return _summarise(output, master)


def _comments(master: MasterDark, made_from: str) -> Sequence[str]:
    worth = f"worth {master.equivalent_subs:.0f} subs on ordinary pixels"
    return [f"Generated from {made_from}; {worth}.", *master.verdict.reasons]


def _summarise(output: Path, master: MasterDark) -> GenerateSummary:
    names = [flag for flag in PixelFlags if flag.value & (flag.value - 1) == 0 and flag.value]
    return GenerateSummary(
        output=output,
        equivalent_subs=master.equivalent_subs,
        verdict=master.verdict,
        level_adu=_median_adu(master.data),
        uncertainty_adu=_median_adu(master.uncertainty),
        flags={flag.name or "": int(np.count_nonzero(master.flags & flag.value)) for flag in names},
        model_id=master.provenance.model_id,
    )


def _median_adu(plane: NDArray[np.float32]) -> float:
    """Median of a fixed sample of the pixels, good to three thousandths of their spread."""
    return float(np.median(plane[sample_positions(plane.shape, _N_MEDIAN_SAMPLE)]))
