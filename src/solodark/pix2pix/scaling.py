"""Sixteen bits in, sixteen bits out: numbers a network likes, and the way back to ADU.

A dark holds a narrow crowd of ordinary pixels just above the bias level and a few hot ones at a
thousand times that distance. The transform is linear in the crowd and a square root far from it,

    scaled = sign(z) 2 c (sqrt(1 + |z|) - 1),    z = (adu - level) / spread,

which also makes the noise of hot pixels, that grows as the root of their signal, as wide as that of
all others [Anscombe 1948, Biometrika 35, 246]. Nothing is clipped, and it can be undone: at 65535
ADU from the level the 24 bits of float32 hold ``2 x 65535 x 2**-24 = 0.008`` ADU. A logarithm or
an arcsinh compresses more, but would lose 0.04 ADU there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import NotEnoughFramesError

__all__ = ["Scaling", "learn_scaling"]

_CROWD = 0.25  # one robust sigma of the ordinary pixels, scaled
_SAMPLED = 200_000  # pixels of an image are enough to place it
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Scaling:
    """An invertible transform between ADU and a network's numbers.

    Attributes
    ----------
    level_adu : float
        What becomes zero.
    spread_adu : float
        Distance from the level at which the transform turns from linear to root.

    Examples
    --------
    >>> scaling = Scaling(level_adu=2048.0, spread_adu=20.0)
    >>> adu = np.array([2048.0, 2068.0, 65535.0], np.float32)
    >>> bool(np.abs(scaling.unscale(scaling.scale(adu)) - adu).max() < 0.01)
    True
    """

    level_adu: float
    spread_adu: float

    def scale(self, adu: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Turn ADU into the network's numbers.

        Parameters
        ----------
        adu : ndarray, any shape
            Pixels as stored; not changed.

        Returns
        -------
        ndarray of float32
            About 0 for ordinary pixels.
        """
        z = (np.asarray(adu, np.float64) - self.level_adu) / self.spread_adu
        return (np.copysign(2.0 * _CROWD, z) * (np.sqrt(1.0 + np.abs(z)) - 1.0)).astype(np.float32)

    def unscale(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn the network's numbers into ADU.

        Parameters
        ----------
        scaled : ndarray of float32, any shape
            Of any size: nothing saturates.

        Returns
        -------
        ndarray of float32
            ADU, the level in it.
        """
        root = 1.0 + np.abs(np.asarray(scaled, np.float64)) / (2.0 * _CROWD)
        z = np.copysign(root * root - 1.0, scaled)
        return (z * self.spread_adu + self.level_adu).astype(np.float32)


def learn_scaling(images: Sequence[NDArray[np.floating] | NDArray[np.integer]]) -> Scaling:
    """Learn the transform that suits a set of images.

    Parameters
    ----------
    images : sequence of ndarray, shape (ny, nx)
        Training subs, ADU.

    Returns
    -------
    Scaling
        Level and spread are the median over images of their median and robust sigma.

    Raises
    ------
    NotEnoughFramesError
        No image holds a finite pixel.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(1000.0, 8.0, (3, 100, 100))
    >>> scaling = learn_scaling(noise)
    >>> round(scaling.level_adu), round(scaling.spread_adu)
    (1000, 8)
    """
    placed = [found for image in images if (found := _place(image)) is not None]
    if not placed:
        raise NotEnoughFramesError(
            "found no image with finite pixels to learn a range from; expected at least one dark"
        )
    level, spread = np.median(placed, axis=0)
    return Scaling(float(level), float(spread))


def _place(image: NDArray[np.floating] | NDArray[np.integer]) -> tuple[float, float] | None:
    """Median and robust sigma; at least the half ADU that a whole number may be off."""
    sample = np.ravel(image)[:: max(1, image.size // _SAMPLED) | 1].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return None
    level = np.median(sample)
    return float(level), max(0.5, _MAD_TO_SIGMA * float(np.median(np.abs(sample - level))))
