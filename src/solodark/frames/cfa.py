"""The colour filter array: which pixels share a filter."""

from collections.abc import Iterator

import numpy as np

from solodark.errors import SettingError

__all__ = ["CFA_PATTERNS", "cfa_plane_index", "cfa_planes", "shift_cfa_pattern"]

CFA_PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
"""Bayer layouts, read along the first row and then the second, row 0 at the top of the sensor."""

Plane = tuple[slice, slice]


def cfa_planes(cfa_pattern: str | None) -> tuple[Plane, ...]:
    """Index expressions of the planes that share a level: four for a Bayer sensor, one for mono.

    Parameters
    ----------
    cfa_pattern : str or None
        One of `CFA_PATTERNS`, or None for a sensor without colour filters.

    Returns
    -------
    tuple of (slice, slice)
        ``image[plane]`` is a view of one plane, shape (ceil(ny/2), ceil(nx/2)) or (ny, nx).

    Raises
    ------
    SettingError
        The pattern is not a Bayer layout.

    Examples
    --------
    >>> len(cfa_planes("RGGB")), len(cfa_planes(None))
    (4, 1)
    """
    if cfa_pattern is None:
        return ((slice(None), slice(None)),)
    if cfa_pattern not in CFA_PATTERNS:
        raise SettingError(
            f"the colour filter pattern {cfa_pattern!r} is not known; expected one of "
            f"{', '.join(CFA_PATTERNS)}, or none for a mono sensor"
        )
    return tuple((slice(y, None, 2), slice(x, None, 2)) for y, x in _corners())


def cfa_plane_index(
    y: np.ndarray | int, x: np.ndarray | int, cfa_pattern: str | None
) -> np.ndarray | int:
    """Which plane of `cfa_planes` the pixel at (y, x) belongs to.

    Parameters
    ----------
    y, x : int or ndarray of int
        Pixel indices, row 0 at the top of the sensor.
    cfa_pattern : str or None
        As in `cfa_planes`.

    Returns
    -------
    int or ndarray of int
        0 to 3 for a Bayer sensor, always 0 for a mono one.

    Examples
    --------
    >>> cfa_plane_index(3, 4, "RGGB")
    2
    """
    if cfa_pattern is None:
        return y * 0
    return 2 * (y % 2) + x % 2


def shift_cfa_pattern(cfa_pattern: str, dy: int, dx: int) -> str:
    """Pattern seen after the first `dy` rows and `dx` columns are cut off.

    Parameters
    ----------
    cfa_pattern : str
        One of `CFA_PATTERNS`.
    dy, dx : int
        Rows and columns removed at the top and the left, px.

    Returns
    -------
    str
        The pattern of what is left.

    Examples
    --------
    >>> shift_cfa_pattern("RGGB", 0, 1), shift_cfa_pattern("RGGB", 1, 0)
    ('GRBG', 'GBRG')
    """
    return "".join(cfa_pattern[2 * ((y + dy) % 2) + (x + dx) % 2] for y, x in _corners())


def _corners() -> Iterator[tuple[int, int]]:
    return ((y, x) for y in (0, 1) for x in (0, 1))
