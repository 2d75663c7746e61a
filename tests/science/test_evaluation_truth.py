"""The figure of merit is right: unbiased, blind to level, and 1 for one sub."""

import numpy as np
import pytest

from solodark.evaluation import (
    MeanOfSubs,
    classify_pixels,
    evaluate_series,
    measure_series,
    one_sub,
    one_sub_variance,
    product_error,
)
from solodark.frames import Acquisition, Frame

SHAPE = (128, 160)
NOISE_ADU = 6.0


def dark_pattern(rng: np.random.Generator, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A log-normal dark pattern with hot pixels, ADU."""
    pattern = 100.0 + 10.0 * rng.lognormal(0.0, 1.0, shape)
    pattern[rng.random(shape) < 0.005] += 2000.0
    return pattern


def series(
    rng: np.random.Generator, pattern: np.ndarray, n: int, *, cfa_pattern: str | None = None
) -> list[Frame]:
    """Subs of one exposure: the pattern and white noise."""
    acquisition = Acquisition(exposure_s=60.0, cfa_pattern=cfa_pattern)
    noise = rng.normal(0.0, NOISE_ADU, (n, *pattern.shape))
    return [Frame(pattern + one, acquisition, f"sub_{i}") for i, one in enumerate(noise)]


def test_the_product_of_errors_gives_back_a_known_error_over_many_realisations(rng):
    pattern = dark_pattern(rng)
    error = rng.normal(0.0, 1.5, SHAPE)
    estimate = (pattern + error).astype(np.float32)
    found = [
        product_error(estimate, [sub.data for sub in series(rng, pattern, 3)]) for _ in range(60)
    ]
    standard_error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - error.var()) < 4.0 * standard_error
    assert standard_error < 0.02 * error.var()


def test_half_the_squared_difference_of_two_subs_is_the_variance_of_one(rng):
    subs = [sub.data for sub in series(rng, dark_pattern(rng), 5)]
    assert one_sub_variance(subs) == pytest.approx(NOISE_ADU**2, rel=0.01)


def test_one_sub_is_worth_one_sub_in_every_stratum(rng):
    pattern = dark_pattern(rng, (512, 512))
    masks = {"newborn": rng.random((512, 512)) < 0.05, "telegraph": rng.random((512, 512)) < 0.05}
    table = evaluate_series(
        series(rng, pattern, 6), {"one sub": one_sub}, level_map=pattern, masks=masks, rng=rng
    )
    for stratum in table.strata:
        cell = table.cell("one sub", stratum)
        tolerance = 6.0 / np.sqrt(cell.n_pixels)
        assert cell.equivalent_subs == pytest.approx(1.0, abs=tolerance), stratum


def test_the_mean_of_four_subs_is_worth_four(rng):
    table = evaluate_series(
        series(rng, dark_pattern(rng), 8), {"mean of 4": MeanOfSubs(4)}, rng=rng
    )
    for stratum in ("all", "winsorised"):
        assert table.cell("mean of 4", stratum).equivalent_subs == pytest.approx(4.0, rel=0.04)


def test_a_level_drift_is_not_a_pattern_error(rng):
    pattern = dark_pattern(rng)
    steady = series(rng, pattern, 5, cfa_pattern="RGGB")
    drift = np.kron(np.ones((64, 80)), [[3.0, -40.0], [11.0, 0.0]])
    drifting = [
        Frame(sub.data + i * drift, sub.acquisition, sub.name) for i, sub in enumerate(steady)
    ]
    rows = {"pattern": Frame(pattern + 1.0 * rng.normal(size=SHAPE)), "one sub": one_sub}
    before = measure_series(steady, rows, level_map=pattern)
    after = measure_series(drifting, rows, level_map=pattern)
    for row in rows:
        scale = before.variances.sum(axis=(0, 1))
        difference = (before.errors[row] - after.errors[row]).sum(axis=(0, 1))
        assert np.all(np.abs(difference) <= 1e-4 * scale)


def test_a_flipped_estimate_is_worth_next_to_nothing(rng):
    pattern = dark_pattern(rng)
    table = evaluate_series(
        series(rng, pattern, 5), {"flipped": Frame(pattern[::-1]), "right": Frame(pattern)}, rng=rng
    )
    assert table.cell("flipped", "all").equivalent_subs < 0.01
    assert table.cell("right", "all").equivalent_subs > 100.0


def test_choosing_pixels_by_the_level_of_the_truth_fakes_a_good_score(rng):
    pattern = rng.normal(0.0, 1.0, (400, 400))
    error = rng.normal(0.0, 1.0, pattern.shape)
    subs = [sub.data for sub in series(rng, pattern, 2)]
    estimate = (pattern + error).astype(np.float32)
    halves = np.mean(subs, axis=0)
    by_truth = halves <= np.quantile(halves, 0.97)
    by_others = classify_pixels(pattern.shape, cfa_pattern=None, level_map=pattern) == 1

    def product_over(chosen):
        return float(np.mean((estimate - subs[0])[chosen] * (estimate - subs[1])[chosen]))

    assert product_over(by_others) == pytest.approx(1.0, abs=0.4)
    assert product_over(by_truth) < -(NOISE_ADU**2) / 60.0


def test_telegraph_pixels_that_dwell_make_a_mean_of_subs_worth_less_than_their_number(rng):
    n, dwell = 12, 0.9
    state = np.empty((n, *SHAPE), dtype=bool)
    state[0] = rng.random(SHAPE) < 0.5
    for i in range(1, n):
        state[i] = np.where(rng.random(SHAPE) < dwell, state[i - 1], ~state[i - 1])
    subs = [
        Frame(100.0 + 40.0 * on + rng.normal(0.0, NOISE_ADU, SHAPE), name=f"sub_{i}")
        for i, on in enumerate(state)
    ]
    rows = {"one sub": one_sub, "mean of 4": MeanOfSubs(4)}
    masks = {"telegraph": np.ones(SHAPE, dtype=bool)}
    table = evaluate_series(subs, rows, masks=masks, rng=rng)
    assert table.cell("one sub", "telegraph").equivalent_subs == pytest.approx(1.0, abs=0.05)
    assert table.cell("mean of 4", "telegraph").equivalent_subs < 2.5
