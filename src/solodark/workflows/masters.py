"""A master as a person gives it: one file, or a folder of the frames it is made of."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.combine import combine
from solodark.errors import FrameMismatchError
from solodark.formats import find_frame_paths, open_frame, read_master
from solodark.frames import (
    Acquisition,
    FrameKind,
    FrameSource,
    Master,
    Progress,
    require_matching,
    series_acquisition,
    silent,
)

__all__ = ["require_master"]

PathLike = str | os.PathLike[str]

_FIELDS = ("shape", "camera", "gain_setting", "offset_setting", "iso", "binning", "cfa_pattern")
_SAMPLE_ROWS = 512


def require_master(
    path: PathLike, kind: FrameKind, *, offset: Master | None = None, progress: Progress = silent
) -> Master:
    """Give the master of a file, or combine the frames of a folder.

    Flats of a folder are brought to one brightness before they are combined, as those of a
    twilight differ.

    Parameters
    ----------
    path : path-like
        A master's file, or a folder of single frames.
    kind : FrameKind
        What it has to be.
    offset : Master, optional
        Master bias that the flats' brightness is counted from.
    progress : Progress
        Told about the combining.

    Returns
    -------
    Master
        The bias level still in it.

    Raises
    ------
    FrameNotFoundError, FrameFormatError
        There is no such file, or it cannot be read.
    FrameMismatchError
        It is of another kind, or the frames do not belong together.
    """
    if not Path(path).is_dir():
        master = read_master(path, holds_adu=kind is not FrameKind.FLAT)
        _require_kind(str(path), master.acquisition, kind)
        return master
    with ExitStack() as opened:
        files = find_frame_paths(path)
        frames: Sequence[FrameSource] = [opened.enter_context(open_frame(file)) for file in files]
        for frame in frames:
            _require_kind(frame.name, frame.acquisition, kind)
        fields = (*_FIELDS, "exposure_s") if kind is FrameKind.DARK else _FIELDS
        require_matching(frames, fields)
        acquisition = series_acquisition(frames)
        if kind is FrameKind.FLAT:
            frames = _levelled(frames, offset)
        combined = combine(
            frames,
            method="winsorized",
            saturation_adu=acquisition.saturation_adu,
            progress=progress,
        )
    return Master(
        data=combined.data,
        uncertainty=np.nan_to_num(combined.uncertainty),  # of a single frame it is not known
        flags=combined.flags,
        acquisition=acquisition,
        origin="combined",
    )


def _require_kind(name: str, acquisition: Acquisition, kind: FrameKind) -> None:
    """Refuse what says it is something else; a flat-dark may stand for a bias."""
    allowed = {None, kind}
    if kind is FrameKind.BIAS:
        allowed.add(FrameKind.DARK)
    if acquisition.kind not in allowed:
        raise FrameMismatchError(
            f"{name} is a {acquisition.kind}, says its {acquisition.kind_source}; expected a {kind}"
        )


@dataclass(frozen=True, eq=False, slots=True)
class _Levelled:
    """A flat brought to the brightness of the others."""

    flat: FrameSource
    offset: NDArray[np.float32] | None
    factor: float

    @property
    def name(self) -> str:
        return self.flat.name

    @property
    def acquisition(self) -> Acquisition:
        return self.flat.acquisition

    @property
    def shape(self) -> tuple[int, int]:
        return self.flat.shape

    def read_rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """``offset + factor * (flat - offset)``."""
        light = self.flat.read_rows(start, stop).astype(np.float32)
        if self.offset is None:
            return light * np.float32(self.factor)
        light -= self.offset[start:stop]
        light *= np.float32(self.factor)
        light += self.offset[start:stop]
        return light


def _levelled(flats: Sequence[FrameSource], offset: Master | None) -> list[FrameSource]:
    """Bring flats to the mean of their brightness, measured in the middle of the frame."""
    plane = None if offset is None or offset.data.shape != flats[0].shape else offset.data
    ny = flats[0].shape[0]
    first = max(0, (ny - _SAMPLE_ROWS) // 4 * 2)
    rows = slice(first, min(ny, first + _SAMPLE_ROWS))
    below = 0.0 if plane is None else float(np.median(plane[rows]))
    levels = [float(np.median(flat.read_rows(rows.start, rows.stop))) - below for flat in flats]
    mean = float(np.mean(levels))
    if not min(levels) > 0:  # no light in it: combined as it is, and refused when it is normalised
        return list(flats)
    return [_Levelled(flat, plane, mean / own) for flat, own in zip(flats, levels, strict=True)]
