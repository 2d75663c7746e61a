"""What all stacks of the same lights are judged by: where stars, hot pixels and free sky are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.comparison.background import (
    MESH_PX,
    channels_of,
    flatten_background,
    mask_stars,
    robust_noise,
)
from solodark.comparison.injected_stars import (
    InjectedStars,
    measure_aperture_fluxes,
    place_stars,
)
from solodark.comparison.stacks import Stacked
from solodark.comparison.stars import measure_stars
from solodark.frames import Acquisition, Frame, PixelFlags, cfa_plane_index, cfa_planes
from solodark.registration import Stars, Transform
from solodark.stacking import stack

__all__ = ["Field", "SensorPixels", "flatten_sensor", "luminance", "survey_field"]

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

MOST_PIXELS = 6000
"""Hot pixels that are followed; more would tell nothing new."""
FWHM_TO_RMS = 1.0 / 2.3548
QUIET_SIGMA = 2.0


@dataclass(frozen=True, eq=False, slots=True)
class SensorPixels:
    """Pixels of the sensor, and where each light put them in the stack.

    Attributes
    ----------
    paths : ndarray of float64, shape (n_lights, n, 2)
        Row and column in the stack.
    channel : ndarray of int, shape (n,)
        Plane of the stack that their colour is in.
    """

    paths: NDArray[np.float64]
    channel: NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Field:
    """What all stacks of the same lights share.

    Attributes
    ----------
    cfa_pattern : str or None
        Of the sensor.
    star_mask : ndarray of bool, shape (ny, nx)
        True where stars stand in the stack, or not every light covers it.
    sensor_mask : ndarray of bool, shape (ny, nx)
        True where a star stood on the sensor in any of the lights.
    hot, ordinary : SensorPixels
        Known hot pixels, and as many quiet ones beside which they are judged.
    pattern : ndarray of float32, shape (ny, nx)
        The sensor's dark pattern, without large scales, ADU.
    walked_pattern : ndarray of float32, shape (1, ny, nx) or (3, ny, nx)
        The same moved as the lights were, and stacked.
    noise_adu : float
        Background noise of the stack that all were surveyed on: the unit of trails.
    stars : InjectedStars
        Places and flux of stars to inject.
    """

    cfa_pattern: str | None
    star_mask: Mask
    sensor_mask: Mask
    hot: SensorPixels
    ordinary: SensorPixels
    pattern: Image
    walked_pattern: Image
    noise_adu: float
    stars: InjectedStars


def survey_field(
    stacked: Stacked,
    stars: Sequence[Stars],
    transforms: Sequence[Transform],
    *,
    cfa_pattern: str | None,
    rng: np.random.Generator,
) -> Field:
    """Find on one stack what all are judged by.

    Parameters
    ----------
    stacked : Stacked
        The one with the best darks, by whose flags hot pixels are known.
    stars : sequence of Stars
        Of each light.
    transforms : sequence of Transform
        Of each light.
    cfa_pattern : str or None
        Of the sensor.
    rng : numpy.random.Generator
        The dice: which pixels are followed, where stars are put.

    Returns
    -------
    Field
        The same for every stack of these lights.
    """
    bare = np.isnan(channels_of(stacked.stack).sum(axis=0))
    light = luminance(stacked.stack, bare)
    found = measure_stars(light, robust_noise(light, bare))
    fwhm_px = found.fwhm_px
    if not np.isfinite(fwhm_px):
        fwhm_px = float(np.median(np.concatenate([one.fwhm_px for one in stars])))
    rms_px = FWHM_TO_RMS * fwhm_px
    star_mask = bare | mask_stars(light.shape, found.y, found.x, rms_px)
    sensor_mask = np.zeros(light.shape, np.bool_)
    for one in stars:
        sensor_mask |= mask_stars(light.shape, one.y, one.x, rms_px)
    pattern = flatten_sensor(stacked.offset_mean, np.zeros_like(bare), cfa_pattern)
    hot, ordinary = _choose_pixels(stacked.flags, pattern, rng)
    walked = channels_of(_walk(pattern, transforms, cfa_pattern))
    return Field(
        cfa_pattern=cfa_pattern,
        star_mask=star_mask,
        sensor_mask=sensor_mask,
        hot=_follow(hot, transforms, cfa_pattern),
        ordinary=_follow(ordinary, transforms, cfa_pattern),
        pattern=pattern,
        walked_pattern=np.stack([flatten_background(p, bare) for p in walked]),
        noise_adu=_noise(stacked.stack, star_mask),
        stars=_stars_to_inject(luminance(stacked.stack, star_mask), star_mask, fwhm_px, rng),
    )


def luminance(stack_adu: Image, mask: Mask) -> Image:
    """Give the mean of a stack's colours without large scales.

    Parameters
    ----------
    stack_adu : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        ADU.
    mask : ndarray of bool, shape (ny, nx)
        True where stars are.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU above the background; 0 where there is no value.
    """
    return flatten_background(channels_of(stack_adu).mean(axis=0), mask)


def flatten_sensor(image: Image, mask: Mask, cfa_pattern: str | None) -> Image:
    """Take the large scales off an image of the sensor, each colour plane by itself.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        ADU.
    mask : ndarray of bool, shape (ny, nx)
        True where pixels do not count.
    cfa_pattern : str or None
        Of the sensor.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU.
    """
    flat = np.empty(image.shape, np.float32)
    mesh_px = MESH_PX if cfa_pattern is None else MESH_PX // 2  # of a plane's own pixels
    for plane in cfa_planes(cfa_pattern):
        flat[plane] = flatten_background(
            image[plane], np.ascontiguousarray(mask[plane]), mesh_px=mesh_px
        )
    return flat


def _walk(pattern: Image, transforms: Sequence[Transform], cfa_pattern: str | None) -> Image:
    """Stack the sensor's pattern as if every light showed nothing else."""
    frame = Frame(pattern, Acquisition(cfa_pattern=cfa_pattern))
    frames = [frame] * len(transforms)
    return stack(frames, transforms, method="mean", normalised=False).data


