"""The winsorised mean by its definition in plain numpy: slow, and beyond doubt."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits

__all__ = ["plain_master"]

ROWS = 50
STEP_ADU = 1.0  # values within one step of a uint16 frame's median are never rejected


def plain_master(frames: Sequence[Path], sigma: float) -> np.ndarray:
    """Combine FITS files, some rows at a time.

    Parameters
    ----------
    frames : sequence of Path
        uint16 FITS files of one shape.
    sigma : float
        Values so many sigma from the median are rejected.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        As masters are stored, ADU.
    """
    with ProcessPoolExecutor() as processes:
        return np.vstack(list(processes.map(partial(plain_band, sigma=sigma), bands(frames))))


def bands(frames: Sequence[Path]) -> Iterator[np.ndarray]:
    """Give stacks of a few rows of all frames, shape (n, rows, nx)."""
    images = [fits.getdata(frame) for frame in frames]
    for start in range(0, images[0].shape[0], ROWS):
        yield np.array([image[start : start + ROWS] for image in images])


def plain_band(stack: np.ndarray, sigma: float) -> np.ndarray:
    """Reject round by round, NaN standing for what is rejected, and average what is left."""
    values = np.sort(stack.reshape(len(stack), -1).astype(np.float64), axis=0)
    pending = np.arange(values.shape[1])
    while pending.size:
        column = np.sort(values[:, pending], axis=0)  # NaN comes last
        centre = median(column)
        limit = np.maximum(sigma * winsorized_sigma(column, centre), STEP_ADU)
        odd = np.abs(column - centre) > limit
        if (np.isfinite(column) & ~odd).sum(axis=0).min() < 3:
            sys.exit("a pixel lost almost all values; this reference does not cover that")
        column[odd] = np.nan
        values[:, pending] = column
        pending = pending[odd.any(axis=0)]
    return np.nanmean(values, axis=0).astype(np.float32).reshape(stack.shape[1:])


def median(column: np.ndarray) -> np.ndarray:
    """Median of sorted values with NaN at the end, for each pixel."""
    n = np.isfinite(column).sum(axis=0)
    pixels = np.arange(column.shape[1])
    return 0.5 * (column[(n - 1) // 2, pixels] + column[n // 2, pixels])


def winsorized_sigma(column: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Iterate Huber's winsorised sigma to its end; values once clipped stay clipped."""
    clipped = column.copy()
    sigma = np.nanstd(column, axis=0, ddof=1)
    moving = np.arange(sigma.size)
    while moving.size:
        reach = 1.5 * sigma[moving]
        part = np.clip(clipped[:, moving], centre[moving] - reach, centre[moving] + reach)
        clipped[:, moving] = part
        following = 1.134 * np.nanstd(part, axis=0, ddof=1)
        still = np.abs(sigma[moving] - following) > 1e-12 * sigma[moving]
        sigma[moving] = following
        moving = moving[still & (following > 1e-9)]
    return sigma
