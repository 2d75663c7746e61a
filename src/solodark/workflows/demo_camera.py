"""The demo's photographer: darks of many nights, a few mistakes among them, one new night."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.formats import write_frame
from solodark.frames import Frame, FrameKind, Progress, silent
from solodark.synthetic import (
    SeriesPlan,
    SyntheticCamera,
    SyntheticExposure,
    SyntheticSession,
    expose_library,
    expose_light,
    make_camera,
    make_scene,
    stream_series,
)

__all__ = ["ISO", "WARM_NIGHT_C", "DemoNight", "DemoPlan", "photograph", "write_exposure"]

ISO = 800
LIBRARY_EXPOSURES_S = (60.0, 120.0, 180.0, 300.0)
NEW_EXPOSURE_S = 240.0
"""An exposure that the library does not hold, as happens when the target or the sky changes."""
WARM_NIGHT_C = 19.0
WARMED_UP_S = 3600.0
MONTHS_BETWEEN = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """How much the demo's photographer does.

    Attributes
    ----------
    shape : tuple of int
        (ny, nx) of the sensor.
    n_sessions : int
        Nights of the library.
    subs_per_session, biases_per_session : int
        Darks and biases of each.
    subs_tonight : int
        Darks of the new night; the first becomes a master, the others judge it.
    subs_averaged : int
        How many of them the classical master averages; at least two fewer.
    n_lights, n_night_darks : int
        Lights of the night that is stacked, and darks at its end.
    stars_per_megapixel : float
        In these lights.
    """

    shape: tuple[int, int] = (512, 768)
    n_sessions: int = 14
    subs_per_session: int = 6
    biases_per_session: int = 4
    subs_tonight: int = 24
    subs_averaged: int = 20
    n_lights: int = 10
    n_night_darks: int = 20
    stars_per_megapixel: float = 2500.0


@dataclass(frozen=True, eq=False, slots=True)
class DemoNight:
    """What the photographer has, and what only the demo knows.

    Attributes
    ----------
    darks_folder : Path
        Darks and biases of many nights, a few bad files among them.
    tonight_folder : Path
        Darks of the new night.
    sub_path : Path
        The one new dark, the first of them.
    tonight : tuple of Frame
        Darks of the new night, the one new dark first; the others only judge.
    truth_adu : ndarray of float32, shape (ny, nx)
        What the new dark would be without any noise.
    masks : dict of str to ndarray of bool, shape (ny, nx)
        Pixels that hop, "telegraph", and those born since the last of the darks, "newborn".
    planted : dict of Path to str
        The bad files, and what is wrong with each.
    camera : SyntheticCamera
        What took them.
    last_date : datetime
        When the warm night began.
    """

    darks_folder: Path
    tonight_folder: Path
    sub_path: Path
    tonight: tuple[Frame, ...]
    truth_adu: NDArray[np.float32]
    masks: dict[str, NDArray[np.bool_]]
    planted: dict[Path, str]
    camera: SyntheticCamera
    last_date: datetime


def photograph(
    folder: Path, rng: np.random.Generator, plan: DemoPlan, *, progress: Progress = silent
) -> DemoNight:
    """Take and write the darks of a year and a half, and the darks of one warm night after it.

    Parameters
    ----------
    folder : Path
        Where ``darks/`` and ``tonight/`` are made.
    rng : numpy.random.Generator
        The dice.
    plan : DemoPlan
        How much.
    progress : Progress
        Who is told.

    Returns
    -------
    DemoNight
        The files, and the truth behind them.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    camera = make_camera(rng, shape=plan.shape)
    for session in _library(camera, rng, plan, progress):
        _write_session(folder / "darks", session)
    planted = _plant_mistakes(folder / "darks", camera, rng, session)
    n = plan.subs_tonight
    shots = _new_night(camera, rng, session, n)
    tonight = list(progress(shots, "taking tonight's darks", n))
    paths = [write_exposure(folder / "tonight", shot.frame, shot.frame.name) for shot in tonight]
    return DemoNight(
        darks_folder=folder / "darks",
        tonight_folder=folder / "tonight",
        sub_path=paths[0],
        tonight=tuple(shot.frame for shot in tonight),
        truth_adu=_noiseless(camera, tonight[0]),
        masks=_masks(camera, session),
        planted=planted,
        camera=camera,
        last_date=session.plan.start + MONTHS_BETWEEN,
    )


