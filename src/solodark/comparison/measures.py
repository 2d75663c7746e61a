"""The figures of one stack, beside those of the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.comparison.background import (
    STAR_REACH,
    channels_of,
    flatten_background,
    mask_stars,
    robust_noise,
)
from solodark.comparison.field import Field, SensorPixels, flatten_sensor, luminance
from solodark.comparison.injected_stars import measure_aperture_fluxes
from solodark.comparison.sensor_pattern import (
    Trails,
    pattern_match,
    summarise_trails,
    trail_residuals,
)
from solodark.comparison.stacks import Stacked
from solodark.comparison.stars import measure_stars
from solodark.frames import cfa_planes

__all__ = ["StackMeasures", "measure_injected", "measure_stack"]

Image = NDArray[np.float32]
Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class StackMeasures:
    """What one kind of dark does to the picture.

    Attributes
    ----------
    noise_undithered_adu : float
        Background noise of the mean of the calibrated lights as the sensor saw them: what a camera
        on a perfect mount would show.
    noise_dithered_adu : float
        Background noise of the registered stack.
    trails : Trails
        What hot pixels leave along their paths.
    fixed_correlation, fixed_share : float
        Correlation of the unregistered mean with the sensor's pattern, and the share of the pattern
        in it.
    walking_correlation, walking_share : float
        The same for the registered stack, with the pattern moved as the lights were.
    n_stars : int
        Detected at 5 sigma of the stack's own noise.
    fwhm_px : float
        Width of the bright ones.
    trail_adu : ndarray of float64, shape (n,)
        Residual of each hot pixel that was followed.
    """

    noise_undithered_adu: float
    noise_dithered_adu: float
    trails: Trails
    fixed_correlation: float
    fixed_share: float
    walking_correlation: float
    walking_share: float
    n_stars: int
    fwhm_px: float
    trail_adu: Vector


def measure_stack(stacked: Stacked, field: Field) -> tuple[StackMeasures, Image]:
    """Measure one stack.

    Parameters
    ----------
    stacked : Stacked
        What to measure.
    field : Field
        What all stacks of these lights share.

    Returns
    -------
    measures : StackMeasures
        The figures.
    fixed : ndarray of float32, shape (ny, nx)
        What stays fixed to the sensor: the unregistered mean without large scales, ADU.
    """
    planes = [flatten_background(p, field.star_mask) for p in channels_of(stacked.stack)]
    noise_adu = _rms([robust_noise(plane, field.star_mask) for plane in planes])
    fixed = flatten_sensor(stacked.sensor_mean, field.sensor_mask, field.cfa_pattern)
    bare = [np.where(field.star_mask, np.float32(np.nan), plane) for plane in planes]
    hot, ordinary = (_residuals(bare, pixels) for pixels in (field.hot, field.ordinary))
    walking = [
        pattern_match(plane, pattern, field.star_mask)
        for plane, pattern in zip(planes, field.walked_pattern, strict=True)
    ]
    light = luminance(stacked.stack, field.star_mask)
    stars = measure_stars(light, robust_noise(light, field.star_mask))
    path_noise = robust_noise(ordinary, ~np.isfinite(ordinary))
    correlation, share = pattern_match(fixed, field.pattern, field.sensor_mask)
    measures = StackMeasures(
        noise_undithered_adu=_sensor_noise(fixed, field),
        noise_dithered_adu=noise_adu,
        trails=summarise_trails(hot, path_noise, field.noise_adu),
        fixed_correlation=correlation,
        fixed_share=share,
        walking_correlation=float(np.mean([one[0] for one in walking])),
        walking_share=float(np.mean([one[1] for one in walking])),
        n_stars=stars.n_stars,
        fwhm_px=stars.fwhm_px,
        trail_adu=hot,
    )
    return measures, fixed


def measure_injected(stacked: Stacked, field: Field) -> Vector:
    """Measure the injected stars of a stack whose lights show them.

    Parameters
    ----------
    stacked : Stacked
        Of lights with stars.
    field : Field
        Which stars.

    Returns
    -------
    ndarray of float64, shape (n,)
        Flux in the aperture, ADU; for `summarise_photometry`.
    """
    stars = field.stars
    own = mask_stars(field.star_mask.shape, stars.y, stars.x, stars.fwhm_px / STAR_REACH * 2.0)
    light = luminance(stacked.stack, field.star_mask | own)
    return measure_aperture_fluxes(light, stars.y, stars.x, stars.aperture_radius_px)


def _residuals(planes: list[Image], pixels: SensorPixels) -> Vector:
    """Residual of each pixel in the plane of its colour."""
    residuals = np.full(pixels.channel.shape, np.nan)
    for number, plane in enumerate(planes):
        here = pixels.channel == number
        residuals[here] = trail_residuals(plane, pixels.paths[:, here])
    return residuals


def _sensor_noise(fixed: Image, field: Field) -> float:
    return _rms(
        [robust_noise(fixed[p], field.sensor_mask[p]) for p in cfa_planes(field.cfa_pattern)]
    )


def _rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
