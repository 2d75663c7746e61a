"""What is wider than a star, taken off a light: sky, nebulae, and the levels of a CFA's planes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from solodark.compiled import njit
from solodark.frames import cfa_planes

__all__ = ["without_background"]

Image = NDArray[np.float32]

_BLOCK_PX = 64  # several stars' width, far below any gradient's
_PROBE = 255  # pixels of a block that give its median: its error is then a twelfth of their noise
_PLANE_SAMPLE = 100_000


def without_background(image: NDArray[Any], cfa_pattern: str | None) -> Image:
    """Take off a light what varies over more than some hundred pixels.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        ADU. Not changed.
    cfa_pattern : str or None
        Bayer pattern; its planes are brought to one level first.

    Returns
    -------
    ndarray of float32, shape (ny, nx), C order
        ADU above the medians of blocks of 64 x 64 pixels, these smoothed by a 3 x 3 median and
        interpolated linearly; not finite where the image is not.

    Examples
    --------
    >>> y, x = np.mgrid[:200, :200]
    >>> field = without_background(100.0 + 0.05 * x + 0.02 * y, None)
    >>> bool(np.abs(field[40:160, 40:160]).max() < 1.0)
    True
    """
    pixels = np.ascontiguousarray(image, np.float32)
    levels = np.zeros((2, 2), np.float32)
    for number, plane in enumerate(cfa_planes(cfa_pattern)):
        sample = _thinned(pixels[plane])
        known = sample[np.isfinite(sample)]
        levels.reshape(-1)[number] = np.median(known) if known.size else 0.0
    if cfa_pattern is None:
        levels[:] = levels[0, 0]
    block_px = max(8, min(_BLOCK_PX, min(pixels.shape) // 4))
    grid = _block_medians(pixels, levels, block_px)
    grid[~np.isfinite(grid)] = 0.0
    field = np.empty(pixels.shape, np.float32)
    _subtract(pixels, levels, ndimage.median_filter(grid, 3), block_px, field)
    return field


def _thinned(plane: NDArray[Any]) -> NDArray[Any]:
    return plane[:: max(1, min(plane.size // _PLANE_SAMPLE, plane.shape[0] // 16))]


@njit(cache=True, nogil=True)
def _block_medians(pixels: Any, levels: Any, block_px: int) -> Any:
    """Median of a few pixels of each block; NaN where none of them has a value."""
    rows, columns = -(-pixels.shape[0] // block_px), -(-pixels.shape[1] // block_px)
    medians = np.full((rows, columns), np.nan, np.float32)
    probe = np.empty(_PROBE + 1, np.float32)
    for row in range(rows):
        for column in range(columns):
            top, left = row * block_px, column * block_px
            height = min(block_px, pixels.shape[0] - top)
            width = min(block_px, pixels.shape[1] - left)
            n = 0
            for k in range(_PROBE):
                place = k * height * width // _PROBE
                y, x = top + place // width, left + place % width
                value = np.float32(pixels[y, x]) - levels[y % 2, x % 2]
                if np.isfinite(value):
                    probe[n] = value
                    n += 1
            if n:
                medians[row, column] = np.median(probe[:n])
    return medians


@njit(cache=True, nogil=True)
def _subtract(pixels: Any, levels: Any, grid: Any, block_px: int, field: Any) -> None:
    """Subtract levels and the grid, interpolated between the centres of its blocks."""
    above, share_y = _between(pixels.shape[0], grid.shape[0], block_px)
    left, share_x = _between(pixels.shape[1], grid.shape[1], block_px)
    line = np.empty(grid.shape[1] + 1, np.float32)
    for y in range(pixels.shape[0]):
        below = min(above[y] + 1, grid.shape[0] - 1)
        line[:-1] = (1 - share_y[y]) * grid[above[y]] + share_y[y] * grid[below]
        line[-1] = line[-2]
        level = levels[y % 2]
        for x in range(pixels.shape[1]):
            near, far = line[left[x]], line[left[x] + 1]
            field[y, x] = pixels[y, x] - level[x % 2] - (near + share_x[x] * (far - near))


@njit(cache=True, nogil=True)
def _between(n_pixels: int, n_blocks: int, block_px: int) -> Any:
    """Give the block before each pixel, and the pixel's share of the way to the next one."""
    before = np.empty(n_pixels, np.int64)
    share = np.empty(n_pixels, np.float32)
    for n in range(n_pixels):
        place = min(max((n + 0.5) / block_px - 0.5, 0.0), n_blocks - 1.0)
        before[n] = int(place)
        share[n] = place - int(place)
    return before, share
