"""What the error of a dark does to a star's magnitude.

A star of Gaussian profile, FWHM 3 px, lies at random places and is measured in an aperture of 4 px
radius with the sky from a ring of 8 to 12 px. Aperture photometry is linear in the pixels: the star
adds the same flux wherever it lies, so it need not be painted in; the dark's error adds its own sum
over the aperture. That sum is taken twice, against two halves of the truth, so the truth's noise
cancels in the product and what is left is the dark's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.levels import clipped_mean_and_sigma, signed_root

__all__ = ["StarEffect", "measure_flux", "random_places", "star_effects"]

FWHM_PX = 3.0
APERTURE_RADIUS_PX = 4.0
RING_RADIUS_PX, RING_HALF_WIDTH_PX = 10.0, 2.0
HALF_STAMP_PX = 12
PEAKS_SIGMA = (5.0, 20.0)
MMAG_PER_RELATIVE_FLUX = 2500.0 / np.log(10.0)
"""A flux that is off by one part in a thousand shifts the magnitude by 1.086 mmag."""

SIDE = np.arange(-HALF_STAMP_PX, HALF_STAMP_PX + 1)
RADIUS = np.hypot(*np.meshgrid(SIDE, SIDE, indexing="ij"))
APERTURE = RADIUS <= APERTURE_RADIUS_PX
RING = np.abs(RADIUS - RING_RADIUS_PX) <= RING_HALF_WIDTH_PX
PROFILE = np.exp(-4.0 * np.log(2.0) * (RADIUS / FWHM_PX) ** 2)


@dataclass(frozen=True, slots=True)
class StarEffect:
    """What subtracting an estimated dark does to stars of one brightness, beyond a perfect dark.

    Attributes
    ----------
    peak_sigma : float
        The star's peak in sigma of one sub.
    bias_mmag : float
        Mean shift of the magnitude over the places; positive is fainter.
    scatter_mmag : float
        Robust scatter over the places that the dark adds, zero for a perfect dark; negative where
        the noise of its square leaves it below zero.
    rms_mmag : float
        The same with every place counted, hot pixels in the aperture included.
    noise_mmag : float
        Robust scatter by the noise of one sub, which a perfect dark leaves too.
    """

    peak_sigma: float
    bias_mmag: float
    scatter_mmag: float
    rms_mmag: float
    noise_mmag: float


def random_places(
    shape: tuple[int, int], n_stars: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Throw stars on the image, away from its edges.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    n_stars : int
        How many.
    rng : numpy.random.Generator
        The dice.

    Returns
    -------
    ndarray of int64, shape (n_stars, 2)
        Rows and columns; empty where the image is smaller than a ring.
    """
    if min(shape) <= 2 * HALF_STAMP_PX:
        return np.zeros((0, 2), dtype=np.int64)
    return rng.integers(HALF_STAMP_PX, np.subtract(shape, HALF_STAMP_PX), size=(n_stars, 2))


def measure_flux(image: NDArray[np.floating], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Measure the flux in the aperture above the ring's median.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        ADU.
    places : ndarray of int, shape (n, 2)
        Rows and columns of the centres.

    Returns
    -------
    ndarray of float64, shape (n,)
        ADU.
    """
    rows = places[:, 0, None, None] + SIDE[None, :, None]
    columns = places[:, 1, None, None] + SIDE[None, None, :]
    stamps = image[rows, columns].astype(np.float64)
    sky = np.median(stamps[:, RING], axis=1)
    flux: NDArray[np.float64] = stamps[:, APERTURE].sum(axis=1) - APERTURE.sum() * sky
    return flux


def star_effects(
    errors: NDArray[np.floating],
    noise_adu: float,
    half_variance: float,
    places: NDArray[np.int64],
) -> tuple[StarEffect, ...]:
    """Measure what an estimate does to stars of 5 and 20 sigma.

    Parameters
    ----------
    errors : ndarray of float, shape (2, ny, nx)
        Estimate minus each half of the truth, levels removed, ADU.
    noise_adu : float
        Robust noise of one sub.
    half_variance : float
        Sum over both halves of 1 / (subs in the half).
    places : ndarray of int, shape (n, 2)
        From `random_places`.

    Returns
    -------
    tuple of StarEffect
        One for each brightness; empty without places.
    """
    if len(places) == 0:
        return ()
    # what is left of the star's field is truth - estimate: the error with its sign turned
    first, second = (-measure_flux(error, places) for error in errors)
    bias = clipped_mean_and_sigma(0.5 * (first + second))[0]
    apart, together = (clipped_mean_and_sigma(x)[1] for x in (first - second, first + second))
    robust = (together**2 - apart**2) / 4.0
    plain = float(np.cov(first, second)[0, 1])
    difference = measure_flux(errors[0] - errors[1], places)
    noise = clipped_mean_and_sigma(difference)[1] / np.sqrt(half_variance)
    return tuple(
        _effect(peak, noise_adu, (-bias, signed_root(robust), signed_root(plain), noise))
        for peak in PEAKS_SIGMA
    )


def _effect(
    peak_sigma: float, noise_adu: float, flux_errors: tuple[float, float, float, float]
) -> StarEffect:
    flux = peak_sigma * noise_adu * PROFILE[APERTURE].sum()
    return StarEffect(peak_sigma, *(MMAG_PER_RELATIVE_FLUX * e / flux for e in flux_errors))
