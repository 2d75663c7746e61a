"""The stars of a picture: how many stand out of its noise, and how sharp they are."""

from dataclasses import dataclass

import numpy as np
import sep
from numpy.typing import NDArray
from scipy.optimize import curve_fit

__all__ = ["StarField", "measure_stars"]

DETECTION_SIGMA = 5.0
BRIGHTEST = 200
SATURATED_SHARE = 0.9
PROFILE_REACH = 4.0
"""The profile is fitted out to so many rms radii."""


@dataclass(frozen=True, eq=False, slots=True)
class StarField:
    """Stars found in a picture, the brightest first.

    Attributes
    ----------
    y, x : ndarray of float64, shape (n,)
        Centres, px.
    flux_adu : ndarray of float64, shape (n,)
        Flux above the threshold.
    fwhm_px : float
        Full width at half maximum of the bright ones; NaN where none was found.
    """

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    flux_adu: NDArray[np.float64]
    fwhm_px: float

    @property
    def n_stars(self) -> int:
        """How many."""
        return int(self.y.size)


def measure_stars(
    flat: NDArray[np.float32], noise_adu: float, *, sigma: float = DETECTION_SIGMA
) -> StarField:
    """Find what stands out of the noise after a matched filter, and measure its width.

    Detection is SExtractor's: the picture smoothed by a small kernel, at least five joined pixels
    above the threshold (Bertin & Arnouts 1996, by the library sep). The width is that of one Moffat
    profile through the pixels of the bright stars together: even undersampled stars then show it.

    Parameters
    ----------
    flat : ndarray of float32, shape (ny, nx)
        Picture without its large scales, ADU.
    noise_adu : float
        Its robust noise.
    sigma : float
        Threshold, in units of the noise.

    Returns
    -------
    StarField
        A hot pixel that was dragged along, or a cosmic ray, may be among them.
    """
    found = sep.extract(np.ascontiguousarray(flat), sigma * max(noise_adu, 1e-9), minarea=5)
    found = found[np.argsort(-found["flux"])]
    return StarField(
        y=found["y"].astype(np.float64),
        x=found["x"].astype(np.float64),
        flux_adu=found["flux"].astype(np.float64),
        fwhm_px=_common_fwhm(flat, found),
    )


def _common_fwhm(flat: NDArray[np.float32], found: NDArray[np.void]) -> float:
    """Width of one Moffat profile fitted to all pixels of the bright stars that are not flat."""
    whole = found[(found["flag"] == 0) & (found["peak"] < SATURATED_SHARE * flat.max())][:BRIGHTEST]
    if whole.size == 0:
        return float("nan")
    rms_px = float(np.median(np.sqrt(0.5 * (whole["a"] ** 2 + whole["b"] ** 2))))
    radius, light = _joint_profile(flat, whole, reach=max(3, int(np.ceil(PROFILE_REACH * rms_px))))
    if radius.size < 10:
        return float("nan")
    start = (float(light.max()), 2.0 * rms_px, 3.0)
    bounds = ((0.0, 0.1, 1.05), (np.inf, 100.0, 20.0))
    try:
        (_, core, beta), _ = curve_fit(_moffat, radius, light, start, bounds=bounds, loss="soft_l1")
    except RuntimeError:  # no profile fits: these are no stars
        return float("nan")
    return float(2.0 * core * np.sqrt(2.0 ** (1.0 / beta) - 1.0))


def _joint_profile(
    flat: NDArray[np.float32], stars: NDArray[np.void], *, reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance from the star's centre and share of its flux, of all pixels around all stars."""
    side = np.arange(-reach, reach + 1)
    rows = np.rint(stars["y"]).astype(int)[:, None, None] + side[:, None]
    columns = np.rint(stars["x"]).astype(int)[:, None, None] + side[None, :]
    ny, nx = flat.shape
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    whole = inside.all(axis=(1, 2))
    rows, columns, stars = rows[whole], columns[whole], stars[whole]
    radius = np.hypot(rows - stars["y"][:, None, None], columns - stars["x"][:, None, None])
    light = flat[rows, columns] / stars["flux"][:, None, None]
    return radius.ravel(), light.ravel().astype(np.float64)


def _moffat(
    radius: NDArray[np.float64], peak: float, core: float, beta: float
) -> NDArray[np.float64]:
    profile: NDArray[np.float64] = peak * (1.0 + (radius / core) ** 2) ** -beta
    return profile
