"""An open file that serves its pixels by bands of rows."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from solodark.errors import SettingError
from solodark.formats.foreign_errors import shown
from solodark.formats.rows import (
    PixelRows,
)
from solodark.formats.stored_pixels import (
    Pixels,
)
from solodark.frames import Acquisition

__all__ = ["OpenFrame", "Scan"]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a format's reader learned without decoding pixels.

    Attributes
    ----------
    acquisition : Acquisition
        What the header says.
    shape : tuple of int
        (ny, nx).
    rows : PixelRows
        Where the pixels come from, row 0 at the top of the sensor.
    """

    acquisition: Acquisition
    shape: tuple[int, int]
    rows: PixelRows


class OpenFrame:
    """One frame's file, open for reading; a `frames.FrameSource`.

    Several threads may read different bands at once. It holds no file open between reads, so any
    number of frames can be open; formats that must be decoded whole hold a temporary file from
    their first read to `close`.

    Parameters
    ----------
    path : Path
        The file.
    scan : Scan
        What its reader learned.
    """

    def __init__(self, path: Path, scan: Scan) -> None:
        self.path = path
        self.acquisition = scan.acquisition
        self.shape = scan.shape
        self._rows: PixelRows | None = scan.rows

    @property
    def name(self) -> str:
        """The path, as messages show it."""
        return shown(self.path)

    def read_rows(self, start: int, stop: int) -> Pixels:
        """Read rows ``start:stop`` in ADU, row 0 at the top of the sensor.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last; what lies outside the frame is left out, as in a
            slice.

        Returns
        -------
        ndarray of uint16 or float32, shape (stop - start, nx)
            ADU in native byte order, the caller's own.

        Raises
        ------
        FrameFormatError
            The pixels are damaged or cut.
        SettingError
            The frame was closed.
        """
        if self._rows is None:
            raise SettingError(f"{self.name}: was closed before its rows were read")
        first, last, _ = slice(start, stop).indices(self.shape[0])
        return self._rows.read(first, max(first, last))

    def close(self) -> None:
        """Give back the temporary file, if there is one; closing twice does no harm."""
        if self._rows is not None:
            self._rows.close()
        self._rows = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
