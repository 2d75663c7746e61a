"""Bands of the stack: rows of all lights interpolated onto its grid, and combined, on all cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numba
import numpy as np
from numpy.typing import NDArray

from solodark.combine.kernels import combine_stack
from solodark.combine.rule import MEDIAN, Planes, Rule
from solodark.combine.sorting_network import sorting_network
from solodark.frames import FrameSource, PixelFlags, row_bands
from solodark.registration import Transform
from solodark.stacking.brightness import Brightness
from solodark.stacking.lattice import Lattice, to_lattice
from solodark.stacking.resample import REACH, Band, resample
from solodark.stacking.weighing import weigh

__all__ = ["FlaggedSource", "StackedBands", "read_living"]

_PIECES = 64  # of a band that threads take in turn
_MARGIN_PX = 2 * REACH + 1  # what a place may reach for beyond its row, on any lattice


@runtime_checkable
class FlaggedSource(FrameSource, Protocol):
    """Pixels that can be read by bands of rows, with flags."""

    def read_flags(self, start: int, stop: int) -> NDArray[np.uint8] | None:
        """Give the flags of rows ``start:stop``, bits of `PixelFlags`; None where there are none.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of uint8, shape (stop - start, nx), or None
            The flags.
        """


def read_living(light: FrameSource, start: int, stop: int) -> NDArray[np.float32]:
    """Read rows of a light, dead pixels without a value.

    Parameters
    ----------
    light : FrameSource
        Perhaps a `FlaggedSource`.
    start, stop : int
        First row and the one after the last.

    Returns
    -------
    ndarray of float32, shape (stop - start, nx)
        ADU, in C order; NaN where the flags say DEAD.
    """
    pixels = np.ascontiguousarray(light.read_rows(start, stop), np.float32)
    flags = light.read_flags(start, stop) if isinstance(light, FlaggedSource) else None
    if flags is None or not flags.any():
        return pixels
    dead = flags & int(PixelFlags.DEAD) != 0
    return np.where(dead, np.float32(np.nan), pixels) if dead.any() else pixels


class StackedBands:
    """The bands of a stack.

    Parameters
    ----------
    lights : sequence of FrameSource
        Of one size.
    transforms : sequence of Transform
        From each light to the stack.
    lattices : sequence of Lattice
        Of the colours.
    brightness : Brightness
        What levels and weighs the lights.
    table : ndarray of float32, shape (1025, 6)
        Weights of the interpolation.
    rule : Rule
        How values are combined.
    memory_bytes : float
        What the interpolated pixels of all lights may take.
    """

    def __init__(
        self,
        lights: Sequence[FrameSource],
        transforms: Sequence[Transform],
        lattices: Sequence[Lattice],
        brightness: Brightness,
        *,
        table: NDArray[np.float32],
        rule: Rule,
        memory_bytes: float,
    ) -> None:
        self._lights, self._transforms, self._lattices = lights, transforms, lattices
        self._brightness, self._table, self._rule = brightness, table, rule
        self._network = sorting_network(len(lights))
        self._n_threads = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        ny, nx = lights[0].shape
        fitting = int(memory_bytes / (len(lights) * len(lattices) * nx * 4))
        self._bands = list(row_bands((ny, nx), rows=min(fitting, ny + 1)))
        rows = max(stop - start for start, stop in self._bands)
        self._buffer = np.empty((len(lattices), len(lights), rows * nx), np.float32)

    def __len__(self) -> int:
        return len(self._bands)

    def combine_into(self, planes: Sequence[Planes]) -> Iterator[None]:
        """Combine band after band.

        Parameters
        ----------
        planes : sequence of Planes
            One for each colour, of shape (ny, nx); written to.

        Yields
        ------
        None
            Once for each band that is done.
        """
        with ThreadPoolExecutor(self._n_threads) as threads:
            for start, stop in self._bands:
                load = partial(self._load, start, stop)
                list(threads.map(load, range(len(self._lights))))
                list(threads.map(partial(self._combine, planes, start), self._pieces(start, stop)))
                yield

    def _load(self, start: int, stop: int, number: int) -> None:
        """Interpolate rows of a light into the buffer."""
        nx = self._lights[0].shape[1]
        first, last = self._rows_needed(number, start, stop)
        pixels = read_living(self._lights[number], first, last)
        for colour, lattice in enumerate(self._lattices):
            result = self._buffer[colour, number, : (stop - start) * nx].reshape(-1, nx)
            if first >= last:
                result[:] = np.nan
                continue
            shift_adu = self._brightness.shift_adu[colour, number]
            band = Band(pixels, first, float(self._brightness.scale[number]), float(shift_adu))
            matrix = to_lattice(self._transforms[number], lattice)
            resample(band, lattice, matrix, self._table, result, start)

    def _rows_needed(self, number: int, start: int, stop: int) -> tuple[int, int]:
        """Give the rows of a light that count in rows of the stack."""
        ny, nx = self._lights[number].shape
        corners_y = np.array([start, start, stop - 1, stop - 1], np.float64)
        corners_x = np.array([0, nx - 1, 0, nx - 1], np.float64)
        y, _ = self._transforms[number].inverse().apply(corners_y, corners_x)
        first = int(np.clip(np.floor(y.min()) - _MARGIN_PX, 0, ny))
        return first, int(np.clip(np.ceil(y.max()) + _MARGIN_PX + 1, 0, ny))

    def _pieces(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Cut a band's pixels into pieces for the threads."""
        n_pixels = (stop - start) * self._lights[0].shape[1]
        edges = np.linspace(0, n_pixels, min(_PIECES, n_pixels) + 1).astype(int)
        return [(int(a), int(b)) for a, b in pairwise(edges)]

    def _combine(self, planes: Sequence[Planes], start: int, piece: tuple[int, int]) -> None:
        """Combine some pixels of a band, each colour by itself."""
        first = start * self._lights[0].shape[1]
        for colour, whole in enumerate(planes):
            flat: list[Any] = [
                plane.reshape(-1)[first + piece[0] : first + piece[1]] for plane in whole
            ]
            own = Planes(*flat)
            values = self._buffer[colour, :, piece[0] : piece[1]]
            combine_stack(values, self._network, self._rule, own)
            if self._rule.method != MEDIAN:
                weigh(values, self._brightness.weights[colour], own)
