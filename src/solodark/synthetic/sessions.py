"""A library of darks and biases: sessions over the years."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np

from solodark.errors import SettingError
from solodark.frames import FrameKind, Progress, silent
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.records import SyntheticExposure
from solodark.synthetic.series import SeriesPlan, stream_series

__all__ = ["SyntheticSession", "expose_library"]

Value = TypeVar("Value")

LIBRARY_START = datetime(2024, 1, 10, 21, 0, tzinfo=UTC)
EXPOSURES_S = (30.0, 60.0, 120.0, 180.0, 300.0)
MEAN_NIGHT_C = 11.0
SEASON_C = 9.0
NIGHT_TO_NIGHT_C = 3.0
COLDEST_DAY = 15
"""Day of the year with the coldest nights, in mid January."""


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


def _evenly(rng: np.random.Generator, choices: Sequence[Value], n: int) -> list[Value]:
    """Deal n of the choices, each equally often as far as n allows, in random order."""
    dealt = [choices[k % len(choices)] for k in range(n)]
    return [dealt[k] for k in rng.permutation(n)]
