"""The level of a frame and the banding of its rows: the frame's own, not the sensor's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.level_parts import LevelParts

__all__ = [
    "coarse_step",
    "moments_within",
    "part_levels",
    "remove_levels",
    "remove_rows",
    "robust_sigma",
    "row_profile",
]

Image = NDArray[np.float32]
Array = NDArray[np.float64]

_CLIP_SIGMA = 3.0
_ROUNDS = 4
_GUESSED_FROM = 65_536  # pixels
_MAD_TO_SIGMA = 1.4826
_STEP_FROM = 16_384  # pixels
_COMMON = 4  # of them share a value; numbers that are not quantised hardly ever do
_COARSE = 2.0  # steps between the quartiles


def robust_sigma(values: NDArray[Any]) -> float:
    """Spread of the bulk, from the median absolute deviation.

    Parameters
    ----------
    values : ndarray
        Any shape.

    Returns
    -------
    float
        1.4826 times the median absolute deviation, in the unit of the input.

    Examples
    --------
    >>> round(robust_sigma(np.array([1.0, 2.0, 3.0, 4.0, 900.0])), 4)
    1.4826
    """
    return _MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


def coarse_step(values: NDArray[Any]) -> float:
    """Find the step from one value to the next, where pixels are noisy by less than about one.

    The median of such pixels sticks to a step, and the median of their deviations may be zero.

    Parameters
    ----------
    values : ndarray
        Pixels of one CFA plane, as they are stored or less one and the same number.

    Returns
    -------
    float
        In the unit of the input; 0 where values lie densely beside their noise.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(1000.0, 6.0, 5000)
    >>> coarse_step(16.0 * np.rint(noise / 16.0)), coarse_step(np.rint(noise))
    (16.0, 0.0)
    """
    flat = values.ravel()
    some = flat[:: max(1, flat.size // _STEP_FROM)]
    found, counts = np.unique(some[np.isfinite(some)], return_counts=True)
    common = found[counts >= _COMMON]
    if not common.size:
        return 0.0
    gaps = np.diff(common if common.size > 1 else found)
    step = float(gaps.min()) if gaps.size else 0.0
    low, high = (found[np.searchsorted(counts.cumsum(), q * counts.sum())] for q in (0.25, 0.75))
    return step if high - low <= _COARSE * step else 0.0


def part_levels(image: Image, parts: LevelParts, *, step_adu: float | None = None) -> Array:
    """Level of each part: the mean of what lies within 3 sigma of it.

    A median would stick to the steps of quantised data.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        ADU.
    parts : LevelParts
        Which pixels share a level.
    step_adu : float, optional
        Of the pixels, as `coarse_step` finds it; where they are as they were stored, it is found
        in them.

    Returns
    -------
    ndarray, shape (n_parts,)
        ADU.
    """
    own = (np.ascontiguousarray(image[part]) for part in parts.slices)
    return np.array([_clipped_mean(part, step_adu) for part in own])


def _clipped_mean(values: Image, step_adu: float | None) -> float:
    some = _some(values)
    if not some.size:
        return float("nan")
    centre = float(np.median(some))
    # Coarse quantisation can make the MAD zero; one step of it is then the scale.
    least = 0.5 * (coarse_step(some) if step_adu is None else step_adu)
    sigma = max(robust_sigma(some), least)
    for _ in range(_ROUNDS):
        n, total, squares = _moments(values, centre, _CLIP_SIGMA * sigma).sum(axis=0)
        if not n:
            break
        mean = total / n
        sigma = max(1.015 * float(np.sqrt(max(squares / n - mean**2, 0.0))), least)
        centre += mean
    return float(centre)


def _some(values: Image) -> Image:
    """Finite pixels of some rows, about as many as the first guess at a level needs."""
    rows = values[:: max(1, values.size // _GUESSED_FROM)]
    return rows[np.isfinite(rows)]


@njit(cache=True)
def _moments(values: Any, centre: float, reach: float) -> Any:
    """Moments of each row; memory is too slow for a second core to help."""
    rows = np.zeros((len(values), 3))
    for y in range(len(values)):
        rows[y, 0], rows[y, 1], rows[y, 2] = moments_within(values[y], centre, reach)
    return rows


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def moments_within(row: Any, centre: float, reach: float) -> Any:  # numpydoc ignore=PR01
    """Count, sum and sum of squares of the deviations from a centre that are within reach."""
    n, total, squares = 0.0, 0.0, 0.0
    for x in range(row.size):
        deviation = np.float64(row[x]) - centre
        inside = abs(deviation) <= reach  # no branch: so that many pixels are done at once
        kept = deviation if inside else 0.0
        n += 1.0 if inside else 0.0
        total += kept
        squares += kept * kept
    return n, total, squares


def remove_levels(image: Image, levels: Array, parts: LevelParts) -> Image:
    """Subtract the level of each part.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        ADU; stays as it is.
    levels : ndarray, shape (n_parts,)
        ADU.
    parts : LevelParts
        Which pixels share a level.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU above the level.
    """
    result = np.empty_like(image)
    for part, level in zip(parts.slices, levels, strict=True):
        result[part] = image[part] - np.float32(level)
    return result


def row_profile(image: Image, sigma: float) -> Array:
    """Robust mean of each row of an image whose level is removed.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        ADU above the level, or residuals.
    sigma : float
        Noise of one pixel, ADU.

    Returns
    -------
    ndarray, shape (ny,)
        ADU.
    """
    profile: Array = _row_profile(image, sigma)
    return profile


def remove_rows(image: Image, rows: Array) -> Image:
    """Subtract one number from each row.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        ADU; stays as it is.
    rows : ndarray, shape (ny,)
        ADU.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU.
    """
    return image - rows[:, None].astype(np.float32)


@njit(cache=True)
def _row_profile(image: Any, sigma: float) -> Any:
    profile = np.zeros(len(image))
    for y in range(len(image)):
        centre, reach = 0.0, 4.0 * sigma
        for _ in range(3):
            n, total, _squares = moments_within(image[y], centre, reach)
            centre += total / max(n, 1.0)
            reach = 3.0 * sigma
        profile[y] = centre
    return profile
