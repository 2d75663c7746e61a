"""Series of exposures: the camera warms itself, telegraph pixels go on from frame to frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

import numpy as np

from solodark.frames import FrameKind
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.chain import expose
from solodark.synthetic.records import Circumstances, SyntheticExposure
from solodark.synthetic.telegraph import TelegraphState
from solodark.synthetic.temperature import header_temperature, self_heating

__all__ = ["SeriesPlan", "expose_series", "stream_series"]

PAUSE_S = 3.0
"""From the end of one sub to the start of the next: reading out and saving."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SeriesPlan:
    """A series of exposures before it is taken.

    Attributes
    ----------
    kind : FrameKind
        Darks, biases, lights or flats.
    n : int
        How many.
    exposure_s : float
        Exposure time of each.
    ambient_temperature_c : float
        Temperature around the camera at the first exposure.
    iso : int or None
        ISO or gain number; None for the camera's first one.
    start : datetime
        Start of the first exposure, timezone-aware.
    warm_s : float
        How long the camera has been exposing before.
    drift_c : float
        Steady change of the surroundings from the first exposure to the last.
    """

    kind: FrameKind
    n: int
    exposure_s: float
    ambient_temperature_c: float
    iso: int | None
    start: datetime
    warm_s: float = 0.0
    drift_c: float = 0.0

    @property
    def duration_s(self) -> float:
        """Time from the first exposure's start to the last one's end and its pause."""
        return self.n * (self.exposure_s + PAUSE_S)

    @property
    def end(self) -> datetime:
        """Time when the next series may start."""
        return self.start + timedelta(seconds=self.duration_s)

    def followed_by(self, kind: FrameKind, n: int, exposure_s: float) -> Self:
        """Plan the series after this one: same settings, the camera warm, the air as it is then.

        Parameters
        ----------
        kind : FrameKind
            Darks, biases, lights or flats.
        n : int
            How many.
        exposure_s : float
            Exposure time of each.

        Returns
        -------
        SeriesPlan
            Its surroundings no longer change.
        """
        return replace(
            self,
            kind=kind,
            n=n,
            exposure_s=exposure_s,
            ambient_temperature_c=self.ambient_temperature_c + self.drift_c,
            start=self.end,
            warm_s=self.warm_s + self.duration_s,
            drift_c=0.0,
        )


def expose_series(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    *,
    n: int,
    exposure_s: float,
    ambient_temperature_c: float,
    start: datetime,
    iso: int | None = None,
    telegraph_state: TelegraphState | None = None,
) -> list[SyntheticExposure]:
    """Take a series of darks; the camera warms itself while it exposes.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes them.
    rng : numpy.random.Generator
        The dice.
    n : int
        Number of darks.
    exposure_s : float
        Exposure time of each.
    ambient_temperature_c : float
        Temperature around the camera; the sensor starts there and approaches
        ``settings.self_heating_c`` above it.
    start : datetime
        Start of the first, timezone-aware.
    iso : int, optional
        ISO or gain number; the camera's first one where it is left out.
    telegraph_state : TelegraphState, optional
        Levels of dark-type telegraph pixels at some earlier time.

    Returns
    -------
    list of SyntheticExposure
        In the order of taking; `stream_series` gives them one by one.

    Raises
    ------
    SettingError
        A negative exposure, an unknown ISO, a date without time zone.
    """
    plan = SeriesPlan(
        kind=FrameKind.DARK,
        n=n,
        exposure_s=exposure_s,
        ambient_temperature_c=ambient_temperature_c,
        iso=iso,
        start=start,
    )
    return list(stream_series(camera, rng, plan, telegraph_state=telegraph_state))


def stream_series(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    plan: SeriesPlan,
    *,
    telegraph_state: TelegraphState | None = None,
) -> Iterator[SyntheticExposure]:
    """Take a series one exposure at a time, so that memory holds one frame.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes it.
    rng : numpy.random.Generator
        The dice.
    plan : SeriesPlan
        Kind, number, exposure, surroundings, ISO, start.
    telegraph_state : TelegraphState, optional
        Levels of dark-type telegraph pixels at some earlier time.

    Yields
    ------
    SyntheticExposure
        In the order of taking.
    """
    for circumstances in plan_exposures(camera, rng, plan):
        now = replace(circumstances, telegraph_state=telegraph_state)
        shot = expose(camera, rng, now)
        telegraph_state = shot.truth.telegraph_state
        yield shot


def plan_exposures(
    camera: SyntheticCamera, rng: np.random.Generator, plan: SeriesPlan
) -> Iterator[Circumstances]:
    """Say for each exposure of a series when it starts, how warm it is and what its header says.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes the series.
    rng : numpy.random.Generator
        The dice: the header's error and the glow's amplitude in this series.
    plan : SeriesPlan
        Kind, number, exposure, surroundings, ISO, start.

    Yields
    ------
    Circumstances
        In the order of taking.
    """
    settings = camera.settings
    scatter_c = settings.header_scatter_c * rng.standard_normal()
    glow_amplitude = float(np.exp(settings.glow_spread * rng.standard_normal()))
    for k in range(plan.n):
        start_s = k * (plan.exposure_s + PAUSE_S)
        at_start_c = _sensor_temperature(camera, plan, start_s)
        middle_c = _sensor_temperature(camera, plan, start_s + 0.5 * plan.exposure_s)
        yield Circumstances(
            kind=plan.kind,
            exposure_s=plan.exposure_s,
            temperature_c=middle_c + settings.alternation_c * (k % 2),
            header_temperature_c=header_temperature(settings, at_start_c, scatter_c),
            iso=plan.iso,
            date=plan.start + timedelta(seconds=start_s),
            glow_amplitude=glow_amplitude,
            name=f"{plan.kind}_{plan.start:%Y%m%d}_{k + 1:04d}",
        )


def _sensor_temperature(camera: SyntheticCamera, plan: SeriesPlan, elapsed_s: float) -> float:
    """Surroundings, as they drift, plus the camera's own heat."""
    last_start_s = max(1.0, (plan.n - 1) * (plan.exposure_s + PAUSE_S))
    ambient_c = plan.ambient_temperature_c + plan.drift_c * elapsed_s / last_start_s
    return ambient_c + self_heating(camera.settings, plan.warm_s + elapsed_s)
