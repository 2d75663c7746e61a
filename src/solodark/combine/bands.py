"""Stacks of rows: as many as memory allows, read and combined on all cores at once."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.combine.kernels import combine_stack
from solodark.combine.rule import Planes, Rule
from solodark.combine.sorting_network import sorting_network
from solodark.frames import Acquisition, FrameSource, row_bands

__all__ = ["ArrayPlane", "Stacks", "common_step_adu", "rows_per_band", "stack_dtype"]

_BANDS_PER_THREAD = 32  # few enough to read long runs of rows, many enough to keep cores busy


@dataclass(frozen=True, slots=True)
class ArrayPlane:
    """One plane of an array as a `solodark.frames.FrameSource`.

    Attributes
    ----------
    data : ndarray, shape (ny, nx)
        ADU.
    name : str
        What messages call it.
    acquisition : Acquisition
        Nothing is known.
    """

    data: NDArray[Any]
    name: str
    acquisition: Acquisition = field(default_factory=Acquisition)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.data.shape[0], self.data.shape[1]

    def read_rows(self, start: int, stop: int) -> NDArray[Any]:
        """Give rows ``start:stop``, a view.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray, shape (stop - start, nx)
            ADU.
        """
        return self.data[start:stop]


def stack_dtype(samples: Iterable[NDArray[Any]]) -> np.dtype[Any]:
    """Choose the type that holds all samples: uint16 where that loses nothing, else float32.

    Parameters
    ----------
    samples : iterable of ndarray
        A few pixels of each frame.

    Returns
    -------
    dtype
        Of the stack.
    """
    small = all(np.can_cast(sample.dtype, np.uint16, "safe") for sample in samples)
    return np.dtype(np.uint16 if small else np.float32)


def common_step_adu(samples: Sequence[NDArray[Any]]) -> float:
    """Find the converter's step: 4 ADU for 14 bits stored in the upper bits of 16.

    Parameters
    ----------
    samples : sequence of ndarray
        A few pixels of each frame.

    Returns
    -------
    float
        The largest power of two that divides all differences between values, ADU; 0 for pixels
        that are not integers, or all equal.

    Examples
    --------
    >>> common_step_adu([np.array([[1000, 1012]], np.uint16), np.array([[1004, 996]], np.uint16)])
    4.0
    """
    if stack_dtype(samples) != np.uint16:
        return 0.0
    values = np.concatenate([sample.reshape(-1) for sample in samples]).astype(np.uint16)
    differing_bits = int(np.bitwise_or.reduce(values ^ values[0]))
    return float(differing_bits & -differing_bits)


def rows_per_band(
    n_frames: int, shape: tuple[int, int], itemsize: int, *, memory_bytes: float, n_threads: int
) -> int:
    """Give the number of rows whose stacks, one for each thread, fit into memory.

    Parameters
    ----------
    n_frames : int
        Frames in a stack.
    shape : tuple of int
        (ny, nx).
    itemsize : int
        Bytes of a value.
    memory_bytes : float
        What the stacks of all threads together may take.
    n_threads : int
        Stacks held at once.

    Returns
    -------
    int
        Even, at least 2: a band is never cut within a CFA cell, even if two rows take more.
    """
    fitting = int(memory_bytes / (n_threads * n_frames * shape[1] * itemsize))
    enough = -(-shape[0] // (n_threads * _BANDS_PER_THREAD))
    rows = min(fitting, enough)
    return max(2, rows - rows % 2)


class Stacks:
    """The frames' rows, band by band, each combined into the planes of the result.

    Parameters
    ----------
    sources : sequence of FrameSource
        The frames, of one shape; bands are read from several threads at once.
    dtype : dtype
        `stack_dtype` of the frames.
    rows : int
        `rows_per_band`.
    n_threads : int
        Bands worked on at once, and buffers held.
    """

    def __init__(
        self, sources: Sequence[FrameSource], dtype: np.dtype[Any], rows: int, n_threads: int
    ) -> None:
        self._sources = sources
        self._n_threads = n_threads
        ny, self._nx = sources[0].shape
        self.bands = list(row_bands((ny, self._nx), rows=rows))
        self._network = sorting_network(len(sources))
        self._buffers: SimpleQueue[NDArray[Any]] = SimpleQueue()
        for _ in range(n_threads):
            self._buffers.put(np.empty(len(sources) * min(rows, ny) * self._nx, dtype))

    def combine_into(self, planes: Planes, rule: Rule) -> Iterator[None]:
        """Combine band after band.

        Parameters
        ----------
        planes : Planes
            Written to, each of shape (ny, nx).
        rule : Rule
            How to combine.

        Yields
        ------
        None
            Once for each band that is done.
        """
        with ThreadPoolExecutor(self._n_threads) as threads:
            yield from threads.map(partial(self._combine_band, planes, rule), self.bands)

    def _combine_band(self, planes: Planes, rule: Rule, band: tuple[int, int]) -> None:
        with self._stack(*band) as stack:
            combine_stack(stack, self._network, rule, planes.of_rows(*band))

    @contextmanager
    def _stack(self, start: int, stop: int) -> Iterator[NDArray[Any]]:
        """Lend a stack of rows start:stop, shape (n_frames, n_pixels)."""
        n_frames, n_pixels = len(self._sources), (stop - start) * self._nx
        buffer = self._buffers.get()
        try:
            stack = buffer[: n_frames * n_pixels].reshape(n_frames, n_pixels)
            for values, source in zip(stack, self._sources, strict=True):
                values[:] = source.read_rows(start, stop).reshape(-1)
            yield stack
        finally:
            self._buffers.put(buffer)
