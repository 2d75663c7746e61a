"""The lights of a night, calibrated by one contender's darks and stacked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.calibration import CalibratedLight, NormalisedFlat, calibrate_light
from solodark.comparison.contenders import Contender
from solodark.frames import FrameKind, FrameSource, Master, Progress, silent
from solodark.registration import Registration, Stars, Transform, find_stars, register
from solodark.stacking import stack

__all__ = [
    "CalibratedNight",
    "Keep",
    "Stacked",
    "calibrate_lights",
    "find_register",
    "stack_calibrated",
]

Image = NDArray[np.float32]
Keep = Callable[[CalibratedLight], CalibratedLight]


@dataclass(frozen=True, eq=False, slots=True)
class CalibratedNight:
    """Lights after one contender's darks.

    Attributes
    ----------
    lights : tuple of CalibratedLight
        In their order.
    sensor_mean : ndarray of float32, shape (ny, nx)
        Their mean as the sensor saw them, ADU.
    offset_mean : ndarray of float32, shape (ny, nx)
        Mean of what was subtracted, ADU.
    flags : ndarray of uint8, shape (ny, nx)
        Of what was subtracted from the first light.
    """

    lights: tuple[CalibratedLight, ...]
    sensor_mean: Image
    offset_mean: Image
    flags: NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Stacked:
    """The same lights, stacked after one contender's darks.

    Attributes
    ----------
    stack : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        In register, ADU; NaN where no light covers it.
    sensor_mean : ndarray of float32, shape (ny, nx)
        Mean of the calibrated lights as the sensor saw them, ADU.
    offset_mean : ndarray of float32, shape (ny, nx)
        Mean of what was subtracted, ADU.
    flags : ndarray of uint8, shape (ny, nx)
        Of what was subtracted from the first light.
    """

    stack: Image
    sensor_mean: Image
    offset_mean: Image
    flags: NDArray[np.uint8]


def calibrate_with(
    light: FrameSource, offset: Master, flat: NormalisedFlat | None
) -> CalibratedLight:
    """Subtract a dark, whatever its exposure, or a bias where there is no dark.

    Parameters
    ----------
    light : FrameSource
        As the camera wrote it.
    offset : Master
        Dark or bias.
    flat : NormalisedFlat or None
        What to divide by.

    Returns
    -------
    CalibratedLight
        See `solodark.calibration.calibrate_light`.
    """
    if offset.acquisition.kind is FrameKind.BIAS:
        return calibrate_light(light, bias=offset, flat=flat)
    return calibrate_light(light, dark=offset, flat=flat, exposure_tolerance=float("inf"))


def calibrate_lights(
    lights: Sequence[FrameSource],
    contender: Contender,
    *,
    flat: NormalisedFlat | None = None,
    keep: Keep | None = None,
    progress: Progress = silent,
) -> CalibratedNight:
    """Calibrate every light with a contender's darks.

    Parameters
    ----------
    lights : sequence of FrameSource
        As the camera wrote them.
    contender : Contender
        Whose darks are subtracted.
    flat : NormalisedFlat, optional
        What to divide by.
    keep : callable, optional
        Puts a calibrated light where it takes no memory, and gives it back from there.
    progress : Progress
        Who is told.

    Returns
    -------
    CalibratedNight
        The lights, and their mean.
    """
    calibrated: list[CalibratedLight] = []
    sensor_sum, offset_sum = (np.zeros(lights[0].shape) for _ in range(2))
    flags = np.zeros(lights[0].shape, np.uint8)
    pairs = zip(lights, contender.offsets(lights), strict=True)
    for light, offset in progress(pairs, f"Calibrating: {contender.name}", len(lights)):
        one = calibrate_with(light, offset, flat)
        sensor_sum += one.data
        offset_sum += offset.data
        flags = flags if calibrated else offset.flags
        calibrated.append(keep(one) if keep else one)
    return CalibratedNight(
        lights=tuple(calibrated),
        sensor_mean=(sensor_sum / len(lights)).astype(np.float32),
        offset_mean=(offset_sum / len(lights)).astype(np.float32),
        flags=flags,
    )


def find_register(
    calibrated: CalibratedNight, *, progress: Progress = silent
) -> tuple[Registration, list[Stars]]:
    """Find the stars of every light, and bring all onto one of them.

    Parameters
    ----------
    calibrated : CalibratedNight
        Lights.
    progress : Progress
        Who is told.

    Returns
    -------
    registration : Registration
        Transforms, and lights that are left out.
    stars : list of Stars
        Of each light.
    """
    lights = calibrated.lights
    stars = [
        find_stars(light.data, cfa_pattern=light.acquisition.cfa_pattern)
        for light in progress(lights, "Finding stars", len(lights))
    ]
    return register(stars), stars


def stack_calibrated(
    calibrated: CalibratedNight,
    transforms: Sequence[Transform | None],
    *,
    progress: Progress = silent,
) -> Stacked:
    """Stack calibrated lights in a given register.

    Parameters
    ----------
    calibrated : CalibratedNight
        Lights.
    transforms : sequence of Transform or None
        Of each light; those without one are left out.
    progress : Progress
        Who is told.

    Returns
    -------
    Stacked
        In register, and as the sensor saw it.
    """
    return Stacked(
        stack=stack(calibrated.lights, transforms, progress=progress).data,
        sensor_mean=calibrated.sensor_mean,
        offset_mean=calibrated.offset_mean,
        flags=calibrated.flags,
    )
