"""Training pairs, cut at any place and size: a sub, and the master of the OTHER subs of its series.

A master that contained the sub would show the network its own noise as truth. Masters are not
stored: the sum of a series is, and ``(sum - sub) / (n - 1)`` is cut where it is needed, so that a
store is little larger than the subs themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from solodark.errors import NotEnoughFramesError, SettingError
from solodark.pix2pix.planes import to_planes
from solodark.pix2pix.scaling import Scaling
from solodark.pix2pix.sensor_channels import SensorView, sensor_channels

__all__ = ["PairSource", "Place", "SensorPairs", "SubPairs", "draw_places", "masters_of_others"]

Image = NDArray[np.float32]
Pair = tuple[Image, Image]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pair is cut.

    Attributes
    ----------
    sub : int
        Which sub.
    top, left : int
        First row and column.
    height, width : int
        Pixels of the sensor; even on a mosaic.
    flip_y, flip_x : bool
        Whether the crop is mirrored. On a mosaic such a crop begins at an odd row or column, and
        shows the same filter at its corner after the flip as any other.
    """

    sub: int
    top: int
    left: int
    height: int
    width: int
    flip_y: bool = False
    flip_x: bool = False

    def cut(self, image: NDArray[Any]) -> NDArray[Any]:
        """Cut the place out of an image.

        Parameters
        ----------
        image : ndarray, shape (..., ny, nx)
            Of the sensor's size.

        Returns
        -------
        ndarray, shape (..., height, width)
            A view.
        """
        rows = image[..., self.top : self.top + self.height, self.left : self.left + self.width]
        return rows[..., :: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


class PairSource(Protocol):
    """Training pairs of one camera."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a sub, (ny, nx)."""

    @property
    def is_mosaic(self) -> bool:
        """Whether crops must keep the phase of colour filters."""

    @property
    def px_per_input(self) -> int:
        """Sensor pixels along one side of a network pixel: 2 where filters are planes."""

    def cut(self, place: Place) -> Pair:
        """Cut a pair.

        Parameters
        ----------
        place : Place
            Where.

        Returns
        -------
        inputs : ndarray of float32, shape (in_channels, h, w)
            In the network's numbers.
        target : ndarray of float32, shape (out_channels, h, w)
            In the network's numbers.
        """


@dataclass(frozen=True, eq=False, slots=True)
class SubPairs:
    """Pairs for a network that sees the sub alone.

    Attributes
    ----------
    subs : ndarray of uint16 or float32, shape (n, ny, nx)
        ADU; may lie on a disk.
    totals : ndarray of uint32 or float64, shape (n_series, ny, nx)
        Sum of the subs of each series, ADU.
    series : ndarray of int, shape (n,)
        Series of each sub.
    scaling : Scaling
        The network's numbers.
    cfa_pattern : str or None
        Filters, row 0 at the top.
    cfa_planes : bool
        Whether filters become planes.
    """

    subs: NDArray[np.uint16] | Image
    totals: NDArray[np.uint32] | NDArray[np.float64]
    series: NDArray[np.intp]
    scaling: Scaling
    cfa_pattern: str | None
    cfa_planes: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a sub, (ny, nx)."""
        return self.subs.shape[1], self.subs.shape[2]

    @property
    def is_mosaic(self) -> bool:
        """Whether crops must keep the phase of colour filters."""
        return self.cfa_pattern is not None

    @property
    def px_per_input(self) -> int:
        """Sensor pixels along one side of a network pixel: 2 where filters are planes."""
        return 2 if self.is_mosaic and self.cfa_planes else 1

    def cut(self, place: Place) -> Pair:
        """Cut a sub and the master of the others.

        Parameters
        ----------
        place : Place
            Where.

        Returns
        -------
        inputs, target : ndarray of float32, shape (n_planes, h, w)
            In the network's numbers.
        """
        layout = self.cfa_pattern if self.cfa_planes else None
        sub = place.cut(self.subs[place.sub])
        master = masters_of_others(self.subs, self.totals, self.series, place)
        scaled = (self.scaling.scale(image) for image in (sub, master))
        inputs, target = (to_planes(image, layout) for image in scaled)
        return inputs, target


@dataclass(frozen=True, eq=False, slots=True)
class SensorPairs:
    """Pairs for the network that knows its place.

    Attributes
    ----------
    views : sequence of SensorView
        Each sub as the dark model sees it; its planes may lie on a disk.
    totals : ndarray of float64, shape (n_series, ny, nx)
        Sum of the subs of each series above their own levels, ADU.
    series : ndarray of int, shape (n,)
        Series of each sub.
    """

    views: Sequence[SensorView]
    totals: NDArray[np.float64]
    series: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a sub, (ny, nx)."""
        return self.totals.shape[1], self.totals.shape[2]

    @property
    def is_mosaic(self) -> bool:
        """Whether crops must keep the phase of colour filters."""
        return self.views[0].is_mosaic

    @property
    def px_per_input(self) -> int:
        """Sensor pixels along one side of a network pixel: always 1."""
        return 1

    def cut(self, place: Place) -> Pair:
        """Cut what is known of a sub, and what the others showed above the model's prediction.

        Parameters
        ----------
        place : Place
            Where.

        Returns
        -------
        inputs : ndarray of float32, shape (12, h, w)
            As `solodark.pix2pix.sensor_channels.sensor_channels` gives them.
        target : ndarray of float32, shape (1, h, w)
            Mean of the other subs above the prediction, in sigma of one sub.
        """
        view = self.views[place.sub]
        part = view.cut(place.cut)
        n = int(np.count_nonzero(self.series == self.series[place.sub]))
        others = (place.cut(self.totals[self.series[place.sub]]) - part.above) / (n - 1)
        target = (others - part.prediction) / view.sigma_adu
        return sensor_channels(part), target[np.newaxis].astype(np.float32)


def masters_of_others(
    subs: NDArray[np.uint16] | Image,
    totals: NDArray[np.uint32] | NDArray[np.float64],
    series: NDArray[np.intp],
    place: Place,
) -> NDArray[np.float64]:
    """Average all subs of a series but one.

    Parameters
    ----------
    subs : ndarray, shape (n, ny, nx)
        ADU.
    totals : ndarray, shape (n_series, ny, nx)
        Their sums over each series.
    series : ndarray of int, shape (n,)
        Series of each sub.
    place : Place
        Which sub is left out, and where to cut.

    Returns
    -------
    ndarray of float64, shape (height, width)
        ADU. Cosmic rays of the others stay in, each divided by their number.
    """
    own = series[place.sub]
    n = int(np.count_nonzero(series == own))
    left = place.cut(totals[own]).astype(np.float64) - place.cut(subs[place.sub])
    master: NDArray[np.float64] = left / (n - 1)
    return master


def draw_places(
    pairs: PairSource,
    subs: Sequence[int],
    *,
    crop_px: int,
    flips: bool,
    rng: np.random.Generator,
) -> Iterator[Place]:
    """Draw one place in each of some subs, in random order.

    Parameters
    ----------
    pairs : PairSource
        The camera's pairs.
    subs : sequence of int
        Which subs.
    crop_px : int
        Side of a crop in the network's pixels.
    flips : bool
        Whether crops are mirrored at random.
    rng : numpy.random.Generator
        The dice.

    Yields
    ------
    Place
        Even offsets on a mosaic, odd ones along an axis that is mirrored.

    Raises
    ------
    NotEnoughFramesError
        No sub was given.
    SettingError
        A crop is larger than the sensor.
    """
    if not len(subs):
        raise NotEnoughFramesError("found no sub to train on, expected at least one series of two")
    side = crop_px * pairs.px_per_input
    room = [n - side - int(flips and pairs.is_mosaic) for n in pairs.shape]
    if min(room) < 0:
        raise SettingError(
            f"found crops of {side} x {side} px for frames of {pairs.shape[1]} x {pairs.shape[0]}; "
            "expected smaller crops, see --crop-px"
        )
    for sub in rng.permutation(np.asarray(subs)):
        flip_y, flip_x = (bool(flips and rng.integers(2)) for _ in range(2))
        top, left = (
            _offset(n, flip, pairs.is_mosaic, rng)
            for n, flip in zip(room, (flip_y, flip_x), strict=True)
        )
        yield Place(int(sub), top, left, side, side, flip_y, flip_x)


def _offset(room: int, flip: bool, is_mosaic: bool, rng: np.random.Generator) -> int:
    if not is_mosaic:
        return int(rng.integers(room + 1))
    return 2 * int(rng.integers(room // 2 + 1)) + int(flip)
