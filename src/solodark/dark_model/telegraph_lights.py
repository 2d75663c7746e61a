"""Where the telegraph pixels of a sensor stood in the lights of a night, one light after the other.

Between two lights a pixel forgets its level by and by; each light tells it anew, by Bayes' rule.
"""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import hop_strength, strength2_of
from solodark.dark_model.model import DarkModel
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.dark_model.telegraph_update import hop_levels, stand

__all__ = ["HopsInLights"]

Array = NDArray[np.float64]

_LEAST_NOISE = 0.3  # of the sky's: a pixel at its low level is no quieter


class HopsInLights:
    """The levels of telegraph pixels, followed through a night.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    """

    def __init__(self, model: DarkModel) -> None:
        self._model = model
        self._pixels = model.pixels.telegraph.where(model.pixels.telegraph.settled)
        self._duty = self._pixels.duty.astype(np.float64)
        self._high, self._last_s = self._duty, np.nan
        self._strengths: list[float] = []
        self._sum, self._known, self._told = np.zeros((3, self._duty.size))

    @property
    def place(self) -> NDArray[np.int32]:
        """Where they are, as indices into the flattened sensor."""
        return self._pixels.place

    def add(
        self, contrast: Array, variance: Array, state: Array, slope: float, taken_s: float
    ) -> None:
        """Look at one more light.

        Parameters
        ----------
        contrast, variance : ndarray, shape (n,)
            What stands out beyond the mean in the long run, ADU, and its noise there, ADU^2; NaN
            where nothing can be seen.
        state : ndarray, shape (rank,)
            State of the light.
        slope : float
            Growth of the noise with the signal, ADU.
        taken_s : float
            When, seconds since 1970 UTC; NaN if unknown.
        """
        strength = hop_strength(self._model, state)
        floored = np.sqrt(strength2_of(self._model, state) + FLOOR_AMPLITUDE2)
        self._strengths.append(strength / floored)
        levels = hop_levels(self._pixels, strength)
        rest = self._pixels.rest_adu2 * (strength**2 + FLOOR_AMPLITUDE2)
        noise = np.maximum(variance + slope * levels, _LEAST_NOISE * variance) + rest
        seen = np.isfinite(contrast)
        before = self._remembered(taken_s)
        found = stand(before, np.where(seen, contrast, 0.0), levels, np.where(seen, noise, 1.0))
        self._high = np.where(seen, found.high, before)
        self._sum += np.where(seen, found.high, 0.0)
        self._known += np.where(seen, found.known, 0.0)
        self._told += seen

    def deviations(self) -> tuple[NDArray[np.bool_], Array, Array]:
        """Tell where they stood that night on average.

        Returns
        -------
        told : ndarray of bool, shape (n,)
            Whether the lights show them, at one of their two levels.
        mean, variance : ndarray, shape (n,)
            From their mean in the long run, ADU at strength 1 with its floor, and its variance.
        """
        seen, strength = np.maximum(self._told, 1.0), np.mean(self._strengths or [0.0])
        high, rise = self._sum / seen, strength * self._pixels.rise_adu.astype(np.float64)
        told = (self._told > 0) & (self._known / seen > 0.5)
        variance = high * (1.0 - high) * rise**2 + self._pixels.rest_adu2
        return told, (high - self._duty) * rise, variance

    def _remembered(self, taken_s: float) -> Array:
        """Chance of the high level, before a light is looked at."""
        gap_s = abs(taken_s - self._last_s)
        self._last_s = taken_s
        if not np.isfinite(gap_s):
            return self._high
        kept = np.exp(-gap_s / self._pixels.memory_s.astype(np.float64))
        return np.asarray(self._duty + (self._high - self._duty) * kept)
