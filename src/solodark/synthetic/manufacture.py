"""How a synthetic camera comes to be: every map is drawn from dice."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import cfa_planes
from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.newborn import NewbornPixels
from solodark.synthetic.optics import draw_response
from solodark.synthetic.settings import GainMode, SensorSettings, require_preset
from solodark.synthetic.telegraph import DarkTelegraph, ReadTelegraph

__all__ = ["FIRST_POWER_ON", "make_camera"]

FIRST_POWER_ON = datetime(2022, 1, 1, tzinfo=UTC)
"""A synthetic camera leaves its factory on this day; hot pixels are born from then on."""

YEARS_OF_BIRTHS = 10.0
SECONDS_PER_YEAR = 365.25 * 86400.0
PLANE_CLAMP_SPREAD = 0.02
HOTTEST_COUNTED = 10.0

Image = NDArray[np.float32]
Index = NDArray[np.int64]


def make_camera(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int] = (512, 768),
    cfa_pattern: str | None = "RGGB",
    preset: str = "uncooled_cmos",
    **settings: Any,
) -> SyntheticCamera:
    """Draw a camera: its patterns, hot and telegraph pixels, glow, bias, dust.

    Parameters
    ----------
    rng : numpy.random.Generator
        The dice; the same dice give the same camera.
    shape : tuple of int
        (ny, nx).
    cfa_pattern : str or None
        Bayer pattern; None for a mono sensor.
    preset : {"uncooled_cmos", "cooled_ccd"}
        Sensor to start from.
    **settings : object
        Fields of `SensorSettings` that shall differ from the preset's.

    Returns
    -------
    SyntheticCamera
        A sensor whose truth is known.

    Raises
    ------
    SettingError
        Unknown preset, pattern or setting, or a frame smaller than 8 x 8.

    Examples
    --------
    >>> camera = make_camera(np.random.default_rng(1), shape=(64, 96), hot_fraction=0.1)
    >>> camera.shape, bool(0.05 < camera.hot_mask.mean() < 0.15)
    ((64, 96), True)
    """
    if min(shape) < 8:
        raise SettingError(f"a synthetic sensor of {shape} px is too small; use at least 8 x 8")
    sensor = _changed(require_preset(preset), settings)
    diffusion = _log_normal(rng, sensor.diffusion_e_per_s, sensor.diffusion_spread, shape)
    read, dark, born = _restless_pixels(rng, sensor, shape)
    depletion = _depletion_map(rng, sensor, shape, dark)
    offset_hot = rng.random(shape, dtype=np.float32) < sensor.offset_hot_fraction
    return SyntheticCamera(
        settings=sensor,
        serial=f"SD{rng.integers(10**6):06d}",
        cfa_pattern=cfa_pattern,
        diffusion_e_per_s=diffusion,
        depletion_e_per_s=depletion,
        depletion_energy_ev=_energy_map(rng, sensor, shape),
        glow_e_per_s=_glow_map(sensor, shape),
        relative_read_noise=_log_normal(rng, 1.0, sensor.read_noise_spread, shape),
        bias_adu=_bias_maps(rng, sensor, offset_hot, cfa_pattern),
        response=draw_response(rng, sensor, shape),
        offset_hot_mask=offset_hot,
        telegraph_read=_read_telegraph(rng, sensor, read),
        telegraph_dark=_dark_telegraph(rng, sensor, dark, depletion.flat[dark]),
        newborn=_newborn(rng, sensor, born),
        optical_black_e_per_s=(_robust_mean(diffusion), _robust_mean(depletion)),
        plane_clamp=tuple(
            1.0 + PLANE_CLAMP_SPREAD * rng.standard_normal() for _ in cfa_planes(cfa_pattern)
        ),
    )


def _log_normal(
    rng: np.random.Generator, median: float, spread: float, shape: tuple[int, ...]
) -> Image:
    """Draw from ``median * exp(spread * N(0, 1))``, float32."""
    draws = rng.standard_normal(shape, dtype=np.float32)
    draws *= np.float32(spread)
    np.exp(draws, out=draws)
    draws *= np.float32(median)
    return draws


def _robust_mean(rate_e_per_s: Image) -> float:
    """Mean of a map whose hottest pixels count no more than `HOTTEST_COUNTED` medians."""
    limit = np.float32(HOTTEST_COUNTED) * np.median(rate_e_per_s)
    return float(np.minimum(rate_e_per_s, limit).mean(dtype=np.float64))


def _changed(sensor: SensorSettings, settings: dict[str, Any]) -> SensorSettings:
    try:
        return replace(sensor, **settings)
    except TypeError as error:
        raise SettingError(
            f"a synthetic sensor has no such setting ({error}); see SensorSettings for those it has"
        ) from error


def _depletion_map(
    rng: np.random.Generator, sensor: SensorSettings, shape: tuple[int, int], hopping: Index
) -> Image:
    """Depletion current of each pixel; hot ones, and those that will hop, have more of it."""
    rate = _log_normal(rng, sensor.depletion_e_per_s, sensor.depletion_spread, shape)
    hot = rng.random(shape, dtype=np.float32) < sensor.hot_fraction
    hot.flat[hopping] = True
    where = np.flatnonzero(hot)
    rate.flat[where] += _log_normal(rng, sensor.hot_e_per_s, sensor.hot_spread, where.shape)
    return rate


def _energy_map(rng: np.random.Generator, sensor: SensorSettings, shape: tuple[int, int]) -> Image:
    """Activation energy of each pixel's depletion current."""
    energy = rng.standard_normal(shape, dtype=np.float32)
    energy *= np.float32(sensor.depletion_energy_spread_ev)
    energy += np.float32(sensor.depletion_energy_ev)
    return np.clip(energy, *sensor.depletion_energy_range_ev, out=energy)


