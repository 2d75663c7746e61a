"""A light with stars added to it as it is read."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.comparison.injected_stars import InjectedStars, paint_stars
from solodark.frames import Acquisition, FrameSource
from solodark.registration import Transform

__all__ = ["StarredLight"]


@dataclass(frozen=True, eq=False, slots=True)
class StarredLight:
    """A raw light that shows injected stars, too; a `solodark.frames.FrameSource`.

    Attributes
    ----------
    light : FrameSource
        As the camera wrote it.
    stars : InjectedStars
        Their places in the stack, and their flux through the reference's air.
    transform : Transform
        From the light to the stack.
    response : ndarray of float32, shape (ny, nx), or None
        Of the flat, which dims injected stars as it does all others.
    """

    light: FrameSource
    stars: InjectedStars
    transform: Transform
    response: NDArray[np.float32] | None = None

    @property
    def name(self) -> str:
        """Of the light."""
        return self.light.name

    @property
    def acquisition(self) -> Acquisition:
        """Of the light."""
        return self.light.acquisition

    @property
    def shape(self) -> tuple[int, int]:
        """Of the light."""
        return self.light.shape

    def read_rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Give rows ``start:stop`` with the stars in them.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of float32, shape (stop - start, nx)
            ADU, not rounded.
        """
        y, x = self.transform.inverse().apply(self.stars.y, self.stars.x)
        raw = self.light.read_rows(start, stop)
        flux_adu = self.stars.flux_adu * self.transform.transparency
        sky = paint_stars(
            np.zeros(raw.shape, np.float32), y - start, x, replace(self.stars, flux_adu=flux_adu)
        )
        if self.response is not None:
            sky *= self.response[start:stop]
        sky += raw
        return sky
