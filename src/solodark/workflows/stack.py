"""Stack files: calibrated lights become one picture, as FITS, TIFF and PNG."""

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameNotFoundError, NotEnoughFramesError, OutputError, SettingError
from solodark.formats import (
    atomic_write,
    find_frame_paths,
    open_light,
    write_picture,
    write_picture_tiff,
)
from solodark.formats.fits_planes import require_fits
from solodark.formats.planes import OpenLight
from solodark.frames import Progress, require_matching, silent
from solodark.frames.block_levels import difference_noise
from solodark.registration import Registration, Stars, TransformKind, find_stars, register
from solodark.report.figures import block_mean, png_bytes
from solodark.report.stretch import autostretch
from solodark.stacking import Stack, drizzle, stack
from solodark.version import __version__
from solodark.workflows.lights import sort_lights

__all__ = ["StackSummary", "stack_files"]

PathLike = str | os.PathLike[str]

_ADVICE = "Give the folder that `solodark calibrate` wrote"
_PREVIEW_PX = 2400
_WHITE_PERCENTILE = 99.98  # what is brighter, the cores of stars, is shown white
_AT_ONCE = 2  # lights in memory while stars are sought


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSummary:
    """What was stacked.

    Attributes
    ----------
    output, tiff, preview : Path
        The files that were written: FITS, 16-bit TIFF, PNG.
    n_lights : int
        Lights in the stack.
    colours : int
        1, or 3 for lights with colour filters.
    reference : Path or None
        The light that the others were brought onto; None for lights stacked as they lie.
    rms_px : float
        What registration left between the stars; NaN where there was none.
    fwhm_px : float
        Width of the reference's stars as registration sees them, colour filters averaged over; NaN
        where there was none.
    rejected_fraction_low, rejected_fraction_high : float
        Values left out, as fractions of all values.
    noise_adu : float
        Of neighbouring pixels of the stack, its green where it has colours.
    background_adu : tuple of float
        Median of each colour.
    filled_fraction : float
        Values that no light gave and that were filled in from their neighbours.
    left_out : tuple of (Path, str)
        Files that are not in the stack, and why.
    """

    output: Path
    tiff: Path
    preview: Path
    n_lights: int
    colours: int
    reference: Path | None
    rms_px: float
    fwhm_px: float
    rejected_fraction_low: float
    rejected_fraction_high: float
    noise_adu: float
    background_adu: tuple[float, ...]
    filled_fraction: float
    left_out: tuple[tuple[Path, str], ...]


def stack_files(  # noqa: PLR0913 - a picture has that many choices
    lights: PathLike | Iterable[PathLike],
    output: PathLike,
    *,
    reference: PathLike | None = None,
    kind: TransformKind = "affine",
    method: str = "winsorized",
    sigma: float = 3.0,
    kernel: str = "lanczos3",
    drizzle_scale: float | None = None,
    pixfrac: float = 1.0,
    progress: Progress = silent,
) -> StackSummary:
    """Register and stack lights, and write the picture.

    Beside ``output`` stand a 16-bit TIFF, linear, and a PNG, stretched and at most 2400 pixels
    wide, of the same name.

    Parameters
    ----------
    lights : path-like or iterable of path-like
        Folders and files; frames that are no lights are left out and listed, and so are lights
        that show no stars or another field.
    output : path-like
        The picture, a ``.fits`` file.
    reference : path-like, optional
        The light that the others are brought onto; by default that with most and sharpest stars.
    kind : {"affine", "similarity", "identity"}
        What to fit; "identity" leaves lights as they lie on the sensor.
    method : {"winsorized", "sigma", "mean", "median"}
        How to combine.
    sigma : float
        Values so many sigma from the median are rejected.
    kernel : {"lanczos3", "cubic", "linear"}
        How to interpolate.
    drizzle_scale : float, optional
        Drop the pixels of dithered lights instead of interpolating between them: what colours of a
        filter mosaic gain most from. The picture is so many times as large, 1 to 4.
    pixfrac : float
        Side of a drop over that of its pixel, 1 or less.
    progress : Progress
        Told about each light and each band.

    Returns
    -------
    StackSummary
        What was stacked, and how well.

    Raises
    ------
    FrameNotFoundError, FrameFormatError
        A file cannot be read, or the reference is none of the lights.
    NotEnoughFramesError
        There is no light, or fewer than two are in register.
    FrameMismatchError
        Lights differ in size, binning or colour filters.
    RegistrationError
        No light shows stars.
    SettingError
        A setting makes no sense.
    UnknownFormatError, OutputError
        The picture cannot be written there.
    """
    if drizzle_scale is None and pixfrac != 1.0:
        raise SettingError(f"found pixfrac = {pixfrac:g} without drizzle, whose drops it shrinks")
    paths, left_out = sort_lights(find_frame_paths(lights), advice=_ADVICE)
    place = _require_output(Path(output), paths)
    _require_two(paths)
    with ExitStack() as opened:
        sources = [
            opened.enter_context(open_light(path))
            for path in progress(paths, "opening", len(paths))
        ]
        require_matching(sources, ("shape", "binning", "cfa_pattern"))
        found, fwhm_px = _registration(sources, paths, reference, kind, progress)
        bring_together = partial(stack, kernel=kernel)
        if drizzle_scale is not None:
            bring_together = partial(drizzle, scale=drizzle_scale, pixfrac=pixfrac)
        ways = None if found is None else found.transforms
        picture = bring_together(sources, ways, method=method, sigma=sigma, progress=progress)
    manner = f"interpolation = {kernel}"
    if drizzle_scale is not None:
        manner = f"drizzle scale = {drizzle_scale:g}, pixfrac = {pixfrac:g}"
    tiff, preview = _write(place, picture, _history(picture, paths, found, manner, sigma))
    return _summary(picture, (place, tiff, preview), paths, found, fwhm_px, left_out)


