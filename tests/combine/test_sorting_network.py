"""A sorting network sorts whatever it is given."""

from itertools import product

import numpy as np
import pytest

from solodark.combine.sorting_network import sorting_network


def sort_with(network, values):
    values = values.copy()
    for i, j in network:
        values[[i, j]] = np.sort(values[[i, j]], axis=0)
    return values


@pytest.mark.parametrize("n", range(1, 11))
def test_all_sequences_of_zeros_and_ones_are_sorted_and_so_all_others(n):
    # The zero-one principle (Knuth 5.3.4, theorem Z).
    ones = np.array(list(product((0, 1), repeat=n))).T
    assert (sort_with(sorting_network(n), ones) == np.sort(ones, axis=0)).all()


@pytest.mark.parametrize("n", [20, 33, 64, 100, 257, 500])
def test_long_stacks_are_sorted(n, rng):
    values = rng.integers(0, 2 * n, (n, 40))
    assert (sort_with(sorting_network(n), values) == np.sort(values, axis=0)).all()


def test_twenty_values_take_about_a_hundred_comparisons():
    assert len(sorting_network(20)) <= 103
