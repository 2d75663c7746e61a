"""Compare files: the same lights stacked with one kind of dark after the other, and a page."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from solodark.calibration import NormalisedFlat, normalised_flat
from solodark.comparison.contenders import (
    Contender,
    each_with_its_own,
    one_for_all,
    scaled_to_each,
)
from solodark.dark_model import DarkModel, generate, level_image, predict
from solodark.dark_model.gain_settings import require_setting
from solodark.errors import FrameFormatError, NotEnoughFramesError, OutputError
from solodark.formats import atomic_write, find_frame_paths, open_frame, read_acquisition
from solodark.frames import (
    FrameKind,
    FrameSource,
    Master,
    MasterDark,
    Progress,
    Provenance,
    require_matching,
    silent,
)
from solodark.report import comparison_html
from solodark.workflows.compare_stacks import Comparison, compare_sources
from solodark.workflows.compare_story import (
    EACH,
    GENERATED,
    NEAREST,
    NETWORK,
    NO_DARK,
    ONE_SUB,
    PIXINSIGHT,
    REAL,
    SIRIL,
    CompareRow,
    tell_comparison,
)
from solodark.workflows.learn import load_model, open_frames
from solodark.workflows.library_masters import (
    LibraryMasters,
    combine_sources,
    find_library_masters,
)
from solodark.workflows.lights import sort_lights
from solodark.workflows.networks import generate_by_network, load_network

__all__ = ["CompareInputs", "CompareSummary", "compare_files", "compare_night"]

PathLike = str | os.PathLike[str]
Paths = PathLike | Sequence[PathLike]

_LEAST_LIGHTS = 2
_SEED = 1  # where stars are injected, and which pixels are followed
_SAME_EXPOSURE = 0.02
_MATCHING = ("shape", "camera", "gain_setting", "offset_setting", "iso", "binning", "cfa_pattern")
_ADVICE = "Give the folder of one night's lights with --lights"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSummary:
    """What came out of a comparison.

    Attributes
    ----------
    report : Path
        The page.
    rows : tuple of CompareRow
        Figures of each kind of dark.
    n_lights : int
        Lights in every stack.
    registration_rms_px : float
        Residual of the registration.
    left_out : tuple of (Path, str)
        Files that did not serve, and why.
    model_id : str
        The model.
    """

    report: Path
    rows: tuple[CompareRow, ...]
    n_lights: int
    registration_rms_px: float
    left_out: tuple[tuple[Path, str], ...]
    model_id: str


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class CompareInputs:
    """Files of one night, and the model.

    Attributes
    ----------
    lights : path-like or sequence of path-like
        Lights as the camera wrote them.
    darks : path-like or sequence of path-like
        Real darks of the lights' exposure.
    sub : path-like
        The one new dark.
    model : path-like or DarkModel
        The camera's model.
    flats, biases : path-like or sequence of path-like, or None
        Single frames, or a master.
    network : path-like or None
        As `solodark train` made it.
    """

    lights: Paths
    darks: Paths
    sub: PathLike
    model: PathLike | DarkModel
    flats: Paths | None = None
    biases: Paths | None = None
    network: PathLike | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Masters:
    """What is subtracted, and what is divided by.

    Attributes
    ----------
    bias : Master
        Of the night, of the library, or as the model knows it.
    sub : Master
        The one new dark.
    real : Master
        Combined from the new darks.
    library : LibraryMasters
        Nearest master and bias of the model's library.
    generated : MasterDark
        From the one new dark.
    by_network : MasterDark or None
        From the one new dark by a network.
    flat : NormalisedFlat or None
        Of the night.
    """

    bias: Master
    sub: Master
    real: Master
    library: LibraryMasters
    generated: MasterDark
    by_network: MasterDark | None
    flat: NormalisedFlat | None


def compare_files(  # noqa: PLR0913 - a night has that many kinds of files
    lights: Paths,
    output: PathLike,
    *,
    darks: Paths,
    sub: PathLike,
    model: PathLike | DarkModel,
    flats: Paths | None = None,
    biases: Paths | None = None,
    network: PathLike | None = None,
    progress: Progress = silent,
) -> CompareSummary:
    """Stack the same lights with one kind of dark after the other, measure, and write a page.

    No dark, the one sub, the real master, the library's nearest master, that master scaled by one k
    as PixInsight and as Siril do, the master generated from the sub, and one generated for each
    light. The lights are registered once. Rows that need the model's library are left out where its
    files no longer lie in their place.

    Parameters
    ----------
    lights : path-like or sequence of path-like
        Lights of one night as the camera wrote them.
    output : path-like
        The page, an ``.html`` file.
    darks : path-like or sequence of path-like
        Real darks of the lights' exposure, for the real master.
    sub : path-like
        The one new dark.
    model : path-like or DarkModel
        The camera's model.
    flats, biases : path-like or sequence of path-like, optional
        Single frames, or a master.
    network : path-like, optional
        A network, whose master joins the comparison.
    progress : Progress
        Who is told.

    Returns
    -------
    CompareSummary
        Figures.

    Raises
    ------
    FrameNotFoundError, FrameFormatError, ModelFileError
        Something cannot be read.
    NotEnoughFramesError
        There are fewer than two lights, or no dark of their exposure.
    FrameMismatchError
        Frames are not of one camera, size and gain.
    RegistrationError
        No light shows enough stars.
    WrongSubError
        The model cannot explain the sub or a light.
    OutputError
        The page cannot be written there, or there is no room for what is kept meanwhile.
    """
    inputs = CompareInputs(
        lights=lights,
        darks=darks,
        sub=sub,
        model=model,
        flats=flats,
        biases=biases,
        network=network,
    )
    return compare_night(inputs, output, progress=progress)


def compare_night(
    inputs: CompareInputs,
    output: PathLike,
    *,
    truth: Contender | None = None,
    progress: Progress = silent,
) -> CompareSummary:
    """Do as `compare_files` does, beside the true darks where they are known.

    Parameters
    ----------
    inputs : CompareInputs
        Files and model.
    output : path-like
        The page, an ``.html`` file.
    truth : Contender, optional
        True darks of a simulated camera, named "true dark".
    progress : Progress
        Who is told.

    Returns
    -------
    CompareSummary
        Figures.
    """
    page = _require_page(Path(output))
    paths, left_out = sort_lights(find_frame_paths(inputs.lights), advice=_ADVICE)
    model = inputs.model if isinstance(inputs.model, DarkModel) else load_model(inputs.model)
    with open_frames(paths) as sources, tempfile.TemporaryDirectory() as scratch:
        _require_night(sources)
        masters = _gather_masters(inputs, sources[0], model)
        contenders = [*_contenders(masters, model), *([truth] if truth else [])]
        found = compare_sources(
            sources,
            contenders,
            best=EACH,
            scratch=Path(scratch),
            rng=np.random.default_rng(_SEED),
            flat=masters.flat,
            notes=_notes(masters),
            progress=progress,
        )
        story = tell_comparison(found, _recipe(sources, masters, found, model))
        with atomic_write(page) as temporary:
            temporary.write_text(comparison_html(story), encoding="utf-8")
    out_of_register = [(paths[i], reason) for i, reason in found.registration.left_out]
    return CompareSummary(
        report=page,
        rows=found.rows,
        n_lights=found.n_lights,
        registration_rms_px=found.registration.rms_px,
        left_out=(*left_out, *out_of_register),
        model_id=model.model_id,
    )


def _require_page(output: Path) -> Path:
    """Raise before the work rather than after it."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{output}: the comparison is a page; give a name that ends in .html")
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: there is no folder {output.parent}")
    return output


