"""How dark current follows temperature, and how a camera warms and misreports itself."""

import numpy as np
from numpy.typing import NDArray

from solodark.synthetic.settings import SensorSettings

__all__ = [
    "arrhenius",
    "depletion_growth",
    "header_temperature",
    "inverse_thermal_energy",
    "misread_temperature",
    "self_heating",
]

BOLTZMANN_EV_PER_K = 8.617333e-5
ZERO_CELSIUS_K = 273.15


def inverse_thermal_energy(temperature_c: float, reference_c: float) -> float:
    """Difference of 1/kT between a reference temperature and another, per electronvolt.

    Parameters
    ----------
    temperature_c, reference_c : float
        Sensor temperature and the temperature that rates refer to.

    Returns
    -------
    float
        ``1/kT_ref - 1/kT``; a rate of activation energy E grows by ``exp(E * this)``.

    Examples
    --------
    >>> round(inverse_thermal_energy(20.0, 20.0), 3)
    0.0
    """
    inverse_k = 1.0 / (reference_c + ZERO_CELSIUS_K) - 1.0 / (temperature_c + ZERO_CELSIUS_K)
    return inverse_k / BOLTZMANN_EV_PER_K


def arrhenius(temperature_c: float, *, energy_ev: float, reference_c: float) -> float:
    """Growth of a dark current between two temperatures.

    The law is ``exp(-E/kT)``, [Widenhorn 2002]; its powers of T are absorbed in E. Near 20 C it
    doubles in 8.1 K at 0.63 eV and in 4.6 K at 1.12 eV.

    Parameters
    ----------
    temperature_c : float
        Sensor temperature.
    energy_ev : float
        Activation energy.
    reference_c : float
        Temperature where the factor is 1.

    Returns
    -------
    float
        Dark current over that at the reference temperature.

    Examples
    --------
    >>> round(arrhenius(28.1, energy_ev=0.65, reference_c=20.0), 2)
    2.0
    """
    return float(np.exp(energy_ev * inverse_thermal_energy(temperature_c, reference_c)))


def self_heating(settings: SensorSettings, busy_s: float) -> float:
    """Rise of the sensor's temperature after it has been exposing for a while.

    Parameters
    ----------
    settings : SensorSettings
        Says how far and how fast: ``rise * (1 - exp(-t / heating_time))``.
    busy_s : float
        Time since the series began.

    Returns
    -------
    float
        Degrees above the surroundings.
    """
    return settings.self_heating_c * float(-np.expm1(-busy_s / settings.heating_time_s))


def header_temperature(settings: SensorSettings, true_c: float, scatter_c: float) -> float:
    """Give what the camera writes into its header.

    Parameters
    ----------
    settings : SensorSettings
        Its constant error and its rounding.
    true_c : float
        True temperature when the header is written, at the start of the exposure.
    scatter_c : float
        Error of this series.

    Returns
    -------
    float
        A coarse temperature.
    """
    step = settings.header_step_c
    told = true_c + settings.header_offset_c + scatter_c
    return round(round(told / step) * step, 6)


def depletion_growth(
    energy_ev: NDArray[np.float32], temperature_c: float, reference_c: float
) -> NDArray[np.float32]:
    """Give the growth of each pixel's depletion current by its own activation energy.

    Parameters
    ----------
    energy_ev : ndarray of float32, shape (ny, nx)
        Activation energies.
    temperature_c, reference_c : float
        Sensor temperature, and the temperature where the growth is 1.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        As in `arrhenius`.
    """
    exponent = np.float32(inverse_thermal_energy(temperature_c, reference_c))
    growth: NDArray[np.float32] = np.exp(energy_ev * exponent)
    return growth


def misread_temperature(
    settings: SensorSettings, rng: np.random.Generator, temperature_c: float
) -> float:
    """Draw what the header of a single exposure says.

    Parameters
    ----------
    settings : SensorSettings
        Its errors.
    rng : numpy.random.Generator
        The dice.
    temperature_c : float
        True sensor temperature.

    Returns
    -------
    float
        A coarse and wrong temperature.
    """
    return header_temperature(
        settings, temperature_c, settings.header_scatter_c * rng.standard_normal()
    )
