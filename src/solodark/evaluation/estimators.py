"""Rows of the table: anything that makes a master dark from one new sub, or without it."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import Frame

__all__ = ["Estimator", "MeanOfSubs", "SubsEstimator", "one_sub"]


class Estimator(Protocol):
    """Makes a master dark of the new sub's exposure and temperature from that sub."""

    def __call__(self, sub: Frame, /) -> NDArray[np.floating]:
        """Give the estimate, shape (ny, nx), ADU; the sub is not to be written to."""


@runtime_checkable
class SubsEstimator(Protocol):
    """Makes a master dark from several subs of one series; none of them will judge it."""

    @property
    def subs_given(self) -> int:
        """How many subs it wants."""

    def from_subs(self, subs: Sequence[Frame]) -> NDArray[np.floating]:
        """Make the estimate.

        Parameters
        ----------
        subs : sequence of Frame
            As many as it wants, of one series; not to be written to.

        Returns
        -------
        ndarray of float, shape (ny, nx)
            ADU.
        """


def one_sub(sub: Frame) -> NDArray[np.float32]:
    """Take the one new sub as it is for a master dark: worth exactly one sub.

    Parameters
    ----------
    sub : Frame
        The new sub.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU.
    """
    return sub.data


class MeanOfSubs:
    """The classical master: the mean of N subs of the wanted exposure, worth N subs.

    Parameters
    ----------
    subs_given : int
        N, at least 1.

    Raises
    ------
    SettingError
        N is less than 1.

    Examples
    --------
    >>> subs = [Frame(np.full((2, 2), level)) for level in (1.0, 3.0)]
    >>> float(MeanOfSubs(2).from_subs(subs)[0, 0])
    2.0
    """

    def __init__(self, subs_given: int) -> None:
        if subs_given < 1:
            raise SettingError(f"a mean of {subs_given} subs was asked for; expected at least 1")
        self._subs_given = subs_given

    @property
    def subs_given(self) -> int:
        """How many subs it wants."""
        return self._subs_given

    def from_subs(self, subs: Sequence[Frame]) -> NDArray[np.float32]:
        """Average the subs.

        Parameters
        ----------
        subs : sequence of Frame
            N subs of one exposure.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU.
        """
        total = np.zeros(subs[0].shape, dtype=np.float64)
        for sub in subs:
            total += sub.data
        return (total / len(subs)).astype(np.float32)
