"""The masters that a comparison needs, and the ways to get a dark that they make."""

import os
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
from solodark.errors import FrameFormatError, NotEnoughFramesError
from solodark.formats import find_frame_paths, open_frame, read_acquisition
from solodark.frames import (
    FrameKind,
    FrameSource,
    Master,
    MasterDark,
    Provenance,
    require_matching,
)
from solodark.workflows.compare_rows import (
    EACH,
    GENERATED,
    NEAREST,
    NETWORK,
    NO_DARK,
    ONE_SUB,
    PIXINSIGHT,
    REAL,
    SIRIL,
)
from solodark.workflows.library_masters import (
    LibraryMasters,
    combine_sources,
    find_library_masters,
)
from solodark.workflows.model_files import open_frames
from solodark.workflows.networks import generate_by_network, load_network

__all__ = [
    "MATCHING",
    "CompareInputs",
    "Masters",
    "PathLike",
    "Paths",
    "gather_masters",
    "notes_on",
    "ways_to_a_dark",
]

PathLike = str | os.PathLike[str]
Paths = PathLike | Sequence[PathLike]

MATCHING = ("shape", "camera", "gain_setting", "offset_setting", "iso", "binning", "cfa_pattern")
"""What the frames of one night agree in."""
_SAME_EXPOSURE = 0.02


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


def gather_masters(inputs: CompareInputs, light: FrameSource, model: DarkModel) -> Masters:
    """Combine what was given, and make what the model makes.

    Parameters
    ----------
    inputs : CompareInputs
        Files of the night.
    light : FrameSource
        One of its lights.
    model : DarkModel
        The sensor.

    Returns
    -------
    Masters
        All that is subtracted and divided by.

    Raises
    ------
    NotEnoughFramesError
        There is no dark of the lights' exposure, or no frame of a kind where some were promised.
    WrongSubError
        The model cannot explain the sub.
    """
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
        require_matching(sources, MATCHING)
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


def ways_to_a_dark(masters: Masters, model: DarkModel) -> Iterator[Contender]:
    """Give every way to get the darks of the lights.

    Parameters
    ----------
    masters : Masters
        What there is.
    model : DarkModel
        The sensor.

    Yields
    ------
    Contender
        In the order of the table; those that need the library only where its files are there.
    """
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


def notes_on(masters: Masters) -> dict[str, str]:
    """Say what each contender was made of.

    Parameters
    ----------
    masters : Masters
        What there is.

    Returns
    -------
    dict of str to str
        By the contenders' names.
    """
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
