"""The law of a library's states: how strong the dark signal is at an exposure and a temperature.

Two things are learned from the states of the library's own frames. Their strength ``a`` follows

    log a = c + p log(exposure) + E (1/kT_0 - 1/kT)

with p near 1 and E the activation energy of the warm pixels, about 0.63 eV [Widenhorn 2002]; both
are fitted with that knowledge as a prior, so that one exposure or one temperature is enough, and
the interval widens by itself away from what the library holds. Headers' temperatures are wrong by a
degree or two and differently in every series, so the scatter is that of series, not of frames. And
the mixture of the maps, ``state / a``, is a smooth function of strength and exposure alone, in
which no header temperature enters: the states are the thermometer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ENERGY_EV",
    "EXPONENT",
    "WEAK2",
    "StateLaw",
    "inverse_thermal_energy",
    "mixture_terms",
]

Array = NDArray[np.float64]

_BOLTZMANN_EV_PER_K = 8.617333e-5
_ZERO_CELSIUS_K = 273.15
EXPONENT = (1.0, 0.1)  # strength against exposure: linear, give or take glow that saturates
ENERGY_EV = (0.63, 0.12)  # half the gap of silicon and somewhat more; the whole gap is 1.12 eV
WEAK2 = 0.02**2  # squared strength at which a state is mostly noise
_BEYOND = 4.0
_FREE = 100.0  # variance of a log strength of which nothing is known
_STEP = 0.05
_NEAR = 1.1  # exposures within a tenth of the range are of it
_NEAR_C = 1.0
_ONE_TEMPERATURE_C = 1.0
_POWERS = np.array([[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]])  # of strength, exposure


@dataclass(frozen=True, eq=False, slots=True)
class StateLaw:
    """How states follow exposure and temperature.

    Attributes
    ----------
    coefficients : ndarray, shape (3 + n_settings,)
        Log strength at the centre, exponent of the exposure, activation energy in eV; then for each
        gain setting by how much the same charge is stronger in ADU, as a logarithm.
    coefficient_covariance : ndarray, shape (3 + n_settings, 3 + n_settings)
        Their uncertainty.
    scatter2 : float
        Variance of the log strength of a single dark about the law.
    centre : ndarray, shape (2,)
        Log exposure and 1/kT (in 1/eV) that the law is written around.
    temperature_spread2 : float
        Variance of 1/kT over the library: what an unknown temperature means.
    mixture : ndarray, shape (n_terms, rank)
        State at strength 1, as a polynomial of log strength and log exposure.
    mixture_covariance : ndarray, shape (rank, rank)
        How far left-out series lay from it.
    mixture_range : ndarray, shape (2, 2)
        Lowest and highest log strength, and log exposure about the centre; it is held beyond.
    strength : ndarray, shape (rank, rank)
        The model's measure of strength.
    exposure_range_s, temperature_range_c : tuple of float
        What the library's darks hold; the temperatures NaN where no header told them.
    """

    coefficients: Array
    coefficient_covariance: Array
    scatter2: float
    centre: Array
    temperature_spread2: float
    mixture: Array
    mixture_covariance: Array
    mixture_range: Array
    strength: Array
    exposure_range_s: tuple[float, float]
    temperature_range_c: tuple[float, float]

    @property
    def knows_temperature(self) -> bool:
        """Whether any header of the library told a temperature."""
        return bool(np.isfinite(self.temperature_range_c[0]))

    def state(
        self, exposure_s: float, temperature_c: float | None = None, *, setting: int = 0
    ) -> tuple[Array, Array]:
        """Foretell the state of a dark.

        Parameters
        ----------
        exposure_s : float
            Exposure time.
        temperature_c : float, optional
            Temperature as this camera's headers tell it; any that the library knew if left out.
        setting : int
            Gain setting.

        Returns
        -------
        state : ndarray, shape (rank,)
            One number per dark map.
        covariance : ndarray, shape (rank, rank)
            Its uncertainty: of the law, of headers, of a camera that warms itself.
        """
        unknown2 = 0.0
        inverse = self.centre[1]
        if temperature_c is not None and self.knows_temperature:
            inverse = float(inverse_thermal_energy(temperature_c))
        elif self.knows_temperature:
            unknown2 = self.temperature_spread2
        own = np.eye(len(self.coefficients) - 3)[setting]
        warmth = self.centre[1] - inverse
        terms = np.array([1.0, np.log(exposure_s) - self.centre[0], warmth, *own])
        log_strength = float(terms @ self.coefficients)
        variance = float(terms @ self.coefficient_covariance @ terms) + self.scatter2
        variance += self.coefficients[2] ** 2 * unknown2 + self._beyond2(exposure_s, temperature_c)
        state, along, error = self._mix(log_strength, exposure_s, setting)
        return state, variance * np.outer(along, along) + error

    def doubts(self, exposure_s: float, temperature_c: float | None = None) -> list[str]:
        """Say why a foretold state deserves doubt.

        Parameters
        ----------
        exposure_s : float
            Exposure time.
        temperature_c : float, optional
            Temperature as this camera's headers tell it.

        Returns
        -------
        list of str
            One sentence for each cause; those outside the library's range say "extrapolated".
        """
        low, high = self.exposure_range_s
        asked: list[str] = []
        if not low / _NEAR <= exposure_s <= high * _NEAR:
            asked.append(_outside(f"{exposure_s:g} s", _span(low, high, "s")))
        asked += self._temperature_doubts(temperature_c)
        return asked

    def _temperature_doubts(self, temperature_c: float | None) -> list[str]:
        low, high = self.temperature_range_c
        if not self.knows_temperature:
            if temperature_c is None:
                return []
            sentence = (
                f"no header of the library tells a temperature, so {temperature_c:g} C says "
                "nothing here; the uncertainty is that of all nights of the library"
            )
            return [sentence]
        if temperature_c is None:
            if high - low <= _ONE_TEMPERATURE_C:
                return []
            return [f"no temperature was given; the uncertainty covers the {_span(low, high, 'C')}"]
        if low - _NEAR_C <= temperature_c <= high + _NEAR_C:
            return []
        return [_outside(f"{temperature_c:g} C", _span(low, high, "C"))]

    def _beyond2(self, exposure_s: float, temperature_c: float | None) -> float:
        """Doubt about the law itself outside the library's range: as if nothing had taught it."""
        low, high = self.exposure_range_s
        longer = max(np.log(exposure_s / high), np.log(low / exposure_s), 0.0)
        doubt2 = (EXPONENT[1] * longer) ** 2
        if temperature_c is not None and self.knows_temperature:
            nearest_c = np.clip(temperature_c, *self.temperature_range_c)
            away = inverse_thermal_energy(nearest_c) - inverse_thermal_energy(temperature_c)
            doubt2 += (ENERGY_EV[1] * float(away)) ** 2
        return float(doubt2)

    def refine(
        self, state: Array, covariance: Array, exposure_s: float, *, setting: int = 0
    ) -> tuple[Array, Array]:
        """Combine a measured state with what the library knows of the mixture at its strength.

        A night may be unlike all of the library: where the two lie farther apart than both allow,
        the law is believed to be wrong by as much, and the measured state prevails.

        Parameters
        ----------
        state : ndarray, shape (rank,)
            As measured.
        covariance : ndarray, shape (rank, rank)
            Its uncertainty.
        exposure_s : float
            Exposure time.
        setting : int
            Gain setting.

        Returns
        -------
        state : ndarray, shape (rank,)
            Where both agree best; its strength is the measured one.
        covariance : ndarray, shape (rank, rank)
            Its uncertainty.
        """
        found = state
        for _ in range(3):
            log_strength = 0.5 * float(np.log(max(float(found @ self.strength @ found), WEAK2)))
            expected, along, error = self._mix(log_strength, exposure_s, setting)
            free, away = _FREE * np.outer(along, along), state - expected
            surprise2 = float(away @ np.linalg.pinv(error + free + covariance) @ away)
            prior = free + error * max(1.0, surprise2 / max(1, len(state) - 1))
            # From the measured side: the prior is all but free along its line, and would drown it.
            pull = covariance @ np.linalg.pinv(prior + covariance)
            found = state - pull @ away
        return found, covariance - pull @ covariance

    def _mix(
        self, log_strength: float, exposure_s: float, setting: int
    ) -> tuple[Array, Array, Array]:
        """State of a strength, its change with the strength's logarithm, and its covariance."""
        gain = float(self.coefficients[3 + setting])
        point = np.array([log_strength - gain, np.log(exposure_s) - self.centre[0]])
        inside = np.clip(point, self.mixture_range[:, 0], self.mixture_range[:, 1])
        step = np.array([_STEP, 0.0])
        here, above = (
            np.exp(gain) * self._at(point + way, inside + way) for way in (0.0 * step, step)
        )
        beyond2 = float(np.sum((point - inside) ** 2))
        error = np.exp(2 * log_strength) * (1.0 + _BEYOND * beyond2) * self.mixture_covariance
        return here, (above - here) / _STEP, error

    def _at(self, point: Array, inside: Array) -> Array:
        """State of the strength at a point, mixed as at the nearest point inside the library."""
        mixture: Array = mixture_terms(inside, len(self.mixture)) @ self.mixture
        return np.asarray(np.exp(point[0]) * _normal(mixture, self.strength))


