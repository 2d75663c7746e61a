import numpy as np
import pytest

from solodark.evaluation import held_out_folds, measure_series, one_sub, tabulate
from solodark.evaluation.newborn import find_newborn_pixels, reserved_subs
from solodark.evaluation.selection import Selection
from solodark.evaluation.truth import PixelSums


@pytest.fixture
def births(rng, pattern):
    """Where pixels were born hot since the library, and the pattern with them."""
    born = (rng.random(pattern.shape) < 0.01) & (pattern < 150.0)
    return born, pattern + 150.0 * born


def test_pixels_born_hot_since_the_library_are_found(births, pattern, subs_of):
    born, now = births
    subs = [sub.data for sub in subs_of(1.5 * now + 30.0, 3)]
    found = find_newborn_pixels(subs, pattern, None)
    assert (found & born).sum() > 0.98 * born.sum()
    assert (found & ~born).sum() < 0.002 * born.size


def test_a_cosmic_ray_in_one_sub_is_not_a_newborn_pixel(pattern, subs_of):
    subs = [sub.data.copy() for sub in subs_of(pattern, 2)]
    subs[0][20:30, 20:30] += 500.0
    assert not find_newborn_pixels(subs, pattern, None)[20:30, 20:30].any()


def test_subs_that_choose_pixels_judge_nobody(births, pattern, subs_of):
    _, now = births
    sums = measure_series(subs_of(now, 7), {"one sub": one_sub}, level_map=pattern)
    newborn, everything = 5, 0
    for reserved in reserved_subs(7):
        assert np.isnan(sums.errors["one sub"][reserved, :, newborn]).all()
    assert np.isfinite(sums.errors["one sub"][..., everything]).all()
    assert sums.judged_folds("one sub", newborn).sum() == 5


def test_a_reserved_sub_is_neither_given_nor_truth():
    everywhere = np.ones(7, dtype=bool)
    sums = PixelSums(np.zeros((4, 4), np.uint8), None, np.ones((2, 2)))
    selection = Selection(sums, everywhere, reserved=frozenset({1, 4}))
    folds = held_out_folds(7)
    assert selection.judges(folds[0]) == (2, 3, 5, 6)
    assert selection.judges(folds[4]) == ()


def test_newborn_pixels_are_worth_one_sub_to_one_sub_and_none_to_the_library(
    births, pattern, subs_of, rng
):
    born, now = births
    rows = {"one sub": one_sub, "library": pattern}
    table = tabulate([measure_series(subs_of(now, 9), rows, level_map=pattern)], rng=rng)
    cell = table.cell("one sub", "newborn")
    assert cell.n_pixels == pytest.approx(born.sum(), rel=0.2)
    assert cell.equivalent_subs == pytest.approx(1.0, abs=0.15)
    assert table.cell("library", "newborn").error_adu2 == pytest.approx(150.0**2, rel=0.1)
    assert cell.variance_adu2 == pytest.approx(6.0**2, rel=0.15)


def test_too_few_subs_find_no_newborn_pixels(pattern, subs_of, rng):
    table = tabulate(
        [measure_series(subs_of(pattern, 5), {"one sub": one_sub}, level_map=pattern)], rng=rng
    )
    assert table.cell("one sub", "newborn") is None


def test_a_mask_of_newborn_pixels_is_taken_at_its_word(births, pattern, subs_of):
    born, now = births
    sums = measure_series(
        subs_of(now, 7), {"one sub": one_sub}, level_map=pattern, masks={"newborn": born}
    )
    assert sums.n_pixels[5] == born.sum()
    assert sums.judged_folds("one sub", 5).all()
