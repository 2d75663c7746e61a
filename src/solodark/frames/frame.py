"""A frame: pixels, how they were taken, and a name for messages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError
from solodark.frames.acquisition import Acquisition

__all__ = ["Frame", "FrameSource", "row_bands"]


@runtime_checkable
class FrameSource(Protocol):
    """Pixels that can be read by bands of rows: a `Frame`, or an open file of any format.

    Everything that must serve more frames than fit into memory takes these.
    """

    @property
    def name(self) -> str:
        """What messages call it: a file's path, or a label."""

    @property
    def acquisition(self) -> Acquisition:
        """How it was taken."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""

    def read_rows(self, start: int, stop: int) -> NDArray[np.uint16] | NDArray[np.float32]:
        """Give rows ``start:stop`` in ADU and native byte order; not to be written to.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            ADU.
        """


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One exposure, or one master, in memory.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx)
        ADU, row 0 at the top of the sensor. Read-only.
    acquisition : Acquisition
        How it was taken.
    name : str
        What messages call it.

    Examples
    --------
    >>> dark = Frame(np.zeros((4, 6)), Acquisition(exposure_s=60.0), name="dark_1.fit")
    >>> dark.shape, dark.data.dtype
    ((4, 6), dtype('float32'))
    """

    data: NDArray[np.float32]
    acquisition: Acquisition = field(default_factory=Acquisition)
    name: str = "frame"

    def __post_init__(self) -> None:
        data = np.asarray(self.data)
        if data.ndim != 2 or data.size == 0:
            raise FrameFormatError(
                f"{self.name}: found pixels of shape {data.shape}, "
                "expected one plane of rows and columns"
            )
        view = data.astype(np.float32, copy=False).view()
        view.flags.writeable = False
        object.__setattr__(self, "data", view)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.data.shape[0], self.data.shape[1]

    def read_rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Give rows ``start:stop``, a read-only view.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of float32, shape (stop - start, nx)
            ADU.
        """
        return self.data[start:stop]

    @classmethod
    def from_source(cls, source: FrameSource) -> Self:
        """Read all of a source into memory.

        Parameters
        ----------
        source : FrameSource
            What to read.

        Returns
        -------
        Frame
            The same frame, in memory.
        """
        pixels = source.read_rows(0, source.shape[0]).astype(np.float32, copy=False)
        return cls(pixels, source.acquisition, source.name)


def row_bands(shape: tuple[int, int], *, rows: int) -> Iterator[tuple[int, int]]:
    """Cut an image into bands of an even number of rows, so that no band breaks the CFA phase.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    rows : int
        Rows wanted in a band; rounded down to even, at least 2.

    Yields
    ------
    tuple of int
        (start, stop) of each band, from top to bottom.

    Examples
    --------
    >>> list(row_bands((5, 8), rows=3))
    [(0, 2), (2, 4), (4, 5)]
    """
    step = max(2, rows - rows % 2)
    for start in range(0, shape[0], step):
        yield start, min(start + step, shape[0])
