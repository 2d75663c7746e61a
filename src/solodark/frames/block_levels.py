"""Robust levels of the blocks of a coarse grid, and what stands out from them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["BandLevels", "block_edges", "difference_noise", "measure_band"]

HOT_SIGMAS = 10.0
"""A pixel this far above its block is hot: Gaussian noise alone never gets there."""
CLIP_SIGMAS = 3.0
BLOCKS_PER_SIDE = 16
SMALLEST_BLOCK = 32
"""Pixels on a side: a block of a Bayer plane then still holds 256 of them."""
_PROBE = 255
"""Pixels that give the first guess of a block's level; odd, so that a median is one of them."""
_PAIRS = 60_000
"""Neighbour pairs that give the noise: its own error is then 0.3 %."""


class BandLevels(NamedTuple):
    """What one band of one colour plane holds.

    Attributes
    ----------
    levels : ndarray of float64, shape (blocks,)
        Clipped mean of each block, ADU.
    residuals : ndarray of float32, shape (rows, columns)
        Pixels less the level of their block, ADU.
    row_means, column_sums : ndarray of float64
        Mean of each row and sum of each column of the clipped residuals, ADU.
    n_hot, n_cold : int
        Pixels more than `HOT_SIGMAS` above and below their block.
    """

    levels: NDArray[np.float64]
    residuals: NDArray[np.float32]
    row_means: NDArray[np.float64]
    column_sums: NDArray[np.float64]
    n_hot: int
    n_cold: int


def block_edges(length: int) -> NDArray[np.int64]:
    """Cut an axis into blocks of nearly equal, even length.

    Parameters
    ----------
    length : int
        Rows or columns of the sensor.

    Returns
    -------
    ndarray of int64, shape (blocks + 1,)
        Where each block starts, and `length` at the end.

    Examples
    --------
    >>> block_edges(101)
    array([  0,  34,  68, 101])
    """
    blocks = min(BLOCKS_PER_SIDE, max(1, length // SMALLEST_BLOCK))
    edges = 2 * np.rint(np.linspace(0, length / 2, blocks + 1)).astype(np.int64)
    edges[-1] = length
    return edges


def difference_noise(plane: NDArray[np.float32]) -> float:
    """Estimate the noise of a plane from the differences of horizontal neighbours.

    The level and any smooth gradient cancel. The spread is a standard deviation clipped at three
    robust sigma, not a bare median deviation, which on quantised pixels can only jump in steps.

    Parameters
    ----------
    plane : ndarray of float32, shape (rows, columns)
        Pixels of one colour plane, ADU.

    Returns
    -------
    float
        One sigma of one pixel, ADU: temporal noise and the fine part of the fixed pattern.

    Examples
    --------
    >>> read_noise = np.random.default_rng(1).normal(0.0, 5.0, (400, 400)).astype(np.float32)
    >>> round(difference_noise(read_noise), 1)
    5.0
    """
    if plane.shape[1] < 2:
        return 0.0
    stride = max(1, plane.size // _PAIRS)
    differences = np.diff(plane[::stride].astype(np.float64), axis=1).ravel()
    spread = 1.4826 * float(np.median(np.abs(differences))) or float(np.std(differences))
    for _ in range(2):
        kept = differences[np.abs(differences) <= CLIP_SIGMAS * spread]
        # 0.9867 is the standard deviation of a unit Gaussian cut at three sigma.
        spread = float(np.sqrt(np.mean(kept * kept))) / 0.9867 if kept.size else 0.0
    return float(spread / np.sqrt(2.0))


def measure_band(plane: NDArray[np.float32], edges: NDArray[np.int64], noise: float) -> BandLevels:
    """Find the level of each block of a band, and take it away.

    Parameters
    ----------
    plane : ndarray of float32, shape (rows, columns), C order
        One band of one colour plane, finite, ADU.
    edges : ndarray of int64, shape (blocks + 1,)
        Columns where the blocks start, in columns of the plane.
    noise : float
        One sigma of a pixel, ADU.

    Returns
    -------
    BandLevels
        Levels, residuals and counts.

    Examples
    --------
    >>> band = np.full((4, 8), 100.0, np.float32); band[1, 2] = 900.0
    >>> found = measure_band(band, np.array([0, 8]), noise=5.0)
    >>> float(found.levels[0]), found.n_hot
    (100.0, 1)
    """
    residuals = np.empty_like(plane)
    row_sums, column_sums = np.zeros(plane.shape[0]), np.zeros(plane.shape[1])
    levels, n_hot, n_cold = _measure_blocks(plane, edges, noise, residuals, row_sums, column_sums)
    return BandLevels(levels, residuals, row_sums / plane.shape[1], column_sums, n_hot, n_cold)


@njit(cache=True, nogil=True)
def _measure_blocks(plane, edges, noise, residuals, row_sums, column_sums):  # type: ignore[no-untyped-def] # pragma: no cover
    """Fill `residuals` and the sums; give the levels and the counts of outliers."""
    n_blocks = edges.size - 1
    levels = np.empty(n_blocks)
    n_hot = 0
    n_cold = 0
    for block in range(n_blocks):
        left, right = edges[block], edges[block + 1]
        level = _block_level(plane, left, right, noise)
        levels[block] = level
        for y in range(plane.shape[0]):
            for x in range(left, right):
                residual = plane[y, x] - level
                residuals[y, x] = residual
                n_hot += residual > HOT_SIGMAS * noise
                n_cold += residual < -HOT_SIGMAS * noise
                clipped = min(max(residual, -CLIP_SIGMAS * noise), CLIP_SIGMAS * noise)
                row_sums[y] += clipped
                column_sums[x] += clipped
    return levels, n_hot, n_cold


@njit(cache=True, nogil=True)
def _block_level(plane, left, right, noise):  # type: ignore[no-untyped-def] # pragma: no cover
    """Clipped mean around the median of a few pixels, clipped twice."""
    width = right - left
    size = plane.shape[0] * width
    stride = max(1, size // _PROBE)
    probe = np.array([plane[i // width, left + i % width] for i in range(0, size, stride)])
    level = float(np.median(probe))
    reach = CLIP_SIGMAS * max(noise, 1.4826 * float(np.median(np.abs(probe - level))))
    for _ in range(2):
        total = 0.0
        count = 0
        for y in range(plane.shape[0]):
            for x in range(left, right):
                if abs(plane[y, x] - level) <= reach:
                    total += plane[y, x]
                    count += 1
        level = total / count if count else level
    return level
