"""Frames that a model keeps of the few pixels that may hop between two levels.

A mean of frames tells how bright a pixel was, but neither when it was at which level nor how long
it stayed there. So of pixels that may hop their frames are kept one by one, as they were read, and
a model that grows fits them as if all frames were there again. All others are kept by their means
(`kept_means`). One that shows only late that it may hop is kept from that growth on; what came
before stands in the means of those earlier frames.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.pixel_table import PixelTable

__all__ = ["KeptFrames", "most_kept"]

Places = NDArray[np.integer[Any]]
Values = NDArray[np.uint16] | NDArray[np.float32]

_VALUES_PER_PIXEL = 8.0  # of the sensor: some 200 MB of 24 megapixels, compressed


@dataclass(frozen=True, eq=False, slots=True)
class KeptFrames(PixelTable):
    """The frames of some pixels.

    Attributes
    ----------
    place : ndarray of int32, shape (n,)
        Index into the flattened sensor, ascending.
    since : ndarray of int32, shape (n,)
        The first frame of the library that is kept of each; those before stand in its means.
    values : ndarray of uint16 or float32, shape (n, n_frames)
        ADU as read; 0 in the frames that are not kept.
    """

    since: NDArray[np.int32]
    values: Values

    @classmethod
    def none(cls, n_frames: int = 0) -> "KeptFrames":
        """Keep the frames of no pixel.

        Parameters
        ----------
        n_frames : int
            In the library.

        Returns
        -------
        KeptFrames
            None.
        """
        nothing = np.zeros(0, np.int32)
        return cls(nothing, nothing, np.zeros((0, n_frames), np.uint16))

    def followed_by(self, later: Values) -> "KeptFrames":
        """Append further frames.

        Parameters
        ----------
        later : ndarray, shape (n, n_later)
            Of the same pixels, ADU as read.

        Returns
        -------
        KeptFrames
            Of all frames.
        """
        return replace(self, values=np.concatenate([self.values, later], axis=1))


def most_kept(
    hopping: NDArray[np.bool_], restless: NDArray[np.float64], n_pixels: int, n_frames: int
) -> NDArray[np.bool_]:
    """Choose of which pixels frames are kept: those that hop, then the most restless of the others.

    Parameters
    ----------
    hopping : ndarray of bool, shape (n,)
        Whether two levels explain each.
    restless : ndarray, shape (n,)
        By how much each varies beyond its noise.
    n_pixels : int
        Of the part of the sensor that they are of.
    n_frames : int
        In the library.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether each is kept; no more than there is room for.

    Examples
    --------
    >>> hopping, restless = np.array([False, True, False]), np.array([9.0, 1.0, 30.0])
    >>> most_kept(hopping, restless, n_pixels=100, n_frames=400)
    array([False,  True,  True])
    """
    room = int(_VALUES_PER_PIXEL * n_pixels / n_frames)
    chosen = np.zeros(hopping.size, np.bool_)
    chosen[np.lexsort((-restless, ~hopping))[:room]] = True
    return chosen
