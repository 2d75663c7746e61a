"""How strong a dark signal is: a quadratic form of the state."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["FLOOR_AMPLITUDE2", "TOO_WEAK", "squared_strength"]

Array = NDArray[np.float64]

FLOOR_AMPLITUDE2 = 0.05**2
"""Even a bias is not known better than this share of the scatter."""

TOO_WEAK = 0.02
"""A frame of less than this share of the strongest signal is as good as a bias."""


def squared_strength(states: Array, strength: Array) -> Array:
    """Measure the dark signal of several states.

    Parameters
    ----------
    states : ndarray, shape (n, rank)
        Strength of each dark map.
    strength : ndarray, shape (rank, rank)
        The form ``state @ strength @ state``.

    Returns
    -------
    ndarray, shape (n,)
        Squared strength of each.

    Examples
    --------
    >>> squared_strength(np.array([[1.0, 0.0], [3.0, 4.0]]), np.eye(2))
    array([ 1., 25.])
    """
    return np.asarray(np.einsum("fr,rq,fq->f", states, strength, states))
