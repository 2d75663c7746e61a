"""One exposure of a synthetic camera: a dark, a bias, and the truth behind it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import Acquisition, Camera, Frame, FrameKind, cfa_planes, row_bands
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.cosmic_rays import draw_tracks
from solodark.synthetic.telegraph import TelegraphState
from solodark.synthetic.temperature import header_temperature

__all__ = ["ExposureTruth", "SyntheticDark", "expose_bias", "expose_dark"]

PROGRAM = "solodark synthetic camera"

GAUSSIAN_FROM_E = 50.0
"""From this mean on a Poisson number is drawn as a Gaussian of the same mean and variance: its
skewness, 1/sqrt(mean), is then below 0.15 and drowns in read noise, and it is ten times faster."""

BAND_ROWS = 256

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class ExposureTruth:
    """What really happened in one exposure.

    Attributes
    ----------
    temperature_c : float
        True sensor temperature.
    glow_amplitude : float
        State of the glow; 1 is its mean.
    telegraph_state : TelegraphState
        Levels of the dark-type telegraph pixels.
    telegraph_read_e : ndarray of float32, shape (n,)
        Hops of the read-type ones, in the order of ``camera.telegraph_read.index``.
    row_offset_e : ndarray of float32, shape (ny,)
        Row noise.
    plane_offset_adu : ndarray of float32, shape (4,) or (1,)
        Wander of the level of each CFA plane.
    cosmic_index : ndarray of int64, shape (m,)
        Pixels hit by cosmic rays, in the flattened image.
    shape : tuple of int
        (ny, nx) of the frame.
    """

    temperature_c: float
    glow_amplitude: float
    telegraph_state: TelegraphState
    telegraph_read_e: NDArray[np.float32]
    row_offset_e: NDArray[np.float32]
    plane_offset_adu: NDArray[np.float32]
    cosmic_index: NDArray[np.int64]
    shape: tuple[int, int]

    @property
    def cosmic_mask(self) -> NDArray[np.bool_]:
        """True where a cosmic ray hit, shape (ny, nx)."""
        mask = np.zeros(self.shape, dtype=np.bool_)
        mask.flat[self.cosmic_index] = True
        return mask


@dataclass(frozen=True, eq=False, slots=True)
class SyntheticDark:
    """A dark or a bias, and the truth behind it.

    Attributes
    ----------
    frame : Frame
        As the camera hands it out: whole ADU, a header whose temperature lies.
    truth : ExposureTruth
        What really happened.
    """

    frame: Frame
    truth: ExposureTruth


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Circumstances:
    """Everything about an exposure that the camera's dice do not decide."""

    kind: FrameKind
    exposure_s: float
    temperature_c: float
    header_temperature_c: float
    iso: int | None
    date: datetime
    telegraph_state: TelegraphState | None = None
    glow_amplitude: float = 1.0
    name: str = ""
    photons_e: Image | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.exposure_s >= 0:
            raise SettingError(f"found an exposure of {self.exposure_s} s, expected 0 s or more")
        if self.date.tzinfo is None:
            raise SettingError(
                f"the date {self.date} has no time zone; give it one, as in tzinfo=UTC"
            )


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
) -> SyntheticDark:
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
    SyntheticDark
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
            header_temperature_c=misread_temperature(camera, rng, temperature_c),
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
) -> SyntheticDark:
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
    SyntheticDark
        Frame and truth.

    Raises
    ------
    SettingError
        An unknown ISO, or a date without time zone.
    """
    told_c = misread_temperature(camera, rng, temperature_c)
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


def misread_temperature(
    camera: SyntheticCamera, rng: np.random.Generator, temperature_c: float
) -> float:
    """Draw what the header of a single exposure says."""
    scatter_c = camera.settings.header_scatter_c * rng.standard_normal()
    return header_temperature(camera.settings, temperature_c, scatter_c)


def expose(
    camera: SyntheticCamera, rng: np.random.Generator, circumstances: Circumstances
) -> SyntheticDark:
    """Run the whole chain: charge, shot noise, full well, read-out, optical black, converter."""
    telegraph_state = _telegraph_now(camera, rng, circumstances)
    now = replace(circumstances, telegraph_state=telegraph_state)
    charge_e, cosmic_index = _charge(camera, rng, now)
    signal_e = collect(rng, charge_e, camera.settings.full_well_e)
    truth = _draw_truth(camera, rng, now, cosmic_index, telegraph_state)
    _add_read_out(camera, rng, now, signal_e, truth)
    clamp_e = camera.clamp_e(now.exposure_s, now.temperature_c)
    level_adu = camera.to_adu(signal_e, iso=now.iso, clamp_e=clamp_e)
    for plane, offset in zip(cfa_planes(camera.cfa_pattern), truth.plane_offset_adu, strict=True):
        level_adu[plane] += offset
    np.rint(level_adu, out=level_adu)
    np.clip(level_adu, 0, camera.settings.full_scale_adu, out=level_adu)
    return SyntheticDark(Frame(level_adu, _header(camera, now), now.name or str(now.kind)), truth)


def collect(rng: np.random.Generator, charge_e: Image, full_well_e: float) -> Image:
    """Draw how many electrons each pixel holds: Poisson, up to the full well."""
    collected = np.empty_like(charge_e)
    for start, stop in row_bands((charge_e.shape[0], charge_e.shape[1]), rows=BAND_ROWS):
        mean = charge_e[start:stop]
        band = rng.standard_normal(mean.shape, dtype=np.float32)
        band *= np.sqrt(mean)
        band += mean
        few = mean < GAUSSIAN_FROM_E
        band[few] = rng.poisson(mean[few])
        np.minimum(band, np.float32(full_well_e), out=collected[start:stop])
    return collected


def _telegraph_now(
    camera: SyntheticCamera, rng: np.random.Generator, now: Circumstances
) -> TelegraphState:
    if now.telegraph_state is None:
        return camera.telegraph_dark.start(rng, now.date)
    return camera.telegraph_dark.evolve(rng, now.telegraph_state, now.date)


def _charge(
    camera: SyntheticCamera, rng: np.random.Generator, now: Circumstances
) -> tuple[Image, NDArray[np.int64]]:
    """Mean charge of each pixel: dark signal, light, cosmic rays; and where the last struck."""
    charge_e = camera.expected_dark_e(
        exposure_s=now.exposure_s,
        temperature_c=now.temperature_c,
        date=now.date,
        glow_amplitude=now.glow_amplitude,
        telegraph_state=now.telegraph_state,
    )
    if now.photons_e is not None:
        charge_e += now.photons_e
    cosmic_index, cosmic_e = draw_tracks(
        rng,
        camera.shape,
        exposure_s=now.exposure_s,
        pixel_size_um=camera.settings.pixel_size_um,
        rate_per_cm2_s=camera.settings.cosmic_rate_per_cm2_s,
    )
    charge_e.flat[cosmic_index] += cosmic_e
    return charge_e, cosmic_index


def _draw_truth(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    now: Circumstances,
    cosmic_index: NDArray[np.int64],
    telegraph_state: TelegraphState,
) -> ExposureTruth:
    """Draw what is new in each frame, and keep it beside what was given."""
    settings = camera.settings
    row = rng.standard_normal(camera.shape[0], dtype=np.float32)
    plane = rng.standard_normal(len(camera.plane_clamp), dtype=np.float32)
    return ExposureTruth(
        temperature_c=now.temperature_c,
        glow_amplitude=now.glow_amplitude,
        telegraph_state=telegraph_state,
        telegraph_read_e=camera.telegraph_read.draw_e(rng),
        row_offset_e=row * np.float32(settings.row_noise_e),
        plane_offset_adu=plane * np.float32(settings.level_noise_adu),
        cosmic_index=cosmic_index,
        shape=camera.shape,
    )


def _add_read_out(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    now: Circumstances,
    signal_e: Image,
    truth: ExposureTruth,
) -> None:
    """Add read noise, row noise and read-type telegraph hops to a signal of our own, in place."""
    read_noise_e = np.float32(camera.settings.mode(now.iso).read_noise_e)
    noise = rng.standard_normal(camera.shape, dtype=np.float32)
    noise *= camera.relative_read_noise
    noise *= read_noise_e
    signal_e += noise
    signal_e += truth.row_offset_e[:, None]
    signal_e.flat[camera.telegraph_read.index] += truth.telegraph_read_e


def _header(camera: SyntheticCamera, now: Circumstances) -> Acquisition:
    """Write what the camera puts beside the pixels."""
    settings = camera.settings
    mode = settings.mode(now.iso)
    return Acquisition(
        kind=now.kind,
        kind_source="synthetic camera",
        camera=Camera(settings.model, camera.serial, settings.pixel_size_um),
        exposure_s=now.exposure_s,
        sensor_temperature_c=now.header_temperature_c,
        gain_setting=None if settings.photographic else float(mode.setting),
        iso=mode.setting if settings.photographic else None,
        gain_e_per_adu=mode.gain_e_per_adu if settings.header_tells_gain else None,
        cfa_pattern=camera.cfa_pattern,
        row_order="TOP-DOWN",
        black_level_adu=settings.black_level_adu,
        saturation_adu=float(settings.full_scale_adu),
        date_obs=now.date,
        program=PROGRAM,
    )
