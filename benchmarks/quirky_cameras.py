"""Synthetic cameras with the quirks of real ones: what they do to a frame beside the textbook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.level_parts import NO_SEAMS, Seams
from solodark.frames import Frame, FrameKind, cfa_planes
from solodark.synthetic import SyntheticCamera, expose_bias, expose_dark, make_camera

__all__ = ["QUIRKS", "Quirk", "Series", "build_camera", "take"]

Image = NDArray[np.float32]

START = datetime(2025, 1, 1, tzinfo=UTC)
STEADY = {"telegraph_dark_fraction": 0.0, "birth_fraction_per_year": 0.0}
COLD = STEADY | {  # a cooled CMOS camera, as the makers wish it
    "bias_pixel_e": 0.3,
    "bias_column_e": 0.1,
    "diffusion_e_per_s": 2e-4,
    "depletion_e_per_s": 1e-3,
    "hot_fraction": 2e-3,
    "hot_e_per_s": 0.1,
    "row_noise_e": 0.1,
    "optical_black_ratio": 0.0,
}


@dataclass(frozen=True, eq=False)
class Shot:
    """What a quirk may depend on: the camera, the exposure, and dice of this frame."""

    camera: SyntheticCamera
    exposure_s: float
    rng: np.random.Generator

    @property
    def gain_e_per_adu(self) -> float:
        """Of the camera's first setting."""
        return self.camera.settings.modes[0].gain_e_per_adu

    @property
    def noise_adu(self) -> float:
        """Read noise."""
        return self.camera.settings.modes[0].read_noise_e / self.gain_e_per_adu


Change = Callable[[Image, Shot], Image]


def _none(image: Image, _: Shot) -> Image:
    return image


@dataclass(frozen=True, eq=False)
class Quirk:
    """One way in which a camera differs from its plain twin.

    Attributes
    ----------
    change : callable
        Makes the frame that the camera writes of the one that its plain twin would.
    preset, settings
        Of the synthetic camera.
    exposures_s, temperatures_c
        Of the library: each with each.
    held_out
        Exposures and temperatures of the subs on trial.
    judged
        Part of the frame that the figures are of.
    saturation_adu
        What the header says.
    seams
        Seams between amplifiers whose levels drift apart: of these each master has its own.
    """

    change: Change = _none
    preset: str = "uncooled_cmos"
    settings: Mapping[str, float] = field(default_factory=lambda: STEADY)
    exposures_s: tuple[float, ...] = (30.0, 60.0, 120.0, 240.0)
    temperatures_c: tuple[float, ...] = (10.0, 16.0, 22.0)
    held_out: tuple[tuple[float, float], ...] = ((90.0, 13.0), (180.0, 19.0))
    judged: tuple[slice, slice] = np.s_[:, :]
    saturation_adu: float | None = None
    seams: Seams = NO_SEAMS


@dataclass(frozen=True)
class Series:
    """Some darks, or biases, of one exposure and temperature."""

    exposure_s: float
    temperature_c: float
    n: int
    day: int
    is_bias: bool = False


def build_camera(quirk: Quirk, shape: tuple[int, int], seed: int) -> SyntheticCamera:
    """Make the camera; a quirk and its plain twin are of the same maps."""
    cfa = "RGGB" if quirk.preset == "uncooled_cmos" else None
    rng = np.random.default_rng(seed)
    return make_camera(rng, shape=shape, cfa_pattern=cfa, preset=quirk.preset, **quirk.settings)


def take(quirk: Quirk, camera: SyntheticCamera, series: Series, seed: int) -> list[Frame]:
    """Take the frames of a series as the quirk leaves them."""
    rng = np.random.default_rng((seed, series.day))
    return [_take_one(quirk, camera, series, rng, k) for k in range(series.n)]


def _take_one(
    quirk: Quirk, camera: SyntheticCamera, series: Series, rng: np.random.Generator, k: int
) -> Frame:
    date = START + timedelta(days=series.day, seconds=k * (series.exposure_s + 5.0))
    if series.is_bias:
        frame = expose_bias(camera, rng, temperature_c=series.temperature_c, date=date).frame
    else:
        frame = expose_dark(
            camera,
            rng,
            exposure_s=series.exposure_s,
            temperature_c=series.temperature_c,
            date=date,
        ).frame
    exposure_s = frame.acquisition.exposure_s or 0.0
    data = quirk.change(frame.data, Shot(camera, exposure_s, rng)).astype(np.float32)
    kind = FrameKind.BIAS if series.is_bias else FrameKind.DARK
    header = replace(frame.acquisition, kind=kind)
    if quirk.saturation_adu is not None:
        header = replace(header, saturation_adu=quirk.saturation_adu)
    return Frame(data, header, f"{kind.value} {series.day}-{k}")


def _coarse(step_adu: float) -> Change:
    return lambda image, _: step_adu * np.rint(image / step_adu)


def _masked_border(image: Image, _: Shot) -> Image:
    return np.where(np.arange(image.shape[1]) < 40, 0.0, image)


def _stuck_row(image: Image, shot: Shot) -> Image:
    full = shot.camera.settings.full_scale_adu
    return np.where(np.arange(len(image))[:, None] == 40, full, image)


def _glow(image: Image, shot: Shot) -> Image:
    """Thousands of ADU at one side, a third of them sixty pixels away."""
    ny, nx = image.shape
    y, x = np.mgrid[:ny, :nx]
    e_per_s = 30.0 * np.exp(-np.hypot(y - 0.3 * ny, nx - x) / 60.0)
    return image + np.rint(shot.rng.poisson(e_per_s * shot.exposure_s) / shot.gain_e_per_adu)


