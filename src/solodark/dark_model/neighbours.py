"""The neighbours of chosen pixels, in opposite pairs: the mean of a pair does not see a slope."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIRS", "Neighbours"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""One side of each pair, (dy, dx)."""


@dataclass(frozen=True, eq=False, slots=True)
class Neighbours:
    """Which opposite pairs of neighbours make the background of each chosen pixel.

    Attributes
    ----------
    y, x : ndarray of int, shape (n,)
        The chosen pixels.
    step : int
        Distance to the neighbours of the same CFA plane, px.
    used : ndarray of bool, shape (4, n)
        The pairs of which both pixels are quiet.
    """

    y: Places
    x: Places
    step: int
    used: NDArray[np.bool_]

    def sides(self, image: NDArray[Any]) -> tuple[Array, Array]:
        """Look up both neighbours of each pair.

        Parameters
        ----------
        image : ndarray, shape (ny, nx)
            Any image of the sensor.

        Returns
        -------
        tuple of ndarray, shape (4, n)
            One side and the other.
        """
        offsets = [(self.step * dy, self.step * dx) for dy, dx in PAIRS]
        one = [image[self.y + dy, self.x + dx] for dy, dx in offsets]
        other = [image[self.y - dy, self.x - dx] for dy, dx in offsets]
        return np.array(one, np.float64), np.array(other, np.float64)

    def mean(self, image: NDArray[Any]) -> Array:
        """Average the used neighbours.

        Parameters
        ----------
        image : ndarray, shape (ny, nx)
            Any image of the sensor.

        Returns
        -------
        ndarray, shape (n,)
            Its mean around each chosen pixel.
        """
        one, other = self.sides(image)
        total: Array = np.where(self.used, one + other, 0.0).sum(axis=0)
        return np.asarray(total / (2 * self.used.sum(axis=0)))

    def spread(self, image: NDArray[Any], mean: Array) -> Array:
        """Measure how far the used neighbours differ.

        Parameters
        ----------
        image : ndarray, shape (ny, nx)
            Any image of the sensor.
        mean : ndarray, shape (n,)
            Their mean.

        Returns
        -------
        ndarray, shape (n,)
            Their variance.
        """
        one, other = self.sides(image)
        squares = (one - mean) ** 2 + (other - mean) ** 2
        total: Array = np.where(self.used, squares, 0.0).sum(axis=0)
        return np.asarray(total / (2 * self.used.sum(axis=0) - 1))
