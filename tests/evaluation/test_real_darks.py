"""The figures on real darks: a camera nobody simulated."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solodark.evaluation import measure_series, standard_rivals, tabulate
from solodark.formats import read_frame
from solodark.frames import Frame

pytestmark = pytest.mark.real_data


def darks_of(folder: Path, exposure: str) -> list[Frame]:
    return [read_frame(path) for path in sorted(folder.glob(f"darks/*_{exposure}sec_*"))]


def mean_of(frames: list[Frame]) -> Frame:
    pixels = np.mean([frame.data for frame in frames], axis=0, dtype=np.float64)
    return Frame(pixels, frames[0].acquisition, f"mean of {len(frames)}")


@pytest.fixture(scope="module")
def table(real_data):
    """70 s held out of an uncooled camera; 85 s and 50 s are its library."""
    folder = real_data / "asi178mc"
    subs = darks_of(folder, "70")
    masters = [mean_of(darks_of(folder, exposure)) for exposure in ("50", "85")]
    bias = mean_of([read_frame(path) for path in sorted(folder.glob("biases/*.fit"))[:4]])
    level_map = np.mean([master.data for master in masters], axis=0)
    rows = standard_rivals(masters, subs[0].acquisition, n_subs=len(subs), bias=bias)
    rows["flipped"] = replace(masters[1], data=masters[1].data[::-1])
    sums = measure_series(subs, rows, level_map=level_map)
    return tabulate([sums], rng=np.random.default_rng(1))


def worth(table, row: str, stratum: str) -> float:
    return table.cell(row, stratum).equivalent_subs


@pytest.mark.parametrize("stratum", ["all", "winsorised", "ordinary", "hot", "hottest"])
def test_one_real_sub_is_worth_one(table, stratum):
    assert worth(table, "one sub", stratum) == pytest.approx(1.0, abs=0.02)


def test_the_mean_of_real_subs_is_worth_their_number(table):
    assert worth(table, "mean of 2 subs", "winsorised") == pytest.approx(2.0, abs=0.05)
    assert worth(table, "mean of 3 subs", "ordinary") == pytest.approx(3.0, abs=0.05)


def test_the_nearest_master_of_an_uncooled_camera_is_worth_less_than_half_a_sub(table):
    assert worth(table, "nearest master", "all") == pytest.approx(0.45, abs=0.1)
    assert worth(table, "nearest master", "winsorised") == pytest.approx(1.9, abs=0.4)


def test_one_k_helps_and_does_not_reach_four_subs_in_the_headline_of_either_program(table):
    for program in ("PixInsight", "Siril"):
        assert 1.9 < worth(table, f"one k ({program})", "winsorised") < 4.0
    assert worth(table, "one k (best)", "winsorised") > worth(table, "one k (Siril)", "winsorised")


def test_a_flipped_master_shows_at_once(table):
    assert worth(table, "flipped", "all") < 0.05
