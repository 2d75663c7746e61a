"""A camera whose every secret is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_planes
from solodark.synthetic.clipping import clipped_mean, clipped_variance
from solodark.synthetic.newborn import NewbornPixels
from solodark.synthetic.settings import SensorSettings
from solodark.synthetic.telegraph import DarkTelegraph, ReadTelegraph, TelegraphState
from solodark.synthetic.temperature import arrhenius, depletion_growth

__all__ = ["SyntheticCamera"]

HOT_FACTOR = 3.0
"""Pixels with a dark current above this many times the median count as hot."""

QUANTISATION_VARIANCE_ADU2 = 1.0 / 12.0

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SyntheticCamera:
    """Maps and settings of a sensor; `make_camera` draws one.

    Attributes
    ----------
    settings : SensorSettings
        What the maps were drawn from.
    serial : str
        Serial number in the headers.
    cfa_pattern : str or None
        Bayer pattern; None for a mono sensor.
    diffusion_e_per_s, depletion_e_per_s : ndarray of float32, shape (ny, nx)
        The two parts of the dark current at the reference temperature.
    depletion_energy_ev : ndarray of float32, shape (ny, nx)
        Activation energy of the second part.
    glow_e_per_s : ndarray of float32, shape (ny, nx)
        Amplifier glow at the start of an exposure; it knows no temperature.
    relative_read_noise : ndarray of float32, shape (ny, nx)
        Read noise over that of the gain setting.
    bias_adu : mapping of int to ndarray of float32, shape (ny, nx)
        Level and bias pattern of each gain setting, offset-type hot pixels included.
    response : ndarray of float32, shape (ny, nx)
        Share of the light that is counted: vignetting, dust and pixel-to-pixel response.
    offset_hot_mask : ndarray of bool, shape (ny, nx)
        Pixels with an extra offset that scales with nothing.
    telegraph_read, telegraph_dark : ReadTelegraph, DarkTelegraph
        Pixels that hop.
    newborn : NewbornPixels
        Hot pixels with a date of birth.
    plane_clamp : tuple of float
        Optical-black subtraction of each CFA plane over that of the camera.
    """

    settings: SensorSettings
    serial: str
    cfa_pattern: str | None
    diffusion_e_per_s: Image
    depletion_e_per_s: Image
    depletion_energy_ev: Image
    glow_e_per_s: Image
    relative_read_noise: Image
    bias_adu: Mapping[int, Image]
    response: Image
    offset_hot_mask: Mask
    telegraph_read: ReadTelegraph
    telegraph_dark: DarkTelegraph
    newborn: NewbornPixels
    plane_clamp: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.diffusion_e_per_s.shape[0], self.diffusion_e_per_s.shape[1]

    @property
    def hot_mask(self) -> Mask:
        """Hot from the factory: dark current over 3 times the median, shape (ny, nx)."""
        rate = self.diffusion_e_per_s + self.depletion_e_per_s
        hot: Mask = rate > HOT_FACTOR * np.median(rate)
        return hot

    @property
    def telegraph_read_mask(self) -> Mask:
        """Pixels whose amplifier hops, shape (ny, nx)."""
        return self._mask_of(self.telegraph_read.index)

    @property
    def telegraph_dark_mask(self) -> Mask:
        """Pixels whose dark current hops, shape (ny, nx)."""
        return self._mask_of(self.telegraph_dark.index)

    def newborn_mask(self, since: datetime, until: datetime) -> Mask:
        """Mark the hot pixels born in a span of time.

        Parameters
        ----------
        since, until : datetime
            Timezone-aware; the first included, the last not.

        Returns
        -------
        ndarray of bool, shape (ny, nx)
            True where one was born.
        """
        return self._mask_of(self.newborn.born_between(since, until).index)

    def dark_rate_e_per_s(
        self,
        *,
        temperature_c: float,
        date: datetime | None = None,
        telegraph_state: TelegraphState | None = None,
    ) -> Image:
        """Give the dark current, glow apart.

        Parameters
        ----------
        temperature_c : float
            True sensor temperature.
        date : datetime, optional
            Hot pixels born before it are there; none of them where it is left out.
        telegraph_state : TelegraphState, optional
            Levels of the dark-type telegraph pixels; their long-run mean where it is left out.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            Diffusion and depletion current, e-/s: ``sum_r D_r exp(E_r (1/kT_ref - 1/kT))``.
        """
        growth = depletion_growth(
            self.depletion_energy_ev, temperature_c, self.settings.reference_temperature_c
        )
        extra = self.depletion_e_per_s.copy()
        hopping = self.telegraph_dark
        level = hopping.duty if telegraph_state is None else telegraph_state.high
        extra.flat[hopping.index] += hopping.rise_e_per_s * level.astype(np.float32)
        if date is not None:
            alive = self.newborn.alive(date)
            extra.flat[alive.index] += alive.rate_e_per_s
        rate: Image = self.diffusion_e_per_s * np.float32(self._diffusion_growth(temperature_c))
        rate += extra * growth
        return rate

    def glow_e(self, exposure_s: float, *, amplitude: float = 1.0) -> Image:
        """Give the amplifier glow of an exposure.

        Parameters
        ----------
        exposure_s : float
            Exposure time.
        amplitude : float
            State of the glow; 1 is its mean.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ``amplitude G tau (1 - exp(-t / tau))``, e-.
        """
        tau_s = self.settings.glow_time_s
        effective_s = -tau_s * float(np.expm1(-exposure_s / tau_s))
        return self.glow_e_per_s * np.float32(amplitude * effective_s)

    def expected_dark_e(
        self,
        *,
        exposure_s: float,
        temperature_c: float,
        date: datetime | None = None,
        glow_amplitude: float = 1.0,
        telegraph_state: TelegraphState | None = None,
    ) -> Image:
        """Give the absolute dark signal that the optical black hides.

        Parameters
        ----------
        exposure_s : float
            Exposure time.
        temperature_c : float
            True sensor temperature.
        date : datetime, optional
            Hot pixels born before it are there; none of them where it is left out.
        glow_amplitude : float
            State of the glow; 1 is its mean.
        telegraph_state : TelegraphState, optional
            Levels of the dark-type telegraph pixels; their long-run mean where it is left out.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            Mean number of electrons, before any full well.
        """
        rate = self.dark_rate_e_per_s(
            temperature_c=temperature_c, date=date, telegraph_state=telegraph_state
        )
        rate *= np.float32(exposure_s)
        rate += self.glow_e(exposure_s, amplitude=glow_amplitude)
        return rate

    def clamp_e(self, exposure_s: float, temperature_c: float) -> float:
        """Give the dark signal that the camera measures on its optical black and subtracts.

        Parameters
        ----------
        exposure_s : float
            Exposure time.
        temperature_c : float
            True sensor temperature.

        Returns
        -------
        float
            Electrons; 0 where the camera subtracts nothing.
        """
        settings = self.settings
        if settings.optical_black_ratio == 0:
            return 0.0
        diffusion = float(self.diffusion_e_per_s.mean(dtype=np.float64))
        depletion = float(self.depletion_e_per_s.mean(dtype=np.float64))
        rate = diffusion * self._diffusion_growth(temperature_c) + depletion * arrhenius(
            temperature_c,
            energy_ev=settings.depletion_energy_ev,
            reference_c=settings.reference_temperature_c,
        )
        return settings.optical_black_ratio * rate * exposure_s

    def expected_dark_adu(
        self,
        *,
        exposure_s: float,
        temperature_c: float,
        iso: int | None = None,
        date: datetime | None = None,
        glow_amplitude: float = 1.0,
        telegraph_state: TelegraphState | None = None,
    ) -> Image:
        """Give the master that endlessly many darks would show.

        Without noise, row noise and cosmic rays; at the level of the frames, the bias in it and
        the optical black subtracted; full well and full scale included.

        Parameters
        ----------
        exposure_s : float
            Exposure time; 0 for a bias.
        temperature_c : float
            True sensor temperature.
        iso : int, optional
            ISO or gain number; the camera's first one where it is left out.
        date : datetime, optional
            Hot pixels born before it are there; none of them where it is left out.
        glow_amplitude : float
            State of the glow; 1 is its mean.
        telegraph_state : TelegraphState, optional
            Levels of the dark-type telegraph pixels; their long-run mean where it is left out.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU.

        Raises
        ------
        SettingError
            The camera has no such ISO.
        """
        charge_e = self.expected_dark_e(
            exposure_s=exposure_s,
            temperature_c=temperature_c,
            date=date,
            glow_amplitude=glow_amplitude,
            telegraph_state=telegraph_state,
        )
        settings, mode = self.settings, self.settings.mode(iso)
        collected_e = clipped_mean(charge_e, charge_e, settings.full_well_e)
        variance_e2 = clipped_variance(charge_e, charge_e, settings.full_well_e)
        variance_e2 += self._added_variance_e2(mode.setting)
        clamp_e = self.clamp_e(exposure_s, temperature_c)
        level_adu = self.to_adu(collected_e, iso=mode.setting, clamp_e=clamp_e)
        variance_adu2 = variance_e2 / np.float32(mode.gain_e_per_adu**2)
        return clipped_mean(level_adu, variance_adu2, float(settings.full_scale_adu))

    def noise_variance_adu(
        self,
        *,
        exposure_s: float,
        temperature_c: float,
        iso: int | None = None,
        date: datetime | None = None,
        glow_amplitude: float = 1.0,
    ) -> Image:
        """Give the variance of one pixel from frame to frame in the same conditions.

        Shot noise of the hidden dark, read noise, row noise, read-type telegraph noise, wander of
        the level and rounding. Dark-type telegraph pixels are not in it: they dwell.

        Parameters
        ----------
        exposure_s : float
            Exposure time.
        temperature_c : float
            True sensor temperature.
        iso : int, optional
            ISO or gain number; the camera's first one where it is left out.
        date : datetime, optional
            Hot pixels born before it are there; none of them where it is left out.
        glow_amplitude : float
            State of the glow; 1 is its mean.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU squared; at full scale none is left but that of the converter.
        """
        charge_e = self.expected_dark_e(
            exposure_s=exposure_s,
            temperature_c=temperature_c,
            date=date,
            glow_amplitude=glow_amplitude,
        )
        settings, mode = self.settings, self.settings.mode(iso)
        variance_e2 = clipped_variance(charge_e, charge_e, settings.full_well_e)
        variance_e2 += self._added_variance_e2(mode.setting)
        variance_adu2 = variance_e2 / np.float32(mode.gain_e_per_adu**2)
        variance_adu2 += np.float32(settings.level_noise_adu**2 + QUANTISATION_VARIANCE_ADU2)
        collected_e = clipped_mean(charge_e, charge_e, settings.full_well_e)
        clamp_e = self.clamp_e(exposure_s, temperature_c)
        level_adu = self.to_adu(collected_e, iso=mode.setting, clamp_e=clamp_e)
        return clipped_variance(level_adu, variance_adu2, float(settings.full_scale_adu))

    def to_adu(self, signal_e: Image, *, iso: int | None, clamp_e: float) -> Image:
        """Amplify electrons, subtract the optical black and add the bias; nothing is rounded.

        Parameters
        ----------
        signal_e : ndarray of float32, shape (ny, nx)
            Electrons.
        iso : int or None
            ISO or gain number.
        clamp_e : float
            What the optical black says.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU, not limited by full scale.
        """
        mode = self.settings.mode(iso)
        level = signal_e * np.float32(1.0 / mode.gain_e_per_adu)
        level += self.bias_adu[mode.setting]
        for plane, share in zip(cfa_planes(self.cfa_pattern), self.plane_clamp, strict=True):
            level[plane] -= np.float32(share * clamp_e / mode.gain_e_per_adu)
        return level

    def _added_variance_e2(self, setting: int) -> Image:
        """Variance that reading a pixel adds, whatever its charge."""
        mode = self.settings.mode(setting)
        variance: Image = (self.relative_read_noise * np.float32(mode.read_noise_e)) ** 2
        variance += np.float32(self.settings.row_noise_e**2)
        variance.flat[self.telegraph_read.index] += self.telegraph_read.variance_e2
        return variance

    def _diffusion_growth(self, temperature_c: float) -> float:
        return arrhenius(
            temperature_c,
            energy_ev=self.settings.diffusion_energy_ev,
            reference_c=self.settings.reference_temperature_c,
        )

    def _mask_of(self, index: NDArray[np.int64]) -> Mask:
        mask = np.zeros(self.shape, dtype=np.bool_)
        mask.flat[index] = True
        return mask
