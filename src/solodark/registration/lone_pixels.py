"""Hot pixels taken out of a light, so that no star is sought or measured there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit

__all__ = ["without_lone_pixels"]

Image = NDArray[np.float32]

_LEAST_SIGMA = 4.0
_LEAST_SPREAD = 0.15
"""Of a star's peak at least this reaches three of its four neighbours: for a Gaussian star of 1.5
pixels' full width it is 0.3. Beside a hot pixel is nothing, beside one of a pair only one side."""


def without_lone_pixels(field: Image, *, steps: tuple[int, int]) -> Image:
    """Replace bright pixels whose light does not spread like a star's.

    Parameters
    ----------
    field : ndarray of float32, shape (ny, nx), C order
        ADU above the background. Not changed.
    steps : tuple of int
        Distances at which neighbours are looked at; light that spreads at either is a star's.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Pixels above 4 sigma of which less than 0.15 reaches three of the four neighbours hold the
        mean of the two middle ones of these.

    Examples
    --------
    >>> field = np.zeros((9, 9), np.float32)
    >>> field[4, 4] = 900.0
    >>> float(without_lone_pixels(field, steps=(1, 1)).max())
    0.0
    """
    spread = 1.4826 * float(np.median(np.abs(field[:: max(1, field.shape[0] // 128)])))
    cleaned: Image = field.copy()
    _clean(field, np.float32(_LEAST_SIGMA * spread), steps, cleaned)
    return cleaned


@njit(cache=True, nogil=True)
def _clean(field: Any, least: Any, steps: Any, cleaned: Any) -> None:
    ny, nx = field.shape
    around = np.empty(4, np.float32)
    for y in range(ny):
        for x in range(nx):
            if field[y, x] <= least:
                continue
            spreads = False
            for step in steps:
                around[0] = field[max(y - step, 0), x]
                around[1] = field[min(y + step, ny - 1), x]
                around[2] = field[y, max(x - step, 0)]
                around[3] = field[y, min(x + step, nx - 1)]
                around.sort()
                spreads = spreads or around[1] > _LEAST_SPREAD * field[y, x]
            if not spreads:
                cleaned[y, x] = 0.5 * (around[1] + around[2])
