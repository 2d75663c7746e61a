"""A sensor's fingerprint: how much of the learned pattern a frame shows, in its place.

Every sensor has a fixed pattern as unique as a fingerprint, and cameras are told apart by
correlating it (Lukas, Fridrich & Goljan 2006, IEEE Transactions on Information Forensics and
Security 1, 205). Here the pattern is that of the dark signal: a right frame regressed on what the
model expects has a slope near one, a frame of another sensor, or of another part of this one, a
slope of zero. How far chance may take the slope is read off the same two images at shifts where
no pattern can match, as in their peak-to-correlation energy: whatever structure they hold counts.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Agreement",
    "agreement",
    "part_agreements",
    "sampled_rows",
    "slope_in",
]

Image = NDArray[np.float32]

_STRIPS = 16
_SAMPLED_PIXELS = 2**20  # enough for patterns of a hundredth of the noise, and quick
_PARTS = 4
_SHIFTS = tuple(s for s in product((-6, -3, 0, 3, 6), (-8, -5, 0, 5, 8)) if any(s))
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a frame agrees with a pattern.

    Attributes
    ----------
    slope : float
        Amplitude of the pattern in the frame: 1 as expected, 0 not there.
    significance : float
        How many sigmas a slope of one stands above none: how well this pair can tell.
    """

    slope: float
    significance: float

    @property
    def sigmas(self) -> float:
        """How far the slope stands above none."""
        return self.slope * self.significance


def sampled_rows(shape: tuple[int, int]) -> tuple[NDArray[np.intp], int]:
    """Choose the rows that are looked at: all of a small frame, strips of a large one.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    rows : ndarray of int, shape (n,)
        Rising; strips lie evenly over the frame.
    n_strips : int
        How many strips of as many rows each; 1 where all rows are looked at.

    Examples
    --------
    >>> rows, n_strips = sampled_rows((4000, 6000))
    >>> rows.size, n_strips, sampled_rows((600, 800))[1]
    (160, 16, 1)
    """
    ny, nx = shape
    height = max(2, _SAMPLED_PIXELS // (nx * _STRIPS) // 2 * 2)
    if height * _STRIPS >= ny:
        return np.arange(ny), 1
    starts = np.linspace(0, ny - height, _STRIPS).astype(np.intp) // 2 * 2
    return (starts[:, None] + np.arange(height)).ravel(), _STRIPS


def agreement(frame: Image, pattern: Image) -> Agreement:
    """Regress a frame on a pattern.

    Parameters
    ----------
    frame, pattern : ndarray of float32, shape (n, nx)
        As `solodark.dark_model.fine_structure.prepare` gives them: pixels of 0 count in neither.

    Returns
    -------
    Agreement
        Slope, and how well it is known: its error is its own root mean square at 24 other shifts.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pattern = rng.normal(0.0, 0.3, (200, 300)).astype(np.float32)
    >>> noise = rng.normal(0.0, 1.0, pattern.shape).astype(np.float32)
    >>> right, wrong = agreement(noise + pattern, pattern), agreement(noise, pattern)
    >>> bool(right.sigmas > 40), bool(abs(wrong.sigmas) < 4)
    (True, True)
    """
    if min(frame.shape) <= 2 * _MARGIN:
        return Agreement(0.0, 0.0)
    here, inner = _inner(frame, pattern)
    energy = _product(inner, inner)
    if energy <= 0.0:
        return Agreement(0.0, 0.0)
    elsewhere = np.array([_product(_shifted(frame, *shift), inner) for shift in _SHIFTS])
    error = float(np.sqrt(np.mean(elsewhere**2))) / energy
    slope = _product(here, inner) / energy
    return Agreement(slope, 1.0 / error if error > 0.0 else 0.0)


def slope_in(frame: Image, pattern: Image) -> float:
    """Slope of a frame on a pattern, as `agreement` gives it.

    Parameters
    ----------
    frame, pattern : ndarray of float32, shape (n, nx)
        As `solodark.dark_model.fine_structure.prepare` gives them.

    Returns
    -------
    float
        0 where there is no pattern.
    """
    here, inner = _inner(frame, pattern)
    energy = _product(inner, inner)
    return _product(here, inner) / energy if energy > 0.0 else 0.0


def _inner(frame: Image, pattern: Image) -> tuple[Image, Image]:
    """Leave out the margin that other shifts need, and pixels of which the frame tells nothing."""
    here = _shifted(frame, 0, 0)
    return here, np.where(here != 0.0, _shifted(pattern, 0, 0), np.float32(0.0))


def _shifted(frame: Image, dy: int, dx: int) -> Image:
    ny, nx = frame.shape
    return frame[_MARGIN + dy : ny - _MARGIN + dy, _MARGIN + dx : nx - _MARGIN + dx]


def _product(one: Image, other: Image) -> float:
    rows = np.einsum("yx,yx->y", one, other)
    return float(rows.sum(dtype=np.float64))


def part_agreements(frame: Image, pattern: Image) -> list[Agreement]:
    """Regress a frame on a pattern in parts: 4 bands of rows, 4 of columns, and 4 x 4 tiles.

    Parameters
    ----------
    frame, pattern : ndarray of float32, shape (n, nx)
        As `solodark.dark_model.fine_structure.prepare` gives them.

    Returns
    -------
    list of Agreement
        Of the 24 parts.
    """
    pairs = zip(_parts(frame), _parts(pattern), strict=True)
    return [agreement(one, other) for one, other in pairs]


def _parts(image: Image) -> list[Image]:
    bands = np.array_split(image, _PARTS)
    tiles = [tile for band in bands for tile in np.array_split(band, _PARTS, axis=1)]
    return [*bands, *np.array_split(image, _PARTS, axis=1), *tiles]
