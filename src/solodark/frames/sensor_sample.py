"""A fixed sample of a sensor's pixels: the same places in every frame of one size."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["sample_positions"]

_PLASTIC_NUMBER = 1.324717957244746
"""The real root of x**3 = x + 1, the two-dimensional sibling of the golden ratio."""


@lru_cache(maxsize=16)
def sample_positions(
    shape: tuple[int, int], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spread at most `size` pixels evenly over a sensor, in the same places every time.

    Two frames of one camera can be compared on these pixels long after they were read. The places
    are the first points of the additive sequence that fills the unit square most evenly (M. Roberts
    2018, "The unreasonable effectiveness of quasirandom sequences"), so no dice are needed and no
    row, column or colour plane is preferred.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the sensor.
    size : int
        Number of pixels wanted; a small sensor gives fewer, because none is taken twice.

    Returns
    -------
    y, x : ndarray of int64, shape (n,)
        Rows and columns, sorted by row and then by column; read-only.

    Examples
    --------
    >>> y, x = sample_positions((100, 200), size=64)
    >>> y.size, bool(y.max() < 100), bool(x.max() < 200)
    (64, True, True)
    """
    steps = 1.0 / _PLASTIC_NUMBER ** np.arange(1, 3)
    points = (0.5 + np.arange(1, size + 1)[:, np.newaxis] * steps) % 1.0
    y, x = (points * shape).astype(np.int64).T
    flat = np.unique(y * shape[1] + x)
    flat_y, flat_x = np.divmod(flat, shape[1])
    for axis in (flat_y, flat_x):
        axis.flags.writeable = False
    return flat_y, flat_x
