"""From mean charge to whole ADU: everything that happens to one exposure."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.frames import Acquisition, Camera, Frame, cfa_planes, row_bands
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.cosmic_rays import draw_tracks
from solodark.synthetic.records import Circumstances, ExposureTruth, SyntheticExposure
from solodark.synthetic.telegraph import TelegraphState

__all__ = ["expose"]

PROGRAM = "solodark synthetic camera"

GAUSSIAN_FROM_E = 50.0
"""From this mean on a Poisson number is drawn as a Gaussian of the same mean and variance: its
skewness, 1/sqrt(mean), is then below 0.15 and drowns in read noise, and it is ten times faster."""

BAND_ROWS = 256

Image = NDArray[np.float32]


def expose(
    camera: SyntheticCamera, rng: np.random.Generator, circumstances: Circumstances
) -> SyntheticExposure:
    """Run the whole chain: charge, shot noise, full well, read-out, optical black, converter.

    Parameters
    ----------
    camera : SyntheticCamera
        What takes the frame.
    rng : numpy.random.Generator
        The dice.
    circumstances : Circumstances
        Exposure, temperature, ISO, date, light.

    Returns
    -------
    SyntheticExposure
        Frame and truth.

    Raises
    ------
    SettingError
        The camera has no such ISO.
    """
    telegraph_state = _telegraph_now(camera, rng, circumstances)
    now = replace(circumstances, telegraph_state=telegraph_state)
    charge_e, cosmic_index = _charge(camera, rng, now)
    signal_e = _collect(rng, charge_e, camera.settings.full_well_e)
    truth = _draw_truth(camera, rng, now, cosmic_index, telegraph_state)
    _add_read_out(camera, rng, now, signal_e, truth)
    clamp_e = camera.clamp_e(now.exposure_s, now.temperature_c)
    level_adu = camera.to_adu(signal_e, iso=now.iso, clamp_e=clamp_e)
    for plane, offset in zip(cfa_planes(camera.cfa_pattern), truth.plane_offset_adu, strict=True):
        level_adu[plane] += offset
    np.rint(level_adu, out=level_adu)
    np.clip(level_adu, 0, camera.settings.full_scale_adu, out=level_adu)
    frame = Frame(level_adu, _header(camera, now), now.name or str(now.kind))
    return SyntheticExposure(frame, truth)


def _collect(rng: np.random.Generator, charge_e: Image, full_well_e: float) -> Image:
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
        pointing=now.pointing,
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
