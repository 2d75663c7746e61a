"""Coverage: how many darks there are of each exposure at each temperature."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from solodark.frames import FrameKind
from solodark.library.series import HasHeader, Sensor, Series

__all__ = ["CoverageTable", "coverage_tables", "temperature_of"]

COLUMN_WIDTHS_C = (1.0, 2.0, 5.0, 10.0)
MOST_COLUMNS = 12
"""As many as a terminal shows beside each other."""
REACHED_C = 1.5


@dataclass(frozen=True, slots=True)
class CoverageTable:
    """Darks of one sensor at one gain, exposure against temperature.

    Attributes
    ----------
    sensor : Sensor
        Camera, size, binning and colour filters.
    gain_setting, iso, offset_setting : float, int, float or None
        The driver's numbers.
    exposures_s : tuple of float or None
        One per row; None for darks of unknown exposure.
    temperatures_c : tuple of float or None
        Middle of each column; None for darks of unknown temperature.
    column_width_c : float
        Width of a column.
    counts : tuple of tuple of int
        Number of darks, ``counts[row][column]``.
    """

    sensor: Sensor
    gain_setting: float | None
    iso: int | None
    offset_setting: float | None
    exposures_s: tuple[float | None, ...]
    temperatures_c: tuple[float | None, ...]
    column_width_c: float
    counts: tuple[tuple[int, ...], ...]


def coverage_tables(series: Iterable[Series[HasHeader]]) -> list[CoverageTable]:
    """Count darks by exposure and temperature.

    Parameters
    ----------
    series : iterable of Series
        As `group_series` gives them; only single darks are counted.

    Returns
    -------
    list of CoverageTable
        One per sensor and gain.
    """
    groups: dict[tuple[object, ...], list[Series[HasHeader]]] = {}
    for one in series:
        key = one.key
        if key.kind is FrameKind.DARK and not key.is_master:
            settings = (key.sensor, key.gain_setting, key.iso, key.offset_setting)
            groups.setdefault(settings, []).append(one)
    return [_table(group) for group in groups.values()]


def _table(group: list[Series[HasHeader]]) -> CoverageTable:
    cells = [(one.key.exposure_s, temperature_of(frame)) for one in group for frame in one.frames]
    width = _column_width([t for _, t in cells if t is not None])
    counted = Counter((t, _column(temperature, width)) for t, temperature in cells)
    exposures = sorted({row for row, _ in counted}, key=_unknown_last)
    temperatures = sorted({column for _, column in counted}, key=_unknown_last)
    key = group[0].key
    return CoverageTable(
        key.sensor,
        key.gain_setting,
        key.iso,
        key.offset_setting,
        tuple(exposures),
        tuple(temperatures),
        width,
        tuple(tuple(counted[row, column] for column in temperatures) for row in exposures),
    )


def temperature_of(frame: HasHeader) -> float | None:
    """Give the sensor's temperature, or the cooler's target where that is all there is.

    Parameters
    ----------
    frame : HasHeader
        A frame.

    Returns
    -------
    float or None
        C.
    """
    taken = frame.acquisition
    measured = taken.sensor_temperature_c
    return taken.setpoint_temperature_c if measured is None else measured


def _aim_of(frame: HasHeader) -> float | None:
    """Give the cooler's target where it was reached, so that its ripple makes no columns."""
    taken = frame.acquisition
    measured, target = taken.sensor_temperature_c, taken.setpoint_temperature_c
    reached = target is not None and (measured is None or abs(measured - target) < REACHED_C)
    return target if reached else measured


def _column_width(temperatures: list[float]) -> float:
    for width in COLUMN_WIDTHS_C:
        if len({_column(one, width) for one in temperatures}) <= MOST_COLUMNS:
            return width
    return COLUMN_WIDTHS_C[-1]


def _column(temperature_c: float | None, width: float) -> float | None:
    return None if temperature_c is None else width * round(temperature_c / width) + 0.0


def _unknown_last(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0
