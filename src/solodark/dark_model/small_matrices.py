"""Symmetric matrices of a few rows."""

from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["cholesky", "from_lower", "solve_cholesky"]

_FLOOR = 1e-30  # keeps a direction that no frame constrains from dividing by zero


@njit(cache=True, error_model="numpy")
def cholesky(matrix: Any, n: int, factor: Any) -> float:  # numpydoc ignore=PR01
    """Lower Cholesky factor of ``matrix[:n, :n]`` into `factor`; gives the log determinant."""
    log_determinant = 0.0
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= factor[i, k] * factor[j, k]
            if i == j:
                factor[i, i] = sqrt(max(rest, _FLOOR))
                log_determinant += 2.0 * log(factor[i, i])
            else:
                factor[i, j] = rest / factor[j, j]
    return log_determinant


@njit(cache=True, error_model="numpy")
def solve_cholesky(factor: Any, n: int, right: Any, solution: Any) -> float:  # numpydoc ignore=PR01
    """Solve for `solution`; gives ``right . solution`` (the squared length under the inverse)."""
    length = 0.0
    for i in range(n):
        rest = right[i]
        for k in range(i):
            rest -= factor[i, k] * solution[k]
        solution[i] = rest / factor[i, i]
        length += solution[i] * solution[i]
    for i in range(n - 1, -1, -1):
        rest = solution[i]
        for k in range(i + 1, n):
            rest -= factor[k, i] * solution[k]
        solution[i] = rest / factor[i, i]
    return length


def from_lower(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Complete symmetric matrices of which only the lower half is filled.

    Parameters
    ----------
    matrices : ndarray, shape (n, d, d)
        What stands above the diagonal does not count.

    Returns
    -------
    ndarray, shape (n, d, d)
        Both halves.

    Examples
    --------
    >>> from_lower(np.array([[[1.0, 0.0], [2.0, 3.0]]]))
    array([[[1., 2.],
            [2., 3.]]])
    """
    return np.asarray(np.tril(matrices) + np.moveaxis(np.tril(matrices, -1), 1, 2))
