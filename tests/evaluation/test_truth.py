from itertools import combinations

import numpy as np
import pytest

from solodark.errors import FrameMismatchError, NotEnoughFramesError
from solodark.evaluation import held_out_folds, one_sub_variance, product_error
from solodark.evaluation.levels import difference_statistics


def test_every_sub_is_the_new_one_once_and_never_its_own_truth():
    folds = held_out_folds(5, subs_given=2)
    assert [fold.given[0] for fold in folds] == [0, 1, 2, 3, 4]
    for fold in folds:
        assert sorted(fold.given + fold.truth) == [0, 1, 2, 3, 4]


def test_two_subs_of_truth_are_needed():
    with pytest.raises(NotEnoughFramesError, match=r"found 2 subs .* expected at least 3"):
        held_out_folds(2)
    with pytest.raises(NotEnoughFramesError, match="expected at least 6"):
        held_out_folds(5, subs_given=4)


def test_the_product_is_the_mean_over_all_splits_into_halves(pattern, subs_of):
    estimate, *truth = (sub.data for sub in subs_of(pattern, 5))
    levels = [difference_statistics(estimate, sub, None)[0][0, 0] for sub in truth]
    errors = [estimate - sub - level for sub, level in zip(truth, levels, strict=True)]
    products = []
    for half in combinations(range(4), 2):
        others = [i for i in range(4) if i not in half]
        a, b = (np.mean([errors[i] for i in group], axis=0) for group in (half, others))
        products.append(np.mean(a * b, dtype=np.float64))
    assert product_error(estimate, truth) == pytest.approx(np.mean(products), rel=1e-5)


def test_clipping_bounds_what_one_wild_pixel_can_do(pattern, subs_of):
    estimate, *truth = (sub.data.copy() for sub in subs_of(pattern, 4))
    calm = product_error(estimate, truth, clip_adu=60.0)
    estimate[5, 5] += 1e6
    wild = product_error(estimate, truth, clip_adu=60.0)
    assert 0.0 < wild - calm <= 1.01 * 60.0**2 / estimate.size
    assert product_error(estimate, truth) > 1e6


def test_rows_in_many_bands_sum_to_the_same(rng, subs_of):
    tall = rng.normal(100.0, 3.0, (700, 30))
    estimate, *truth = (sub.data for sub in subs_of(tall, 4))
    errors = np.array([estimate - sub for sub in truth], dtype=np.float64)
    errors -= [[[difference_statistics(estimate, sub, None)[0][0, 0]]] for sub in truth]
    pairs = [np.mean(errors[i] * errors[k]) for i, k in combinations(range(3), 2)]
    assert product_error(estimate, truth) == pytest.approx(np.mean(pairs), rel=1e-5)


def test_images_of_another_shape_are_refused(pattern, subs_of):
    subs = [sub.data for sub in subs_of(pattern, 3)]
    with pytest.raises(FrameMismatchError, match="expected one shape"):
        product_error(subs[0][1:], subs)
    with pytest.raises(NotEnoughFramesError, match="found 1 sub to judge by"):
        one_sub_variance(subs[:1])


def test_nothing_given_is_changed(pattern, subs_of):
    estimate, *truth = (sub.data.copy() for sub in subs_of(pattern, 4))
    before = [image.copy() for image in (estimate, *truth)]
    product_error(estimate, truth)
    assert all(np.array_equal(a, b) for a, b in zip(before, (estimate, *truth), strict=True))
