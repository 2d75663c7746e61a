"""The smooth part of a dark that is new in every exposure: drifting bias, glow of another strength.

Over a block of 64 x 64 pixels one sub averages its own noise down 64 times, so what is smooth can
be read off the sub itself, whatever the maps say. Blocks are shrunk towards zero by how much they
differ beyond their noise, so that a sub without such a part gets none.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.levels import moments_within

__all__ = ["has_field", "smooth_field"]

Image = NDArray[np.float32]
Array = NDArray[np.float64]

_BLOCK = 64
_LEAST_BLOCKS = 4
_CLIP_SIGMA = 3.0


def has_field(shape: tuple[int, ...]) -> bool:
    """Tell whether a sensor is large enough for a sub to show a smooth part of its own.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    bool
        Four blocks of 64 x 64 a side are.

    Examples
    --------
    >>> has_field((256, 300)), has_field((255, 3000))
    (True, False)
    """
    return min(shape) // _BLOCK >= _LEAST_BLOCKS


def smooth_field(residual: Image, sigma: float) -> Image:
    """Estimate the smooth part of a residual.

    Parameters
    ----------
    residual : ndarray of float32, shape (ny, nx)
        Sub minus prediction, its level removed, ADU.
    sigma : float
        Noise of one pixel, ADU.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU; zero on a sensor too small for four blocks a side.

    Examples
    --------
    >>> ramp = np.linspace(-3.0, 3.0, 512, dtype=np.float32)[None, :].repeat(512, axis=0)
    >>> field = smooth_field(ramp, sigma=5.0)
    >>> bool(np.abs(field - ramp)[64:-64, 64:-64].max() < 0.3)
    True
    """
    ny, nx = residual.shape
    blocks_y, blocks_x = ny // _BLOCK, nx // _BLOCK
    if not has_field(residual.shape):
        return np.zeros_like(residual)
    means = _block_means(residual, blocks_y, blocks_x, sigma)
    noise2 = sigma**2 * blocks_y * blocks_x / (ny * nx)
    signal2 = max(float(np.var(means)) - noise2, 0.0)
    shrunk = means * (signal2 / (signal2 + noise2))
    return _between_centres(shrunk - shrunk.mean(), (ny, nx))


def _between_centres(blocks: Array, shape: tuple[int, int]) -> Image:
    """Interpolate linearly between the centres of blocks, and go on flat beyond them."""
    down, across = (_hats(n, b) for n, b in zip(shape, blocks.shape, strict=True))
    return (down @ blocks).astype(np.float32) @ across.T.astype(np.float32)


def _hats(n: int, n_blocks: int) -> Array:
    """Weight of each block at each pixel along one axis, shape (n, n_blocks)."""
    places = (np.arange(n) + 0.5) * (n_blocks / n) - 0.5
    centres = np.arange(n_blocks)
    return np.stack([np.interp(places, centres, row) for row in np.eye(n_blocks)], axis=1)


@njit(cache=True)
def _block_means(residual: Any, blocks_y: int, blocks_x: int, sigma: float) -> Any:
    ny, nx = residual.shape
    means = np.zeros((blocks_y, blocks_x))
    for j in range(blocks_y):
        for i in range(blocks_x):
            rows = slice(j * ny // blocks_y, (j + 1) * ny // blocks_y)
            columns = slice(i * nx // blocks_x, (i + 1) * nx // blocks_x)
            block = np.ascontiguousarray(residual[rows, columns]).ravel()
            for _ in range(3):
                n, total, _squares = moments_within(block, means[j, i], _CLIP_SIGMA * sigma)
                means[j, i] += total / max(n, 1.0)
    return means
