"""Light interpolated between its pixels: straight from one colour's lattice onto the stack."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.errors import SettingError
from solodark.stacking.lattice import Lattice

__all__ = ["KERNELS", "REACH", "Band", "kernel_table", "resample"]

_TAPS = 6
_PHASES = 1024  # places are rounded to 1/1024 px: a shift far below any registration's error
_NEAREST = 0.5 + 1e-6  # lattice steps; of two pixels just as near either will do
REACH = 3
"""Lattice steps from a place to the farthest pixel that counts there."""


class Band(NamedTuple):
    """Rows of a light.

    Attributes
    ----------
    pixels : ndarray of float32, shape (rows, nx), C order
        ADU; NaN where there is no value.
    top : int
        The light's row that comes first.
    scale, shift_adu : float
        ``scale * ADU + shift_adu`` goes into the stack.
    """

    pixels: NDArray[np.float32]
    top: int
    scale: float
    shift_adu: float


def _lanczos3(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), 0.0)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic with a = -1/2, also known as Catmull-Rom."""
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def _linear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1.0 - distance, 0.0)


KERNELS = {"lanczos3": _lanczos3, "cubic": _cubic, "linear": _linear}
"""Name to what gives the weight at a distance of so many lattice steps."""


def kernel_table(kernel: str) -> NDArray[np.float32]:
    """Give a kernel's weights for places between two pixels.

    Parameters
    ----------
    kernel : str
        A key of `KERNELS`.

    Returns
    -------
    ndarray of float32, shape (1025, 6)
        For each place from 0 to 1 the weights of the pixels at -2 to 3. Each row sums to 1, and
        gives straight lines back as they are.

    Raises
    ------
    SettingError
        There is no such kernel.

    Examples
    --------
    >>> kernel_table("linear")[256]
    array([0.  , 0.  , 0.75, 0.25, 0.  , 0.  ], dtype=float32)
    """
    if kernel not in KERNELS:
        raise SettingError(f"no interpolation {kernel!r}; expected one of {', '.join(KERNELS)}")
    place = np.arange(_PHASES + 1)[:, None] / _PHASES
    distance = np.arange(1 - REACH, REACH + 1) - place
    weights = KERNELS[kernel](np.abs(distance))
    weights /= weights.sum(axis=1, keepdims=True)
    # A sinc cut off bends straight lines, and would move stars by up to 0.02 pixels: what it lacks
    # is shifted between the two nearest pixels.
    bend = (weights * distance).sum(axis=1)
    weights[:, REACH - 1] += bend
    weights[:, REACH] -= bend
    return weights.astype(np.float32)


def resample(
    band: Band,
    lattice: Lattice,
    matrix: NDArray[np.float64],
    table: NDArray[np.float32],
    result: NDArray[np.float32],
    start: int,
) -> None:
    """Interpolate one colour of a light at the pixels of rows of the stack.

    A place whose nearest pixel of the colour lies outside the light, or holds no value, gets NaN;
    elsewhere what is missing is left out, and the other weights make up for it.

    Parameters
    ----------
    band : Band
        All rows of the light that count there, but for those beyond its edges.
    lattice : Lattice
        The colour's pixels.
    matrix : ndarray of float64, shape (2, 3)
        `to_lattice` of the light.
    table : ndarray of float32, shape (1025, 6)
        From `kernel_table`.
    result : ndarray of float32, shape (rows, nx)
        Written to.
    start : int
        The stack's row that `result` begins with.

    Examples
    --------
    >>> from solodark.registration import Transform
    >>> from solodark.stacking.lattice import to_lattice
    >>> ramp = Band(np.arange(400, dtype=np.float32).reshape(20, 20), 0, 1.0, 0.0)
    >>> half = Transform(matrix=np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]]))
    >>> row = np.empty((1, 20), np.float32)
    >>> resample(ramp, Lattice(), to_lattice(half, Lattice()), kernel_table("linear"), row, 4)
    >>> row[0, :4]
    array([80. , 80.5, 81.5, 82.5], dtype=float32)
    """
    _resample(band, lattice, matrix, table, result, start)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _resample(band: Any, lattice: Any, matrix: Any, table: Any, result: Any, start: int) -> None:
    rows, nx = band.pixels.shape
    pixels = band.pixels.reshape(-1)
    step_i = lattice.y_i * nx + lattice.x_i
    step_j = lattice.y_j * nx + lattice.x_j
    reach_y = REACH * (abs(lattice.y_i) + abs(lattice.y_j))
    reach_x = REACH * (abs(lattice.x_i) + abs(lattice.x_j))
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            place_i = matrix[0, 0] * (start + row) + matrix[0, 1] * column + matrix[0, 2]
            place_j = matrix[1, 0] * (start + row) + matrix[1, 1] * column + matrix[1, 2]
            i, j = math.floor(place_i), math.floor(place_j)
            y = lattice.y_i * i + lattice.y_j * j + lattice.y_0 - band.top
            x = lattice.x_i * i + lattice.x_j * j + lattice.x_0
            weights_i = table[int((place_i - i) * _PHASES + 0.5)]
            weights_j = table[int((place_j - j) * _PHASES + 0.5)]
            value = np.float32(np.nan)
            if reach_y <= y < rows - reach_y and reach_x <= x < nx - reach_x:
                first = y * nx + x - (REACH - 1) * (step_i + step_j)
                value = _inner(pixels, first, step_i, step_j, weights_i, weights_j)
            if not np.isfinite(value):
                away = (place_i - i, place_j - j)
                value = _at_gap(band.pixels, y, x, lattice, weights_i, weights_j, away)
            result[row, column] = band.scale * value + band.shift_adu


@njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc"}, inline="always")
def _inner(
    pixels: Any, first: int, step_i: int, step_j: int, weights_i: Any, weights_j: Any
) -> Any:
    """Weigh 6 x 6 pixels that are all there."""
    value = np.float32(0.0)
    for a in range(_TAPS):
        line = np.float32(0.0)
        for b in range(_TAPS):
            line += weights_j[b] * pixels[first + b * step_j]
        value += weights_i[a] * line
        first += step_i
    return value


@njit(nogil=True, error_model="numpy")
def _at_gap(
    pixels: Any, y: int, x: int, lattice: Any, weights_i: Any, weights_j: Any, away: Any
) -> Any:
    """Weigh those of 6 x 6 pixels that are there, if the nearest is among them."""
    value, total = 0.0, 0.0
    nearest = False
    for a in range(1 - REACH, REACH + 1):
        for b in range(1 - REACH, REACH + 1):
            row = y + a * lattice.y_i + b * lattice.y_j
            column = x + a * lattice.x_i + b * lattice.x_j
            if not (0 <= row < pixels.shape[0] and 0 <= column < pixels.shape[1]):
                continue
            pixel = pixels[row, column]
            if np.isfinite(pixel):
                weight = weights_i[a + REACH - 1] * weights_j[b + REACH - 1]
                value += weight * pixel
                total += weight
                nearest |= abs(away[0] - a) <= _NEAREST and abs(away[1] - b) <= _NEAREST
    return np.float32(value / total) if nearest else np.float32(np.nan)
