"""The masters that a photographer would have who kept the darks which a model was learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solodark.combine import combine
from solodark.dark_model import DarkModel, is_bias, series_index
from solodark.evaluation import find_nearest_master
from solodark.frames import (
    Acquisition,
    Frame,
    FrameSource,
    InputRecord,
    Master,
    Provenance,
    series_acquisition,
)
from solodark.workflows.model_files import open_frames

__all__ = ["LibraryMasters", "combine_sources", "find_library_masters"]

_FRAMES_FOR_REJECTION = 4


@dataclass(frozen=True, eq=False, slots=True)
class LibraryMasters:
    """What the library offers for an exposure.

    Attributes
    ----------
    dark, bias : Master or None
        Master of the nearest series, and of all biases; None where the library's files no longer
        lie in their place, or hold none.
    reason : str
        What was wanted and what was nearest, in words.
    """

    dark: Master | None = None
    bias: Master | None = None
    reason: str = ""


def find_library_masters(model: DarkModel, wanted: Acquisition) -> LibraryMasters:
    """Combine the library's series that is nearest to an exposure, and its biases.

    Parameters
    ----------
    model : DarkModel
        The model; it knows where its frames lay.
    wanted : Acquisition
        Exposure and temperature.

    Returns
    -------
    LibraryMasters
        Empty where the frames no longer lie there.
    """
    library = [Path(name) for name in model.library.names if Path(name).is_file()]
    if not library:
        return LibraryMasters()
    with open_frames(library) as sources:
        biases = [source for source in sources if is_bias(source)]
        bias = combine_sources(biases) if biases else None
        nearest, reason = _nearest_series(sources, wanted)
        dark = combine_sources(nearest) if nearest else None
    return LibraryMasters(dark, bias, reason)


def combine_sources(sources: Sequence[FrameSource]) -> Master:
    """Combine frames of one series as a photographer would.

    Parameters
    ----------
    sources : sequence of FrameSource
        One or more frames.

    Returns
    -------
    Master
        Winsorised mean; the mean of fewer than four.
    """
    method = "winsorized" if len(sources) >= _FRAMES_FOR_REJECTION else "mean"
    combined = combine(sources, method=method)
    return Master(
        data=combined.data,
        uncertainty=combined.uncertainty,
        flags=combined.flags,
        acquisition=series_acquisition(sources),
        origin="combined",
        provenance=Provenance(
            f"combine {method}", tuple(InputRecord(source.name) for source in sources)
        ),
    )


def _nearest_series(
    sources: Sequence[FrameSource], wanted: Acquisition
) -> tuple[list[FrameSource], str]:
    """Members of the series whose master a photographer would choose, and why."""
    index = series_index(sources)
    groups: dict[int, list[FrameSource]] = {}
    for number, source in zip(index, sources, strict=True):
        groups.setdefault(int(number), []).append(source)
    darks = {number: group for number, group in groups.items() if not is_bias(group[0])}
    if not darks or wanted.exposure_s is None:
        return [], ""
    stand_ins = [
        Frame(np.zeros((1, 1), np.float32), series_acquisition(group), name=str(number))
        for number, group in darks.items()
    ]
    chosen = find_nearest_master(stand_ins, wanted)
    return darks[int(chosen.master.name)], chosen.reason
