"""The canvas that drops of one colour fall on, and the judgement of which may."""

from typing import NamedTuple

import numpy as np
from drizzle.resample import Drizzle
from numpy.typing import NDArray

from solodark.combine.rule import Counts
from solodark.stacking.lattice import Lattice
from solodark.stacking.resample import Band, kernel_table, resample

__all__ = ["Canvas", "DrizzledPlanes", "Drop", "Expected"]

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


class DrizzledPlanes(NamedTuple):
    """What drops become.

    Attributes
    ----------
    data, uncertainty : ndarray of float32, shape (ny, nx)
        ADU. While drops fall, the latter holds the variance.
    coverage, n_rejected_low, n_rejected_high : ndarray of uint8 or uint16, shape (ny, nx)
        Lights, and values that were left out.
    """

    data: Image
    uncertainty: Image
    coverage: Counts
    n_rejected_low: Counts
    n_rejected_high: Counts


class Canvas:
    """One colour of a drizzled picture.

    Parameters
    ----------
    planes : DrizzledPlanes
        The colour's, all zero; written to.
    scale, pixfrac : float
        As in `solodark.stacking.drizzle`.
    expected : Expected or None
        What values are compared with; None lets all of them fall.
    """

    def __init__(
        self, planes: DrizzledPlanes, *, scale: float, pixfrac: float, expected: Expected | None
    ) -> None:
        self._planes, self._scale, self._pixfrac = planes, scale, pixfrac
        self._expected = expected
        self._weight = np.zeros(planes.data.shape, np.float32)
        self._seen = np.zeros(planes.data.shape, np.float32)  # weight that earlier lights left
        self._drizzle = Drizzle(
            kernel="square",
            fillval="INDEF",  # else every call looks for holes in the whole picture
            fillval2="INDEF",
            out_img=planes.data,
            out_img2=[planes.uncertainty],
            out_wht=self._weight,
            disable_ctx=True,
        )

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
        _count(places[low], self._planes.n_rejected_low)
        _count(places[high], self._planes.n_rejected_high)
        kept: NDArray[np.bool_] = ~(low | high)
        return kept

    def end_light(self) -> None:
        """Count where something of a light has fallen."""
        coverage = self._planes.coverage
        coverage += self._weight > self._seen
        self._seen[:] = self._weight

    def finish(self) -> None:
        """Turn variance into uncertainty, and what got no drop into NaN."""
        data, uncertainty = self._planes.data, self._planes.uncertainty
        np.sqrt(uncertainty, out=uncertainty)
        for plane in (data, uncertainty):
            np.copyto(plane, np.float32(np.nan), where=self._weight == 0)


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
