"""Compiled sums over pixels: products of errors, and squared differences of two subs."""

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["add_pair_squares", "add_products", "judge_by_halves", "moments_within"]


@njit(cache=True, nogil=True)
def add_products(
    estimate: NDArray[np.float32],
    truth: NDArray[np.float32],
    levels: NDArray[np.float64],
    clip: NDArray[np.float64],
    where: tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]],
    sums: NDArray[np.float64],
) -> None:
    """Add each pixel's mean product of errors over all pairs of truth subs, plain and clipped.

    Parameters
    ----------
    estimate : ndarray of float32, shape (ny, nx)
        ADU.
    truth : ndarray of float32, shape (m, ny, nx)
        Subs that the estimate has not seen, ADU.
    levels : ndarray of float64, shape (m, 2, 2)
        Level of estimate - sub, ADU.
    clip : ndarray of float64, shape (2, 2)
        Bound of an error in the clipped sums, ADU.
    where : tuple of ndarray
        Class of each pixel, shape (ny, nx); block of each row and of each column.
    sums : ndarray of float64, shape (n_blocks, n_classes, 2)
        Added to in place.
    """
    classes, row_block, column_block = where
    m = truth.shape[0]
    for y in range(estimate.shape[0]):
        for x in range(estimate.shape[1]):
            bound = clip[y & 1, x & 1]
            total = square = clipped_total = clipped_square = 0.0
            for k in range(m):
                error = estimate[y, x] - truth[k, y, x] - levels[k, y & 1, x & 1]
                total += error
                square += error * error
                error = min(bound, max(-bound, error))
                clipped_total += error
                clipped_square += error * error
            cell = sums[row_block[y] + column_block[x], classes[y, x]]
            cell[0] += (total * total - square) / (m * (m - 1))
            cell[1] += (clipped_total * clipped_total - clipped_square) / (m * (m - 1))


@njit(cache=True, nogil=True)
def add_pair_squares(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    level: NDArray[np.float64],
    clip: NDArray[np.float64],
    where: tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]],
    sums: NDArray[np.float64],
) -> None:
    """Add half the squared difference of two subs, plain and clipped.

    Parameters
    ----------
    first, second : ndarray of float32, shape (ny, nx)
        Two subs of one series, ADU.
    level : ndarray of float64, shape (2, 2)
        Level of first - second, ADU.
    clip : ndarray of float64, shape (2, 2)
        Bound of a difference in the clipped sums, ADU.
    where : tuple of ndarray
        Class of each pixel, shape (ny, nx); block of each row and of each column.
    sums : ndarray of float64, shape (n_blocks, n_classes, 2)
        Added to in place.
    """
    classes, row_block, column_block = where
    for y in range(first.shape[0]):
        for x in range(first.shape[1]):
            bound = clip[y & 1, x & 1]
            difference = first[y, x] - second[y, x] - level[y & 1, x & 1]
            clipped = min(bound, max(-bound, difference))
            cell = sums[row_block[y] + column_block[x], classes[y, x]]
            cell[0] += 0.5 * difference * difference
            cell[1] += 0.5 * clipped * clipped


@njit(cache=True, nogil=True)
def moments_within(values: NDArray[np.float64], centre: float, bound: float) -> tuple[float, float]:
    """Mean and standard deviation of the values within a bound of a centre.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Any unit.
    centre, bound : float
        The centre, and how far from it a value counts.

    Returns
    -------
    tuple of float
        Mean and standard deviation; `centre` and 0 where no value counts.
    """
    n = 0
    total = square = 0.0
    for value in values:
        distance = value - centre
        if abs(distance) <= bound:
            n += 1
            total += distance
            square += distance * distance
    if n == 0:
        return centre, 0.0
    mean = total / n
    return centre + mean, np.sqrt(max(0.0, square / n - mean * mean))


@njit(cache=True, nogil=True)
def judge_by_halves(
    estimate: NDArray[np.float32],
    truth: NDArray[np.float32],
    levels: NDArray[np.float64],
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    errors: NDArray[np.float32],
    sums: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Give each pixel's error against two halves of the truth, and sum them every which way.

    Parameters
    ----------
    estimate : ndarray of float32, shape (ny, nx)
        ADU.
    truth : ndarray of float32, shape (m, ny, nx)
        Subs that the estimate has not seen, ADU; every other one is a half.
    levels : ndarray of float64, shape (m, 2, 2)
        Level of estimate - sub, ADU.
    bounds : tuple of ndarray of float64, shape (2, 2)
        Where a pixel counts as off, and where an error is clipped in the sums, ADU.
    errors : ndarray of float32, shape (2, ny, nx)
        Overwritten: estimate minus each half, ADU.
    sums : tuple of ndarray of float64
        Added to in place: rows (ny, 2) and columns (nx, 2) of clipped errors, and totals (3,):
        pixels too high in both halves, too low in both, product of the clipped errors.
    """
    off, clip = bounds
    rows, columns, totals = sums
    m = truth.shape[0]
    for y in range(estimate.shape[0]):
        for x in range(estimate.shape[1]):
            first = second = 0.0
            for k in range(m):
                error = estimate[y, x] - truth[k, y, x] - levels[k, y & 1, x & 1]
                if k % 2 == 0:
                    first += error
                else:
                    second += error
            first /= (m + 1) // 2
            second /= m // 2
            errors[0, y, x], errors[1, y, x] = first, second
            totals[0] += min(first, second) > off[y & 1, x & 1]
            totals[1] += max(first, second) < -off[y & 1, x & 1]
            bound = clip[y & 1, x & 1]
            first = min(bound, max(-bound, first))
            second = min(bound, max(-bound, second))
            rows[y, 0] += first
            rows[y, 1] += second
            columns[x, 0] += first
            columns[x, 1] += second
            totals[2] += first * second
