"""Hopping pixels obey the chain that is claimed for them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from solodark.synthetic import DarkTelegraph, ReadTelegraph

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def chain(n: int, dwell_high_s: float, dwell_low_s: float) -> DarkTelegraph:
    return DarkTelegraph(
        np.arange(n), np.ones(n, np.float32), np.full(n, dwell_high_s), np.full(n, dwell_low_s)
    )


@pytest.mark.parametrize("elapsed_s", [0.0, 30.0, 300.0, 3000.0, 1e6])
def test_hops_are_as_frequent_as_the_elapsed_time_says(
    rng: np.random.Generator, elapsed_s: float
) -> None:
    pixels = chain(40_000, dwell_high_s=300.0, dwell_low_s=900.0)
    before = pixels.start(rng, NOON)
    after = pixels.evolve(rng, before, NOON + timedelta(seconds=elapsed_s))
    forgetting = -np.expm1(-elapsed_s * (1 / 300 + 1 / 900))
    assert np.mean(~after.high[before.high]) == pytest.approx(0.75 * forgetting, abs=0.015)
    assert np.mean(after.high[~before.high]) == pytest.approx(0.25 * forgetting, abs=0.015)


def test_many_small_steps_are_one_long_step(rng: np.random.Generator) -> None:
    pixels = chain(40_000, dwell_high_s=300.0, dwell_low_s=900.0)
    state = first = pixels.start(rng, NOON)
    for k in range(10):
        state = pixels.evolve(rng, state, NOON + timedelta(seconds=30 * (k + 1)))
    told = pixels.probability_high(first, NOON + timedelta(seconds=300))
    for level in (True, False):
        group = first.high == level
        assert np.mean(state.high[group]) == pytest.approx(np.mean(told[group]), abs=0.02)


def test_the_long_run_spends_time_in_proportion_to_the_dwells(rng: np.random.Generator) -> None:
    pixels = chain(40_000, dwell_high_s=300.0, dwell_low_s=900.0)
    assert np.mean(pixels.start(rng, NOON).high) == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(pixels.duty, 0.25)


def test_read_type_pixels_show_three_levels_and_the_variance_told(
    rng: np.random.Generator,
) -> None:
    pixels = ReadTelegraph(np.arange(50_000), np.full(50_000, 8.0, np.float32), 0.3)
    levels = pixels.draw_e(rng)
    np.testing.assert_array_equal(np.unique(levels), [-8.0, 0.0, 8.0])
    assert np.mean(levels == 8) == pytest.approx(0.15, abs=0.01)
    assert np.mean(levels == -8) == pytest.approx(0.15, abs=0.01)
    assert np.var(levels) == pytest.approx(pixels.variance_e2[0], rel=0.03)
