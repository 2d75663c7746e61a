"""What a frame was taken for: its header says, else its folder and name, else its pixels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.formats.header_dialects import kind_from_words
from solodark.frames import Acquisition, FrameKind, FrameSource

__all__ = ["kind_from_path", "kind_from_pixels"]

FOLDERS_ASKED = 3
LONGEST_BIAS_S = 0.001
"""Cameras take biases at their shortest exposure: 0 s, 32 us or 1/8000 s."""
BRIGHT = 0.15
"""Share of full scale above which no dark and hardly a dark sky lies."""
EVEN = 0.25
"""Robust spread over level below which a bright frame is a flat."""
BANDS, BAND_ROWS, BAND_COLUMNS, LEAST_SIDE = 4, 16, 1024, 4


def kind_from_path(acquisition: Acquisition, path: Path) -> Acquisition:
    """Fill in the kind from the folder or the name, where the header does not say.

    The nearest folder that speaks counts; the name only where no folder does, because a person
    sorts folders while programs keep writing the name they were once set to.

    Parameters
    ----------
    acquisition : Acquisition
        As the header has it.
    path : Path
        The file.

    Returns
    -------
    Acquisition
        With `kind`, `kind_source`, and a note where folder and name disagree.

    Examples
    --------
    >>> kind_from_path(Acquisition(), Path("M31/darks/IMG_0001.CR2")).kind_source
    'folder darks'
    """
    told = [(acquisition.kind, acquisition.kind_source), *_told_by_path(path)]
    known = [(kind, source) for kind, source in told if kind is not None]
    if not known:
        return acquisition
    kind, source = known[0]
    notes = tuple(
        f"its {source} says {kind}, its {other} {another}; took the {source.split()[0]}'s word"
        for another, other in known[1:]
        if another is not kind
    )
    return replace(acquisition, kind=kind, kind_source=source, notes=acquisition.notes + notes)


def _told_by_path(path: Path) -> list[tuple[FrameKind | None, str]]:
    """Give what the nearest folder that speaks says, and then what the name says."""
    folders = path.absolute().parts[-2 : -2 - FOLDERS_ASKED : -1]
    spoken = [(kind_from_words(folder), f"folder {folder}") for folder in folders]
    nearest = [told for told in spoken if told[0] is not None][:1]
    return [*nearest, (kind_from_words(path.stem), "file name")]


def kind_from_pixels(source: FrameSource) -> Acquisition:
    """Fill in the kind from exposure and statistics, where header and path do not say.

    A few bands of rows are read. The shortest exposures are biases unless they are bright; bright
    pixels whose neighbours are bright too are stars, and make a light; a bright and even level is a
    flat's; what is left, with single bright pixels or none, is a dark.

    Parameters
    ----------
    source : FrameSource
        The frame.

    Returns
    -------
    Acquisition
        The source's, with `kind` and `kind_source` where they could be told.
    """
    acquisition = source.acquisition
    if acquisition.kind is not None:
        return acquisition
    bands = _sample(source)
    kind = _judge(acquisition, bands) if bands else None
    if kind is None:
        return acquisition
    return replace(acquisition, kind=kind, kind_source="exposure and statistics")


def _sample(source: FrameSource) -> list[NDArray[np.float64]]:
    """Read bands of rows spread over the frame, each beginning on an even row.

    Pixels without a value get their band's median; a band of such pixels is left out.
    """
    ny, nx = source.shape
    left = max(0, (nx - BAND_COLUMNS) // 4 * 2)
    starts = {(ny * (2 * n + 1) // (2 * BANDS)) // 2 * 2 for n in range(BANDS)}
    bands = []
    for start in sorted(starts):
        rows = source.read_rows(start, min(start + BAND_ROWS, ny))
        band = rows[:, left : left + BAND_COLUMNS].astype(np.float64)
        good = np.isfinite(band)
        if min(band.shape) >= LEAST_SIDE and good.any():
            bands.append(np.where(good, band, np.median(band[good])))
    return bands


def _judge(acquisition: Acquisition, bands: list[NDArray[Any]]) -> FrameKind | None:
    step = 1 if acquisition.cfa_pattern is None else 2
    level, spread = _level_and_spread(bands, step)
    black = acquisition.black_level_adu or 0.0
    bright = level - black > BRIGHT * (_full_scale(acquisition, bands) - black)
    exposure_s = acquisition.exposure_s
    if exposure_s is not None and exposure_s <= LONGEST_BIAS_S and not bright:
        return FrameKind.BIAS
    if _has_stars(bands, step):
        return FrameKind.LIGHT
    if bright:
        return FrameKind.FLAT if spread < EVEN * (level - black) else FrameKind.LIGHT
    return None if exposure_s is None else FrameKind.DARK


def _full_scale(acquisition: Acquisition, bands: list[NDArray[Any]]) -> float:
    if acquisition.saturation_adu is not None:
        return acquisition.saturation_adu
    return 1.0 if max(band.max() for band in bands) <= 1.0 else 65535.0


def _level_and_spread(bands: list[NDArray[Any]], step: int) -> tuple[float, float]:
    """Give the median of all pixels, and the median robust spread of the planes."""
    planes = [plane for band in bands for plane in _planes(band, step)]
    level = np.median(np.concatenate([band.ravel() for band in bands]))
    return float(level), float(np.median([_robust_sigma(plane) for plane in planes]))


def _robust_sigma(plane: NDArray[Any]) -> float:
    return 1.4826 * float(np.median(np.abs(plane - np.median(plane))))


def _planes(band: NDArray[Any], step: int) -> list[NDArray[Any]]:
    return [band[y::step, x::step] for y in range(step) for x in range(step)]


def _has_stars(bands: list[NDArray[Any]], step: int) -> bool:
    """Whether bright pixels come in groups as wide as a star's image."""
    peaks, neighbours = (
        np.concatenate(parts)
        for parts in zip(*(_peaks_and_neighbours(band, step) for band in bands), strict=True)
    )
    grouped = neighbours > 0.15 * peaks
    return bool(grouped.sum() >= 5 and grouped.mean() > 0.3)


def _peaks_and_neighbours(band: NDArray[Any], step: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Height of pixels 10 sigma above their plane, and the mean of their four neighbours.

    In sigma, so that the planes of a colour sensor can be compared.
    """
    height = band.copy()
    for y, x in np.ndindex(step, step):
        plane = height[y::step, x::step]
        plane -= np.median(plane)
        plane /= max(_robust_sigma(plane), 1e-9)
    inner = height[1:-1, 1:-1]
    around = height[:-2, 1:-1] + height[2:, 1:-1] + height[1:-1, :-2] + height[1:-1, 2:]
    peak = inner > 10
    return inner[peak], around[peak] / 4
