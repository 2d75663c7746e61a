"""What differs from pixel to pixel in a frame, apart from all that is smooth: its fine structure.

Glow of amplifiers can be thousands of times the noise and as steep as a cliff. Two units of a
camera model have the same one, and even a shifted one fits itself, so none of it may pass for a
sensor's own pattern: each pixel is laid beside its neighbours, and where the glow is so steep that
they do not tell its level, the pixels are left out.
"""

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.noise import robust_variance

__all__ = [
    "BLOCK",
    "OWN_VARIANCE",
    "above_neighbours",
    "block_medians",
    "local_level",
    "local_sigma",
    "own_sigma",
    "prepare",
]

Image = NDArray[np.float32]

BLOCK = 32
"""What is smoother than so many pixels is light, glow or drift."""
OWN_VARIANCE = 1.147
"""Of white noise of variance 1 above its neighbours, drawn a million times."""

_CLIP_SIGMA = 4.0  # brighter pixels count no more: a few hot ones must not outweigh all others
_STEEP_BLOCK = 8
_STEEP_SIGMAS = 0.75  # between neighbouring blocks; chance takes their medians apart by 0.22
_NOISE_BLOCK = 16
_SIGMA_FROM = 250_000  # so many pixels tell it to a fifth of a percent
_MEDIAN_SIZE = 0.6745  # of normal noise of variance 1
_APART = 2  # of the same colour on a Bayer sensor


def prepare(
    image: Image,
    sigma: Image | float,
    step_adu: float = 0.0,
    n_strips: int = 1,
    *,
    heights: Image | None = None,
) -> Image:
    """Keep the fine structure: clipped values less their row, column and neighbours.

    Banding, glow and light are of the exposure; what differs from pixel to pixel is of the sensor.

    Parameters
    ----------
    image : ndarray of float32, shape (n, nx)
        Rows of a frame or a pattern, ADU above the level.
    sigma : float, or ndarray of float32, shape (n, nx)
        Noise of one pixel, or of each, ADU.
    step_adu : float
        Step between the values of a frame, where it is coarse beside the noise.
    n_strips : int
        How many strips of as many rows each do not lie side by side on the sensor.
    heights : ndarray of float32, shape (n, nx), optional
        What the pixels stand above their neighbours, in sigmas, where it is known already.

    Returns
    -------
    ndarray of float32, shape (n, nx)
        In sigmas; 0 where the image is steep.
    """
    limit = np.float32(_CLIP_SIGMA)
    sigma = np.broadcast_to(np.asarray(sigma, np.float32), image.shape)
    if heights is None:
        heights = np.nan_to_num(above_neighbours(image, n_strips) / sigma)
    fine: Image = np.clip(heights, -limit, limit)
    fine -= fine.mean(axis=1, keepdims=True)
    fine -= fine.mean(axis=0)
    parts = (np.array_split(one, n_strips) for one in (fine, image, sigma))
    for own, strip, noise in zip(*parts, strict=True):
        own[_steep(strip, noise, step_adu)] = 0.0
    return fine


