"""Camera raws through LibRaw: the sensor's own numbers, neither debayered nor balanced."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from solodark.errors import FrameFormatError, NotAMosaicError, TruncatedFileError
from solodark.formats.exif import COLOUR_FILTER_ARRAY, LINEAR_RAW, raw_images, read_exif
from solodark.formats.foreign_errors import errors_naming, one_line, shown
from solodark.formats.header_reading import acquisition_from_header
from solodark.formats.header_values import Header
from solodark.formats.open_frame import Scan
from solodark.formats.quiet_stderr import without_lines_about
from solodark.formats.rows import (
    SpooledRows,
)
from solodark.formats.stored_pixels import (
    Pixels,
)
from solodark.frames import CFA_PATTERNS

if TYPE_CHECKING:
    import rawpy

__all__ = ["CAMERA_RAW_SUFFIXES", "scan_camera_raw"]

_LIBRAW_KNOWS = (
    "3fr arw bay cap cr2 cr3 crw cs1 dcr dcs dng drf erf fff gpr iiq k25 kc2 kdc mdc mef mos "
    "mrw nef nrw orf ori pef ptx pxn qtk raf raw rw2 rwl rwz sr2 srf srw sti x3f"
)
CAMERA_RAW_SUFFIXES = tuple(f".{name}" for name in _LIBRAW_KNOWS.split())
"""What LibRaw knows, as far as it is a still camera's."""

LEAST_BITS_PER_PIXEL = 0.5
"""No camera packs noise tighter; a file below it is a header without its pixels."""


@dataclass(frozen=True, slots=True)
class _Window:
    """The visible part of the raw image, its margins even so that the CFA phase is kept."""

    top: int
    left: int
    ny: int
    nx: int


@dataclass(frozen=True, slots=True)
class _Sensor:
    """What LibRaw knows of a camera only after it unpacked a frame."""

    cfa_pattern: str | None
    black_level_adu: float | None
    saturation_adu: float | None
    note: str = ""


_sensors: dict[tuple[object, ...], _Sensor] = {}
"""By model, geometry and ISO: unpacking one frame of a camera spares unpacking all others when only
their headers are asked for."""
_sensors_lock = threading.Lock()
_TELLS_SENSOR = (".Model", ".ISOSpeedRatings", ".CFAPattern", ".ActiveArea")


def scan_camera_raw(path: Path) -> Scan:
    """Read a camera raw's header: LibRaw's geometry, EXIF and maker notes.

    Pixels are unpacked only for the first frame of each model, size and ISO, to learn the colour
    pattern and the levels. The rotation flag is ignored; nothing is subtracted or scaled.

    Parameters
    ----------
    path : Path
        CR2, CR3, NEF, ARW, DNG, RAF, RW2, KDC, or another of `CAMERA_RAW_SUFFIXES`.

    Returns
    -------
    Scan
        The visible area with even margins.

    Raises
    ------
    FrameFormatError
        LibRaw cannot read it.
    TruncatedFileError
        It holds a header without its pixels, or part of them.
    NotAMosaicError
        It holds linear colour, as a DNG made by a raw converter or a phone does.
    """
    with _opened(path) as raw:
        exif = read_exif(path)
        _require_mosaic(exif, path)
        _require_pixels(exif, raw.sizes.raw_height * raw.sizes.raw_width, path)
        acquisition = acquisition_from_header(exif)
        window = _window(raw)
        sensor = _sensor(raw, exif, window, path)
    notes = (*acquisition.notes, sensor.note) if sensor.note else acquisition.notes
    acquisition = replace(
        acquisition,
        cfa_pattern=sensor.cfa_pattern,
        black_level_adu=sensor.black_level_adu,
        saturation_adu=sensor.saturation_adu,
        notes=notes,
    )
    shape = window.ny, window.nx
    return Scan(acquisition, shape, SpooledRows(path, shape, lambda: _unpacked(path, window)))


@contextmanager
def _opened(path: Path) -> Iterator["rawpy.RawPy"]:
    """Open a raw with LibRaw, and turn its errors into sentences."""
    import rawpy

    with errors_naming(path, "a camera raw"), without_lines_about(str(path)), rawpy.RawPy() as raw:
        try:
            raw.open_file(str(path))
            yield raw
        except rawpy.LibRawError as error:
            raise FrameFormatError(
                f"{shown(path)}: LibRaw cannot read it: {_said(error)}; the file is damaged, "
                "a header without pixels, or from a camera it does not know"
            ) from error


def _said(error: Exception) -> str:
    words = error.args[0] if error.args else ""
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else one_line(error)


