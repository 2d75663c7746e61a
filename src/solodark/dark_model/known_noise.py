"""What a library knows of the noise of a dark, and how far that may be believed.

A frame of which the library holds no other like it is explained by maps of its own, and shows less
noise than it has, or more where no map explains it. So the most that
noise may be is known from frames that others resemble, the least from series of several frames, and
the shot noise of a signal, which is what scatters within a series, from repeated darks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import library_strength2
from solodark.dark_model.model import DarkModel

__all__ = ["KnownNoise", "known_noise"]

Array = NDArray[np.float64]

_MARGIN = 1.5  # beyond the scatter of the library's own frames
_MOST_LEVERAGE = 0.4  # of two alike frames, what differs may be the series
_NO_LENGTH = 1e-9  # of the longest; no frame shows such a direction
_LEAST_REPEATED2 = 0.02  # of the strongest signal squared, over frames beyond a series' first
_WEAK = 1e-6
_RELUCTANCE = 0.05  # as much as one frame whose noise is off by a twentieth


@dataclass(frozen=True, eq=False, slots=True)
class VarianceLaw:
    """Noise of an ordinary pixel, as some frames tell it: ``v0 + a A + b A^2``, none below zero.

    Read noise, and the shot noise of the hidden dark: depletion current grows with the amplitude A
    of the hot pixels, diffusion current with its square.

    Attributes
    ----------
    coefficients : ndarray, shape (3,)
        v0, a and b, ADU^2.
    amplitude : float
        Of the strongest of these frames, 1 for the strongest of the library.
    misfit : float
        How far the variance of one of them lies from the law at most, as a factor.
    """

    coefficients: Array
    amplitude: float
    misfit: float

    def variance(self, amplitude: float) -> float:
        """Give the noise at some strength of the dark signal.

        Parameters
        ----------
        amplitude : float
            Of the dark signal, 1 for the strongest of the library.

        Returns
        -------
        float
            ADU^2.
        """
        return float(np.vander([amplitude], 3, increasing=True)[0] @ self.coefficients)


@dataclass(frozen=True, eq=False, slots=True)
class KnownNoise:
    """What a library knows of the noise of an ordinary pixel at one gain setting.

    Attributes
    ----------
    law : VarianceLaw
        Of the frames that others resemble; of all of them where there are none such.
    repeated : VarianceLaw, optional
        Of series of several frames; None where there are none.
    is_known : bool
        False where no frame resembles others.
    slope_adu : float
        Shot noise of a signal, ADU^2 per ADU; 0 where the library cannot tell.
    """

    law: VarianceLaw
    repeated: VarianceLaw | None
    is_known: bool
    slope_adu: float

    @property
    def margin(self) -> float:
        """How far a dark's variance may lie from what is expected, as a factor."""
        return _MARGIN * self.law.misfit

    def expected(self, amplitude: float) -> float:
        """Give the noise that the library lets expect at some strength of the dark signal.

        Parameters
        ----------
        amplitude : float
            Of the dark signal, 1 for the strongest of the library.

        Returns
        -------
        float
            ADU^2.
        """
        return self.law.variance(amplitude)

    def most(self, amplitude: float) -> float:
        """Give the noise that a dark may have before it has too much.

        It may grow as fast as diffusion current does beyond the strongest dark that tells of it.

        Parameters
        ----------
        amplitude : float
            Of the dark signal, 1 for the strongest of the library.

        Returns
        -------
        float
            ADU^2; infinite where the library knows of no noise.
        """
        if not self.is_known:
            return np.inf
        beyond = max(1.0, amplitude / max(self.law.amplitude, _WEAK))
        return self.expected(amplitude) * beyond**2

    def least(self, amplitude: float) -> float:
        """Give the noise that a dark has at the very least.

        Parameters
        ----------
        amplitude : float
            Of the dark signal, 1 for the strongest of the library.

        Returns
        -------
        float
            ADU^2; 0 where no dark or bias was repeated.
        """
        if self.repeated is None:
            return 0.0
        return self.repeated.variance(min(amplitude, self.repeated.amplitude))


def known_noise(model: DarkModel, setting: int) -> KnownNoise:
    """Sum up what a library knows of the noise of its frames.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    setting : int
        Gain setting.

    Returns
    -------
    KnownNoise
        Of that setting.
    """
    own = model.library.setting == setting
    amplitudes = np.sqrt(np.maximum(library_strength2(model), 0.0))
    counts = np.bincount(model.library.series)[model.library.series]
    repeated = own & (counts > 1)
    alike = repeated | (own & (_leverage(model) < _MOST_LEVERAGE))
    beyond_first = (1.0 - 1.0 / counts) * amplitudes**2
    tells_slope = float(np.sum(beyond_first[own])) > _LEAST_REPEATED2
    variances = model.law.frame_variance
    return KnownNoise(
        law=_fit_law(amplitudes, variances, alike if alike.any() else own),
        repeated=_fit_law(amplitudes, variances, repeated) if repeated.any() else None,
        is_known=bool(alike.any()),
        slope_adu=float(model.law.slope[setting]) if tells_slope else 0.0,
    )


def _leverage(model: DarkModel) -> Array:
    """Tell how much each frame draws the maps to itself: 1 where no other tells of one of them."""
    pairs = zip(model.library.states, model.library.setting, strict=True)
    design = np.array([model.design(state, int(own)) for state, own in pairs])
    weighted = design / np.sqrt(model.law.frame_variance)[:, None]
    directions, lengths, _ = np.linalg.svd(weighted, full_matrices=False)
    return np.asarray(np.sum(directions[:, lengths > _NO_LENGTH * lengths[0]] ** 2, axis=1))


def _fit_law(amplitudes: Array, variances: Array, frames: NDArray[np.bool_]) -> VarianceLaw:
    """Fit the law to some frames."""
    from scipy.optimize import nnls  # takes as long to import as all of the dark model

    found, powers = variances[frames], np.vander(amplitudes[frames], 3, increasing=True)
    # Relative errors are alike for all frames, so each counts relative to its own.
    # Darks of one strength fit either power: shot noise of one temperature grows with the first.
    reluctance = [[0.0, 0.0, _RELUCTANCE / np.median(found)]]
    relative = np.concatenate([powers / found[:, None], reluctance])
    coefficients, _ = nnls(relative, np.append(np.ones(found.size), 0.0))
    ratios = found / (powers @ coefficients)
    misfit = float(max(ratios.max(), (1.0 / ratios).max()))
    return VarianceLaw(coefficients, float(amplitudes[frames].max()), misfit)
