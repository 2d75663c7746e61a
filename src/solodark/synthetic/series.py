"""Series of exposures as people take them: warming subs, sessions over the years."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

import numpy as np

from solodark.errors import SettingError
from solodark.frames import FrameKind, Progress, silent
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.chain import expose
from solodark.synthetic.records import Circumstances, SyntheticExposure
from solodark.synthetic.telegraph import TelegraphState
from solodark.synthetic.temperature import header_temperature, self_heating

__all__ = ["SeriesPlan", "SyntheticSession", "expose_library", "expose_series", "stream_series"]

Value = TypeVar("Value")

PAUSE_S = 3.0
"""From the end of one sub to the start of the next: reading out and saving."""

LIBRARY_START = datetime(2024, 1, 10, 21, 0, tzinfo=UTC)
EXPOSURES_S = (30.0, 60.0, 120.0, 180.0, 300.0)
MEAN_NIGHT_C = 11.0
SEASON_C = 9.0
NIGHT_TO_NIGHT_C = 3.0
COLDEST_DAY = 15
"""Day of the year with the coldest nights, in mid January."""


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


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SyntheticSession:
    """Darks and biases of one night at one exposure and one ISO.

    Attributes
    ----------
    index : int
        Number of the session, from 0.
    plan : SeriesPlan
        Start, exposure, ISO and surroundings of the darks.
    darks, biases : tuple of SyntheticExposure
        In the order of taking.
    """

    index: int
    plan: SeriesPlan
    darks: tuple[SyntheticExposure, ...]
    biases: tuple[SyntheticExposure, ...]


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
            name=f"{plan.kind}_{k + 1:04d}",
        )


def expose_library(  # noqa: PLR0913 - a library has that many sides, and all have a default
    camera: SyntheticCamera,
    rng: np.random.Generator,
    *,
    n_sessions: int = 60,
    subs_per_session: int = 18,
    biases_per_session: int = 10,
    isos: Sequence[int] | None = None,
    exposures_s: Sequence[float] = EXPOSURES_S,
    years: float = 2.0,
    progress: Progress = silent,
) -> Iterator[SyntheticSession]:
    """Take the darks and biases of years, one session after the other.

    Nights follow the seasons, each at one ISO and one exposure; over all sessions every ISO and
    every exposure is used equally often. Hot pixels are born meanwhile, and telegraph pixels go on
    from where the last session left them. Memory holds one session.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes them.
    rng : numpy.random.Generator
        The dice; the same dice give the same library.
    n_sessions, subs_per_session, biases_per_session : int
        How many.
    isos : sequence of int, optional
        ISOs or gain numbers; all of the camera's where it is left out.
    exposures_s : sequence of float
        Exposure times.
    years : float
        From the first session to the last.
    progress : Progress
        Who is told.

    Yields
    ------
    SyntheticSession
        In the order of time.

    Raises
    ------
    SettingError
        No sessions, or no darks in them; an unknown ISO.
    """
    _require_some(n_sessions=n_sessions, subs_per_session=subs_per_session)
    modes = isos or [mode.setting for mode in camera.settings.modes]
    session_isos = _evenly(rng, modes, n_sessions)
    session_exposures_s = _evenly(rng, exposures_s, n_sessions)
    telegraph_state = None
    for index in progress(range(n_sessions), "taking synthetic darks", n_sessions):
        day = 365.25 * years * index / max(1, n_sessions - 1)
        start = LIBRARY_START + timedelta(days=round(day))
        plan = SeriesPlan(
            kind=FrameKind.DARK,
            n=subs_per_session,
            exposure_s=session_exposures_s[index],
            ambient_temperature_c=_night_temperature(rng, start),
            iso=session_isos[index],
            start=start,
        )
        darks = tuple(stream_series(camera, rng, plan, telegraph_state=telegraph_state))
        telegraph_state = darks[-1].truth.telegraph_state
        biases = plan.followed_by(
            FrameKind.BIAS, biases_per_session, camera.settings.shortest_exposure_s
        )
        yield SyntheticSession(
            index=index,
            plan=plan,
            darks=darks,
            biases=tuple(stream_series(camera, rng, biases, telegraph_state=telegraph_state)),
        )


def _require_some(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise SettingError(f"found {name}={count}, expected at least 1")


def _night_temperature(rng: np.random.Generator, date: datetime) -> float:
    """Draw the temperature of a night: the season's, give or take the weather's."""
    phase = 2.0 * np.pi * (date.timetuple().tm_yday - COLDEST_DAY) / 365.25
    weather_c = NIGHT_TO_NIGHT_C * rng.standard_normal()
    return float(MEAN_NIGHT_C - SEASON_C * np.cos(phase) + weather_c)


def _sensor_temperature(camera: SyntheticCamera, plan: SeriesPlan, elapsed_s: float) -> float:
    """Surroundings, as they drift, plus the camera's own heat."""
    last_start_s = max(1.0, (plan.n - 1) * (plan.exposure_s + PAUSE_S))
    ambient_c = plan.ambient_temperature_c + plan.drift_c * elapsed_s / last_start_s
    return ambient_c + self_heating(camera.settings, plan.warm_s + elapsed_s)


def _evenly(rng: np.random.Generator, choices: Sequence[Value], n: int) -> list[Value]:
    """Deal n of the choices, each equally often as far as n allows, in random order."""
    dealt = [choices[k % len(choices)] for k in range(n)]
    return [dealt[k] for k in rng.permutation(n)]
