"""Numbers of a few pixels of a sensor, each with its place."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["PixelTable"]


@dataclass(frozen=True, eq=False, slots=True)
class PixelTable:
    """Numbers of some pixels; a kind of table adds its columns, arrays with a row for each pixel.

    Attributes
    ----------
    place : ndarray of int32, shape (n,)
        Index into the flattened sensor, ascending.
    """

    place: NDArray[np.int32]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join those of several parts of the sensor.

        Parameters
        ----------
        parts : sequence of PixelTable
            In the order of their places, one at least.

        Returns
        -------
        PixelTable
            All of them.
        """
        columns = ([getattr(part, field.name) for part in parts] for field in fields(cls))
        return cls(*(np.concatenate(column) for column in columns))

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Choose some of them.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n,), or of int
            Which.

        Returns
        -------
        PixelTable
            In the order in which they were chosen.
        """
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def between(self, first: int, last: int) -> Self:
        """Look up those of a part of the sensor.

        Parameters
        ----------
        first, last : int
            Places from the one up to, but not with, the other.

        Returns
        -------
        PixelTable
            With places counted from the first.
        """
        return self.where((self.place >= first) & (self.place < last)).moved(-first)

    def moved(self, places: int) -> Self:
        """Count places from another pixel.

        Parameters
        ----------
        places : int
            What is added to them.

        Returns
        -------
        PixelTable
            The same pixels.
        """
        return replace(self, place=self.place + np.int32(places))
