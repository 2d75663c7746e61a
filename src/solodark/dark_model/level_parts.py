"""Parts of a sensor that have a level of their own: colour planes, on either side of a seam.

Large sensors are read out through two or four amplifiers, each for its own half or quarter, and
the levels of these drift apart from frame to frame.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_plane_index, cfa_planes

__all__ = ["NO_SEAMS", "LevelParts", "Seams"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Part = tuple[slice, slice]


class Seams(NamedTuple):
    """Where one amplifier's half of a sensor ends and the other's begins.

    Attributes
    ----------
    y, x : int or None
        First row of the lower half and first column of the right one; None without a seam.
    """

    y: int | None = None
    x: int | None = None


NO_SEAMS = Seams()
"""Of a sensor with one amplifier, or with several that keep together."""


@dataclass(frozen=True, slots=True)
class LevelParts:
    """Parts of a sensor that have a level of their own.

    Attributes
    ----------
    cfa_pattern : str or None
        Colour filters.
    seams : Seams
        Seams between amplifiers.

    Examples
    --------
    >>> parts = LevelParts("RGGB", Seams(x=2))
    >>> image = np.arange(4) + np.zeros((2, 1))
    >>> [image[part].tolist() for part in parts.slices][:2], len(parts.slices)
    ([[[0.0]], [[1.0]]], 8)
    >>> int(parts.index(0, 3))
    5
    """

    cfa_pattern: str | None
    seams: Seams = NO_SEAMS

    @property
    def slices(self) -> tuple[Part, ...]:
        """Index expressions of the parts: all planes of one amplifier, then of the next."""
        amplifiers = product(*(_halves(seam) for seam in self.seams))
        return tuple(
            (_within(plane_y, half_y), _within(plane_x, half_x))
            for half_y, half_x in amplifiers
            for plane_y, plane_x in cfa_planes(self.cfa_pattern)
        )

    def index(self, y: NDArray[np.intp] | int, x: NDArray[np.intp] | int) -> NDArray[np.intp]:
        """Tell in which part pixels lie.

        Parameters
        ----------
        y, x : int or ndarray of int
            Pixel indices.

        Returns
        -------
        ndarray of int
            Index into `slices`.
        """
        amplifier = np.zeros_like(y + x)
        for place, seam in zip((y, x), self.seams, strict=True):
            if seam is not None:
                amplifier = 2 * amplifier + (place >= seam)
        planes = cfa_plane_index(y, x, self.cfa_pattern)
        return np.asarray(amplifier * len(cfa_planes(self.cfa_pattern)) + planes)

    def of_rows(self, start: int) -> "LevelParts":
        """Give the parts as a band of rows has them.

        Parameters
        ----------
        start : int
            First row of the band, even.

        Returns
        -------
        LevelParts
            As many; some may have no pixel there.
        """
        below = None if self.seams.y is None else max(self.seams.y - start, 0)
        return replace(self, seams=self.seams._replace(y=below))

    def rows(self, levels: Array, n_columns: int) -> Image:
        """Lay levels out along the kinds of rows that there are.

        Parameters
        ----------
        levels : ndarray, shape (n_parts,)
            ADU.
        n_columns : int
            Of the sensor.

        Returns
        -------
        ndarray of float32, shape (4, n_columns)
            Even and odd rows above the seam, even and odd rows below it, ADU.
        """
        seam = self.seams.y or 0
        y = np.array([[0], [1], [seam + seam % 2], [seam + 1 - seam % 2]])
        return levels[self.index(y, np.arange(n_columns))].astype(np.float32)

    def image(self, levels: Array, y: NDArray[np.intp], n_columns: int) -> Image:
        """Lay levels out as an image of some rows.

        Parameters
        ----------
        levels : ndarray, shape (n_parts,)
            ADU.
        y : ndarray of int, shape (n_rows,)
            Which rows.
        n_columns : int
            Of the sensor.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_columns)
            ADU.
        """
        below = y >= (self.seams.y or 0)
        laid_out: Image = self.rows(levels, n_columns)[2 * below + y % 2]
        return laid_out


Half = tuple[int, int | None]


def _halves(seam: int | None) -> tuple[Half, ...]:
    return ((0, None),) if seam is None else ((0, seam), (seam, None))


def _within(plane: slice, half: Half) -> slice:
    first, step = plane.start or 0, plane.step or 1
    return slice(half[0] + (first - half[0]) % step, half[1], step)
