import numpy as np
import pytest

from solodark.errors import NotEnoughFramesError, SettingError
from solodark.evaluation import (
    MeanOfSubs,
    OneK,
    evaluate_series,
    find_nearest_master,
    measure_series,
    standard_rivals,
    tabulate,
)
from solodark.evaluation.rivals import bias_for
from solodark.frames import Acquisition, Frame


def master(exposure_s: float | None, temperature_c: float | None = None, level: float = 0.0):
    known = Acquisition(exposure_s=exposure_s, sensor_temperature_c=temperature_c)
    return Frame(np.full((40, 40), level), known, f"master_{exposure_s}_{temperature_c}")


def test_the_nearest_exposure_comes_before_the_nearest_temperature():
    masters = [master(30.0, 5.0), master(90.0, 20.0), master(90.0, 10.0), master(300.0, 5.0)]
    found = find_nearest_master(masters, Acquisition(exposure_s=100.0, sensor_temperature_c=5.0))
    assert found.master.name == "master_90.0_10.0"
    assert found.reason == "90 s 10 C for 100 s 5 C"


def test_exposures_are_compared_by_their_ratio():
    masters = [master(20.0), master(100.0)]
    assert find_nearest_master(masters, Acquisition(exposure_s=50.0)).master.name.startswith(
        "master_100"
    )


def test_a_master_of_known_temperature_comes_before_one_of_unknown():
    masters = [master(60.0), master(60.0, -40.0)]
    wanted = Acquisition(exposure_s=60.0, sensor_temperature_c=20.0)
    assert find_nearest_master(masters, wanted).master.name == "master_60.0_-40.0"


def test_without_masters_or_exposures_nothing_can_be_nearest():
    with pytest.raises(NotEnoughFramesError, match="holds no master dark"):
        find_nearest_master([], Acquisition(exposure_s=60.0))
    with pytest.raises(SettingError, match="master_None_None has the exposure None"):
        find_nearest_master([master(None)], Acquisition(exposure_s=60.0))
    with pytest.raises(SettingError, match="the sub has the exposure 0"):
        find_nearest_master([master(60.0)], Acquisition(exposure_s=0.0))


def test_what_stands_for_a_missing_bias_is_named():
    long, short, flash = master(100.0, level=9.0), master(30.0), master(0.1, level=7.0)
    assert bias_for(master(1e-5, level=3.0), [long], long)[1] == ""
    pixels, name = bias_for(None, [long, short, flash], long)
    assert (pixels[0, 0], name) == (7.0, "0.1 s dark as bias")
    pixels, name = bias_for(None, [long, short], long)
    assert (pixels[0, 0], name) == (9.0, "constant level as bias")


def test_the_table_names_its_rivals_and_the_masters_they_used(subs_of, rng):
    masters = [master(60.0, 0.0), master(90.0, 0.0)]
    wanted = Acquisition(exposure_s=70.0, sensor_temperature_c=1.0)
    rows = standard_rivals(masters, wanted, n_subs=4)
    table = evaluate_series(subs_of(np.zeros((40, 40)), 4), rows, rng=rng)
    assert {row.name: row.note for row in table.rows} == {
        "one sub": "",
        "mean of 2 subs": "",
        "nearest master": "60 s 0 C for 70 s 1 C",
        "one k (PixInsight)": "60 s 0 C for 70 s 1 C, constant level as bias",
        "one k (Siril)": "60 s 0 C for 70 s 1 C, constant level as bias",
        "one k (best)": "60 s 0 C for 70 s 1 C, constant level as bias",
    }


def test_rows_of_two_series_pool_and_name_both_masters(subs_of, rng):
    sums = []
    for exposure_s in (60.0, 100.0):
        rows = standard_rivals([master(exposure_s)], Acquisition(exposure_s=80.0), n_subs=3)
        del rows["one k (best)"], rows["one k (PixInsight)"]
        sums.append(measure_series(subs_of(np.zeros((40, 40)), 3), rows))
    table = tabulate(sums, rng=rng)
    assert [row.name for row in table.rows] == ["one sub", "nearest master", "one k (Siril)"]
    assert table.rows[1].note == "60 s for 80 s; 100 s for 80 s"


def test_without_a_library_the_rivals_are_real_subs():
    rows = standard_rivals([], Acquisition(), n_subs=4)
    assert list(rows) == ["one sub", "mean of 2 subs"]


def test_a_mean_of_no_subs_is_refused():
    with pytest.raises(SettingError, match="expected at least 1"):
        MeanOfSubs(0)


def test_a_scaled_master_beats_the_unscaled_one_where_the_dark_only_scales(pattern, subs_of, rng):
    bias = rng.normal(500.0, 3.0, pattern.shape)
    library = Frame(bias + 1.5 * pattern, Acquisition(exposure_s=90.0))
    subs = subs_of(bias + pattern, 4)
    rows = standard_rivals([library], subs[0].acquisition, n_subs=4, bias=Frame(bias))
    table = evaluate_series(subs, rows, rng=rng)
    worth = {row.name: row.cells["winsorised"].equivalent_subs for row in table.rows}
    assert worth["one sub"] == pytest.approx(1.0, abs=0.05)
    assert worth["nearest master"] < 1.0
    assert worth["one k (Siril)"] > 30.0
    assert worth["one k (best)"] > 30.0
    assert isinstance(rows["one k (best)"], OneK)
