"""Sorting networks: one fixed list of comparisons that sorts any n values.

Because the comparisons do not depend on the values, the stacks of many pixels are sorted at once,
one comparison of two whole rows after the other, in the processor's vector units.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["sorting_network"]


@lru_cache(maxsize=16)
def sorting_network(n_values: int) -> NDArray[np.int64]:
    """Comparisons of Batcher's odd-even merge sort for any number of values.

    Doing, for each pair (i, j) in order, ``v[i], v[j] = min(v[i], v[j]), max(v[i], v[j])`` sorts v.

    Parameters
    ----------
    n_values : int
        How many values there are to sort.

    Returns
    -------
    ndarray of int64, shape (n_comparisons, 2)
        The pairs, each with i < j. Read-only. About n log2(n)^2 / 4 of them.

    References
    ----------
    K. E. Batcher, "Sorting networks and their applications", AFIPS 1968;
    D. E. Knuth, The Art of Computer Programming, vol. 3, algorithm 5.2.2M.

    Examples
    --------
    >>> sorting_network(3).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    # The network of the next power of two, without the comparisons that reach beyond the last
    # value: those would only ever meet a value larger than all others.
    pairs: list[tuple[int, int]] = []
    merged = 1
    while merged < n_values:
        distance = merged
        while distance:
            pairs.extend(_comparisons(n_values, merged, distance))
            distance //= 2
        merged *= 2
    network = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    network.flags.writeable = False
    return network


def _comparisons(n_values: int, merged: int, distance: int) -> list[tuple[int, int]]:
    """Give one stage: values `distance` apart, both within one run of 2 x `merged` values."""
    starts = range(distance % merged, n_values - distance, 2 * distance)
    lower = (low + i for low in starts for i in range(min(distance, n_values - low - distance)))
    run = 2 * merged
    return [(i, i + distance) for i in lower if i // run == (i + distance) // run]
