"""The sensor of a synthetic camera: its maps, and the electrons that they make in the dark."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.synthetic.newborn import NewbornPixels
from solodark.synthetic.settings import SensorSettings
from solodark.synthetic.telegraph import DarkTelegraph, ReadTelegraph, TelegraphState
from solodark.synthetic.temperature import arrhenius, depletion_growth

__all__ = ["SyntheticSensor"]

HOT_FACTOR = 3.0
"""Pixels with a dark current above this many times the median count as hot."""

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SyntheticSensor:
    """Maps and settings of a sensor.

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
    optical_black_e_per_s : tuple of float
        Diffusion and depletion current of the covered pixels at the reference temperature, as the
        camera averages them: its hottest pixels are held back.
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
    optical_black_e_per_s: tuple[float, float]
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
        diffusion, depletion = self.optical_black_e_per_s
        rate = diffusion * self._diffusion_growth(temperature_c) + depletion * arrhenius(
            temperature_c,
            energy_ev=settings.depletion_energy_ev,
            reference_c=settings.reference_temperature_c,
        )
        return settings.optical_black_ratio * rate * exposure_s

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
