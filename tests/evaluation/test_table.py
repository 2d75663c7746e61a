import json

import numpy as np
import pytest

from solodark.errors import FrameMismatchError, NotEnoughFramesError, SettingError
from solodark.evaluation import (
    MeanOfSubs,
    evaluate_series,
    measure_series,
    one_sub,
    tabulate,
)
from solodark.frames import Acquisition, Frame


def test_rows_keep_the_order_in_which_they_were_named(pattern, subs_of, rng):
    rows = {"zebra": one_sub, "ape": pattern, "mole": MeanOfSubs(2)}
    table = evaluate_series(subs_of(pattern, 4), rows, rng=rng)
    assert [row.name for row in table.rows] == ["zebra", "ape", "mole"]


def test_a_table_survives_json(pattern, subs_of, rng):
    rows = {"one sub": one_sub, "truth": Frame(pattern)}
    table = evaluate_series(subs_of(pattern, 4), rows, level_map=pattern, rng=rng)
    plain = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    first = plain["rows"][0]
    assert first["cells"]["all"]["equivalent_subs"] == pytest.approx(1.0, abs=0.1)
    assert first["cells"]["telegraph"] is None
    assert first["quality"]["stars"][0]["peak_sigma"] == 5.0
    assert float(plain["rows"][1]["cells"]["all"]["interval_95"][1]) > 20.0


def test_a_perfect_estimate_is_reported_with_its_lower_bound_only(pattern, subs_of):
    worths = []
    for seed in range(6):
        subs = subs_of(pattern, 5)
        table = evaluate_series(subs, {"truth": Frame(pattern)}, rng=np.random.default_rng(seed))
        cell = table.cell("truth", "all")
        worths.append(cell.equivalent_subs)
        assert (cell.error_over_variance > 0.0) == np.isfinite(cell.equivalent_subs)
        assert cell.interval_95[0] > 20.0
    assert np.isinf(worths).any()


def test_each_estimator_is_called_once_for_every_sub(pattern, subs_of):
    seen = []

    def remember(sub):
        seen.append(sub.name)
        return sub.data

    measure_series(subs_of(pattern, 5), {"row": remember}, level_map=pattern)
    assert seen == [f"sub_{i}" for i in range(5)]


def test_series_pool_by_the_mean_error_in_units_of_their_own_noise(pattern, subs_of, rng):
    offset = np.where(rng.random(pattern.shape) < 0.5, 3.0, -3.0)
    far = np.where(rng.random(pattern.shape) < 0.5, 9.0, -9.0)
    series = [
        measure_series(subs_of(pattern, 5), {"row": pattern + error}, session=night)
        for night, error in (("a", offset), ("b", far))
    ]
    cell = tabulate(series, rng=rng).cell("row", "all")
    assert cell.error_over_variance == pytest.approx((9.0 + 81.0) / 2.0 / 36.0, rel=0.02)
    assert cell.n_pixels == 2 * pattern.size


def test_a_row_that_one_series_lacks_rests_on_the_other(pattern, subs_of, rng):
    series = [
        measure_series(subs_of(pattern, 4), {"one sub": one_sub}, session="a"),
        measure_series(subs_of(pattern, 4), {"pattern": pattern + 1.0}, session="b"),
    ]
    table = tabulate(series, rng=rng)
    assert table.cell("one sub", "all").n_pixels == pattern.size
    assert table.cell("one sub", "all").equivalent_subs == pytest.approx(1.0, abs=0.1)


def test_an_estimator_of_several_subs_never_meets_them_again_as_truth(pattern, subs_of, rng):
    subs = subs_of(pattern, 6)
    cell = evaluate_series(subs, {"mean": MeanOfSubs(3)}, rng=rng).cell("mean", "all")
    assert cell.equivalent_subs == pytest.approx(3.0, rel=0.05)


def test_bad_estimates_are_refused_by_name(pattern, subs_of):
    subs = subs_of(pattern, 4)
    with pytest.raises(FrameMismatchError, match="the estimate 'cut' has shape"):
        measure_series(subs, {"cut": pattern[2:]})
    holed = pattern.copy()
    holed[3, 3] = np.nan
    with pytest.raises(SettingError, match="the estimate 'holed' holds pixels that are not finite"):
        measure_series(subs, {"holed": holed})


def test_subs_that_cannot_judge_one_another_are_refused_by_name(pattern, subs_of):
    subs = subs_of(pattern, 4)
    with pytest.raises(NotEnoughFramesError, match="found 2 subs"):
        measure_series(subs[:2], {"one sub": one_sub})
    stranger = Frame(pattern, Acquisition(cfa_pattern="RGGB"), "colour.fit")
    with pytest.raises(FrameMismatchError, match=r"but colour.fit: \(128, 160\), RGGB"):
        measure_series([*subs, stranger], {"one sub": one_sub})
    broken = Frame(np.where(pattern > 1000.0, np.nan, pattern), name="broken.fit")
    with pytest.raises(SettingError, match=r"broken.fit holds pixels"):
        measure_series([*subs, broken], {"one sub": one_sub})


def test_no_series_makes_no_table(rng):
    with pytest.raises(NotEnoughFramesError, match="no series"):
        tabulate([], rng=rng)
