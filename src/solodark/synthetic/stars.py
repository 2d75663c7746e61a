"""Stars as a telescope shows them: Moffat profiles, integrated over each pixel."""

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["add_stars", "moffat_core_px"]

Image = NDArray[np.float32]
Vector = NDArray[np.float64]

FAINTEST_E = 0.002
"""A star's image is drawn out to where a pixel gets fewer electrons than this."""

MIN_RADIUS_PX = 6.0

GAUSS_LEGENDRE = np.sqrt(0.6) / 2.0
"""Offset of the outer two of three nodes in a pixel; weights 5/18, 8/18, 5/18."""


def moffat_core_px(fwhm_px: float, beta: float) -> float:
    """Give the alpha of a Moffat profile ``(1 + (r / alpha)^2)^-beta``.

    Parameters
    ----------
    fwhm_px : float
        Full width at half maximum.
    beta : float
        Steepness of the wings.

    Returns
    -------
    float
        ``fwhm / (2 sqrt(2^(1/beta) - 1))``, px.

    Examples
    --------
    >>> round(moffat_core_px(2.0, 1.0), 3)
    1.0
    """
    return float(fwhm_px / (2.0 * np.sqrt(2.0 ** (1.0 / beta) - 1.0)))


def add_stars(
    image: Image,
    y: Vector,
    x: Vector,
    plane_charge_e: NDArray[np.float64],
    *,
    fwhm_px: float,
    beta: float,
) -> Image:
    """Give the image with stars added.

    Each pixel gets the Moffat profile integrated over its area by 3 x 3 Gauss-Legendre nodes,
    exact to 1e-4 of the star for a FWHM of 2 px or more.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Electrons; not changed.
    y, x : ndarray of float64, shape (n,)
        Centres of the stars, px; may lie outside.
    plane_charge_e : ndarray of float64, shape (n, 4)
        Electrons that each whole star would free if all pixels were of this colour, in the order of
        `solodark.frames.cfa_planes`.
    fwhm_px : float
        Full width at half maximum.
    beta : float
        Steepness of the wings, above 1.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Electrons.
    """
    core_px = moffat_core_px(fwhm_px, beta)
    peak_e = plane_charge_e * (beta - 1.0) / (np.pi * core_px**2)
    brightest_e = np.maximum(peak_e.max(axis=1, initial=0.0), FAINTEST_E)
    radius_px = np.maximum(core_px * (brightest_e / FAINTEST_E) ** (0.5 / beta), MIN_RADIUS_PX)
    result = image.copy()
    _add_moffats(result, y, x, peak_e, radius_px, core_px, beta)
    return result


@njit(cache=True)
def _add_moffats(
    image: Image,
    y: Vector,
    x: Vector,
    peak_e: NDArray[np.float64],
    radius_px: Vector,
    core_px: float,
    beta: float,
) -> None:
    """Add each star to an image of our own, in place."""
    ny, nx = image.shape
    for star in range(y.size):
        reach = radius_px[star]
        for row in range(max(0, int(y[star] - reach)), min(ny, int(y[star] + reach) + 2)):
            for column in range(max(0, int(x[star] - reach)), min(nx, int(x[star] + reach) + 2)):
                plane = 2 * (row % 2) + column % 2
                share = _pixel_share(row - y[star], column - x[star], core_px, beta)
                image[row, column] += peak_e[star, plane] * share


@njit(cache=True)
def _pixel_share(dy: float, dx: float, core_px: float, beta: float) -> float:
    """Mean of the profile over one pixel whose centre lies at (dy, dx) from the star's."""
    total = 0.0
    for j in range(-1, 2):
        for i in range(-1, 2):
            node_y = (dy + j * GAUSS_LEGENDRE) / core_px
            node_x = (dx + i * GAUSS_LEGENDRE) / core_px
            weight = (8.0 - 3.0 * abs(j)) * (8.0 - 3.0 * abs(i)) / 324.0
            inverse = 1.0 / (1.0 + node_y * node_y + node_x * node_x)
            total += weight * _power(inverse, beta)
    return total


@njit(cache=True)
def _power(base: float, beta: float) -> float:
    """Take a power; for the usual 4 by two squarings, which is several times faster."""
    if beta == 4.0:
        square = base * base
        return square * square
    return float(base**beta)
