"""The compiled Cholesky factor and solver, beside those of numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.dark_model.small_matrices import cholesky, solve_cholesky


@given(n=st.integers(1, 6), seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_factor_and_solution_are_those_of_numpy(n, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    matrix, right = root @ root.T + 0.1 * np.eye(n), rng.normal(size=n)
    factor, solution = np.zeros((n, n)), np.zeros(n)
    log_determinant = cholesky(matrix, n, factor)
    length = solve_cholesky(factor, n, right, solution)
    np.testing.assert_allclose(factor, np.linalg.cholesky(matrix), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(solution, np.linalg.solve(matrix, right), rtol=1e-6, atol=1e-9)
    assert log_determinant == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-8)
    assert length == pytest.approx(right @ np.linalg.solve(matrix, right), rel=1e-6)


def test_a_direction_that_nothing_constrains_stays_finite():
    factor, solution = np.zeros((2, 2)), np.zeros(2)
    assert np.isfinite(cholesky(np.diag([1.0, 0.0]), 2, factor))
    solve_cholesky(factor, 2, np.array([1.0, 0.0]), solution)
    np.testing.assert_allclose(solution, [1.0, 0.0])
