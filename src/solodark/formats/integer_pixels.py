"""Pixels as 16-bit whole numbers: rounded, never wrapped, and what did not fit is counted."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SolodarkWarning
from solodark.formats.foreign_errors import shown
from solodark.frames import cfa_planes

__all__ = ["filled", "to_uint16"]


def to_uint16(data: NDArray[Any], path: Path) -> NDArray[np.uint16]:
    """Round finite ADU to uint16; warn, with the count, of values outside 0 to 65535.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        ADU, all finite.
    path : Path
        The file they go to, for the warning.

    Returns
    -------
    ndarray of uint16, shape (ny, nx)
        Rounded to the nearest, clipped, never wrapped.
    """
    rounded = np.rint(data)
    outside = int(np.count_nonzero((rounded < 0) | (rounded > 65535)))
    if outside:
        warnings.warn(
            f"{shown(path)}: {outside} values lie outside 0 to 65535 ADU and were clipped, "
            "because this file holds 16-bit whole numbers",
            SolodarkWarning,
            stacklevel=3,
        )
    clipped: NDArray[np.uint16] = np.clip(rounded, 0, 65535).astype(np.uint16)
    return clipped


def filled(data: NDArray[Any], cfa_pattern: str | None, path: Path) -> NDArray[Any]:
    """Put the median of its CFA plane where a pixel has no value; warn, with the count.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        ADU; not changed.
    cfa_pattern : str or None
        Which pixels share a level.
    path : Path
        The file they go to, for the warning.

    Returns
    -------
    ndarray, shape (ny, nx)
        All finite.
    """
    bad = ~np.isfinite(data)
    count = int(np.count_nonzero(bad))
    if not count:
        return data
    whole = data.copy()
    for plane in cfa_planes(cfa_pattern):
        good = data[plane][~bad[plane]]
        whole[plane][bad[plane]] = np.median(good) if good.size else 0.0
    warnings.warn(
        f"{shown(path)}: {count} pixels without a value were filled with the median, "
        "because the program it is for cannot read NaN",
        SolodarkWarning,
        stacklevel=3,
    )
    return whole
