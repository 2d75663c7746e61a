"""Lights and flats: the same dark signal, and photons through the optics."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import FrameKind, cfa_planes
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.chain import expose
from solodark.synthetic.pointing import Pointing
from solodark.synthetic.records import Circumstances, SyntheticExposure
from solodark.synthetic.scene import Scene, plane_colours, scene_electrons
from solodark.synthetic.temperature import misread_temperature

__all__ = ["expose_flat", "expose_light", "flat_electrons", "light_electrons"]

Image = NDArray[np.float32]

COLOUR_OF_PANEL = (0.75, 1.0, 1.0, 0.8)


def expose_light(
    camera: SyntheticCamera,
    scene: Scene,
    rng: np.random.Generator,
    *,
    exposure_s: float,
    temperature_c: float,
    date: datetime,
    iso: int | None = None,
    pointing: Pointing | None = None,
) -> SyntheticExposure:
    """Take one light.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes it.
    scene : Scene
        What it looks at.
    rng : numpy.random.Generator
        The dice.
    exposure_s : float
        Exposure time.
    temperature_c : float
        True sensor temperature.
    date : datetime
        Start of the exposure, timezone-aware.
    iso : int, optional
        ISO or gain number; the camera's first one where it is left out.
    pointing : Pointing, optional
        Where the frame looks; straight at the scene where it is left out.

    Returns
    -------
    SyntheticExposure
        Frame and truth, ``truth.pointing`` among it.

    Raises
    ------
    SettingError
        A negative exposure, an unknown ISO, a date without time zone.
    """
    pointing = pointing or Pointing()
    return expose(
        camera,
        rng,
        Circumstances(
            kind=FrameKind.LIGHT,
            exposure_s=exposure_s,
            temperature_c=temperature_c,
            header_temperature_c=misread_temperature(camera.settings, rng, temperature_c),
            iso=iso,
            date=date,
            photons_e=light_electrons(camera, scene, exposure_s=exposure_s, pointing=pointing),
            pointing=pointing,
        ),
    )


def expose_flat(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    *,
    temperature_c: float,
    date: datetime,
    iso: int | None = None,
    exposure_s: float = 1.0,
    filling: float = 0.4,
) -> SyntheticExposure:
    """Take one flat of an evenly lit panel.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes it.
    rng : numpy.random.Generator
        The dice.
    temperature_c : float
        True sensor temperature.
    date : datetime
        Start of the exposure, timezone-aware.
    iso : int, optional
        ISO or gain number; the camera's first one where it is left out.
    exposure_s : float
        Exposure time.
    filling : float
        Signal of the brightest pixels over what the camera can hold at this ISO.

    Returns
    -------
    SyntheticExposure
        Frame and truth.

    Raises
    ------
    SettingError
        A negative exposure, an unknown ISO, a date without time zone, a filling outside 0 to 1.
    """
    return expose(
        camera,
        rng,
        Circumstances(
            kind=FrameKind.FLAT,
            exposure_s=exposure_s,
            temperature_c=temperature_c,
            header_temperature_c=misread_temperature(camera.settings, rng, temperature_c),
            iso=iso,
            date=date,
            photons_e=flat_electrons(camera, iso=iso, filling=filling),
        ),
    )


def light_electrons(
    camera: SyntheticCamera, scene: Scene, *, exposure_s: float, pointing: Pointing | None = None
) -> Image:
    """Give the electrons that the sky frees in this camera, without noise and dark signal.

    Parameters
    ----------
    camera : SyntheticCamera
        Its colours and its response.
    scene : Scene
        What it looks at.
    exposure_s : float
        Exposure time.
    pointing : Pointing, optional
        Where the frame looks; straight at the scene where it is left out.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Mean electrons.
    """
    sky = scene_electrons(
        scene,
        camera.shape,
        exposure_s=exposure_s,
        cfa_pattern=camera.cfa_pattern,
        pointing=pointing,
    )
    sky *= camera.response
    return sky


def flat_electrons(
    camera: SyntheticCamera, *, iso: int | None = None, filling: float = 0.4
) -> Image:
    """Give the electrons that an evenly lit panel frees, without noise.

    Parameters
    ----------
    camera : SyntheticCamera
        Its colours and its response.
    iso : int, optional
        ISO or gain number; the camera's first one where it is left out.
    filling : float
        Signal of the brightest pixels over what the camera can hold at this ISO.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Mean electrons.

    Raises
    ------
    SettingError
        An unknown ISO, or a filling outside 0 to 1.
    """
    if not 0 <= filling <= 1:
        raise SettingError(f"found a filling of {filling} for a flat, expected 0 to 1")
    settings = camera.settings
    range_adu = settings.full_scale_adu - settings.black_level_adu
    holds_e = min(settings.full_well_e, range_adu * settings.mode(iso).gain_e_per_adu)
    panel = camera.response * np.float32(filling * holds_e)
    colours = plane_colours(COLOUR_OF_PANEL, camera.cfa_pattern)
    for plane, colour in zip(cfa_planes(camera.cfa_pattern), colours, strict=True):
        panel[plane] *= np.float32(colour)
    return panel
