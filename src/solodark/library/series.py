"""Series: frames of one camera that were taken alike, in the order in which they were taken."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from solodark.frames import Acquisition, Camera, FrameKind

__all__ = ["HasHeader", "Sensor", "Series", "SeriesKey", "group_series", "nights_of"]

NIGHT_GAP = timedelta(hours=5)
"""A pause that ends a night: shorter than any summer's day, longer than a meridian flip gone wrong
or a cloud that an observer waits for."""
DAY = timedelta(days=1)
EXPOSURE_TOLERANCE = 0.02
"""Exposures this close are one: headers round, and shutters are timed to milliseconds."""
SETPOINT_TOLERANCE_C = 1.0


class HasHeader(Protocol):
    """A frame as far as grouping needs it."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def acquisition(self) -> Acquisition:
        """How it was taken."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""


Item = TypeVar("Item", bound=HasHeader)
Item_co = TypeVar("Item_co", bound=HasHeader, covariant=True)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A camera in one readout mode: what must agree before pixels can be compared.

    Attributes
    ----------
    camera : Camera
        Model and serial number.
    shape : tuple of int
        (ny, nx).
    binning : tuple of int
        (x, y).
    cfa_pattern : str or None
        Colour filters.
    """

    camera: Camera
    shape: tuple[int, int]
    binning: tuple[int, int]
    cfa_pattern: str | None

    @classmethod
    def of(cls, frame: HasHeader) -> "Sensor":
        """Take the sensor from a frame's header.

        Parameters
        ----------
        frame : HasHeader
            A frame.

        Returns
        -------
        Sensor
            Its camera and readout mode.
        """
        taken = frame.acquisition
        return cls(taken.camera, frame.shape, taken.binning, taken.cfa_pattern)


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What the frames of a series share.

    Attributes
    ----------
    sensor : Sensor
        Camera, size, binning and colour filters.
    kind : FrameKind or None
        Light, dark, bias or flat.
    is_master : bool
        Whether these are combined frames.
    gain_setting, iso, offset_setting : float, int, float or None
        The driver's numbers.
    exposure_s : float or None
        Exposure time.
    setpoint_temperature_c : float or None
        The cooler's target.
    night : date or None
        Evening of the night, UTC; None where the header has no date.
    """

    sensor: Sensor
    kind: FrameKind | None
    is_master: bool
    gain_setting: float | None
    iso: int | None
    offset_setting: float | None
    exposure_s: float | None
    setpoint_temperature_c: float | None
    night: date | None


@dataclass(frozen=True, slots=True)
class Series(Generic[Item_co]):
    """Frames that were taken alike.

    Attributes
    ----------
    key : SeriesKey
        What they share.
    frames : tuple
        In the order in which they were taken.
    """

    key: SeriesKey
    frames: tuple[Item_co, ...]

    @property
    def temperatures_c(self) -> tuple[float, float] | None:
        """Coldest and warmest header temperature, C."""
        known = [t for f in self.frames if (t := f.acquisition.sensor_temperature_c) is not None]
        return (min(known), max(known)) if known else None


def nights_of(times: Sequence[datetime | None]) -> list[date | None]:
    """Tell in which night each exposure was taken.

    A night lasts until a pause of `NIGHT_GAP`, and never longer than a day: one that does is cut at
    the longest pause of its second half. Its name is the date twelve hours before it began.

    Parameters
    ----------
    times : sequence of datetime or None
        Starts of exposures of one camera, timezone-aware, in any order.

    Returns
    -------
    list of date or None
        One night per exposure; None where the time is unknown.

    Examples
    --------
    >>> evening = datetime(2024, 4, 18, 22, 0, tzinfo=UTC)
    >>> nights_of([evening, evening + timedelta(hours=4), evening + timedelta(hours=24)])
    [datetime.date(2024, 4, 18), datetime.date(2024, 4, 18), datetime.date(2024, 4, 19)]
    """
    known = sorted({time.astimezone(UTC) for time in times if time is not None})
    named = {time: (run[0] - timedelta(hours=12)).date() for run in _runs(known) for time in run}
    return [None if time is None else named[time.astimezone(UTC)] for time in times]


def _runs(times: list[datetime]) -> Iterator[list[datetime]]:
    """Cut at every long pause, and a run of more than a day inside its first day."""
    start = 0
    for stop in range(1, len(times) + 1):
        ended = stop == len(times) or times[stop] - times[stop - 1] >= NIGHT_GAP
        while not ended and times[stop] - times[start] >= DAY:
            cut = _longest_pause(times, start, stop)
            yield times[start:cut]
            start = cut
        if ended:
            yield times[start:stop]
            start = stop


def _longest_pause(times: list[datetime], start: int, stop: int) -> int:
    """Index after the longest pause in the second half of a day that began at `start`."""
    noon = times[start] + DAY / 2
    late = [n for n in range(start + 1, stop + 1) if times[n] >= noon]
    return max(late, key=lambda n: times[n] - times[n - 1])


def group_series(frames: Iterable[Item]) -> list[Series[Item]]:
    """Sort frames into series.

    Parameters
    ----------
    frames : iterable of HasHeader
        Frames of any cameras.

    Returns
    -------
    list of Series
        By camera, night, kind and exposure; no frame is left out.
    """
    grouped: dict[SeriesKey, list[Item]] = {}
    for camera_frames in _by_camera(frames):
        for frame, key in zip(camera_frames, _keys(camera_frames), strict=True):
            grouped.setdefault(key, []).append(frame)
    series = [Series(key, tuple(sorted(held, key=_time_order))) for key, held in grouped.items()]
    return sorted(series, key=lambda one: _series_order(one.key))


def _by_camera(frames: Iterable[Item]) -> Iterable[list[Item]]:
    cameras: dict[tuple[str | None, str | None], list[Item]] = {}
    for frame in frames:
        camera = frame.acquisition.camera
        cameras.setdefault((camera.model, camera.serial), []).append(frame)
    return cameras.values()


def _keys(frames: list[Item]) -> list[SeriesKey]:
    """Keys of one camera's frames."""
    taken = [frame.acquisition for frame in frames]
    nights = nights_of([one.date_obs for one in taken])
    exposure = _common(
        [one.exposure_s for one in taken], lambda first: first * (1 + EXPOSURE_TOLERANCE)
    )
    setpoint = _common(
        [one.setpoint_temperature_c for one in taken], lambda first: first + SETPOINT_TOLERANCE_C
    )
    return [
        SeriesKey(
            sensor=Sensor.of(frame),
            kind=one.kind,
            is_master=one.n_combined is not None,
            gain_setting=one.gain_setting,
            iso=one.iso,
            offset_setting=one.offset_setting,
            exposure_s=exposure[one.exposure_s],
            setpoint_temperature_c=setpoint[one.setpoint_temperature_c],
            night=night,
        )
        for frame, one, night in zip(frames, taken, nights, strict=True)
    ]


def _common(
    values: Iterable[float | None], reach: Callable[[float], float]
) -> dict[float | None, float | None]:
    """Give every value the first of its group; a group ends at `reach` of its first."""
    leaders: dict[float | None, float | None] = {None: None}
    leader = None
    for value in sorted({value for value in values if value is not None}):
        if leader is None or value > reach(leader):
            leader = value
        leaders[value] = leader
    return leaders


def _time_order(frame: HasHeader) -> tuple[datetime, str]:
    start = frame.acquisition.date_obs
    return start or datetime.max.replace(tzinfo=UTC), str(frame.path)


def _series_order(key: SeriesKey) -> tuple[object, ...]:
    camera = key.sensor.camera
    return (
        camera.model or "",
        camera.serial or "",
        key.sensor.shape,
        key.night or date.max,
        key.kind or "",
        -1.0 if key.exposure_s is None else key.exposure_s,
        str(key),
    )
