"""The plainest numpy that says what combining means: one pixel at a time, nothing clever."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass
class PlainResult:
    data: float
    uncertainty: float
    n_low: int
    n_high: int
    n_used: int


def winsorized_sigma(values, centre):
    """Iterate as Huber does, to the end."""
    clipped = values.copy()
    sigma = values.std(ddof=1)
    for _ in range(20000):
        previous = sigma
        clipped = np.clip(clipped, centre - 1.5 * sigma, centre + 1.5 * sigma)
        sigma = 1.134 * clipped.std(ddof=1)
        if abs(previous - sigma) <= 1e-13 * previous:
            break
    return sigma


def reject(values, method, sigma_low, sigma_high, step, rounds):
    """Give the survivors of sorted values and how many were too low and too high."""
    n_low = n_high = 0
    for _ in range(rounds):
        if method not in ("sigma", "winsorized") or len(values) <= 3:
            break
        m = np.median(values)
        sigma = values.std(ddof=1) if method == "sigma" else winsorized_sigma(values, m)
        low = beyond(m - values, sigma_low, sigma, step)
        high = beyond(values - m, sigma_high, sigma, step)
        odd = np.flatnonzero(low | high)
        by_distance = sorted(odd, key=lambda i: (-abs(values[i] - m), values[i]))
        gone = by_distance[: len(values) - 3]
        if not gone:
            break
        n_low += int(low[gone].sum())
        n_high += int(high[gone].sum())
        values = np.delete(values, gone)
    return values, n_low, n_high


def beyond(deviation, limit, sigma, step):
    return (
        np.zeros(len(deviation), bool)
        if np.isinf(limit)
        else (deviation > max(limit * sigma, step))
    )


def median_noise(n):
    return np.sqrt(np.pi * n / (2 * n + (np.pi - 2 if n % 2 else 2 * np.pi - 4)))


def plain_pixel(values, method, sigma_low=3.0, sigma_high=3.0, step=0.0, rounds=10):
    values = np.sort(values[np.isfinite(values)].astype(np.float64))
    if not values.size:
        return PlainResult(np.nan, np.nan, 0, 0, 0)
    values, n_low, n_high = reject(values, method, sigma_low, sigma_high, step, rounds)
    n = len(values)
    noise = values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    if method == "median":
        return PlainResult(np.median(values), noise * median_noise(n), n_low, n_high, n)
    return PlainResult(values.mean(), noise, n_low, n_high, n)


def assert_plain(combined, stack, method, **settings):
    """Compare every pixel of a combination with the plain one."""
    for y, x in np.ndindex(*stack.shape[1:]):
        plain = plain_pixel(stack[:, y, x], method, **settings)
        found = (
            combined.n_rejected_low[y, x],
            combined.n_rejected_high[y, x],
            combined.n_used[y, x],
        )
        assert found == (plain.n_low, plain.n_high, plain.n_used), (y, x, stack[:, y, x])
        np.testing.assert_allclose(combined.data[y, x], plain.data, rtol=2e-7, atol=1e-5)
        np.testing.assert_allclose(
            combined.uncertainty[y, x], plain.uncertainty, rtol=1e-5, atol=1e-6
        )


@pytest.fixture(scope="session")
def equals_plain() -> Callable[..., None]:
    """Assert that a combination equals plain numpy in every pixel."""
    return assert_plain