def _require_mosaic(exif: Header, path: Path) -> None:
    """Refuse linear colour by its tags, before anything is unpacked."""
    mosaics = raw_images(exif, photometric=COLOUR_FILTER_ARRAY)
    if raw_images(exif, photometric=LINEAR_RAW) and not mosaics:
        raise _not_a_mosaic(path)


def _not_a_mosaic(path: Path) -> NotAMosaicError:
    return NotAMosaicError(
        f"{shown(path)}: holds linear colour (three values at each pixel), already mixed from the "
        "sensor's mosaic, so it cannot be a dark or be calibrated; give the camera's own raw file"
    )


def _require_pixels(exif: Header, pixels: int, path: Path) -> None:
    size = path.stat().st_size
    if size * 8 < LEAST_BITS_PER_PIXEL * pixels:
        raise TruncatedFileError(
            f"{shown(path)}: holds {size} bytes for {pixels} pixels: a header without its pixels; "
            "copy the file again from the camera"
        )
    end = _end_of_pixels(exif)
    if end > size:
        raise TruncatedFileError(
            f"{shown(path)}: is cut short: {size} of {end} bytes are there, {end - size} are "
            "missing; copy it again from the camera"
        )


def _end_of_pixels(exif: Header) -> int:
    """Byte after the last strip or tile that the tags declare; 0 where they do not tell."""
    ends = [0]
    for group in raw_images(exif, photometric=COLOUR_FILTER_ARRAY):
        for part in ("Strip", "Tile"):
            offsets, counts = (
                [int(n) for n in str(exif[key].value).split() if n.isdigit()] if key in exif else []
                for key in (f"{group}.{part}Offsets", f"{group}.{part}ByteCounts")
            )
            if len(offsets) == len(counts):
                ends += [o + c for o, c in zip(offsets, counts, strict=True)]
    return max(ends)


def _window(raw: "rawpy.RawPy") -> _Window:
    sizes = raw.sizes
    dy, dx = sizes.top_margin % 2, sizes.left_margin % 2
    top, left = sizes.top_margin + dy, sizes.left_margin + dx
    return _Window(
        top,
        left,
        min(sizes.height - dy, sizes.raw_height - top),
        min(sizes.width - dx, sizes.raw_width - left),
    )


def _sensor(raw: "rawpy.RawPy", exif: Header, window: _Window, path: Path) -> _Sensor:
    told = (str(c.value) for k, c in exif.items() if k.endswith(_TELLS_SENSOR))
    key = (*told, *raw.sizes)
    with _sensors_lock:
        known = _sensors.get(key)
    if known is not None and "Exif.Image.Model" in exif:
        return known
    raw.unpack()
    sensor = _learned(raw, window, path)
    with _sensors_lock:
        _sensors[key] = sensor
    return sensor


def _learned(raw: "rawpy.RawPy", window: _Window, path: Path) -> _Sensor:
    if raw.raw_image is None or raw.raw_image.ndim != 2:
        raise _not_a_mosaic(path)
    black = float(np.mean(raw.black_level_per_channel))
    pattern, note = _pattern(raw, window)
    return _Sensor(pattern, black or None, float(raw.white_level or 0) or None, note)


def _pattern(raw: "rawpy.RawPy", window: _Window) -> tuple[str | None, str]:
    """Give the colours of the window's first 2 x 2 pixels; a remark if that is no Bayer cell."""
    if raw.num_colors == 1:
        return None, ""
    size = raw.raw_pattern.shape if raw.raw_pattern is not None else (0, 0)
    letters = raw.color_desc.decode("ascii", "replace")
    cell = "".join(
        letters[raw.raw_color(window.top + y, window.left + x)] for y in (0, 1) for x in (0, 1)
    )
    if size == (2, 2) and cell in CFA_PATTERNS:
        return cell, ""
    return None, f"its colour filters repeat every {size[0]} x {size[1]} pixels; took it for mono"


def _unpacked(path: Path, window: _Window) -> Pixels:
    with _opened(path) as raw:
        raw.unpack()
        image = raw.raw_image
        if image is None or image.ndim != 2:
            raise _not_a_mosaic(path)
        cut = image[window.top : window.top + window.ny, window.left : window.left + window.nx]
        if cut.shape != (window.ny, window.nx):
            raise FrameFormatError(
                f"{shown(path)}: LibRaw unpacked {image.shape[0]} x {image.shape[1]} pixels, fewer "
                f"than the {window.ny} x {window.nx} its header declares"
            )
        return cut.astype(np.uint16)