def _noise(stack_adu: Image, mask: Mask) -> float:
    """Background noise of a stack: root mean square over its colours."""
    noises = [robust_noise(flatten_background(p, mask), mask) for p in channels_of(stack_adu)]
    return float(np.sqrt(np.mean(np.square(noises))))


def _choose_pixels(
    flags: NDArray[np.uint8], pattern: Image, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of hot pixels and of quiet ones, at most so many of each."""
    unusable = flags & int(PixelFlags.UNUSABLE) != 0
    is_hot = (flags & int(PixelFlags.HOT) != 0) & ~unusable
    quiet = np.abs(pattern) < QUIET_SIGMA * robust_noise(pattern, unusable)
    quiet &= ~unusable
    return _some(is_hot, rng), _some(quiet, rng)


def _some(which: Mask, rng: np.random.Generator) -> NDArray[np.intp]:
    places = np.argwhere(which)
    return rng.permutation(places, axis=0)[:MOST_PIXELS]


def _follow(
    places: NDArray[np.intp], transforms: Sequence[Transform], cfa_pattern: str | None
) -> SensorPixels:
    y, x = places.T.astype(np.float64)
    paths = np.array([np.stack(one.apply(y, x), axis=-1) for one in transforms])
    channel = np.zeros(len(places), np.intp)
    if cfa_pattern is not None:
        of_plane = np.array(["RGB".index(letter) for letter in cfa_pattern])
        channel = of_plane[cfa_plane_index(places[:, 0], places[:, 1], cfa_pattern)]
    return SensorPixels(paths, channel)


def _stars_to_inject(
    light: Image, avoid: Mask, fwhm_px: float, rng: np.random.Generator
) -> InjectedStars:
    """Stars of a flux that the noise of empty apertures sets."""
    unit = place_stars(avoid, fwhm_px=fwhm_px, aperture_noise_adu=1.0, rng=rng)
    empty = measure_aperture_fluxes(light, unit.y, unit.x, unit.aperture_radius_px)
    noise_adu = robust_noise(empty, np.zeros(empty.shape, np.bool_))
    return replace(unit, flux_adu=unit.flux_adu * noise_adu)
