"""Drizzle lights: each pixel falls onto the stack as a drop, and nothing is interpolated."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import (
    Acquisition,
    FrameSource,
    Progress,
    cfa_planes,
    row_bands,
    series_acquisition,
    silent,
)
from solodark.frames.cfa import Plane
from solodark.registration import Transform
from solodark.stacking.bands import read_living
from solodark.stacking.brightness import Brightness, measure_brightness
from solodark.stacking.canvas import Canvas, DrizzledPlanes, Drop, Expected
from solodark.stacking.holes import fill_holes
from solodark.stacking.in_register import in_register
from solodark.stacking.stacked import Stack, stack

__all__ = ["drizzle"]

_ROWS = 1024  # of a light, dropped at a time
_LARGEST_SCALE = 4.0


def drizzle(
    lights: Sequence[FrameSource],
    transforms: Sequence[Transform | None] | None = None,
    *,
    scale: float = 1.0,
    pixfrac: float = 1.0,
    method: str = "winsorized",
    sigma: float = 3.0,
    memory_mb: float = 600.0,
    progress: Progress = silent,
) -> Stack:
    """Drop the pixels of dithered lights onto one grid, each colour by itself.

    A pixel is never interpolated or demosaiced: shrunk to `pixfrac` of its side, it adds to what
    it falls on, by the area of the overlap. Pixels that differ from the lights' stack by more than
    `sigma` times their noise plus the steepest step to a neighbour are left out, so that neither a
    satellite nor a ray falls, and sharp stars do.

    Parameters
    ----------
    lights : sequence of FrameSource
        Calibrated lights of one size, dithered between exposures. Not changed.
    transforms : sequence of Transform or None, optional
        Of each light, from `solodark.registration.register`; lights whose transform is None are
        left out. Without transforms the lights are taken as they lie on the sensor.
    scale : float
        Pixels of the picture along one pixel of the lights, up to 4.
    pixfrac : float
        Side of a drop over that of its pixel, above 0 and at most 1.
    method : {"winsorized", "sigma", "median", "mean"}
        How the lights are stacked for what each is compared with; with "mean" every pixel falls.
    sigma : float
        Limit of rejection.
    memory_mb : float
        As in `stack`.
    progress : Progress
        Told about the bands of the stack, and each light.

    Returns
    -------
    Stack
        Of ``scale`` times the size. `uncertainty` is what the drops' own noise leaves, without the
        correlation between neighbours on which one drop falls; `coverage` counts lights of which
        a drop was kept there, rejected values are counted where their centre falls.

    Raises
    ------
    NotEnoughFramesError
        There are fewer than two lights, or fewer than two are in register.
    FrameMismatchError
        Lights differ in size, binning or colour filters, or a transform is missing or left over.
    SettingError
        The method is unknown, or a setting makes no sense.

    Notes
    -----
    With weights w = 1 / variance of each light's background and areas a of overlap,
    ``m = sum(a w x) / sum(a w)`` and ``sigma^2 = sum((a w)^2 v) / sum(a w)^2``. The variance v of a
    value is that of its light's background, or the scatter of the lights there if it is larger.

    References
    ----------
    A. S. Fruchter and R. N. Hook, "Drizzle: a method for the linear reconstruction of undersampled
    images", PASP 114 (2002); rejection as in S. Gonzaga et al., "The DrizzlePac handbook" (2012).

    Examples
    --------
    >>> from solodark.frames import Frame
    >>> dice = np.random.default_rng(1)
    >>> lights = [Frame(dice.normal(100.0, 5.0, (32, 32))) for _ in range(4)]
    >>> drizzle(lights, scale=2.0, progress=silent).data.shape
    (64, 64)
    """
    _require_settings(scale, pixfrac)
    kept, ways = in_register(lights, transforms)
    expected = None
    if method != "mean":
        expected = stack(
            kept, ways, method=method, sigma=sigma, memory_mb=memory_mb, progress=progress
        )
    brightness = measure_brightness(kept, ways)
    planes = _blank(tuple(round(scale * side) for side in kept[0].shape), brightness)
    canvases = [
        Canvas(
            DrizzledPlanes(*(plane[colour] for plane in planes)),
            scale=scale,
            pixfrac=pixfrac,
            expected=_expected(expected, colour, sigma),
        )
        for colour in range(len(brightness.weights))
    ]
    fallen = _let_fall(kept, ways, brightness, canvases)
    for _ in progress(fallen, "drizzling", len(kept)):
        pass
    for canvas in canvases:
        canvas.finish()
    return _finished(planes, kept, brightness, scale, method)


def _blank(shape: tuple[int, ...], brightness: Brightness) -> DrizzledPlanes:
    """Give empty planes of all colours, each of shape (n_colours, ny, nx)."""
    n_colours, n_lights = brightness.weights.shape
    counts = np.min_scalar_type(4 * n_lights)  # several values may lie on one pixel
    types = (np.float32, np.float32, counts, counts, counts)
    return DrizzledPlanes(*(np.zeros((n_colours, *shape), kind) for kind in types))


def _require_settings(scale: float, pixfrac: float) -> None:
    if not 0 < scale <= _LARGEST_SCALE:
        raise SettingError(f"found scale = {scale}, expected above 0 and at most {_LARGEST_SCALE}")
    if not 0 < pixfrac <= 1:
        raise SettingError(f"found pixfrac = {pixfrac}, expected above 0 and at most 1")


def _expected(picture: Stack | None, colour: int, sigma: float) -> Expected | None:
    if picture is None:
        return None
    data, uncertainty, coverage = (
        plane.reshape(-1, *plane.shape[-2:])[colour]
        for plane in (picture.data, picture.uncertainty, picture.coverage)
    )
    return Expected(data, uncertainty * np.sqrt(coverage, dtype=np.float32), sigma)


def _let_fall(
    lights: Sequence[FrameSource],
    transforms: Sequence[Transform],
    brightness: Brightness,
    canvases: Sequence[Canvas],
) -> Iterator[None]:
    """Let light after light fall, its colours at the same time; yields after each."""
    planes = _planes_of_colours(lights[0].acquisition.cfa_pattern)
    with ThreadPoolExecutor(len(canvases)) as threads:
        for number, (light, way) in enumerate(zip(lights, transforms, strict=True)):
            for start, stop in row_bands(light.shape, rows=_ROWS):
                pixels = read_living(light, start, stop)
                drops = [
                    [_drop(pixels, start, plane, way, brightness, number, colour) for plane in own]
                    for colour, own in enumerate(planes)
                ]
                list(threads.map(_fall, canvases, drops))
            for canvas in canvases:
                canvas.end_light()
            yield


def _fall(canvas: Canvas, drops: Sequence[Drop]) -> None:
    for drop in drops:
        canvas.fall(drop)


def _planes_of_colours(cfa_pattern: str | None) -> list[list[Plane]]:
    """Give the planes of red, green and blue, or the one of a mono sensor."""
    planes = cfa_planes(cfa_pattern)
    if cfa_pattern is None:
        return [list(planes)]
    return [
        [plane for plane, letter in zip(planes, cfa_pattern, strict=True) if letter == colour]
        for colour in "RGB"
    ]


def _drop(
    pixels: NDArray[np.float32],
    start: int,
    plane: Plane,
    way: Transform,
    brightness: Brightness,
    number: int,
    colour: int,
) -> Drop:
    """Give one plane of some rows of a light, levelled, and where it lies."""
    step = plane[0].step or 1
    y_0, x_0 = (axis.start or 0 for axis in plane)
    values = pixels[plane] * np.float32(brightness.scale[number])
    values += np.float32(brightness.shift_adu[colour, number])
    to_light = np.array([[step, 0, y_0 + start], [0, step, x_0], [0, 0, 1]], np.float64)
    return Drop(
        values,
        way.matrix @ to_light,
        step,
        weight=float(brightness.weights[colour, number]),
        noise_adu=float(brightness.noise_adu[colour, number]),
    )


def _finished(
    planes: DrizzledPlanes,
    lights: Sequence[FrameSource],
    brightness: Brightness,
    scale: float,
    method: str,
) -> Stack:
    if len(planes.data) == 1:
        planes = DrizzledPlanes(*(plane[0] for plane in planes))
    fill_holes(planes.data, planes.coverage == 0)
    return Stack(
        **planes._asdict(),
        weights=brightness.weights.mean(axis=0),
        acquisition=_finer(replace(series_acquisition(lights), cfa_pattern=None), scale),
        method=f"drizzle, {method}",
    )


def _finer(acquisition: Acquisition, scale: float) -> Acquisition:
    """Give the pixels of the picture their size, which tells a plate solver where to look."""
    camera = acquisition.camera
    if camera.pixel_size_um is None:
        return acquisition
    camera = replace(camera, pixel_size_um=camera.pixel_size_um / scale)
    return replace(acquisition, camera=camera)