def _steep(image: Image, sigma: Image, step_adu: float) -> NDArray[np.bool_]:
    """Tell where the level changes from block to block, apart from what whole rows share."""
    block = tuple(max(1, min(_STEEP_BLOCK, length // 2)) for length in image.shape)
    medians = block_medians(image, step_adu, block)
    medians = medians - np.median(medians, axis=1, keepdims=True)
    limits = _STEEP_SIGMAS * sigma[:: block[0], :: block[1]][: len(medians), : medians.shape[1]]
    steep = np.zeros(medians.shape, bool)
    for turned, limit, found in ((medians, limits, steep), (medians.T, limits.T, steep.T)):
        cliff = np.abs(np.diff(turned, axis=0)) > np.maximum(limit[1:], limit[:-1])
        found[1:] |= cliff
        found[:-1] |= cliff
    return _spread(steep, image.shape, block)


def own_sigma(above: Image, step_adu: float) -> float:
    """Measure how far pixels differ from their neighbours: noise and pattern of one pixel.

    Parameters
    ----------
    above : ndarray of float32, shape (n, nx)
        What the pixels of a frame stand above their neighbours, ADU.
    step_adu : float
        Step between the frame's values, where it is coarse beside the noise.

    Returns
    -------
    float
        ADU.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(0.0, 5.0, (200, 300))
    >>> glow = 3000.0 * np.exp(-np.arange(300) / 50.0)
    >>> round(own_sigma(above_neighbours(noise + glow), 0.0), 1)
    5.0
    """
    some = above.ravel()[:: max(1, above.size // _SIGMA_FROM)]
    variance = robust_variance(some[np.isfinite(some)], step_adu) / OWN_VARIANCE
    return float(np.sqrt(max(variance, 1e-6)))


def local_sigma(above: Image, least: float, n_strips: int = 1) -> Image:
    """Measure how far pixels differ from their neighbours, place by place: glow brings shot noise.

    Parameters
    ----------
    above : ndarray of float32, shape (n, nx)
        What the pixels of a frame stand above their neighbours, ADU.
    least : float
        It is at least so much, ADU.
    n_strips : int
        How many strips of as many rows each do not lie side by side on the sensor.

    Returns
    -------
    ndarray of float32, shape (n, nx)
        ADU.
    """
    block = (min(_NOISE_BLOCK, max(1, len(above) // n_strips)), _NOISE_BLOCK)
    strips = np.array_split(np.abs(above), n_strips)
    found = [_spread(block_medians(s, block=block), s.shape, block) for s in strips]
    sigma = np.concatenate(found) / np.float32(_MEDIAN_SIZE * np.sqrt(OWN_VARIANCE))
    return np.asarray(np.maximum(sigma, np.float32(max(least, 1e-6))))


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
    return _spread(block_medians(image, step_adu), image.shape, (BLOCK, BLOCK))


def _spread(blocks: NDArray[Any], shape: tuple[int, ...], block: tuple[int, ...]) -> NDArray[Any]:
    """Give every pixel the value of its block; what is left over at the far edges, the last."""
    rows, columns = (
        np.minimum(np.arange(length) // size, n - 1)
        for length, size, n in zip(shape, block, blocks.shape, strict=True)
    )
    return np.asarray(blocks[rows][:, columns])


def block_medians(
    image: Image, step_adu: float = 0.0, block: tuple[int, ...] = (BLOCK, BLOCK)
) -> Image:
    """Give the median of each block, without what is left over at the far edges.

    Parameters
    ----------
    image : ndarray of float32, shape (n, nx)
        Any.
    step_adu : float
        Step between the values of a frame, where it is coarse beside the noise: the mean of what
        lies within two of it takes the median's place, which would stick to one of them.
    block : tuple of int
        Rows and columns of a block.

    Returns
    -------
    ndarray of float32, shape (n // rows, nx // columns)
        At least one block along each axis.
    """
    (rows, height), (columns, width) = (
        (max(1, length // size), min(size, length))
        for length, size in zip(image.shape, block, strict=True)
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


def above_neighbours(image: Image, n_strips: int = 1) -> Image:
    """Lay each pixel beside its neighbours of the same colour, in four opposite pairs.

    The mean of a pair does not see a slope; of the four means the highest and the lowest count for
    nothing, so that a hot neighbour does not show.

    Parameters
    ----------
    image : ndarray of float32, shape (n, nx)
        Any.
    n_strips : int
        How many strips of as many rows each do not lie side by side on the sensor.

    Returns
    -------
    ndarray of float32, shape (n, nx)
        What each pixel stands above its neighbours.

    Examples
    --------
    >>> y, x = np.mgrid[:8, :9]
    >>> slope = (3 * y + 7 * x + 50 * (y % 2) + 200 * (x % 2)).astype(np.float32)
    >>> slope[4, 4] += 90.0
    >>> above_neighbours(slope)[2:-2, 2:-2].max(axis=0)
    array([ 0.,  0., 90.,  0.,  0.], dtype=float32)
    """
    image = np.asarray(image, np.float32)
    fine = np.empty_like(image)
    _lay_beside(image, max(1, len(image) // n_strips), fine)
    return fine


@njit(cache=True, parallel=True, error_model="numpy")
def _lay_beside(image: Any, height: int, fine: Any) -> None:
    ny, nx = image.shape
    for y in prange(ny):
        first = y // height * height
        strip = min(height, ny - first)
        above = image[first + _mirrored(y - first - _APART, strip)]
        below = image[first + _mirrored(y - first + _APART, strip)]
        own, found = image[y], fine[y]
        # Most pixels in a loop of their own, which the compiler turns into vector instructions.
        for x in range(_APART, nx - _APART):
            found[x] = own[x] - _level(above, own, below, x - _APART, x, x + _APART)
        for k in range(min(2 * _APART, nx)):
            x = k if k < _APART else nx - 1 - (k - _APART)
            left, right = _mirrored(x - _APART, nx), _mirrored(x + _APART, nx)
            found[x] = own[x] - _level(above, own, below, left, x, right)


@njit(cache=True, error_model="numpy")
def _mirrored(place: int, size: int) -> int:
    return max(0, min(abs(place), 2 * size - 2 - abs(place)))


@njit(cache=True, error_model="numpy")
def _level(above: Any, own: Any, below: Any, left: int, x: int, right: int) -> Any:
    """Mean of the middle two of four pairs' means."""
    across, down = own[left] + own[right], above[x] + below[x]
    falling, rising = above[left] + below[right], above[right] + below[left]
    lowest = min(across, down, falling, rising)
    highest = max(across, down, falling, rising)
    return np.float32(0.25) * (across + down + falling + rising - lowest - highest)
