"""Compare files: the same lights stacked with one kind of dark after the other, and a page."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solodark.comparison.contenders import Contender
from solodark.dark_model import DarkModel
from solodark.errors import NotEnoughFramesError, OutputError
from solodark.formats import atomic_write, find_frame_paths
from solodark.frames import FrameSource, Progress, require_matching, silent
from solodark.report import comparison_html
from solodark.workflows.compare_masters import (
    MATCHING,
    CompareInputs,
    Masters,
    PathLike,
    Paths,
    gather_masters,
    notes_on,
    ways_to_a_dark,
)
from solodark.workflows.compare_rows import EACH, CompareRow
from solodark.workflows.compare_stacks import Comparison, compare_sources
from solodark.workflows.compare_story import tell_comparison
from solodark.workflows.lights import sort_lights
from solodark.workflows.model_files import load_model, open_frames

__all__ = ["CompareSummary", "compare_files", "compare_night"]

_LEAST_LIGHTS = 2
_SEED = 1  # where stars are injected, and which pixels are followed
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
        masters = gather_masters(inputs, sources[0], model)
        contenders = [*ways_to_a_dark(masters, model), *([truth] if truth else [])]
        found = compare_sources(
            sources,
            contenders,
            best=EACH,
            scratch=Path(scratch),
            rng=np.random.default_rng(_SEED),
            flat=masters.flat,
            notes=notes_on(masters),
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
    require_matching(lights, (*MATCHING, "exposure_s"))


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
