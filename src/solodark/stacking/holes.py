"""Pixels of the stack that no light gave a value."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from solodark.calibration import repair

__all__ = ["fill_holes"]

_HOLE_PX = 9  # wider gaps are not filled in


def fill_holes(picture: NDArray[np.float32], hole: NDArray[np.bool_]) -> None:
    """Fill pixels that are bad in every light from neighbours; what no light saw stays NaN.

    Parameters
    ----------
    picture : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        ADU. Written to, where a hole is narrower than 9 pixels.
    hole : ndarray of bool, shape of `picture`
        True where there is no value.
    """
    shape = (-1, *picture.shape[-2:])
    for colour, missing in zip(picture.reshape(shape), hole.reshape(shape), strict=True):
        if missing.any():
            wide = ndimage.binary_opening(missing, np.ones((_HOLE_PX, _HOLE_PX)))
            narrow = missing & ~wide
            colour[narrow] = repair(colour, missing)[narrow]
