"""The demo's photographer: darks of many nights, a few mistakes among them, one new night."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
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

__all__ = ["DemoNight", "photograph"]

SHAPE = (512, 768)
ISO = 800
SESSIONS = 14
SUBS_PER_SESSION = 6
BIASES_PER_SESSION = 4
LIBRARY_EXPOSURES_S = (60.0, 120.0, 180.0, 300.0)
NEW_EXPOSURE_S = 180.0
WARM_NIGHT_C = 19.0
WARMED_UP_S = 3600.0
SUBS_TONIGHT = 24


@dataclass(frozen=True, eq=False, slots=True)
class DemoNight:
    """What the photographer has, and what only the demo knows.

    Attributes
    ----------
    darks_folder : Path
        Darks and biases of many nights, a few bad files among them.
    sub_path : Path
        The one new dark.
    tonight : tuple of Frame
        Darks of the new night, the one new dark first; the others only judge.
    truth_adu : ndarray of float32, shape (ny, nx)
        What the new dark would be without any noise.
    planted : dict of Path to str
        The bad files, and what is wrong with each.
    camera : SyntheticCamera
        What took them.
    """

    darks_folder: Path
    sub_path: Path
    tonight: tuple[Frame, ...]
    truth_adu: NDArray[np.float32]
    planted: dict[Path, str]
    camera: SyntheticCamera


def photograph(folder: Path, rng: np.random.Generator, *, progress: Progress = silent) -> DemoNight:
    """Take and write the darks of a year and a half, and the darks of one warm night after it.

    Parameters
    ----------
    folder : Path
        Where ``darks/`` and ``tonight/`` are made.
    rng : numpy.random.Generator
        The dice.
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
    camera = make_camera(rng, shape=SHAPE)
    for session in _library(camera, rng, progress):
        _write_session(folder / "darks", session)
    planted = _plant_mistakes(folder / "darks", camera, rng, session)
    tonight = list(
        progress(_new_night(camera, rng, session), "taking tonight's darks", SUBS_TONIGHT)
    )
    sub_path = _write(folder / "tonight", tonight[0].frame, "dark_0001")
    return DemoNight(
        darks_folder=folder / "darks",
        sub_path=sub_path,
        tonight=tuple(shot.frame for shot in tonight),
        truth_adu=_noiseless(camera, tonight[0]),
        planted=planted,
        camera=camera,
    )


def _library(
    camera: SyntheticCamera, rng: np.random.Generator, progress: Progress
) -> Iterator[SyntheticSession]:
    return expose_library(
        camera,
        rng,
        n_sessions=SESSIONS,
        subs_per_session=SUBS_PER_SESSION,
        biases_per_session=BIASES_PER_SESSION,
        isos=[ISO],
        exposures_s=LIBRARY_EXPOSURES_S,
        years=1.5,
        progress=progress,
    )


def _write_session(folder: Path, session: SyntheticSession) -> None:
    """Write a session as cameras do: a folder per night, one file per exposure."""
    night = folder / _night_name(session)
    for shot in (*session.darks, *session.biases):
        _write(night, shot.frame, shot.frame.name)


def _night_name(session: SyntheticSession) -> str:
    return f"{session.plan.start:%Y-%m-%d}_{session.plan.exposure_s:.0f}s"


def _write(folder: Path, frame: Frame, name: str) -> Path:
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
        make_scene(rng, shape=SHAPE),
        rng,
        exposure_s=session.plan.exposure_s,
        temperature_c=session.darks[-1].truth.temperature_c,
        date=session.plan.end,
        iso=ISO,
    ).frame
    as_dark = replace(light, acquisition=replace(light.acquisition, kind=FrameKind.DARK))
    mistaken = replace(dark, acquisition=replace(dark.acquisition, exposure_s=1.0))
    whole = _write(night, dark, "dark_0092")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    return {
        _write(night, as_dark, "dark_0090"): "a light among the darks",
        _write(night, mistaken, "dark_0091"): "a wrong exposure in the header",
        whole: "a file cut off while it was copied",
    }


def _new_night(
    camera: SyntheticCamera, rng: np.random.Generator, session: SyntheticSession
) -> Iterator[SyntheticExposure]:
    """Take darks on a warm night two months after the library's last, the camera warmed up."""
    plan = SeriesPlan(
        kind=FrameKind.DARK,
        n=SUBS_TONIGHT,
        exposure_s=NEW_EXPOSURE_S,
        ambient_temperature_c=WARM_NIGHT_C,
        iso=ISO,
        start=session.plan.start + timedelta(days=60),
        warm_s=WARMED_UP_S,
    )
    return stream_series(camera, rng, plan, telegraph_state=session.darks[-1].truth.telegraph_state)


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
