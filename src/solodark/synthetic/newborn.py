"""Hot pixels that are born over the years."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["NewbornPixels"]


@dataclass(frozen=True, eq=False, slots=True)
class NewbornPixels:
    """Hot pixels that are born over the years.

    Attributes
    ----------
    index : ndarray of int64, shape (n,)
        Positions in the flattened image.
    rate_e_per_s : ndarray of float32, shape (n,)
        Dark current gained, at the reference temperature.
    born : ndarray of float64, shape (n,)
        POSIX time of birth, s.
    """

    index: NDArray[np.int64]
    rate_e_per_s: NDArray[np.float32]
    born: NDArray[np.float64]

    def alive(self, date: datetime) -> Self:
        """Keep those born before a date.

        Parameters
        ----------
        date : datetime
            Timezone-aware.

        Returns
        -------
        NewbornPixels
            Perhaps none.
        """
        return self._where(self.born < date.timestamp())

    def born_between(self, since: datetime, until: datetime) -> Self:
        """Keep those born in a span of time.

        Parameters
        ----------
        since, until : datetime
            Timezone-aware; the first included, the last not.

        Returns
        -------
        NewbornPixels
            Perhaps none.
        """
        return self._where((self.born >= since.timestamp()) & (self.born < until.timestamp()))

    def _where(self, keep: NDArray[np.bool_]) -> Self:
        return type(self)(self.index[keep], self.rate_e_per_s[keep], self.born[keep])
