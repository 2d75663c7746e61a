"""Levels of blocks of pixels of one colour: what is smooth in a frame."""

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.levels import moments_within
from solodark.dark_model.smooth_field import has_field
from solodark.frames import cfa_planes

__all__ = ["above_rows", "block_levels"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_LEAST_BLOCK, _MOST_BLOCKS = 32, 96  # pixels; along the longer axis
_CLIP_SIGMA = 3.0
_MAD_TO_SIGMA = 1.4826
_GUESSED_FROM = 4  # every so many-eth pixel of a block tells where its level is to be looked for
_ROUNDS = 3


def block_levels(image: Image, cfa_pattern: str | None, sigma: float) -> Image:
    """Measure the level of each colour in blocks of pixels.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        A frame above its level, ADU.
    cfa_pattern : str or None
        Colour filters.
    sigma : float
        Noise of one pixel, ADU.

    Returns
    -------
    ndarray of float32, shape (n_planes, n_down, n_across)
        Mean of what lies within 3 sigma of it, ADU; blocks are 32 pixels wide, or wider where more
        than 96 would lie side by side. One block is all of a sensor on which no sub tells a smooth
        part of its own: smooth maps would stay in its master in whatever strength.

    Examples
    --------
    >>> ramp = np.linspace(-3.0, 3.0, 320, dtype=np.float32)[None, :].repeat(256, axis=0)
    >>> block_levels(ramp, None, 5.0)[0, 0].round(2)[:3]
    array([-2.71, -2.11, -1.5 ], dtype=float32)
    """
    block = max(_LEAST_BLOCK, -(-max(image.shape) // _MOST_BLOCKS))
    n_down, n_across = (length // block if has_field(image.shape) else 1 for length in image.shape)
    planes = cfa_planes(cfa_pattern)
    levels = np.empty((len(planes), n_down, n_across), np.float32)
    for part, found in zip(planes, levels, strict=True):
        _measure_blocks(image[part], sigma, found)
    return levels


@njit(cache=True, parallel=True)
def _measure_blocks(image: Any, sigma: float, levels: Any) -> None:
    (ny, nx), (n_down, n_across) = image.shape, levels.shape
    for j in prange(n_down):
        for i in range(n_across):
            rows = slice(j * ny // n_down, (j + 1) * ny // n_down)
            columns = slice(i * nx // n_across, (i + 1) * nx // n_across)
            block = image[rows, columns].copy().ravel()
            some = block[::_GUESSED_FROM]
            level = np.median(some)
            spread = _MAD_TO_SIGMA * np.median(np.abs(some - level))  # a slope's as well
            reach = _CLIP_SIGMA * max(sigma, spread)
            for _ in range(_ROUNDS):
                n, total, _squares = moments_within(block, level, reach)
                level += total / max(n, 1.0)
            levels[j, i] = level


def above_rows(blocks: Image, rows: Array) -> Image:
    """Take the banding of rows from the levels of blocks.

    Parameters
    ----------
    blocks : ndarray of float32, shape (n_frames, n_planes, n_down, n_across)
        ADU above the level.
    rows : ndarray, shape (n_frames, ny)
        Banding of each frame, ADU.

    Returns
    -------
    ndarray of float32, shape (n_frames, n_planes, n_down, n_across)
        ADU above level and rows.
    """
    ny, n_down = rows.shape[1], blocks.shape[2]
    first = np.arange(n_down) * ny // n_down
    means = np.add.reduceat(rows, first, axis=1) / np.diff(np.append(first, ny))
    return blocks - means[:, None, :, None].astype(np.float32)
