"""The numbers of one strip of pixels while its maps are fitted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.strips import STRIP

__all__ = [
    "DOF",
    "ERROR",
    "EVIDENCE",
    "EXCESS",
    "FACTOR",
    "INFORMATION",
    "INVERSE",
    "LEVERAGE",
    "LOG_PRIOR",
    "MAPS",
    "MEAN",
    "NOISE",
    "OUTLIER_SIGMA2",
    "PRECISION",
    "PULL",
    "PULLS",
    "RIGHT",
    "SCATTER",
    "SHARED",
    "SMOOTH",
    "SQUARES",
    "SUM",
    "TARGET",
    "TERMS_IN_RANGE",
    "TOTAL",
    "TYPICAL",
    "VALUE",
    "WEIGHT",
    "Strip",
    "empty_strip",
]

Array = NDArray[np.float64]

VALUE, TARGET, ERROR, PRECISION, WEIGHT = range(5)  # of frames; the fit is drawn to the target
PULL, MEAN, NOISE, LEVERAGE = range(4)  # of series; a pull is the sum of frames' weights
SCATTER, LOG_PRIOR = range(2)  # of the grid
MAPS, PULLS, RIGHT, INVERSE, SMOOTH = range(5)  # of maps
INFORMATION, FACTOR = range(2)  # of matrices
EXCESS, EVIDENCE, SHARED, TYPICAL, TOTAL, SUM, SQUARES, DOF = range(8)  # of rows

OUTLIER_SIGMA2 = 9.0
"""Beyond 3 sigma a single frame loses weight as one over the square of its deviation."""
TERMS_IN_RANGE = 12
"""So many variances can be multiplied without leaving the range of doubles."""


class Strip(NamedTuple):
    """The numbers of one strip at work: few arrays, for compilers labour over many.

    The first axis is the quantity, the last counts the pixels.
    """

    frames: Array  # (5, n_frames, STRIP)
    series: Array  # (4, n_series, STRIP)
    grid: Array  # (2, t, STRIP)
    maps: Array  # (5, d, STRIP)
    matrices: Array  # (2, d, d, STRIP)
    rows: Array  # (8, STRIP)


@njit(cache=True)
def empty_strip(  # numpydoc ignore=PR01
    n_frames: int, d: int, t: int, n_series: int
) -> Strip:
    """Give room for d maps of n frames in n series, and for t variances of the scatter grid."""
    return Strip(
        np.zeros((5, n_frames, STRIP)),
        np.zeros((4, n_series, STRIP)),
        np.zeros((2, t, STRIP)),
        np.zeros((5, d, STRIP)),
        np.zeros((2, d, d, STRIP)),
        np.zeros((8, STRIP)),
    )
