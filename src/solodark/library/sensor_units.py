"""Which physical sensor took a frame: hot pixels are its fingerprint."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from solodark.frames.statistics import FrameStatistics
from solodark.library.records import FrameRecord

__all__ = ["FLIPS", "SensorUnit", "find_flip", "find_units", "shows_pattern"]

ASKED = 128
"""Hottest pixels of a frame that are looked up among those of the others; in 5 minutes cosmic rays
leave up to 60."""
LEAST_SIGMAS = 20.0
"""Height of the last of them for a frame to show its pattern: no telegraph noise gets there."""
LEAST_SHARE = 0.2
"""Share of them that must be known: frames of one sensor share half or more over years, exposures
from 1 to 300 s and 10 C; two sensors of one model shared none of 512."""

FLIPS: dict[str, Callable[[NDArray[np.int64], tuple[int, int]], NDArray[np.int64]]] = {
    "upside down": lambda yx, shape: yx * (-1, 1) + (shape[0] - 1, 0),
    "mirrored": lambda yx, shape: yx * (1, -1) + (0, shape[1] - 1),
    "turned by 180 degrees": lambda yx, shape: (shape[0] - 1, shape[1] - 1) - yx,
}
"""Names of reflections, and what they do to pixel places."""


@dataclass(eq=False)
class SensorUnit:
    """Frames whose hot pixels lie in the same places.

    Attributes
    ----------
    frames : list of FrameRecord
        Those with a pattern, strongest first, and those too faint to tell.
    known : Counter
        Places of hot pixels, and how many of the frames show each.
    n_with_pattern : int
        Frames that show the pattern themselves.
    """

    frames: list[FrameRecord] = field(default_factory=list)
    known: Counter[int] = field(default_factory=Counter)
    n_with_pattern: int = 0

    def share_known(self, yx: NDArray[np.int64], shape: tuple[int, int]) -> float:
        """Tell how many of a frame's hottest pixels this sensor is known for.

        Parameters
        ----------
        yx : ndarray of int64, shape (n, 2)
            Rows and columns.
        shape : tuple of int
            (ny, nx).

        Returns
        -------
        float
            0 to 1.
        """
        places = _places(yx, shape)
        return sum(place in self.known for place in places) / max(1, len(places))

    def add(self, frame: FrameRecord) -> None:
        """Take in a frame that shows the pattern.

        Parameters
        ----------
        frame : FrameRecord
            Its hot pixels become known.
        """
        self.frames.append(frame)
        self.n_with_pattern += 1
        statistics = frame.statistics
        self.known.update(_places(statistics.hot_pixels_yx.astype(np.int64), statistics.shape))


def shows_pattern(frame: FrameRecord) -> bool:
    """Tell whether a frame holds enough hot pixels to know its sensor by.

    Parameters
    ----------
    frame : FrameRecord
        A dark or bias.

    Returns
    -------
    bool
        False for biases and short exposures, and where the noise that heights are measured in was
        cut off.
    """
    heights = frame.statistics.hot_pixels_adu
    least = LEAST_SIGMAS * frame.statistics.mean_noise_adu
    return bool(heights.size >= ASKED and heights[ASKED - 1] > least) and not frame.is_clipped


def find_units(frames: Sequence[FrameRecord]) -> list[SensorUnit]:
    """Sort frames of one camera name and size by the sensor that took them.

    Parameters
    ----------
    frames : sequence of FrameRecord
        Single darks and biases of one shape.

    Returns
    -------
    list of SensorUnit
        Largest first. Frames too faint to tell go where the frame nearest in time went.
    """
    telling = [frame for frame in frames if shows_pattern(frame)]
    telling.sort(key=lambda frame: -float(frame.statistics.hot_pixels_adu[ASKED - 1]))
    units: list[SensorUnit] = []
    for frame in telling:
        yx = hottest_places(frame.statistics)
        shares = [unit.share_known(yx, frame.shape) for unit in units]
        if shares and max(shares) >= LEAST_SHARE:
            units[int(np.argmax(shares))].add(frame)
        else:
            units.append(SensorUnit())
            units[-1].add(frame)
    units.sort(key=lambda unit: -unit.n_with_pattern)
    units = units or [SensorUnit()]
    faint = [frame for frame in frames if not shows_pattern(frame)]
    homes = [_nearest_in_time(frame, units) for frame in faint]
    for frame, home in zip(faint, homes, strict=True):
        home.frames.append(frame)
    return units


def _nearest_in_time(frame: FrameRecord, units: list[SensorUnit]) -> SensorUnit:
    start = frame.acquisition.date_obs
    if start is None or len(units) == 1:
        return units[0]
    gaps = [
        min(
            (
                abs(start - other.acquisition.date_obs)
                for other in unit.frames
                if other.acquisition.date_obs is not None
            ),
            default=timedelta.max,
        )
        for unit in units
    ]
    return units[gaps.index(min(gaps))]


def find_flip(frame: FrameRecord, unit: SensorUnit) -> str | None:
    """Find how a frame must be reflected for its hot pixels to lie where a sensor's do.

    Parameters
    ----------
    frame : FrameRecord
        A frame that does not match as it is.
    unit : SensorUnit
        The sensor.

    Returns
    -------
    str or None
        A name from `FLIPS`; None where no reflection helps.
    """
    yx = hottest_places(frame.statistics)
    for name, flip in FLIPS.items():
        if unit.share_known(flip(yx, frame.shape), frame.shape) >= LEAST_SHARE:
            return name
    return None


def hottest_places(statistics: FrameStatistics) -> NDArray[np.int64]:
    """Give the places that are looked up, shape (n, 2).

    Parameters
    ----------
    statistics : FrameStatistics
        A frame's.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        Rows and columns of the hottest pixels.
    """
    return statistics.hot_pixels_yx[:ASKED].astype(np.int64)


def _places(yx: NDArray[np.int64], shape: tuple[int, int]) -> list[int]:
    places: list[int] = (yx @ np.array([shape[1], 1])).tolist()
    return places
