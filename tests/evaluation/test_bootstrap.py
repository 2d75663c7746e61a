import numpy as np
import pytest

from solodark.evaluation import SeriesSums, measure_series, tabulate
from solodark.evaluation.bootstrap import draw, mean_ratio, percentile_interval, resampled_ratios
from solodark.evaluation.strata import STRATA
from solodark.frames import Frame

N_STRATA = len(STRATA)


def sums_of(ratio: float, session: str, n_subs: int = 3) -> SeriesSums:
    """A series whose every sub has the same error."""
    variances = np.ones((n_subs, 64, N_STRATA))
    return SeriesSums(
        session=session,
        n_subs=n_subs,
        n_pixels=np.full(N_STRATA, 6400),
        noise_adu=1.0,
        errors={"row": ratio * variances},
        variances=variances,
    )


def covers(bounds: tuple[float, float], truth: float) -> bool:
    return bounds[0] <= truth <= bounds[1]


def test_intervals_over_sessions_cover_the_truth_as_often_as_they_say(rng):
    covered = {0.68: 0, 0.95: 0}
    for _ in range(300):
        series = [sums_of(0.1 * rng.gamma(9.0) / 9.0, f"night {i}") for i in range(12)]
        draws = draw(series, n_draws=300, rng=rng)
        ratios = resampled_ratios(series, "row", 0, draws)
        for coverage in covered:
            covered[coverage] += covers(percentile_interval(ratios, coverage), 10.0)
    assert covered[0.68] / 300 == pytest.approx(0.68, abs=0.09)
    assert covered[0.95] / 300 == pytest.approx(0.93, abs=0.05)


def test_intervals_of_one_session_cover_the_truth_of_that_session(rng):
    hits = 0
    for _ in range(60):
        error = rng.normal(0.0, 2.0, (64, 64))
        subs = rng.normal(0.0, 5.0, (6, 64, 64)).astype(np.float32)
        one = measure_series([Frame(sub) for sub in subs], {"row": error})
        cell = tabulate([one], rng=rng, n_draws=100).cell("row", "all")
        hits += covers(cell.interval_68, 25.0 / error.var())
    assert hits / 60 == pytest.approx(0.68, abs=0.15)


def test_sessions_are_resampled_whole(rng):
    series = [sums_of(0.1, "one night"), sums_of(0.3, "one night"), sums_of(0.5, "another")]
    draws = draw(series, n_draws=500, rng=rng)
    assert draws.unit == "sessions"
    assert np.array_equal(draws.sessions[:, 0], draws.sessions[:, 1])
    ratios = resampled_ratios(series, "row", 0, draws)
    assert sorted(set(np.round(ratios, 6))) == [0.2, 0.5]


def test_one_session_says_that_its_own_subs_were_resampled(rng):
    table = tabulate([sums_of(0.1, "n"), sums_of(0.2, "n")], rng=rng)
    assert table.resampled == "subs and blocks of one session"
    assert table.n_sessions == 1


def test_series_weigh_as_many_subs_as_they_have():
    series = [sums_of(0.1, "a", n_subs=9), sums_of(0.5, "b", n_subs=3)]
    assert mean_ratio(series, "row", 0) == pytest.approx(0.2)


def test_rows_share_their_dice(rng):
    series = [sums_of(0.1 * (1 + i), f"night {i}") for i in range(5)]
    for one in series:
        one.errors["twice"] = 2.0 * one.errors["row"]
    draws = draw(series, n_draws=50, rng=rng)
    once, twice = (resampled_ratios(series, row, 0, draws) for row in ("row", "twice"))
    assert twice == pytest.approx(2.0 * once)


def test_the_same_dice_give_the_same_intervals():
    series = [sums_of(0.1 * (1 + i), f"night {i}") for i in range(5)]
    tables = [tabulate(series, rng=np.random.default_rng(4)).to_dict() for _ in range(2)]
    assert tables[0] == tables[1]


def test_an_error_that_cannot_be_told_from_zero_has_no_upper_bound():
    lower, upper = percentile_interval(np.linspace(-0.02, 0.08, 101), 0.95)
    assert upper == float("inf")
    assert lower == pytest.approx(1.0 / 0.0775, rel=1e-6)
