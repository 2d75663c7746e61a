"""Single darks and biases."""

from datetime import datetime

import numpy as np

from solodark.frames import FrameKind
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.chain import expose
from solodark.synthetic.records import Circumstances, SyntheticExposure
from solodark.synthetic.telegraph import TelegraphState
from solodark.synthetic.temperature import misread_temperature

__all__ = ["expose_bias", "expose_dark"]


def expose_dark(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    *,
    exposure_s: float,
    temperature_c: float,
    date: datetime,
    iso: int | None = None,
    telegraph_state: TelegraphState | None = None,
    glow_amplitude: float = 1.0,
) -> SyntheticExposure:
    """Take one dark.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes it.
    rng : numpy.random.Generator
        The dice; the same dice give the same dark.
    exposure_s : float
        Exposure time.
    temperature_c : float
        True sensor temperature.
    date : datetime
        Start of the exposure, timezone-aware: it says which hot pixels are born.
    iso : int, optional
        ISO or gain number; the camera's first one where it is left out.
    telegraph_state : TelegraphState, optional
        Levels of dark-type telegraph pixels at an earlier time, ``dark.truth.telegraph_state``;
        they evolve from there. Drawn from the long run where it is left out.
    glow_amplitude : float
        State of the glow; 1 is its mean.

    Returns
    -------
    SyntheticExposure
        Frame and truth.

    Raises
    ------
    SettingError
        A negative exposure, an unknown ISO, a date without time zone.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from solodark.synthetic import expose_dark, make_camera
    >>> rng = np.random.default_rng(1)
    >>> camera = make_camera(rng, shape=(64, 96))
    >>> dark = expose_dark(camera, rng, exposure_s=60.0, temperature_c=21.3, iso=1600,
    ...                    date=datetime(2024, 6, 1, tzinfo=UTC))
    >>> dark.frame.shape, dark.truth.temperature_c
    ((64, 96), 21.3)
    >>> round(float(np.median(dark.frame.data)), -1)
    2040.0
    """
    return expose(
        camera,
        rng,
        Circumstances(
            kind=FrameKind.DARK,
            exposure_s=exposure_s,
            temperature_c=temperature_c,
            header_temperature_c=misread_temperature(camera.settings, rng, temperature_c),
            iso=iso,
            date=date,
            telegraph_state=telegraph_state,
            glow_amplitude=glow_amplitude,
        ),
    )


def expose_bias(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    *,
    temperature_c: float,
    date: datetime,
    iso: int | None = None,
) -> SyntheticExposure:
    """Take one bias: the camera's shortest exposure in the dark.

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

    Returns
    -------
    SyntheticExposure
        Frame and truth.

    Raises
    ------
    SettingError
        An unknown ISO, or a date without time zone.
    """
    told_c = misread_temperature(camera.settings, rng, temperature_c)
    return expose(
        camera,
        rng,
        Circumstances(
            kind=FrameKind.BIAS,
            exposure_s=camera.settings.shortest_exposure_s,
            temperature_c=temperature_c,
            header_temperature_c=told_c,
            iso=iso,
            date=date,
        ),
    )
