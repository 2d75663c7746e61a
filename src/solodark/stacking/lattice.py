"""Where the pixels of one colour lie: every one of a mono sensor, a lattice of a Bayer sensor's."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_planes
from solodark.registration import Transform

__all__ = ["Lattice", "colour_lattices", "to_lattice"]


class Lattice(NamedTuple):
    """The pixels (y, x) = (y_i i + y_j j + y_0, x_i i + x_j j + x_0) for whole numbers i, j.

    Attributes
    ----------
    y_i, y_j, x_i, x_j : int
        Steps from one pixel to its two neighbours, px.
    y_0, x_0 : int
        One of its pixels.
    """

    y_i: int = 1
    y_j: int = 0
    x_i: int = 0
    x_j: int = 1
    y_0: int = 0
    x_0: int = 0


def colour_lattices(cfa_pattern: str | None) -> tuple[Lattice, ...]:
    """Give the lattices of red, green and blue pixels, or of all pixels of a mono sensor.

    The green pixels of a Bayer pattern form a square lattice too, turned by 45 degrees.

    Parameters
    ----------
    cfa_pattern : str or None
        Bayer pattern, row 0 at the top.

    Returns
    -------
    tuple of Lattice
        Three, red first; or one.

    Raises
    ------
    SettingError
        The pattern is not a Bayer layout.

    Examples
    --------
    >>> red, green, blue = colour_lattices("RGGB")
    >>> (red.y_0, red.x_0), (green.y_0, green.x_0), (blue.y_0, blue.x_0)
    ((0, 0), (0, 1), (1, 1))
    """
    cfa_planes(cfa_pattern)  # refuses what is no Bayer layout
    if cfa_pattern is None:
        return (Lattice(),)
    corner = {letter: divmod(cfa_pattern.index(letter), 2) for letter in "RGB"}
    red, blue = (Lattice(2, 0, 0, 2, *corner[letter]) for letter in "RB")
    first_row_green = cfa_pattern[:2].index("G")
    return red, Lattice(1, 1, 1, -1, 0, first_row_green), blue


def to_lattice(transform: Transform, lattice: Lattice) -> NDArray[np.float64]:
    """Give the way from the stack's pixels to places between the pixels of a light's colour.

    Parameters
    ----------
    transform : Transform
        From the light to the stack.
    lattice : Lattice
        The colour's pixels.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        ``(i, j) = matrix @ (y, x, 1)``, with y and x of the stack.

    Examples
    --------
    >>> to_lattice(Transform.identity(), Lattice(2, 0, 0, 2, 0, 1))
    array([[ 0.5,  0. ,  0. ],
           [ 0. ,  0.5, -0.5]])
    """
    steps = np.array([[lattice.y_i, lattice.y_j], [lattice.x_i, lattice.x_j]], np.float64)
    place = transform.inverse().matrix
    place = place - np.array([[0.0, 0.0, lattice.y_0], [0.0, 0.0, lattice.x_0]])
    return np.asarray(np.linalg.solve(steps, place)) + 0.0