def _library(
    camera: SyntheticCamera, rng: np.random.Generator, plan: DemoPlan, progress: Progress
) -> Iterator[SyntheticSession]:
    return expose_library(
        camera,
        rng,
        n_sessions=plan.n_sessions,
        subs_per_session=plan.subs_per_session,
        biases_per_session=plan.biases_per_session,
        isos=[ISO],
        exposures_s=LIBRARY_EXPOSURES_S,
        years=1.5,
        progress=progress,
    )


def _write_session(folder: Path, session: SyntheticSession) -> None:
    """Write a session as cameras do: a folder per night, one file per exposure."""
    night = folder / _night_name(session)
    for shot in (*session.darks, *session.biases):
        write_exposure(night, shot.frame, shot.frame.name)


def _night_name(session: SyntheticSession) -> str:
    return f"{session.plan.start:%Y-%m-%d}_{session.plan.exposure_s:.0f}s"


def write_exposure(folder: Path, frame: Frame, name: str) -> Path:
    """Write a frame as a camera does: whole numbers, in a folder that is made where it is missing.

    Parameters
    ----------
    folder : Path
        Where.
    frame : Frame
        What.
    name : str
        Of the file, without its suffix.

    Returns
    -------
    Path
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.fits"
    write_frame(path, frame, pixel_type="uint16")
    return path


def _plant_mistakes(
    folder: Path, camera: SyntheticCamera, rng: np.random.Generator, session: SyntheticSession
) -> dict[Path, str]:
    """Add what happens to everybody: a light and a wrong header among the darks, a cut-off file."""
    night = folder / _night_name(session)
    dark = session.darks[-1].frame
    light = expose_light(
        camera,
        make_scene(rng, shape=camera.shape),
        rng,
        exposure_s=session.plan.exposure_s,
        temperature_c=session.darks[-1].truth.temperature_c,
        date=session.plan.end,
        iso=ISO,
    ).frame
    as_dark = replace(light, acquisition=replace(light.acquisition, kind=FrameKind.DARK))
    mistaken = replace(dark, acquisition=replace(dark.acquisition, exposure_s=1.0))
    whole = write_exposure(night, dark, "dark_0092")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    return {
        write_exposure(night, as_dark, "dark_0090"): "a light among the darks",
        write_exposure(night, mistaken, "dark_0091"): "a wrong exposure in the header",
        whole: "a file cut off while it was copied",
    }


def _new_night(
    camera: SyntheticCamera, rng: np.random.Generator, session: SyntheticSession, n: int
) -> Iterator[SyntheticExposure]:
    """Take darks on a warm night two months after the library's last, the camera warmed up."""
    plan = SeriesPlan(
        kind=FrameKind.DARK,
        n=n,
        exposure_s=NEW_EXPOSURE_S,
        ambient_temperature_c=WARM_NIGHT_C,
        iso=ISO,
        start=session.plan.start + MONTHS_BETWEEN,
        warm_s=WARMED_UP_S,
    )
    return stream_series(camera, rng, plan, telegraph_state=session.darks[-1].truth.telegraph_state)


def _masks(camera: SyntheticCamera, last: SyntheticSession) -> dict[str, NDArray[np.bool_]]:
    return {
        "telegraph": camera.telegraph_dark_mask | camera.telegraph_read_mask,
        "newborn": camera.newborn_mask(last.plan.start, last.plan.start + MONTHS_BETWEEN),
    }


def _noiseless(camera: SyntheticCamera, shot: SyntheticExposure) -> NDArray[np.float32]:
    """Give what an exposure would show if it had no noise at all."""
    taken = shot.frame.acquisition
    return camera.expected_dark_adu(
        exposure_s=NEW_EXPOSURE_S,
        temperature_c=shot.truth.temperature_c,
        iso=ISO,
        date=taken.date_obs,
        glow_amplitude=shot.truth.glow_amplitude,
        telegraph_state=shot.truth.telegraph_state,
    )
