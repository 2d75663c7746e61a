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
    "block_medians",
    "local_level",
    "part_agreements",
    "prepare",
    "sampled_rows",
]

Image = NDArray[np.float32]

BLOCK = 32
"""What is smoother than so many pixels is light, glow or drift, and no fingerprint."""

_CLIP_SIGMA = 4.0  # brighter pixels count no more: a few hot ones must not outweigh all others
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


def sampled_rows(shape: tuple[int, int]) -> NDArray[np.intp]:
    """Choose the rows that are looked at: all of a small frame, strips of a large one.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    ndarray of int, shape (n,)
        Rising; strips lie evenly over the frame.

    Examples
    --------
    >>> sampled_rows((600, 800)).size, sampled_rows((4000, 6000)).size
    (600, 160)
    """
    ny, nx = shape
    height = max(2, _SAMPLED_PIXELS // (nx * _STRIPS) // 2 * 2)
    if height * _STRIPS >= ny:
        return np.arange(ny)
    starts = np.linspace(0, ny - height, _STRIPS).astype(np.intp) // 2 * 2
    return np.asarray((starts[:, None] + np.arange(height)).ravel())


def prepare(image: Image, sigma: float, step_adu: float = 0.0) -> Image:
    """Keep the fine structure: clipped values less their row, column and neighbourhood.

    Banding, glow and light are of the exposure; what differs from pixel to pixel is of the sensor.

    Parameters
    ----------
    image : ndarray of float32, shape (n, nx)
        Rows of a frame or a pattern, ADU above the level.
    sigma : float
        Noise of one pixel, ADU.
    step_adu : float
        Step between the values of a frame, where it is coarse beside the noise.

    Returns
    -------
    ndarray of float32, shape (n, nx)
        In sigmas.
    """
    limit = np.float32(_CLIP_SIGMA)
    fine = image - local_level(image, step_adu)
    np.nan_to_num(fine, copy=False)
    fine /= np.float32(max(sigma, 1e-6))
    np.clip(fine, -limit, limit, out=fine)
    fine -= fine.mean(axis=1, keepdims=True)
    fine -= fine.mean(axis=0)
    return fine


def local_level(image: Image, step_adu: float = 0.0) -> Image:
    """Give every pixel the median of its block of 32 x 32.

    Parameters
    ----------
    image : ndarray of float32, shape (n, nx)
        Any.
    step_adu : float
        Step between the values of a frame, where it is coarse beside the noise.

    Returns
    -------
    ndarray of float32, shape (n, nx)
        ADU.
    """
    medians = block_medians(image, step_adu)
    rows, columns = (
        np.minimum(np.arange(length) // BLOCK, blocks - 1)
        for length, blocks in zip(image.shape, medians.shape, strict=True)
    )
    return np.asarray(medians[rows][:, columns])


def block_medians(image: Image, step_adu: float = 0.0) -> Image:
    """Give the median of each block of 32 x 32, without what is left over at the far edges.

    Parameters
    ----------
    image : ndarray of float32, shape (n, nx)
        Any.
    step_adu : float
        Step between the values of a frame, where it is coarse beside the noise: the mean of what
        lies within two of it takes the median's place, which would stick to one of them.

    Returns
    -------
    ndarray of float32, shape (n // 32, nx // 32)
        At least one block along each axis.
    """
    (rows, height), (columns, width) = (
        (max(1, length // BLOCK), min(BLOCK, length)) for length in image.shape
    )
    blocks = image[: rows * height, : columns * width].reshape(rows, height, columns, width)
    flat = blocks.swapaxes(1, 2).reshape(rows, columns, height * width)
    # The middle one of an even number: no mean of two, which would copy all of it once more.
    middle = flat.shape[2] // 2
    medians = np.partition(flat, middle, axis=2)[:, :, middle]
    if step_adu > 0.0:
        near = np.abs(flat - medians[:, :, None]) < 2.0 * step_adu
        medians = np.mean(flat, axis=2, where=near).astype(np.float32)
    return medians


def agreement(frame: Image, pattern: Image) -> Agreement:
    """Regress a frame on a pattern.

    Parameters
    ----------
    frame, pattern : ndarray of float32, shape (n, nx)
        As `prepare` gives them.

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
    inner = np.ascontiguousarray(pattern[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN])
    energy = _product(inner, inner)
    if energy <= 0.0:
        return Agreement(0.0, 0.0)
    elsewhere = np.array([_product(_shifted(frame, *shift), inner) for shift in _SHIFTS])
    error = float(np.sqrt(np.mean(elsewhere**2))) / energy
    slope = _product(_shifted(frame, 0, 0), inner) / energy
    return Agreement(slope, 1.0 / error if error > 0.0 else 0.0)


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
        As `prepare` gives them.

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