def _require_night(lights: Sequence[FrameSource]) -> None:
    if len(lights) < _LEAST_LIGHTS:
        raise NotEnoughFramesError(
            f"found {len(lights)} light, expected {_LEAST_LIGHTS} or more to stack"
        )
    require_matching(lights, (*_MATCHING, "exposure_s"))


def _gather_masters(inputs: CompareInputs, light: FrameSource, model: DarkModel) -> Masters:
    """Combine what was given, and make what the model makes."""
    exposure_s = light.acquisition.exposure_s
    library = find_library_masters(model, light.acquisition)
    bias = None if inputs.biases is None else _combined(inputs.biases, FrameKind.BIAS)
    with open_frame(inputs.sub) as source:
        sub, generated = combine_sources([source]), generate(model, source)
        by_network = _by_network(inputs.network, model, source)
        bias = bias or library.bias or _bias_of_model(model, source)
    flat = None
    if inputs.flats is not None:
        flat = normalised_flat(_combined(inputs.flats, FrameKind.FLAT), offset=bias)
    return Masters(
        bias=bias,
        sub=sub,
        real=_combined(inputs.darks, FrameKind.DARK, exposure_s),
        library=library,
        generated=generated,
        by_network=by_network,
        flat=flat,
    )


def _by_network(network: PathLike | None, model: DarkModel, sub: FrameSource) -> MasterDark | None:
    """Let a network make its master; the dark model helps only one that was trained beside it."""
    if network is None:
        return None
    trained = load_network(network)
    beside = model if trained.training.preset == "sensor" else None
    return generate_by_network(trained, sub, model=beside)


