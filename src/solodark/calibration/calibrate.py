"""Calibrate a light: dark or bias subtracted, divided by the flat, bad pixels repaired."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.calibration.flat import NormalisedFlat
from solodark.calibration.light import CalibratedLight
from solodark.calibration.noise import LightNoise, measure_noise
from solodark.calibration.part import Part
from solodark.calibration.repair import repair
from solodark.errors import FrameMismatchError, SettingError
from solodark.frames import (
    Acquisition,
    FrameSource,
    Master,
    MasterDark,
    PixelFlags,
    require_matching,
    row_bands,
)

__all__ = ["calibrate_light"]

Image = NDArray[np.float32]

_FIELDS = ("shape", "camera", "gain_setting", "offset_setting", "iso", "binning", "cfa_pattern")
_FLAT_FIELDS = ("shape", "camera", "binning", "cfa_pattern")
_TEMPERATURE_TOLERANCE_C = 2.0  # over 2 C dark current changes by a quarter
_ROWS = 64  # a band's planes stay in the processor's cache
_FULL_SCALE_16_BIT = 65_535.0


def calibrate_light(
    light: FrameSource,
    *,
    dark: Master | None = None,
    bias: Master | None = None,
    flat: NormalisedFlat | None = None,
    gain_e_per_adu: float | None = None,
    exposure_tolerance: float = 0.02,
    repaired: bool = True,
) -> CalibratedLight:
    """Subtract a light's dark, or else its bias, and divide by the flat.

    A dark holds its bias, so with a dark no bias is subtracted. Values below zero are kept. Pixels
    that dark or flat cannot correct are flagged DEAD, and repaired from their neighbours.

    Parameters
    ----------
    light : FrameSource
        As the camera wrote it. Not changed.
    dark : Master, optional
        Master dark of the light's exposure, combined or generated, the bias level in it.
    bias : Master, optional
        Master bias, for lights without a dark.
    flat : NormalisedFlat, optional
        From `normalised_flat`.
    gain_e_per_adu : float, optional
        Conversion gain, where the light's header does not tell it.
    exposure_tolerance : float
        By what share the exposures of light and dark may differ; beyond, the dark is refused. With
        infinity any dark is taken, and the difference becomes a doubt.
    repaired : bool
        Whether pixels flagged DEAD are replaced, see `repair`; else they are NaN.

    Returns
    -------
    CalibratedLight
        ``(light - dark) / response``, with uncertainty, flags, and notes on what was used.

    Raises
    ------
    FrameMismatchError
        Dark, bias or flat is of another camera, size, gain, offset, ISO or binning, or the dark of
        another exposure.
    SettingError
        The gain or the tolerance is not a positive number.

    Notes
    -----
    With V the variance of the light's background, measured in the light itself, B its level, L the
    light, D the dark, F the flat's response and g the gain in e-/ADU:
    ``sigma^2 = (V + max(L - B, 0) / g + sigma_D^2) / F^2 + ((L - D) / F^2)^2 sigma_F^2``. Where no
    gain is known the middle term is left out, and a note says so.

    Examples
    --------
    >>> from solodark.frames import Acquisition, Frame
    >>> dark = Master(data=np.full((4, 6), 500.0, np.float32), acquisition=Acquisition(),
    ...               uncertainty=np.ones((4, 6), np.float32), flags=np.zeros((4, 6), np.uint8),
    ...               origin="combined")
    >>> light = calibrate_light(Frame(np.full((4, 6), 490.0)), dark=dark)
    >>> float(light.data[0, 0]), float(light.uncertainty[0, 0])
    (-10.0, 1.0)
    """
    _require_settings(gain_e_per_adu, exposure_tolerance)
    _require_belonging(light, dark, bias, flat, exposure_tolerance)
    offset = dark or bias
    gain_e_per_adu = gain_e_per_adu or light.acquisition.gain_e_per_adu
    variance = None if offset is None else np.nan_to_num(offset.uncertainty) ** 2
    noise = measure_noise(
        light, None if offset is None else offset.data, variance, gain_e_per_adu=gain_e_per_adu
    )
    planes = _calibrated(_Recipe(light, offset, variance, flat, noise))
    return CalibratedLight(
        data=_repaired(planes, light.acquisition.cfa_pattern) if repaired else planes.data,
        uncertainty=planes.uncertainty,
        flags=planes.flags,
        acquisition=light.acquisition,
        name=light.name,
        notes=tuple(_notes(dark, bias, flat, gain_e_per_adu)),
        doubts=tuple(_doubts(light.acquisition, dark)),
    )


def _require_settings(gain_e_per_adu: float | None, exposure_tolerance: float) -> None:
    if gain_e_per_adu is not None and not gain_e_per_adu > 0:
        raise SettingError(f"found a gain of {gain_e_per_adu} e-/ADU, expected a number above 0")
    if not exposure_tolerance >= 0:
        raise SettingError(
            f"found an exposure tolerance of {exposure_tolerance}, expected a share from 0 on"
        )


def _require_belonging(
    light: FrameSource,
    dark: Master | None,
    bias: Master | None,
    flat: NormalisedFlat | None,
    exposure_tolerance: float,
) -> None:
    for name, master in (("its dark", dark), ("its bias", bias)):
        if master is not None:
            require_matching([light, Part(name, master)], _FIELDS)
    if flat is not None:
        require_matching([light, _FlatPart(flat)], _FLAT_FIELDS)
    if dark is not None and _exposure_error(light.acquisition, dark) > exposure_tolerance:
        raise FrameMismatchError(
            f"{light.name} was exposed {light.acquisition.exposure_s:g} s and its dark "
            f"{dark.acquisition.exposure_s:g} s; expected a dark of the light's exposure. "
            "Take one, or let a model generate it"
        )


@dataclass(frozen=True, slots=True)
class _FlatPart:
    """A flat, to be compared with a light."""

    flat: NormalisedFlat
    name: str = "its flat"

    @property
    def acquisition(self) -> Acquisition:
        return self.flat.acquisition

    @property
    def shape(self) -> tuple[int, int]:
        return self.flat.response.shape[0], self.flat.response.shape[1]


def _exposure_error(light: Acquisition, dark: Master) -> float:
    """Share by which the exposures differ; 0 where one of them is not known."""
    mine, theirs = light.exposure_s, dark.acquisition.exposure_s
    if mine is None or theirs is None:
        return 0.0
    return abs(mine - theirs) / max(mine, theirs, 1e-9)


@dataclass(frozen=True, eq=False, slots=True)
class _Planes:
    """What becomes of a light."""

    data: Image
    uncertainty: Image
    flags: NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class _Recipe:
    """What a light is made of."""

    light: FrameSource
    offset: Master | None
    offset_variance: Image | None
    flat: NormalisedFlat | None
    noise: LightNoise

    def band(self, start: int, stop: int) -> tuple[Image, Image, NDArray[np.uint8]]:
        """Calibrate rows: data, variance and flags."""
        rows = slice(start, stop)
        raw = self.light.read_rows(start, stop)
        full_scale = self._full_scale(raw)
        adu = raw.astype(np.float32)
        variance = self.noise.variance(adu)
        flags = np.zeros(adu.shape, np.uint8)
        if self.offset is not None and self.offset_variance is not None:
            flags |= self.offset.flags[rows]
            flags[flags & int(PixelFlags.UNUSABLE) != 0] |= np.uint8(PixelFlags.DEAD)
            flags &= np.uint8(0xFF ^ int(PixelFlags.SATURATED))
            adu -= self.offset.data[rows]
            variance += self.offset_variance[rows]
        flags[raw >= full_scale] |= np.uint8(PixelFlags.SATURATED)
        if self.flat is not None:
            response = self.flat.response[rows]
            adu /= response
            variance /= response * response
            variance += (adu / response * self.flat.uncertainty[rows]) ** 2
            flags[self.flat.dead[rows]] |= np.uint8(PixelFlags.DEAD)
        flags[~np.isfinite(adu)] |= np.uint8(PixelFlags.DEAD)
        return adu, variance, flags

    def _full_scale(self, raw: NDArray[np.uint16] | Image) -> float:
        told = self.light.acquisition.saturation_adu
        if told is not None:
            return told
        return _FULL_SCALE_16_BIT if raw.dtype == np.uint16 else float("inf")


def _calibrated(recipe: _Recipe) -> _Planes:
    """Calibrate band by band; what is dead has no value and no uncertainty."""
    shape = recipe.light.shape
    planes = _Planes(
        np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.uint8)
    )
    for start, stop in row_bands(shape, rows=_ROWS):
        adu, variance, flags = recipe.band(start, stop)
        dead = flags & int(PixelFlags.DEAD) != 0
        adu[dead], variance[dead] = np.nan, np.nan
        rows = slice(start, stop)
        planes.data[rows], planes.flags[rows] = adu, flags
        np.sqrt(variance, out=planes.uncertainty[rows])
    return planes


def _repaired(planes: _Planes, cfa_pattern: str | None) -> Image:
    dead = planes.flags & int(PixelFlags.DEAD) != 0
    return repair(planes.data, dead, cfa_pattern=cfa_pattern) if dead.any() else planes.data


def _notes(
    dark: Master | None, bias: Master | None, flat: NormalisedFlat | None, gain: float | None
) -> Iterator[str]:
    if dark is not None:
        yield f"dark: {_in_words(dark)}"
    elif bias is not None:
        yield f"no dark; bias: {_in_words(bias)}"
    else:
        yield "no dark and no bias: their level is still in the light"
    if flat is not None:
        yield from flat.notes
    else:
        yield "no flat"
    if gain is None:
        yield "the gain is not known: the uncertainty is the background's, without stars' own noise"


def _in_words(master: Master) -> str:
    taken = master.acquisition
    if isinstance(master, MasterDark):
        origin = f"generated, worth {master.equivalent_subs:.0f} subs"
    else:
        origin = master.origin
    if taken.n_combined is not None:
        origin += f" from {taken.n_combined} frames"
    if taken.exposure_s is not None:
        origin += f", {taken.exposure_s:g} s"
    if taken.sensor_temperature_c is not None:
        origin += f", {taken.sensor_temperature_c:g} C"
    return origin


def _doubts(light: Acquisition, dark: Master | None) -> Iterator[str]:
    if dark is None:
        return
    if _exposure_error(light, dark) > 1e-3:
        yield (
            f"the light was exposed {light.exposure_s:g} s and its dark "
            f"{dark.acquisition.exposure_s:g} s"
        )
    mine, theirs = light.sensor_temperature_c, dark.acquisition.sensor_temperature_c
    if mine is not None and theirs is not None and abs(mine - theirs) > _TEMPERATURE_TOLERANCE_C:
        yield (
            f"the sensor was at {mine:g} C for the light and at {theirs:g} C for its dark, by "
            "their headers"
        )
    if isinstance(dark, MasterDark):
        yield from dark.verdict.reasons
