"""A camera whose every secret is known."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_planes
from solodark.synthetic.clipping import clipped_mean, clipped_variance
from solodark.synthetic.records import SyntheticExposure
from solodark.synthetic.sensor import SyntheticSensor
from solodark.synthetic.telegraph import TelegraphState

__all__ = ["SyntheticCamera"]

QUANTISATION_VARIANCE_ADU2 = 1.0 / 12.0

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SyntheticCamera(SyntheticSensor):
    """A sensor with its read-out: what a perfect master would show; `make_camera` draws one.

    The attributes are those of `SyntheticSensor`.
    """

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
        clamp_e = self.clamp_e(exposure_s, temperature_c)
        level_adu, variance_adu2 = self._unlimited_adu(charge_e, iso=iso, clamp_e=clamp_e)
        return clipped_mean(level_adu, variance_adu2, float(self.settings.full_scale_adu))

    def expected_for(self, shot: SyntheticExposure, *, frozen_telegraph: bool = False) -> Image:
        """Give the master that endlessly many darks like one of this camera's would show.

        Parameters
        ----------
        shot : SyntheticExposure
            A dark, or a light whose dark signal is wanted.
        frozen_telegraph : bool
            Whether dark-type telegraph pixels stay at their levels in it, rather than at their
            long-run mean.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU, as in `expected_dark_adu`.
        """
        acquisition, truth = shot.frame.acquisition, shot.truth
        setting = acquisition.iso if self.settings.photographic else acquisition.gain_setting
        return self.expected_dark_adu(
            exposure_s=acquisition.exposure_s or 0.0,
            temperature_c=truth.temperature_c,
            iso=None if setting is None else int(setting),
            date=acquisition.date_obs,
            glow_amplitude=truth.glow_amplitude,
            telegraph_state=truth.telegraph_state if frozen_telegraph else None,
        )

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
        clamp_e = self.clamp_e(exposure_s, temperature_c)
        level_adu, variance_adu2 = self._unlimited_adu(charge_e, iso=iso, clamp_e=clamp_e)
        return clipped_variance(level_adu, variance_adu2, float(self.settings.full_scale_adu))

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

    def _unlimited_adu(
        self, charge_e: Image, *, iso: int | None, clamp_e: float
    ) -> tuple[Image, Image]:
        """Mean and variance that a mean charge has at the converter, before its full scale."""
        settings, mode = self.settings, self.settings.mode(iso)
        collected_e = clipped_mean(charge_e, charge_e, settings.full_well_e)
        variance = clipped_variance(charge_e, charge_e, settings.full_well_e)
        variance += self._read_out_variance_e2(mode.setting)
        variance /= np.float32(mode.gain_e_per_adu**2)
        variance += np.float32(settings.level_noise_adu**2 + QUANTISATION_VARIANCE_ADU2)
        return self.to_adu(collected_e, iso=iso, clamp_e=clamp_e), variance

    def _read_out_variance_e2(self, setting: int) -> Image:
        """Variance that reading a pixel adds, whatever its charge."""
        mode = self.settings.mode(setting)
        variance: Image = (self.relative_read_noise * np.float32(mode.read_noise_e)) ** 2
        variance += np.float32(self.settings.row_noise_e**2)
        variance.flat[self.telegraph_read.index] += self.telegraph_read.variance_e2
        return variance
