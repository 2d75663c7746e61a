"""A night out: lights while the air cools, then flats, darks and biases."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from solodark.frames import FrameKind
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.chain import expose
from solodark.synthetic.lights import flat_electrons, light_electrons
from solodark.synthetic.pointing import Pointing
from solodark.synthetic.records import Circumstances, SyntheticExposure
from solodark.synthetic.scene import Scene
from solodark.synthetic.series import SeriesPlan, plan_exposures

__all__ = ["NightPlan", "expose_night"]

WARM_S = 3600.0
"""The camera has been focusing and framing for that long: it is in balance with the air."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """A night before it begins; the defaults are those of the paper's.

    Attributes
    ----------
    n_lights, n_darks, n_flats, n_biases : int
        How many of each, in this order: lights, darks, flats, biases.
    exposure_s : float
        Of lights and darks.
    flat_exposure_s : float
        Of the flats.
    iso : int or None
        ISO or gain number; None for the camera's first one.
    start : datetime
        Start of the first light, timezone-aware.
    ambient_temperature_c : float
        Temperature around the camera at the first light.
    cooling_c : float
        Fall of that temperature until the last light; afterwards it stays.
    drift_y_px, drift_x_px : float
        Drift of the sky from light to light.
    rotation_deg : float
        Turn of the sky from the first light to the last.
    jitter_px : float
        Error of the guiding from light to light, rms in y and in x.
    dither_px : float
        Largest deliberate shift between lights, in y and in x; 0 for none.
    """

    n_lights: int = 34
    n_darks: int = 20
    n_flats: int = 20
    n_biases: int = 20
    exposure_s: float = 180.0
    flat_exposure_s: float = 1.0
    iso: int | None = None
    start: datetime = datetime(2024, 8, 10, 21, 30, tzinfo=UTC)
    ambient_temperature_c: float = 22.0
    cooling_c: float = 8.0
    drift_y_px: float = 0.12
    drift_x_px: float = 0.3
    rotation_deg: float = 0.3
    jitter_px: float = 0.25
    dither_px: float = 0.0


def expose_night(
    camera: SyntheticCamera,
    scene: Scene,
    rng: np.random.Generator,
    plan: NightPlan | None = None,
) -> Iterator[SyntheticExposure]:
    """Take a whole night, one frame after the other; memory holds one.

    Lights first, while the air cools; then darks, flats and biases at its end. Which is which says
    ``frame.acquisition.kind``.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes it.
    scene : Scene
        What the lights look at.
    rng : numpy.random.Generator
        The dice; the same dice give the same night.
    plan : NightPlan, optional
        The paper's night where it is left out: 34 lights of 180 s and a fall of 8 C.

    Yields
    ------
    SyntheticExposure
        In the order of taking.

    Raises
    ------
    SettingError
        An unknown ISO, a negative exposure, a date without time zone.
    """
    plan = plan or NightPlan()
    pointings = iter(_draw_pointings(rng, plan))
    telegraph_state = None
    for series in _plan_series(camera, plan):
        for planned in plan_exposures(camera, rng, series):
            lit = _with_light(camera, scene, planned, pointings)
            shot = expose(camera, rng, replace(lit, telegraph_state=telegraph_state))
            telegraph_state = shot.truth.telegraph_state
            yield shot


def _with_light(
    camera: SyntheticCamera, scene: Scene, now: Circumstances, pointings: Iterator[Pointing]
) -> Circumstances:
    """Add the photons of the sky to a light, those of the panel to a flat, none to the others."""
    if now.kind is FrameKind.LIGHT:
        pointing = next(pointings)
        photons_e = light_electrons(camera, scene, exposure_s=now.exposure_s, pointing=pointing)
        return replace(now, photons_e=photons_e, pointing=pointing)
    if now.kind is FrameKind.FLAT:
        return replace(now, photons_e=flat_electrons(camera, iso=now.iso))
    return now


def _plan_series(camera: SyntheticCamera, plan: NightPlan) -> list[SeriesPlan]:
    """Lights, darks, flats and biases, each from the end of the one before."""
    lights = SeriesPlan(
        kind=FrameKind.LIGHT,
        n=plan.n_lights,
        exposure_s=plan.exposure_s,
        ambient_temperature_c=plan.ambient_temperature_c,
        iso=plan.iso,
        start=plan.start,
        warm_s=WARM_S,
        drift_c=-plan.cooling_c,
    )
    darks = lights.followed_by(FrameKind.DARK, plan.n_darks, plan.exposure_s)
    flats = darks.followed_by(FrameKind.FLAT, plan.n_flats, plan.flat_exposure_s)
    shortest_s = camera.settings.shortest_exposure_s
    return [lights, darks, flats, flats.followed_by(FrameKind.BIAS, plan.n_biases, shortest_s)]


def _draw_pointings(rng: np.random.Generator, plan: NightPlan) -> list[Pointing]:
    """Steady drift and rotation, the guiding's jitter, and dithering where it is wanted."""
    random_px = plan.jitter_px * rng.standard_normal((plan.n_lights, 2))
    random_px += plan.dither_px * rng.uniform(-1.0, 1.0, (plan.n_lights, 2))
    turn_rad = np.deg2rad(plan.rotation_deg) * np.linspace(0.0, 1.0, plan.n_lights)
    transparency = 1.0 - 0.04 * rng.random(plan.n_lights)
    sky_factor = 1.0 + 0.1 * np.linspace(0.0, 1.0, plan.n_lights) ** 2
    return [
        Pointing(
            dy_px=plan.drift_y_px * k + float(random_px[k, 0]),
            dx_px=plan.drift_x_px * k + float(random_px[k, 1]),
            rotation_rad=float(turn_rad[k]),
            transparency=float(transparency[k]),
            sky_factor=float(sky_factor[k]),
        )
        for k in range(plan.n_lights)
    ]
