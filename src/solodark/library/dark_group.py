"""Darks and biases of one sensor at one gain: what may be compared pixel by pixel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from solodark.frames import FrameKind
from solodark.library.coverage import temperature_of
from solodark.library.pattern_amplitude import measure_amplitudes
from solodark.library.records import FrameRecord
from solodark.library.robust import straight_line
from solodark.library.series import SeriesKey, group_series

__all__ = ["DarkGroup", "DarkSeries"]

Values = NDArray[np.float64]

USUAL_SLOPE_PER_C = float(np.log(2.0)) / 6.5
"""Dark current doubles every 6.5 C: measured on a Canon 1000D, and between what the silicon's full
and half band gap give near 20 C."""
SLOPE_LIMITS_PER_C = (float(np.log(2.0)) / 12.0, float(np.log(2.0)) / 4.0)
SURE_SLOPE, DOUBTFUL_SLOPE = 0.15, 0.4
"""Error of the slope, as a share, where many series tell it and where few or none do."""
FEW_SERIES = 5
LEAST_STEP_C = 3.0
"""Two series closer in temperature than this say nothing about the slope."""
LEAST_CHANGE = 0.03
SURE = 4.0
"""Sigmas above zero from which an amplitude is one."""


@dataclass(frozen=True, eq=False)  # no slots: they leave no room for cached properties
class DarkSeries:
    """A series of darks or biases, and how strongly the pattern shows in each frame.

    Attributes
    ----------
    key : SeriesKey
        What the frames share.
    frames : tuple of FrameRecord
        In the order in which they were taken.
    amplitudes, errors : ndarray of float64, shape (n,)
        In seconds at the group's typical rate; NaN where the group shows no pattern.
    """

    key: SeriesKey
    frames: tuple[FrameRecord, ...]
    amplitudes: Values
    errors: Values

    @property
    def exposure_s(self) -> float:
        """Exposure by the header; 0 where it is silent."""
        return self.key.exposure_s or 0.0

    @cached_property
    def temperature_c(self) -> float | None:
        """Median of the header's temperatures."""
        known = [t for frame in self.frames if (t := temperature_of(frame)) is not None]
        return float(np.median(known)) if known else None

    @cached_property
    def amplitude(self) -> float:
        """Median over the frames."""
        return float(np.median(self.amplitudes))

    @cached_property
    def error(self) -> float:
        """Error of one frame's amplitude, the median."""
        return float(np.median(self.errors))

    @cached_property
    def is_sure(self) -> bool:
        """Whether this is a series of darks in which the pattern shows beyond doubt."""
        is_dark = self.key.kind is FrameKind.DARK and self.exposure_s > 0.0
        return is_dark and self.amplitude > SURE * self.error

    @cached_property
    def log_rate(self) -> float:
        """Logarithm of amplitude over exposure; 0 is the group's typical rate."""
        return float(np.log(self.amplitude / self.exposure_s))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.frames)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the frames are."""
        return tuple(frame.path for frame in self.frames)

    @cached_property
    def warmth(self) -> NDArray[np.int_]:
        """Tell where the pattern is stronger than the series' (1) or weaker (-1), by its error.

        A stronger pattern is a warmer sensor, whose level and noise are higher without any light.
        """
        change = self.amplitudes - self.amplitude
        beyond = np.maximum(LEAST_CHANGE * abs(self.amplitude), SURE * self.errors)
        signs: NDArray[np.int_] = np.where(np.abs(change) > beyond, np.sign(change), 0).astype(int)
        return signs

    def part(self, places: Sequence[int]) -> "DarkSeries":
        """Take some of the frames.

        Parameters
        ----------
        places : sequence of int
            Which, in order.

        Returns
        -------
        DarkSeries
            A series of those.
        """
        index = list(places)
        frames = tuple(self.frames[n] for n in index)
        return DarkSeries(self.key, frames, self.amplitudes[index], self.errors[index])

    def median_of(self, measure: Callable[[FrameRecord], float]) -> float:
        """Take the median of something over the frames.

        Parameters
        ----------
        measure : callable
            Gives a number for a frame.

        Returns
        -------
        float
            In the unit of `measure`.
        """
        return float(np.median([measure(frame) for frame in self.frames]))


@dataclass(frozen=True, eq=False)  # no slots: they leave no room for cached properties
class DarkGroup:
    """All darks and biases of one sensor at one gain.

    Attributes
    ----------
    series : tuple of DarkSeries
        By night, kind and exposure.
    has_pattern : bool
        Whether the darks show enough warm pixels for amplitudes.
    """

    series: tuple[DarkSeries, ...]
    has_pattern: bool

    @classmethod
    def of(cls, frames: Sequence[FrameRecord]) -> Self:
        """Group frames, and measure their amplitudes.

        Parameters
        ----------
        frames : sequence of FrameRecord
            Single darks and biases of one sensor at one gain, at least one.

        Returns
        -------
        DarkGroup
            The group.
        """
        found = measure_amplitudes(frames)
        unknown = np.full(len(frames), np.nan)
        values, errors = (unknown, unknown) if found is None else (found.values, found.errors)
        index = {frame.path: n for n, frame in enumerate(frames)}
        series = []
        for one in group_series(frames):
            places = [index[frame.path] for frame in one.frames]
            series.append(DarkSeries(one.key, one.frames, values[places], errors[places]))
        return cls(tuple(series), found is not None)

    @cached_property
    def slope_per_c(self) -> tuple[float, float]:
        """How fast the logarithm of the dark current grows with the header's temperature.

        Returns the slope and its uncertainty, both per C.
        """
        usual = USUAL_SLOPE_PER_C, DOUBTFUL_SLOPE * USUAL_SLOPE_PER_C
        sure = [one for one in self.series if one.is_sure and one.temperature_c is not None]
        if not sure:
            return usual
        temperatures = np.array([one.temperature_c for one in sure], dtype=np.float64)
        far = np.abs(temperatures - np.median(temperatures)) >= LEAST_STEP_C
        if np.count_nonzero(far) < 2:  # one alone may be a header that lies
            return usual
        rates = np.array([one.log_rate for one in sure])
        slope, _ = straight_line(temperatures, rates, least_step=LEAST_STEP_C)
        slope = float(np.clip(slope, *SLOPE_LIMITS_PER_C))
        return slope, (SURE_SLOPE if len(sure) >= FEW_SERIES else DOUBTFUL_SLOPE) * slope

    def witnesses(self, series: DarkSeries) -> list[DarkSeries]:
        """List the other series that can predict the pattern of this one.

        Parameters
        ----------
        series : DarkSeries
            A series of the group.

        Returns
        -------
        list of DarkSeries
            Those of known temperature where its own is known; else those of the same night.
        """
        others = [one for one in self.series if one is not series and one.is_sure]
        if series.temperature_c is None:
            return [one for one in others if one.key.night == series.key.night]
        return [
            one
            for one in others
            if one.temperature_c is not None or one.key.night == series.key.night
        ]

    def carried_log_rates(self, witnesses: Sequence[DarkSeries], series: DarkSeries) -> Values:
        """Predict the rate of a series from each of its witnesses.

        Parameters
        ----------
        witnesses : sequence of DarkSeries
            As `witnesses` gives them.
        series : DarkSeries
            The series in question.

        Returns
        -------
        ndarray of float64, shape (n,)
            Logarithms of amplitude over exposure, carried to the temperature of `series`.
        """
        slope, _ = self.slope_per_c
        own = series.temperature_c
        return np.array(
            [
                one.log_rate
                + (0.0 if own is None or (t := one.temperature_c) is None else slope * (own - t))
                for one in witnesses
            ],
            dtype=np.float64,
        )

    def without(self, series: DarkSeries) -> "DarkGroup":
        """Leave a series out.

        Parameters
        ----------
        series : DarkSeries
            One of the group's.

        Returns
        -------
        DarkGroup
            The others.
        """
        rest = tuple(one for one in self.series if one is not series)
        return DarkGroup(rest, self.has_pattern)
