"""How values are combined, and where the results go, in a form that compiled code takes."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MEAN",
    "MEDIAN",
    "MIN_SURVIVORS",
    "SIGMA",
    "WINSORIZED",
    "WINSOR_CORRECTION",
    "WINSOR_ITERATIONS",
    "WINSOR_REACH",
    "WINSOR_TOLERANCE",
    "Planes",
    "Rule",
]

MEAN, MEDIAN, SIGMA, WINSORIZED = range(4)

MIN_SURVIVORS = 3
"""Rejection never leaves fewer: of three values none can be called the odd one."""

WINSOR_REACH = 1.5
"""Huber's c: values beyond so many sigma are pulled in."""
WINSOR_CORRECTION = 1.134
"""A normal distribution winsorised at 1.5 sigma regains its sigma."""
WINSOR_TOLERANCE = 0.0005
"""Sigma has settled when it shrinks by no more than this fraction."""
WINSOR_ITERATIONS = 50
"""Where most values are equal sigma shrinks to nothing, for ever; this ends it."""


class Rule(NamedTuple):
    """How to combine.

    Attributes
    ----------
    method : int
        `MEAN`, `MEDIAN`, `SIGMA` or `WINSORIZED`.
    sigma_low, sigma_high : float
        Limits of rejection, in sigma.
    step_adu : float
        The converter's step; values within one step of the median are never rejected.
    rounds : int
        Most rounds of rejection.
    saturation_adu : float
        Full scale.
    """

    method: int
    sigma_low: float = 3.0
    sigma_high: float = 3.0
    step_adu: float = 0.0
    rounds: int = 10
    saturation_adu: float = np.inf


class Planes(NamedTuple):
    """Where results go, each an array of shape (ny, nx), or (n_pixels,) for compiled code.

    Attributes
    ----------
    data, uncertainty : ndarray of float32
        ADU.
    n_rejected_low, n_rejected_high, n_used : ndarray of uint16
        Counts of values.
    flags : ndarray of uint8
        Bits of `solodark.frames.PixelFlags`.
    """

    data: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    n_rejected_low: NDArray[np.uint16]
    n_rejected_high: NDArray[np.uint16]
    n_used: NDArray[np.uint16]
    flags: NDArray[np.uint8]

    def of_rows(self, start: int, stop: int) -> "Planes":
        """Give views of rows ``start:stop``, made flat.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        Planes
            Arrays of shape (n_pixels,).
        """
        flat: list[Any] = [plane[start:stop].reshape(-1) for plane in self]
        return Planes(*flat)