def _bias_maps(
    rng: np.random.Generator,
    sensor: SensorSettings,
    offset_hot: NDArray[np.bool_],
    cfa_pattern: str | None,
) -> dict[int, Image]:
    """Bias of each gain setting: what is ahead of the amplifier is shared, the rest is not."""
    shape = (offset_hot.shape[0], offset_hot.shape[1])
    shared_e = _pattern(rng, shape, sensor.bias_pixel_e, sensor.bias_column_e)
    hot_size = (int(offset_hot.sum()),)
    shared_e[offset_hot] += _log_normal(
        rng, sensor.offset_hot_e, sensor.offset_hot_spread, hot_size
    )
    return {
        mode.setting: _bias_map(rng, sensor, mode, shared_e, cfa_pattern) for mode in sensor.modes
    }


def _bias_map(
    rng: np.random.Generator,
    sensor: SensorSettings,
    mode: GainMode,
    shared_e: Image,
    cfa_pattern: str | None,
) -> Image:
    shape = (shared_e.shape[0], shared_e.shape[1])
    bias = _pattern(rng, shape, sensor.bias_pixel_adu, sensor.bias_column_adu)
    bias += shared_e / np.float32(mode.gain_e_per_adu)
    bias += np.float32(sensor.black_level_adu)
    for plane in cfa_planes(cfa_pattern):
        bias[plane] += np.float32(sensor.plane_level_spread_adu * rng.standard_normal())
    return bias


def _pattern(
    rng: np.random.Generator, shape: tuple[int, int], pixel: float, column: float
) -> Image:
    """White structure of pixels plus white structure of columns."""
    pattern = rng.standard_normal(shape, dtype=np.float32)
    pattern *= np.float32(pixel)
    pattern += np.float32(column) * rng.standard_normal(shape[1], dtype=np.float32)
    return pattern


def _glow_map(sensor: SensorSettings, shape: tuple[int, int]) -> Image:
    """Glow of an amplifier behind the lower right corner, with a faint one along the right edge."""
    ny, nx = shape
    reach = sensor.glow_scale * float(np.hypot(ny, nx))
    dy = (np.float32(ny) - np.arange(ny, dtype=np.float32))[:, None]
    dx = (np.float32(nx) - np.arange(nx, dtype=np.float32))[None, :]
    corner = np.exp(-np.hypot(dy, dx) / np.float32(reach))
    edge = np.exp(-dx / np.float32(0.25 * reach))
    glow: Image = np.float32(sensor.glow_e_per_s) * (
        np.float32(0.85) * corner + np.float32(0.15) * edge
    )
    return glow


def _restless_pixels(
    rng: np.random.Generator, sensor: SensorSettings, shape: tuple[int, int]
) -> tuple[Index, Index, Index]:
    """Where read-type and dark-type telegraph pixels and births are: no pixel is two of these."""
    births = sensor.birth_fraction_per_year * YEARS_OF_BIRTHS
    fractions = (sensor.telegraph_read_fraction, sensor.telegraph_dark_fraction, births)
    if sum(fractions) > 1:
        raise SettingError(
            f"telegraph pixels and {YEARS_OF_BIRTHS:.0f} years of births take {sum(fractions):.2f} "
            "of all pixels, expected 1 at most; lower their fractions"
        )
    counts = [int(fraction * shape[0] * shape[1]) for fraction in fractions]
    index = rng.choice(shape[0] * shape[1], size=sum(counts), replace=False)
    read, dark, born = np.split(index, np.cumsum(counts)[:-1])
    return np.sort(read), np.sort(dark), born


def _read_telegraph(
    rng: np.random.Generator, sensor: SensorSettings, index: Index
) -> ReadTelegraph:
    hop_e = _log_normal(rng, sensor.telegraph_read_e, sensor.telegraph_read_spread, index.shape)
    return ReadTelegraph(index, hop_e, sensor.telegraph_read_probability)


def _dark_telegraph(
    rng: np.random.Generator,
    sensor: SensorSettings,
    index: Index,
    lower_e_per_s: Image,
) -> DarkTelegraph:
    """Hops in proportion to the pixel's own current, dwelling for minutes to days."""
    share = _log_normal(rng, sensor.telegraph_dark_share, sensor.telegraph_dark_spread, index.shape)
    shortest, longest = np.log(sensor.telegraph_dwell_s)
    dwell_s = np.exp(rng.uniform(shortest, longest, (2, index.size)))
    return DarkTelegraph(index, share * lower_e_per_s, dwell_s[0], dwell_s[1])


def _newborn(rng: np.random.Generator, sensor: SensorSettings, index: Index) -> NewbornPixels:
    age_s = rng.uniform(0.0, YEARS_OF_BIRTHS * SECONDS_PER_YEAR, index.size)
    rate = _log_normal(rng, sensor.birth_e_per_s, sensor.birth_spread, index.shape)
    return NewbornPixels(index, rate, FIRST_POWER_ON.timestamp() + age_s)
