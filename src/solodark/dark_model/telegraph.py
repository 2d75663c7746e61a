"""Pixels that hop between two levels: what a model keeps of them, and where they stand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.pixel_table import PixelTable
from solodark.dark_model.strength import squared_strength

__all__ = ["TelegraphPixels", "hop_direction", "series_memory"]

Array = NDArray[np.float64]
Numbers = NDArray[np.float32]

_LEAST_VISITS = 3.0  # of either level, that do not remember each other
_MANY_LOOKS = 6.0  # tell how rare the rarer level is, to a fifth
_LASTING_S = 1e6  # a level that is remembered for weeks is the one of a whole night


@dataclass(frozen=True, eq=False, slots=True)
class TelegraphPixels(PixelTable):
    """The telegraph pixels of a sensor, and those that may be some.

    Maps hold the mean in the long run of those that are settled. Of the others more has to be seen.

    Attributes
    ----------
    place : ndarray of int32, shape (n,)
        Index into the flattened sensor, ascending.
    rise_adu : ndarray of float32, shape (n,)
        High level less low level at full strength of the dark signal.
    duty : ndarray of float32, shape (n,)
        Share of the time at the high level.
    memory_s : ndarray of float32, shape (n,)
        Time after which a level is forgotten.
    looks : ndarray of float32, shape (n,)
        In how many frames that do not remember each other it was seen.
    rest_adu2 : ndarray of float32, shape (n,)
        Variance between series that the hops do not explain, at full strength.
    """

    rise_adu: Numbers
    duty: Numbers
    memory_s: Numbers
    looks: Numbers
    rest_adu2: Numbers

    @classmethod
    def none(cls) -> "TelegraphPixels":
        """Know of no telegraph pixel.

        Returns
        -------
        TelegraphPixels
            None.
        """
        nothing = np.zeros(0, np.float32)
        return cls(np.zeros(0, np.int32), *[nothing] * 5)

    @property
    def hopping(self) -> NDArray[np.bool_]:
        """Whether each came to both levels often enough for its duty to be known, shape (n,)."""
        rarer = np.minimum(self.duty, 1 - self.duty)
        return np.asarray(self.looks * rarer >= _LEAST_VISITS)

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Whether the levels of each can be relied on, shape (n,).

        Either it was seen so often that its duty is known, or it hops so rarely that no duty is
        needed: a pixel that turned hot halfway through the library has two levels as well, and
        stays at one.
        """
        return self.hopping | self.lasting | np.asarray(self.looks >= _MANY_LOOKS)

    @property
    def lasting(self) -> NDArray[np.bool_]:
        """Whether each stays at a level for longer than a series, shape (n,)."""
        return np.asarray(self.memory_s >= _LASTING_S)


def hop_direction(strength: Array, states: Array) -> Array:
    """Direction in which hops grow: ``direction @ state`` is the strength of a dark signal.

    Parameters
    ----------
    strength : ndarray, shape (rank, rank)
        ``state @ strength @ state`` is the squared strength.
    states : ndarray, shape (n_frames, rank)
        Of the library.

    Returns
    -------
    ndarray, shape (rank,)
        Linear in the state, and exact for the strongest of them.
    """
    squares = squared_strength(states, strength)
    strongest = int(np.argmax(squares))
    return np.asarray(strength @ states[strongest] / np.sqrt(max(squares[strongest], 1e-12)))


def series_memory(memory_s: Numbers, span_s: float) -> Array:
    """Tell how much of a level, seen in one frame, is left of it on average in those beside it.

    Of two moments taken at random out of a time T, it is the mean of ``exp(-gap / memory)``, that
    is ``2 u (1 - u (1 - exp(-1 / u)))`` with ``u = memory / T``.

    Parameters
    ----------
    memory_s : ndarray of float32
        Time after which a level is forgotten.
    span_s : float
        How long the series of frames takes.

    Returns
    -------
    ndarray
        Between 0 and 1.

    Examples
    --------
    >>> series_memory(np.array([60.0, 3600.0, 360_000.0]), 3600.0).round(2)
    array([0.03, 0.74, 1.  ])
    """
    share = memory_s.astype(np.float64) / max(span_s, 1.0)
    left = 2.0 * share * (1.0 + share * np.expm1(-1.0 / share))
    return np.minimum(left, 1.0)
