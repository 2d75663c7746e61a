"""What the catalogue keeps of a file: a good one's header and statistics, a bad one's error."""

from dataclasses import dataclass
from pathlib import Path

from solodark.errors import FrameFormatError, SolodarkError, TruncatedFileError
from solodark.frames import Acquisition
from solodark.frames.statistics import FrameStatistics

__all__ = ["BadFile", "FileStamp", "FrameHeader", "FrameRecord", "shown"]

CLIPPED_SHARE = 0.02
"""Share of pixels at the minimum; Gaussian noise leaves a handful there."""
LEAST_CLIPPED_NOISE_ADU = 1.5
"""Below it, whole numbers pile up of themselves."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells that a file is still the one that was read.

    Attributes
    ----------
    size_bytes : int
        Length of the file.
    mtime_ns : int
        When it was last written, nanoseconds.
    """

    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "FileStamp":
        """Look at a file without opening it.

        Parameters
        ----------
        path : Path
            An existing file.

        Returns
        -------
        FileStamp
            Its stamp.

        Raises
        ------
        FrameFormatError
            The file cannot be looked at: it has gone, or is not ours to see.
        """
        try:
            status = path.stat()
        except (OSError, ValueError) as error:  # ValueError: a name no file can have
            raise FrameFormatError(
                f"{shown(path)}: cannot be read: {getattr(error, 'strerror', None) or error}"
            ) from error
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """How a frame was taken, without what its pixels say.

    Attributes
    ----------
    path : Path
        Absolute.
    acquisition : Acquisition
        How it was taken.
    shape : tuple of int
        (ny, nx).
    """

    path: Path
    acquisition: Acquisition
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A frame that was read.

    Attributes
    ----------
    path : Path
        Absolute.
    acquisition : Acquisition
        How it was taken.
    statistics : FrameStatistics
        What its pixels say.
    """

    path: Path
    acquisition: Acquisition
    statistics: FrameStatistics

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.statistics.shape

    @property
    def is_master(self) -> bool:
        """Whether it was combined from several exposures."""
        return self.acquisition.n_combined is not None

    @property
    def is_clipped(self) -> bool:
        """Whether the lower half of the noise was cut off: many pixels at the minimum."""
        found = self.statistics
        close = found.mean_level_adu - found.minimum_adu < 3.0 * found.mean_noise_adu
        piled = found.fraction_at_minimum > CLIPPED_SHARE
        return piled and close and found.mean_noise_adu > LEAST_CLIPPED_NOISE_ADU


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that could not be read.

    Attributes
    ----------
    path : Path
        Absolute.
    code : str
        "truncated" or "unreadable".
    sentence : str
        Why, naming the file.
    """

    path: Path
    code: str
    sentence: str

    @classmethod
    def from_error(cls, path: Path, error: SolodarkError) -> "BadFile":
        """Keep an error's sentence.

        Parameters
        ----------
        path : Path
            The file.
        error : SolodarkError
            What its reader raised.

        Returns
        -------
        BadFile
            The record.

        Examples
        --------
        >>> BadFile.from_error(Path("/d/1.fit"), TruncatedFileError("d/1.fit: ends early")).code
        'truncated'
        """
        code = "truncated" if isinstance(error, TruncatedFileError) else "unreadable"
        return cls(path, code, str(error))


def shown(path: Path) -> str:
    r"""Write a path so that it can be printed on one line, whatever bytes its name holds.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    str
        What cannot be printed appears as an escape.

    Examples
    --------
    >>> print(shown(Path("dark_\udce9\n.fit")))
    dark_\udce9\n.fit
    """
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
