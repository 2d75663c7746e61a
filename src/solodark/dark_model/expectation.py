"""What a library lets one expect of a sub before its pixels are looked at."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import library_strength2
from solodark.dark_model.model import DarkModel
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.frames import Acquisition

__all__ = ["expected_variance", "least_state", "noise_margin"]

Array = NDArray[np.float64]

_MARGIN = 1.5  # beyond the scatter of the library's own frames
_ALIKE = float(np.log(3.0))  # exposures up to three times each other's tell of each other
_KELVIN_TO_HALVE = 4.6
"""No dark current falls faster: diffusion, at the full band gap of silicon [Widenhorn 2002]."""
_COLDER_IF_SILENT_C = 10.0  # a cold night, for an uncooled camera whose header does not tell


def least_state(model: DarkModel, acquisition: Acquisition, setting: int) -> Array | None:
    """State that a dark reaches even on the coldest night of the library.

    Judged by the library's darks of like exposure: the state of a far shorter one is all noise.
    A colder sub, or one that does not tell, has less by what physics allows.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    acquisition : Acquisition
        Exposure and temperature of the sub.
    setting : int
        Its gain setting.

    Returns
    -------
    ndarray, shape (rank,), or None
        None for a bias, for an exposure that is not known, and for a setting without darks, which
        let expect nothing.
    """
    exposure_s, exposures_s = acquisition.exposure_s, model.library.exposure_s
    own = model.library.setting == setting
    darks = np.flatnonzero((exposures_s > BIAS_EXPOSURE_S) & own)
    if exposure_s is None or exposure_s <= BIAS_EXPOSURE_S or not darks.size:
        return None
    ratio = np.abs(np.log(exposures_s[darks] / exposure_s))
    darks = darks[ratio <= max(float(ratio.min()), _ALIKE)]
    weakest = darks[np.argmin(_amplitudes(model)[darks] / exposures_s[darks])]
    colder_c = _colder_than_library_c(model, acquisition.sensor_temperature_c)
    share = exposure_s / exposures_s[weakest] * 0.5 ** (colder_c / _KELVIN_TO_HALVE)
    return np.asarray(model.library.states[weakest] * share)


def _colder_than_library_c(model: DarkModel, temperature_c: float | None) -> float:
    known_c = model.library.sensor_temperature_c
    if temperature_c is None or not np.isfinite(known_c).any():
        return _COLDER_IF_SILENT_C
    return max(0.0, float(np.nanmin(known_c)) - temperature_c)


def _amplitudes(model: DarkModel) -> Array:
    return np.asarray(np.sqrt(np.maximum(library_strength2(model), 0.0)))


def expected_variance(model: DarkModel, amplitude: float, setting: int) -> float:
    """Noise of an ordinary pixel in a frame with a dark signal of some strength.

    Read noise, and the shot noise of the hidden dark: depletion current grows with the amplitude of
    the hot pixels, diffusion current with its square, so ``v0 + a A + b A^2`` with a, b >= 0.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    amplitude : float
        Strength of the dark signal, 1 for the strongest of the library.
    setting : int
        Gain setting.

    Returns
    -------
    float
        ADU^2.
    """
    coefficients, _ = _variance_law(model, setting)
    return float(np.vander([amplitude], 3, increasing=True)[0] @ coefficients)


def _variance_law(model: DarkModel, setting: int) -> tuple[Array, Array]:
    """Fit the law to a setting's frames; give it, and their variances over what it expects."""
    from scipy.optimize import nnls  # takes as long to import as all of the dark model

    own = model.library.setting == setting
    variances = model.law.frame_variance[own]
    powers = np.vander(_amplitudes(model)[own], 3, increasing=True)
    # Relative errors are alike for all frames, so each counts relative to its own.
    coefficients, _ = nnls(powers / variances[:, None], np.ones(variances.size))
    return coefficients, variances / (powers @ coefficients)


def noise_margin(model: DarkModel, setting: int) -> float:
    """How far a dark's variance may lie from what is expected, as a factor.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    setting : int
        Gain setting.

    Returns
    -------
    float
        What the library's own frames reach, and a half more for what it has not seen.
    """
    _, ratios = _variance_law(model, setting)
    return float(_MARGIN * max(ratios.max(), (1.0 / ratios).max()))
