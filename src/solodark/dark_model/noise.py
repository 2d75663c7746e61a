"""How noisy a pixel of a dark is: read noise, shot noise and the hidden dark signal.

A camera that subtracts its own optical black hides the mean of its dark signal, but not the noise
of it; so every frame carries a variance of its own for ordinary pixels, and a pixel's variance
grows from there with the signal that is seen in it::

    variance_f(signal) = frame_variance_f + slope * max(signal, 0) + curvature * signal^2   [ADU^2]

The slope is the inverse of the conversion gain (EMVA 1288, the photon transfer method).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NoiseLaw", "fit_noise_law", "robust_variance"]

Array = NDArray[np.float64]

_MEDIAN_OF_SQUARE = 0.454936  # median of chi-squared with one degree of freedom
_MIN_IN_BIN = 200


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


def robust_variance(deviations: Array) -> float:
    """Variance of normal noise under a few outliers: the mean square of what lies within 3 sigma.

    Parameters
    ----------
    deviations : ndarray
        Deviations from zero.

    Returns
    -------
    float
        Variance, in the squared unit of the input.
    """
    squares = np.square(deviations, dtype=np.float64)
    bound = 9.0 * max(float(np.median(squares)) / _MEDIAN_OF_SQUARE, 1e-12)
    inside = squares[squares <= bound]
    # A normal distribution cut at 3 sigma keeps 0.9733 of its variance.
    return float(inside.mean()) / 0.9733 if inside.size else 0.0


def fit_noise_law(
    signal: Array,
    deviations: Array,
    frame_variance: Array,
    *,
    shrink: Array,
    setting: NDArray[np.intp] | None = None,
) -> NoiseLaw:
    """Fit slopes and curvature to the spread of deviations at each signal.

    Parameters
    ----------
    signal : ndarray, shape (n_frames, n_pixels)
        Predicted signal above the level, ADU.
    deviations : ndarray, shape (n_frames, n_pixels)
        Deviations of the frames from their series' mean, ADU.
    frame_variance : ndarray, shape (n_frames,)
        Variance of ordinary pixels, ADU^2.
    shrink : ndarray, shape (n_frames,)
        Share of the noise's variance that is left in `deviations`, (n - 1) / n for a series of n.
    setting : ndarray of int, shape (n_frames,), optional
        Gain setting of each frame, from 0; one for all where it is left out.

    Returns
    -------
    NoiseLaw
        The law. A setting whose frames hold too little signal gets the mean of the others' slopes.
    """
    from scipy.optimize import nnls  # takes as long to import as all of the dark model

    setting = np.zeros(len(signal), dtype=np.intp) if setting is None else setting
    own = np.eye(int(setting.max()) + 1)
    usable = shrink > 0
    excess, weights, powers = [], [], []
    scale = float(np.sqrt(np.median(frame_variance)))
    edges = np.append(scale * 2.0 ** np.arange(0, 15), np.inf)
    for f in np.flatnonzero(usable):
        which = np.digitize(signal[f], edges)
        for b in range(1, len(edges)):
            inside = which == b
            if np.count_nonzero(inside) < _MIN_IN_BIN:
                continue
            level = float(signal[f][inside].mean())
            variance = robust_variance(deviations[f][inside]) / shrink[f]
            excess.append(variance - frame_variance[f])
            powers.append((*level * own[setting[f]], level**2))
            weights.append(np.sqrt(np.count_nonzero(inside)) / variance)
    if not excess:
        return NoiseLaw(frame_variance, np.zeros(len(own)), 0.0)
    weight = np.array(weights)[:, None]
    coefficients, _ = nnls(np.array(powers) * weight, np.array(excess) * weight[:, 0])
    slopes, told = coefficients[:-1], np.array(powers)[:, :-1].any(axis=0)
    slopes[~told] = slopes[told].mean()
    return NoiseLaw(frame_variance, slopes, float(coefficients[-1]))
