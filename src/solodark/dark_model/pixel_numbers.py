"""What goes into the fit of pixels and comes out of it, as named arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXCESS_PRIOR_DOF", "LibraryNumbers", "Memory", "PixelsFound"]

Array = NDArray[np.float64]

EXCESS_PRIOR_DOF = 12.0
"""How firmly a pixel's noise is held to its class, in degrees of freedom."""


class LibraryNumbers(NamedTuple):
    """What holds for all pixels of a library.

    Attributes
    ----------
    design : ndarray, shape (n_frames, d)
        Weights of the maps in each frame; frames sorted by series.
    frame_variance, slope : ndarray, shape (n_frames,)
        Noise of an ordinary pixel without signal, ADU^2, and its growth with signal, ADU.
    curvature : float
        Its growth with the square of the signal.
    censor_adu : float
        Values above this are saturated.
    frame_count : ndarray, shape (n_frames,)
        How many frames each stands for: one, or those that it is the mean of.
    series_start : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    amplitude2 : ndarray, shape (n_series,)
        Squared strength of the dark signal in each series.
    kept_as : ndarray of int, shape (n_series,) or (0,)
        Mean, of m, in which each series is to be kept; of none, no mean is asked for.
    precisions, prior_pulls, log_norms : ndarray
        Prior of the maps, as in `Mixture`.
    scatter_grid : ndarray, shape (t,)
        Variances that a pixel's scatter between series may have at full strength, ADU^2.
    scatter_prior : ndarray, shape (k, t)
        Their prior, for each component of the mixture.
    """

    design: Array
    frame_variance: Array
    slope: Array
    curvature: float
    censor_adu: float
    frame_count: Array
    series_start: NDArray[np.intp]
    amplitude2: Array
    kept_as: NDArray[np.intp]
    precisions: Array
    prior_pulls: Array
    log_norms: Array
    scatter_grid: Array
    scatter_prior: Array


class PixelsFound(NamedTuple):
    """What is found of n pixels; inside the compiled fit, pixels are counted by the last axis.

    Attributes
    ----------
    maps : ndarray, shape (n, d)
        ADU, and ADU per unit of state.
    excess : ndarray, shape (n,)
        Noise over that of the pixel's class, a variance ratio.
    information : ndarray, shape (n, d, d)
        Normal matrices, 1/ADU^2.
    pulls : ndarray, shape (n, d)
        Right-hand sides of the normal equations of what the maps are beyond the smooth ones.
    scatter : ndarray, shape (n, t)
        Weights of the scatter grid.
    odds : ndarray, shape (n, k)
        Of the prior's components.
    evidence : ndarray, shape (n,)
        Logarithms.
    residuals : ndarray, shape (n, m)
        What the maps leave of each mean that is to be kept, ADU: infinite where the pixel is full
        in all frames, NaN where nothing is known.
    """

    maps: Array
    excess: Array
    information: Array
    pulls: Array
    scatter: Array
    odds: Array
    evidence: Array
    residuals: Array


class Memory(NamedTuple):
    """What frames seen before tell of the noise of each pixel.

    Attributes
    ----------
    squares, dof : ndarray, shape (n,)
        Squared deviations from the series' means over the noise of the pixel's class, and their
        degrees of freedom.
    """

    squares: Array
    dof: Array

    @classmethod
    def none(cls) -> "Memory":
        """Remember nothing of any pixel.

        Returns
        -------
        Memory
            Of no pixels.
        """
        return cls(np.zeros(0), np.zeros(0))