def _combined(paths: Paths, kind: FrameKind, exposure_s: float | None = None) -> Master:
    """Combine the frames of a kind that lie there; a master alone stays as it is."""
    files = find_frame_paths(paths)
    chosen = [path for path in files if _is_wanted(path, kind, exposure_s)]
    if not chosen:
        of = "" if exposure_s is None else f" of {exposure_s:g} s, the lights' exposure"
        raise NotEnoughFramesError(
            f"none of {len(files)} frames is a {kind}{of} ({files[0]} is the first); give a folder "
            f"of such frames, or leave the option out where it may be"
        )
    with open_frames(chosen) as sources:
        require_matching(sources, _MATCHING)
        return combine_sources(sources)


def _is_wanted(path: Path, kind: FrameKind, exposure_s: float | None) -> bool:
    """Whether a file is of the kind and exposure, as far as it tells."""
    try:
        taken = read_acquisition(path)
    except FrameFormatError:
        return False
    if taken.kind not in (None, kind):
        return False
    if exposure_s is None or taken.exposure_s is None:
        return True
    return abs(taken.exposure_s - exposure_s) <= _SAME_EXPOSURE * exposure_s


def _bias_of_model(model: DarkModel, frame: FrameSource) -> Master:
    """Give the bias that the model learned: its pattern and level without any dark signal."""
    setting = require_setting(model.settings, frame)
    none = np.zeros(model.rank)
    prediction = predict(model, none, setting=setting)
    return Master(
        data=prediction.pattern + level_image(model, none, setting=setting),
        uncertainty=np.sqrt(prediction.variance),
        flags=np.zeros(model.shape, np.uint8),
        acquisition=replace(frame.acquisition, kind=FrameKind.BIAS, exposure_s=0.0),
        origin="generated",
        provenance=Provenance("bias of the model", model_id=model.model_id),
    )


def _contenders(masters: Masters, model: DarkModel) -> Iterator[Contender]:
    yield one_for_all(NO_DARK, masters.bias)
    yield one_for_all(ONE_SUB, masters.sub)
    yield one_for_all(REAL, masters.real)
    nearest = masters.library.dark
    if nearest is not None:
        yield one_for_all(NEAREST, nearest)
        yield scaled_to_each(PIXINSIGHT, nearest, masters.bias, "PixInsight")
        yield scaled_to_each(SIRIL, nearest, masters.bias, "Siril")
    if masters.by_network is not None:
        yield one_for_all(NETWORK, masters.by_network)
    yield one_for_all(GENERATED, masters.generated)
    yield each_with_its_own(EACH, model)


def _notes(masters: Masters) -> dict[str, str]:
    n = masters.real.acquisition.n_combined or len(masters.real.provenance.inputs)
    nearest = masters.library.reason
    return {
        NO_DARK: f"bias {masters.bias.origin}",
        REAL: f"{n} dark{'s'[: n != 1]}",
        NEAREST: nearest,
        PIXINSIGHT: nearest,
        SIRIL: nearest,
        GENERATED: f"worth {masters.generated.equivalent_subs:.0f} subs by its own reckoning",
    }


def _recipe(
    lights: Sequence[FrameSource], masters: Masters, found: Comparison, model: DarkModel
) -> tuple[tuple[str, str], ...]:
    taken = lights[0].acquisition
    ny, nx = lights[0].shape
    library = masters.library.reason or (
        "its files no longer lie where they were learned from; its rows are left out"
    )
    flat = "; ".join(masters.flat.notes) if masters.flat is not None else "none was given"
    return (
        ("camera", f"{taken.camera.model or 'not named'}, {nx} × {ny} pixels"),
        ("lights", f"{found.n_lights} of {len(lights)}, {taken.exposure_s or 0.0:g} s each"),
        ("register", f"residual {found.registration.rms_px:.3f} px; found once, used for all"),
        ("flat", flat),
        ("model", f"identity {model.model_id}, {model.rank} dark maps"),
        ("library", library),
        ("one sub", ", ".join(record.name for record in masters.sub.provenance.inputs)),
        ("hot pixels", f"{found.n_hot} that the model knows were followed through the stack"),
        ("stars", f"{found.n_injected} were injected into copies of the raw lights"),
        ("stack", "Lanczos interpolation, winsorised rejection at 3 sigma, weighted by noise"),
    )
