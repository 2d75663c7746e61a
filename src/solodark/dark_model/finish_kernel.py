"""The last look at every pixel of a master: its level, its uncertainty and its flags, compiled."""

from typing import Any, NamedTuple

import numpy as np
from numba import prange

from solodark.compiled import njit
from solodark.frames import PixelFlags

__all__ = ["Bounds", "compare_noise", "finish_pixels"]

_HOT, _TELEGRAPH, _CHANGED, _SATURATED, _DEAD = (
    np.uint8(flag.value)
    for flag in (
        PixelFlags.HOT,
        PixelFlags.TELEGRAPH,
        PixelFlags.CHANGED,
        PixelFlags.SATURATED,
        PixelFlags.DEAD,
    )
)
_NO_FLAG, _ZERO = np.uint8(0), np.float32(0.0)


class Bounds(NamedTuple):
    """Where flags begin.

    Attributes
    ----------
    hot_adu : float
        A pattern above this is that of a hot pixel.
    telegraph_excess : float
        A noise excess above this is that of a telegraph pixel.
    everywhere : int
        Flags that all pixels carry.
    seam_y : int
        First row below the seam between amplifiers.
    """

    hot_adu: float
    telegraph_excess: float
    everywhere: int
    seam_y: int


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def finish_pixels(  # numpydoc ignore=PR01
    pattern: Any, variance: Any, levels: Any, excess: Any, truths: Any, flags: Any, bounds: Bounds
) -> None:
    """Give pixels their flags, their level, and one sigma instead of its square.

    Level and sigma take the place of `pattern` and `variance`: fresh memory would cost more time
    than all of the arithmetic. `levels` holds even and odd rows above a seam between amplifiers,
    and below it; `truths` which pixels have changed, are full, and are dead.
    """
    changed, saturated, dead = truths
    ny, nx = pattern.shape
    hot_adu, telegraph = np.float32(bounds.hot_adu), np.float32(bounds.telegraph_excess)
    for y in prange(ny):
        for x in range(nx):
            flag = np.uint8(bounds.everywhere)
            flag |= _HOT if pattern[y, x] > hot_adu else _NO_FLAG
            flag |= _TELEGRAPH if excess[y, x] > telegraph else _NO_FLAG
            flag |= _CHANGED if changed[y, x] else _NO_FLAG
            flag |= _SATURATED if saturated[y, x] else _NO_FLAG
            flag |= _DEAD if dead[y, x] else _NO_FLAG
            flags[y, x] = flag
        own = levels[y % 2 if y < bounds.seam_y else 2 + y % 2]
        for x in range(nx):
            pattern[y, x] += own[x]
            variance[y, x] = np.sqrt(max(variance[y, x], _ZERO))


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract", "reassoc"})
def compare_noise(  # numpydoc ignore=PR01
    variance: Any, excess: Any, component: Any, ordinary: int, frame_variance: float
) -> Any:
    """Sum up the ordinary pixels of each row: the variance of a sub, and what is left of it."""
    ny, nx = variance.shape
    sums = np.zeros((ny, 2))
    for y in prange(ny):
        noise, left = 0.0, 0.0
        for x in range(nx):
            if component[y, x] == ordinary:
                own = frame_variance * excess[y, x]
                noise += own
                left += min(own, float(variance[y, x]))
        sums[y, 0], sums[y, 1] = noise, left
    return sums
