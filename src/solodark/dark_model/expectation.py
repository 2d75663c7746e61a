"""What a library lets one expect of a sub before its pixels are looked at."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import library_strength2
from solodark.dark_model.model import DarkModel
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.frames import Acquisition

__all__ = ["least_state"]

Array = NDArray[np.float64]

_FAR_SHORTER = 3.0  # times; the state of such a dark is all noise
_KELVIN_TO_HALVE = 4.6
"""No dark current falls faster: diffusion, at the full band gap of silicon [Widenhorn 2002]."""
_COLDER_IF_SILENT_C = 10.0  # a cold night, for an uncooled camera whose header does not tell
_WEAK = 1e-6


def least_state(model: DarkModel, acquisition: Acquisition, setting: int) -> Array | None:
    """State that a dark reaches even on the coldest night of the library.

    As weak as the weakest of the library's darks would be at that exposure, and no stronger than
    the strongest was; of far shorter ones the states are all noise. Where the sub is colder than
    one of them, or does not tell, it has less by what physics allows. The mixture is that of the
    strongest of them, which is known best.

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
    times = exposure_s / exposures_s[darks]
    near = times <= max(float(times.min()), _FAR_SHORTER)
    darks, times = darks[near], times[near]
    colder_c = _colder_c(model, acquisition.sensor_temperature_c)[darks]
    shares = times * 0.5 ** (colder_c / _KELVIN_TO_HALVE)
    amplitudes = np.sqrt(np.maximum(library_strength2(model)[darks], 0.0))
    strongest = np.argmax(amplitudes)
    share = (amplitudes * shares).min() / max(float(amplitudes[strongest]), _WEAK)
    return np.asarray(model.library.states[darks[strongest]] * min(1.0, share))


def _colder_c(model: DarkModel, temperature_c: float | None) -> Array:
    """By how much a sub is colder than each frame of the library."""
    known_c = model.library.sensor_temperature_c
    if temperature_c is None:
        return np.full(known_c.shape, _COLDER_IF_SILENT_C)
    return np.nan_to_num(np.maximum(known_c - temperature_c, 0.0), nan=_COLDER_IF_SILENT_C)
