"""How noisy a pixel of a dark is: read noise, shot noise and the hidden dark signal.

A camera that subtracts its own optical black hides the mean of its dark signal, but not the noise
of it; so every frame carries a variance of its own for ordinary pixels, and a pixel's variance
grows from there with the signal that is seen in it::

    variance_f(signal) = frame_variance_f + slope * max(signal, 0) + curvature * signal^2   [ADU^2]

The slope is the inverse of the conversion gain (EMVA 1288, the photon transfer method).
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["NoiseLaw", "Spread", "fit_noise_law", "robust_variance", "spreads"]

Array = NDArray[np.float64]

_MEDIAN_OF_SQUARE = 0.454936  # median of chi-squared with one degree of freedom
_MIN_IN_BIN = 50
_ROUNDS = 4


@dataclass(frozen=True, eq=False, slots=True)
class NoiseLaw:
    """Temporal noise.

    Attributes
    ----------
    frame_variance : ndarray, shape (n_frames,)
        Variance of an ordinary pixel in each frame, ADU^2.
    slope : ndarray, shape (n_settings,)
        Growth of the variance with the signal at each gain setting, ADU^2 per ADU: one over the
        conversion gain.
    curvature : float
        Growth with the square of the signal, dimensionless.
    """

    frame_variance: Array
    slope: Array
    curvature: float

    @property
    def gain_e_per_adu(self) -> Array:
        """Conversion gain of each setting, electrons per ADU; NaN where no signal could tell."""
        gain: Array = np.full(len(self.slope), np.nan)
        np.divide(1.0, self.slope, out=gain, where=self.slope > 0)
        return gain

    def variance(self, signal_adu: Array, frame_variance: Array | float, setting: int = 0) -> Array:
        """Variance of pixels with a signal.

        Parameters
        ----------
        signal_adu : ndarray
            Signal above the level, ADU.
        frame_variance : float or ndarray
            Variance of ordinary pixels in that frame, ADU^2.
        setting : int
            Gain setting.

        Returns
        -------
        ndarray
            ADU^2, shaped as `signal_adu`.

        Examples
        --------
        >>> law = NoiseLaw(np.array([9.0]), slope=np.array([0.5]), curvature=0.0)
        >>> law.variance(np.array([-4.0, 100.0]), 9.0)
        array([ 9., 59.])
        """
        signal = np.maximum(signal_adu, 0.0)
        slope = float(self.slope[setting])
        return np.asarray(frame_variance + slope * signal + self.curvature * signal**2)


def robust_variance(deviations: NDArray[np.floating[Any]], step: float = 0.0) -> float:
    """Variance of normal noise under a few outliers: the mean square of what lies within 3 sigma.

    Parameters
    ----------
    deviations : ndarray
        Deviations from zero.
    step : float
        From one value that a pixel can have to the next, where it is coarse beside their noise:
        two steps are no outlier then, even where most pixels do not deviate at all.

    Returns
    -------
    float
        Variance, in the squared unit of the input.
    """
    squares = np.square(deviations, dtype=np.float64)
    bound = 9.0 * max(float(np.median(squares)) / _MEDIAN_OF_SQUARE, 0.5 * step**2, 1e-12)
    inside = squares[squares <= bound]
    # A normal distribution cut at 3 sigma keeps 0.9733 of its variance.
    return float(inside.mean()) / 0.9733 if inside.size else 0.0


class Spread(NamedTuple):
    """How far pixels of one frame and of about one signal spread.

    Attributes
    ----------
    frame : int
        The frame.
    signal_adu : float
        Their mean signal above the level, ADU.
    variance : float
        Their variance, ADU^2.
    n : int
        How many they are.
    """

    frame: int
    signal_adu: float
    variance: float
    n: int


def spreads(
    signal: Array,
    deviations: Array,
    frame_variance: Array,
    shrink: Array,
    *,
    step_adu: float = 0.0,
) -> list[Spread]:
    """Measure how far pixels deviate at each signal.

    Parameters
    ----------
    signal : ndarray, shape (n_frames, n_pixels)
        Predicted signal above the level, ADU.
    deviations : ndarray, shape (n_frames, n_pixels)
        Deviations, ADU.
    frame_variance : ndarray, shape (n_frames,)
        Variance of ordinary pixels, ADU^2.
    shrink : ndarray, shape (n_frames,)
        Share of the noise's variance that is left in `deviations`; frames with none are passed
        over.
    step_adu : float
        Step between values, where it is coarse beside the noise.

    Returns
    -------
    list of Spread
        For each frame and each octave of the signal above the noise that holds enough pixels.
    """
    edges = np.sqrt(np.median(frame_variance)) * 2.0 ** np.arange(0, 15)

    def of_frame(f: int) -> list[Spread]:  # numpydoc ignore=GL08
        told = []
        above = signal[f] >= edges[0]
        level, deviation = signal[f][above], deviations[f][above]
        octave = np.searchsorted(edges, level, side="right").astype(np.uint8)
        order, counts = np.argsort(octave, kind="stable"), np.bincount(octave)
        for inside in np.split(order, np.cumsum(counts)[:-1]):
            if inside.size >= _MIN_IN_BIN:
                variance = robust_variance(deviation[inside], step_adu) / shrink[f]
                told.append(Spread(f, float(level[inside].mean()), variance, inside.size))
        return told

    frames = np.flatnonzero(shrink > 0).tolist()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return [spread for told in threads.map(of_frame, frames) for spread in told]


def fit_noise_law(
    told: Sequence[Spread],
    bounds: Sequence[Spread],
    frame_variance: Array,
    setting: NDArray[np.intp],
) -> NoiseLaw:
    """Fit slopes and curvature to the spread of pixels at each signal.

    Parameters
    ----------
    told : sequence of Spread
        Of frames around the mean of their series: noise alone.
    bounds : sequence of Spread
        Of frames around what the model foretells: noise, and a scatter from series to series that
        grows with the square of the signal. They count above the signals that `told` reaches, and
        keep the law from foretelling more noise there than all that is seen.
    frame_variance : ndarray, shape (n_frames,)
        Variance of ordinary pixels, ADU^2.
    setting : ndarray of int, shape (n_frames,)
        Gain setting of each frame, from 0.

    Returns
    -------
    NoiseLaw
        The law. A setting whose frames hold too little signal gets the mean of the others' slopes.
    """
    from scipy.optimize import nnls  # takes as long to import as all of the dark model

    own = np.eye(int(setting.max()) + 1)
    reach = max((one.signal_adu for one in told), default=0.0)
    beyond = [one for one in bounds if one.signal_adu > reach]
    points = [*told, *beyond]
    if not points:
        return NoiseLaw(frame_variance, np.zeros(len(own)), 0.0)
    frame = np.array([one.frame for one in points])
    variance = np.array([one.variance for one in points])
    count = np.array([one.n for one in points])
    excess = variance - frame_variance[frame]
    powers = _powers(points, len(told), own[setting[frame]])
    for _ in range(_ROUNDS):  # the variances themselves would favour those that came out small
        weight = np.sqrt(count) / variance
        coefficients, _ = nnls(powers * weight[:, None], excess * weight)
        variance = frame_variance[frame] + powers @ coefficients
    slopes, seen = coefficients[: len(own)], powers[:, : len(own)].any(axis=0)
    slopes[~seen] = slopes[seen].mean()
    return NoiseLaw(frame_variance, slopes, float(coefficients[len(own)]))


def _powers(points: Sequence[Spread], n_told: int, settings: Array) -> Array:
    """Columns of the fit: the signal at each setting, its square as noise, and as scatter."""
    level = np.array([one.signal_adu for one in points])
    bound = np.arange(level.size) >= n_told
    square = level**2
    # Bounds alone cannot tell noise from scatter: all is scatter then.
    noise = square if n_told else np.zeros_like(square)
    return np.column_stack((level[:, None] * settings, noise, np.where(bound, square, 0.0)))
