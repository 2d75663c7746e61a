"""The canvas that drops of one colour fall on, and the judgement of which may."""

from typing import NamedTuple

import numpy as np
from drizzle.resample import Drizzle
from numpy.typing import NDArray

from solodark.stacking.lattice import Lattice
from solodark.stacking.resample import Band, kernel_table, resample

__all__ = ["Canvas", "Drop", "Expected"]

Image = NDArray[np.float32]

_STEEPNESS = 1.2  # of a step to a neighbour: the handbook's, for stars sharper than their stack
_TABLE = kernel_table("cubic")


class Expected(NamedTuple):
    """What lights should hold.

    Attributes
    ----------
    data, scatter : ndarray of float32, shape (ny, nx)
        ADU, and how much lights scatter around it; NaN where that is not known.
    sigma : float
        What differs by more than so many times the noise is left out.
    """

    data: Image
    scatter: Image
    sigma: float


class Drop(NamedTuple):
    """Pixels of one plane of a light.

    Attributes
    ----------
    values : ndarray of float32, shape (n_i, n_j)
        ADU as the reference has them; NaN where there is no value.
    matrix : ndarray of float64, shape (2, 3)
        ``(y, x) = matrix @ (i, j, 1)``, with y and x of the reference.
    step : int
        Pixels of the sensor from one value to the next.
    weight, noise_adu : float
        Of the light.
    """

    values: Image
    matrix: NDArray[np.float64]
    step: int
    weight: float
    noise_adu: float


class Canvas:
    """One colour of a drizzled picture.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the picture.
    n_lights : int
        How many will fall.
    scale, pixfrac : float
        As in `solodark.stacking.drizzle`.
    expected : Expected or None
        What values are compared with; None lets all of them fall.

    Attributes
    ----------
    coverage, n_rejected_low, n_rejected_high : ndarray of uint8 or uint16, shape (ny, nx)
        Lights, and values that were left out.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        n_lights: int,
        *,
        scale: float,
        pixfrac: float,
        expected: Expected | None,
    ) -> None:
        self._scale, self._pixfrac, self._expected = scale, pixfrac, expected
        self._drizzle = Drizzle(
            kernel="square", fillval="NaN", fillval2="NaN", out_shape=shape, disable_ctx=True
        )
        self._seen = np.zeros(shape, np.float32)  # weight that earlier lights left
        counts = np.min_scalar_type(4 * n_lights)  # several pixels may lie on one of the picture
        self.coverage = np.zeros(shape, counts)
        self.n_rejected_low = np.zeros(shape, counts)
        self.n_rejected_high = np.zeros(shape, counts)

    @property
    def data(self) -> Image:
        """The picture, ADU; NaN where nothing fell."""
        picture: Image = self._drizzle.out_img
        return picture

    @property
    def uncertainty(self) -> Image:
        """One sigma, ADU."""
        variance: Image = self._drizzle.out_img2[0]
        return np.sqrt(variance)

    def fall(self, drop: Drop) -> None:
        """Let values fall that are neither missing nor far from what is expected.

        Parameters
        ----------
        drop : Drop
            They.
        """
        i, j = np.indices(drop.values.shape, dtype=np.float64)
        places = np.empty((*drop.values.shape, 2))
        for axis, (of_i, of_j, of_1) in enumerate(drop.matrix[::-1]):
            places[..., axis] = self._scale * (of_i * i + of_j * j + of_1 + 0.5) - 0.5
        noise = np.full(drop.values.shape, drop.noise_adu, np.float32)
        kept = np.isfinite(drop.values)
        if self._expected is not None:
            kept &= self._judge(drop, self._expected, noise, places)
        self._drizzle.add_image(
            np.where(kept, drop.values, np.float32(0)),
            exptime=1.0,
            pixmap=places,
            data2=noise**2,
            weight_map=kept.astype(np.float32),
            wht_scale=drop.weight,
            pixfrac=self._pixfrac / drop.step,
        )

    def _judge(
        self, drop: Drop, expected: Expected, noise: Image, places: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Say which values may fall; raises the noise to the scatter, and counts the others."""
        around = _seen_from(drop, expected.data)
        seen = around[1:-1, 1:-1]
        np.fmax(noise, _seen_from(drop, expected.scatter)[1:-1, 1:-1], out=noise)
        limit = expected.sigma * noise + np.float32(_STEEPNESS) * _steepest_step(around)
        low, high = drop.values < seen - limit, drop.values > seen + limit
        _count(places[low], self.n_rejected_low)
        _count(places[high], self.n_rejected_high)
        kept: NDArray[np.bool_] = ~(low | high)
        return kept

    def end_light(self) -> None:
        """Count where something of a light has fallen."""
        weight = self._drizzle.out_wht
        self.coverage += weight > self._seen
        self._seen[:] = weight


def _seen_from(drop: Drop, picture: Image) -> Image:
    """Interpolate a picture at the places of values, and of their neighbours on every side."""
    around = np.empty((drop.values.shape[0] + 2, drop.values.shape[1] + 2), np.float32)
    matrix = drop.matrix - np.outer(drop.matrix @ [1.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    resample(Band(picture, 0, 1.0, 0.0), Lattice(), matrix, _TABLE, around, 0)
    return around


def _steepest_step(around: Image) -> Image:
    """Give the largest difference of each value to one of its four neighbours."""
    values = around[1:-1, 1:-1]
    steepest = np.zeros_like(values)
    for neighbours in (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]):
        np.fmax(steepest, np.abs(neighbours - values), out=steepest)
    return steepest


def _count(places: NDArray[np.floating], counts: NDArray[np.unsignedinteger]) -> None:
    """Add one at the pixel next to each place."""
    x, y = np.rint(places).astype(np.intp).T
    inside = (y >= 0) & (y < counts.shape[0]) & (x >= 0) & (x < counts.shape[1])
    np.add.at(counts, (y[inside], x[inside]), 1)