def inverse_thermal_energy(temperature_c: Array | float) -> Array:
    """Give 1/kT.

    Parameters
    ----------
    temperature_c : ndarray or float
        Sensor temperature.

    Returns
    -------
    ndarray
        In 1/eV.

    Examples
    --------
    >>> round(float(inverse_thermal_energy(15.0)), 1)
    40.3
    """
    return np.asarray(1.0 / (_BOLTZMANN_EV_PER_K * (np.asarray(temperature_c) + _ZERO_CELSIUS_K)))


def mixture_terms(places: Array, size: int) -> Array:
    """Give the powers of log strength and log exposure that a mixture is a polynomial of.

    Parameters
    ----------
    places : ndarray, shape (2, ...)
        Log strength and log exposure.
    size : int
        How many terms, up to 6.

    Returns
    -------
    ndarray, shape (..., size)
        The terms.

    Examples
    --------
    >>> mixture_terms(np.array([2.0, 3.0]), 6)
    array([1., 2., 3., 4., 6., 9.])
    """
    powers = _POWERS[:size]
    return np.asarray(
        np.prod(places[..., None] ** powers.T.reshape(2, *[1] * (places.ndim - 1), -1), axis=0)
    )


def _normal(state: Array, strength: Array) -> Array:
    """Scale a state to strength one."""
    scaled: Array = state / np.sqrt(max(float(state @ strength @ state), WEAK2))
    return scaled


def _outside(asked: str, span: str) -> str:
    return f"{asked} is outside the {span}; the master is extrapolated, its uncertainty widened"


def _span(low: float, high: float, unit: str) -> str:
    low_end, high_end = f"{low:.3g}", f"{high:.3g}"
    if low_end == high_end:
        return f"library's {low_end} {unit}"
    return f"library's {low_end} to {high_end} {unit}"