def _amplifiers(across: int, down: int) -> Change:
    """Each with a gain and an offset of its own, and an offset that wanders from frame to frame."""

    def change(image: Image, shot: Shot) -> Image:
        image = image.copy()
        level = np.median(image)
        gains, offsets = (1.0, 1.15, 0.9, 1.05), (0.0, 30.0, -40.0, 80.0)
        bands = [part for half in np.array_split(image, down) for part in _columns(half, across)]
        for part, gain, offset in zip(bands, gains, offsets, strict=False):
            wander = 3.0 * shot.noise_adu * shot.rng.standard_normal()
            part[:] = np.rint(level + gain * (part - level) + offset + wander)
        return image

    return change


def _columns(image: Image, across: int) -> list[Image]:
    return np.array_split(image, across, axis=1)


def _flicker(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of 1/f along an axis, rms 1."""
    frequency = np.fft.rfftfreq(n)
    frequency[0] = frequency[1]
    phases = rng.standard_normal(frequency.size) + 1j * rng.standard_normal(frequency.size)
    noise = np.fft.irfft(phases / np.sqrt(frequency), n)
    return noise / noise.std()


def _flickering_rows(image: Image, shot: Shot) -> Image:
    rows = 3.0 * shot.noise_adu * _flicker(len(image), shot.rng)
    return image + np.rint(rows)[:, None]


def _clipped_half(image: Image, shot: Shot) -> Image:
    return np.maximum(image - round(shot.camera.settings.black_level_adu), 0.0)


def _halos(image: Image, shot: Shot) -> Image:
    """Clouds of electrons that muons and electrons leave in thick silicon."""
    image = image.copy()
    ny, nx = image.shape
    y, x = np.mgrid[-8:9, -8:9]
    cloud = np.rint(3e4 / shot.gain_e_per_adu * np.exp(-(y**2 + x**2) / 12.5))
    for _ in range(shot.rng.poisson(0.02 * shot.exposure_s * image.size / 1e6)):
        cy, cx = shot.rng.integers(8, ny - 8), shot.rng.integers(8, nx - 8)
        image[cy - 8 : cy + 9, cx - 8 : cx + 9] += cloud
    return np.minimum(image, shot.camera.settings.full_scale_adu)


def _ramp(image: Image, shot: Shot) -> Image:
    """Let the bias settle during the read-out, anew in each frame."""
    y = np.linspace(0.0, 1.0, len(image))
    a, b = shot.rng.standard_normal(2) * shot.noise_adu
    return image + np.rint(4.0 * a * np.exp(-12.0 * y) + 1.5 * b * y)[:, None]


def _overscan(image: Image, shot: Shot) -> Image:
    image = image.copy()
    level = np.median(image) - 100.0
    part = image[:, -24:]
    part[:] = np.rint(level + shot.noise_adu * shot.rng.standard_normal(part.shape))
    return image


def _star_eater(image: Image, shot: Shot) -> Image:
    """Pixels far above their neighbours of the same colour are replaced by the highest of these."""
    image = image.copy()
    for plane in cfa_planes(shot.camera.cfa_pattern):
        own = image[plane]
        moved = [np.roll(own, by, axis) for axis in (0, 1) for by in (-1, 1)]
        highest = np.max(moved, axis=0)
        image[plane] = np.where(own > highest + 12.0 * shot.noise_adu, highest, own)
    return image


_CCD = {
    "preset": "cooled_ccd",
    "exposures_s": (30.0, 60.0, 120.0, 300.0),
    "temperatures_c": (-10.0, -5.0, 0.0),
    "held_out": ((90.0, -7.0), (200.0, -2.0)),
}
_LONG_CCD = _CCD | {
    "exposures_s": (300.0, 600.0, 1200.0),
    "held_out": ((900.0, -7.0), (1200.0, -2.0)),
}
_DEEP = STEADY | {"bit_depth": 16, "full_well_e": 50_000.0}

QUIRKS = {
    "plain CMOS": Quirk(),
    "plain CCD": Quirk(**_CCD),
    "steps of 2 sigma (12 bits stored as 16)": Quirk(_coarse(10.0)),
    "steps of 3 sigma (12 bits stored as 16)": Quirk(_coarse(16.0)),
    "masked border of zeros": Quirk(_masked_border, judged=np.s_[:, 40:]),
    "row stuck at full scale": Quirk(_stuck_row, judged=np.s_[41:, :]),
    "strong steep glow": Quirk(_glow, settings=_DEEP),
    "two amplifiers that drift apart": Quirk(_amplifiers(2, 1), seams=Seams(x=192), **_CCD),
    "four amplifiers that drift apart": Quirk(_amplifiers(2, 2), seams=Seams(128, 192), **_CCD),
    "1/f row noise of 3 sigma": Quirk(_flickering_rows),
    "half of the bias clipped at 0": Quirk(_clipped_half),
    "thick CCD with halos of cosmic rays": Quirk(
        _halos, settings=STEADY | {"cosmic_rate_per_cm2_s": 0.08}, **_LONG_CCD
    ),
    "bias that ramps and drifts": Quirk(_ramp),
    "overscan columns kept": Quirk(_overscan, judged=np.s_[:, :-24]),
    "32-bit integers": Quirk(
        lambda image, _: image * 65_536.0, saturation_adu=float(16_383 * 65_536)
    ),
    "cold CMOS with hardly any dark signal": Quirk(
        settings=COLD,
        exposures_s=(60.0, 120.0, 300.0),
        temperatures_c=(-15.0, -10.0, -5.0),
        held_out=((180.0, -10.0), (240.0, -7.0)),
    ),
    "hot pixels replaced by the camera": Quirk(_star_eater),
}
