"""Symmetric positive definite matrices of a few rows, inside compiled loops."""

from math import log, sqrt
from typing import Any

from numba import njit

__all__ = ["cholesky", "solve_cholesky"]

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
