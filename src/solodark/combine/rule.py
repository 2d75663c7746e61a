"""How values are combined, and where the results go, in a form that compiled code takes."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MEAN",
    "MEDIAN",
    "SIGMA",
    "WINSORIZED",
    "Counts",
    "Planes",
    "Rule",
    "median_noise_factor",
]

MEAN, MEDIAN, SIGMA, WINSORIZED = range(4)


Counts = NDArray[np.uint8] | NDArray[np.uint16]


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
    n_rejected_low, n_rejected_high, n_missing : ndarray of uint8 or uint16
        Counts of values.
    flags : ndarray of uint8
        Bits of `solodark.frames.PixelFlags`.
    """

    data: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    n_rejected_low: Counts
    n_rejected_high: Counts
    n_missing: Counts
    flags: NDArray[np.uint8]

    @classmethod
    def empty(cls, shape: tuple[int, int], n_frames: int) -> "Planes":
        """Give planes as `combine_stack` takes them: nothing rejected, nothing missing.

        Parameters
        ----------
        shape : tuple of int
            (ny, nx).
        n_frames : int
            Frames to be combined.

        Returns
        -------
        Planes
            Counts of 16 bits for more than 255 frames.
        """
        counts = np.min_scalar_type(n_frames)
        return cls(
            data=np.empty(shape, np.float32),
            uncertainty=np.empty(shape, np.float32),
            n_rejected_low=np.zeros(shape, counts),
            n_rejected_high=np.zeros(shape, counts),
            n_missing=np.zeros(shape, counts),
            flags=np.empty(shape, np.uint8),
        )

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


def median_noise_factor(n_values: int) -> float:
    """Noise of the median of normal values over the noise of their mean.

    Parameters
    ----------
    n_values : int
        How many values.

    Returns
    -------
    float
        1 for one and two values, towards sqrt(pi / 2) for many; within 1.5 % of exact.

    Examples
    --------
    >>> round(median_noise_factor(2), 4), round(median_noise_factor(1001), 4)
    (1.0, 1.253)
    """
    extra = 0.5 * math.pi - 1.0 if n_values % 2 else math.pi - 2.0
    return math.sqrt(0.5 * math.pi * n_values / (n_values + extra))