def _summary(
    picture: Stack,
    written: tuple[Path, Path, Path],
    paths: Sequence[Path],
    found: Registration | None,
    fwhm_px: float,
    left_out: Sequence[tuple[Path, str]],
) -> StackSummary:
    output, tiff, preview = written
    out_of_register = found.left_out if found is not None else ()
    low, high = picture.rejected_fraction
    planes = picture.data.reshape(-1, *picture.data.shape[-2:])
    return StackSummary(
        output=output,
        tiff=tiff,
        preview=preview,
        n_lights=picture.n_lights,
        colours=len(planes),
        reference=None if found is None else paths[found.reference],
        rms_px=float("nan") if found is None else found.rms_px,
        fwhm_px=fwhm_px,
        rejected_fraction_low=low,
        rejected_fraction_high=high,
        noise_adu=difference_noise(np.nan_to_num(planes[len(planes) // 2])),
        background_adu=tuple(_median(plane) for plane in planes),
        filled_fraction=float((np.isfinite(picture.data) & (picture.coverage == 0)).mean()),
        left_out=(*left_out, *((paths[number], reason) for number, reason in out_of_register)),
    )


def _require_output(output: Path, lights: Sequence[Path]) -> Path:
    """Raise before the work rather than after it."""
    require_fits(output, "a stack")
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: there is no folder {output.parent}")
    for place in (output, output.with_suffix(".tif"), output.with_suffix(".png")):
        if place.exists() and any(place.samefile(light) for light in lights):
            raise OutputError(f"{place} is one of the lights; choose another name for the stack")
    return output


def _require_two(paths: Sequence[Path]) -> None:
    if len(paths) < 2:
        raise NotEnoughFramesError(
            f"found one light to stack, {paths[0]}; expected two or more. A single light is its "
            "own stack"
        )


def _registration(
    sources: Sequence[OpenLight],
    paths: Sequence[Path],
    reference: PathLike | None,
    kind: TransformKind,
    progress: Progress,
) -> tuple[Registration | None, float]:
    """Find stars, their width and transforms; nothing where lights shall stay as they lie."""
    if kind == "identity":
        return None, float("nan")
    number = None if reference is None else _number_of(Path(reference), paths)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = threads.map(_stars, sources)
        stars = list(progress(found, "finding stars", len(sources)))
    done = register(stars, reference=number, kind=kind, progress=progress)
    return done, float(np.median(stars[done.reference].fwhm_px))


def _number_of(reference: Path, paths: Sequence[Path]) -> int:
    for number, path in enumerate(paths):
        if reference.exists() and path.samefile(reference):
            return number
    raise FrameNotFoundError(f"{reference}, the reference, is none of the {len(paths)} lights")


def _stars(light: OpenLight) -> Stars:
    pixels = light.read_rows(0, light.shape[0])
    return find_stars(pixels, cfa_pattern=light.acquisition.cfa_pattern)


def _write(output: Path, picture: Stack, history: Sequence[str]) -> tuple[Path, Path]:
    """Write the three files; the FITS first."""
    write_picture(
        output,
        picture.data,
        picture.uncertainty,
        picture.coverage,
        picture.acquisition,
        history=history,
    )
    tiff, preview = output.with_suffix(".tif"), output.with_suffix(".png")
    write_picture_tiff(tiff, picture.data, picture.acquisition)
    encoded = png_bytes(_stretched(picture.data))
    with atomic_write(preview) as temporary:
        temporary.write_bytes(encoded)
    return tiff, preview


def _stretched(data: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink a picture to the size of a screen, and stretch each colour by itself."""
    factor = math.ceil(max(data.shape[-2:]) / _PREVIEW_PX)
    planes = data.reshape(-1, *data.shape[-2:])
    shown = []
    for plane in planes:
        small = block_mean(np.nan_to_num(plane, nan=_median(plane)), factor)
        white = float(np.percentile(small, _WHITE_PERCENTILE))
        shown.append(autostretch(small, white_adu=white).apply(small))
    return np.stack(shown, axis=-1) if len(shown) > 1 else shown[0]


def _median(plane: NDArray[np.float32]) -> float:
    known = plane[:: plane.size // 250_000 + 1]
    known = known[np.isfinite(known)]
    return float(np.median(known)) if known.size else 0.0


def _history(
    picture: Stack,
    paths: Sequence[Path],
    found: Registration | None,
    manner: str,
    sigma: float,
) -> list[str]:
    lines = [
        f"solodark {__version__} stack {picture.method}",
        f"setting sigma = {sigma:g}",
        f"setting {manner}",
    ]
    if found is None:
        return [*lines, *(f"input {path.name}" for path in paths)]
    lines.append(f"reference {paths[found.reference].name}, residual {found.rms_px:.3f} px")
    weights = zip(found.kept, picture.weights, strict=True)
    lines += [f"input {paths[number].name} weight {weight:.3f}" for number, weight in weights]
    return lines + [f"left out {paths[number].name}: {reason}" for number, reason in found.left_out]
