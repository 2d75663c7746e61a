"""Bad pixels filled in from their neighbours of the same colour."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.errors import SettingError
from solodark.frames import cfa_planes

__all__ = ["repair"]

_LEAST_NEIGHBOURS = 3
_REACH = 8  # in pixels of the same colour; what is bad over more takes the plane's median


def repair(
    image: NDArray[np.floating], bad: NDArray[np.bool_], *, cfa_pattern: str | None = None
) -> NDArray[np.float32]:
    """Replace bad pixels by the median of their good neighbours of the same CFA plane.

    The mask alone says what is bad: no value is judged, so no star is taken for a hot pixel. The
    neighbours are the eight nearest of the plane; where fewer than three of them are good, those of
    the next ring are taken too, and so on; in the midst of a large gap, the plane's median.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        ADU. Not changed.
    bad : ndarray of bool, shape (ny, nx)
        True where the pixel is to be replaced.
    cfa_pattern : str, optional
        Bayer pattern; None for a mono sensor.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        A copy; NaN where a plane holds no good pixel at all.

    Raises
    ------
    SettingError
        Image and mask differ in size, or the pattern is not a Bayer layout.

    Examples
    --------
    >>> image = np.arange(25.0).reshape(5, 5); image[2, 2] = 9999
    >>> repair(image, image > 9000)[2, 2].item()
    12.0
    """
    if image.shape != bad.shape:
        raise SettingError(f"found a mask of {bad.shape} for an image of {image.shape}")
    repaired = np.array(image, np.float32)
    if not bad.any():
        return repaired
    for plane in cfa_planes(cfa_pattern):
        values, wrong = repaired[plane].copy(), np.ascontiguousarray(bad[plane])
        good = values[~wrong]
        fallback = float(np.median(good)) if good.size else float("nan")
        y, x = np.nonzero(wrong)
        repaired[plane][y, x] = _from_neighbours(values, wrong, y, x, fallback)
    return repaired


@njit(cache=True, nogil=True)
def _from_neighbours(values: Any, wrong: Any, y: Any, x: Any, fallback: float) -> Any:
    """Median of the good neighbours of each of the pixels."""
    filled = np.empty(y.size, np.float32)
    around = np.empty((2 * _REACH + 1) ** 2)
    for i in range(y.size):
        filled[i] = fallback
        for reach in range(1, _REACH + 1):
            n = 0
            for row in range(max(0, y[i] - reach), min(values.shape[0], y[i] + reach + 1)):
                for column in range(max(0, x[i] - reach), min(values.shape[1], x[i] + reach + 1)):
                    if not wrong[row, column]:
                        around[n] = values[row, column]
                        n += 1
            if n >= _LEAST_NEIGHBOURS:
                filled[i] = np.median(around[:n])
                break
    return filled
