"""Means of frames in one byte: what the maps leave of them, in steps of their own noise; compiled.

Small residuals are kept in steps of a sixth of the noise of the mean, large ones in steps of a
twenty-second of themselves::

    code = 128 + K asinh(S / K residual / sigma)        K = 22, S = 6 steps per sigma

A model that grows rounds its means anew at every step, and the errors add up: by steps of a quarter
of sigma, four of them cost two percent of the equivalent subs of ordinary pixels.

Code 255 stands for a pixel that was full in all frames, 0 for one of which nothing is known.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.strips import log_of

__all__ = ["STEPS_PER_SIGMA", "MeanNumbers", "decode_means", "encode_residuals"]

Array = NDArray[np.float64]

_BLOCK = 256  # pixels whose numbers stay in the second-level cache
_MIDDLE, _FULL, _UNKNOWN = 128, 255, 0
STEPS_PER_SIGMA = 6.0
"""In which small residuals are kept: rounding adds a quarter of a percent to their variance."""
_LINEAR_STEPS = 22.0
_MOST = 126.0


class MeanNumbers(NamedTuple):
    """What holds for all pixels of the means that a model keeps.

    Attributes
    ----------
    design : ndarray, shape (m, d)
        Weights of the maps in each mean.
    frame_count : ndarray, shape (m,)
        Frames that each is the mean of.
    frame_variance, slope : ndarray, shape (m,)
        Noise of one of its frames without signal, ADU^2, and its growth with signal, ADU.
    curvature : float
        Its growth with the square of the signal.
    censor_adu : float
        Values above this are saturated.
    """

    design: Array
    frame_count: Array
    frame_variance: Array
    slope: Array
    curvature: float
    censor_adu: float


def encode_residuals(
    residuals: Array, maps: Array, excess: Array, means: MeanNumbers, codes: NDArray[np.uint8]
) -> None:
    """Keep what the maps leave of means in one byte each.

    Parameters
    ----------
    residuals : ndarray, shape (n, m)
        ADU; infinite where a pixel was full in all frames, NaN where nothing is known.
    maps : ndarray, shape (n, d)
        Of the pixels.
    excess : ndarray, shape (n,)
        Noise of each pixel over that of its class, a variance ratio.
    means : MeanNumbers
        What holds for all pixels.
    codes : ndarray of uint8, shape (m, n)
        Is overwritten.
    """
    _encode(residuals.T, maps.T, excess, means, codes)


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _encode(residuals: Any, maps: Any, excess: Any, means: MeanNumbers, codes: Any) -> None:
    for chunk in prange((excess.size + _BLOCK - 1) // _BLOCK):
        block = slice(chunk * _BLOCK, min((chunk + 1) * _BLOCK, excess.size))
        own = excess[block]
        predicted, scale = np.empty(own.size), np.empty(own.size)
        for m in range(len(codes)):
            _foretell(means, m, maps[:, block], own, predicted, scale)
            _encode_block(residuals[m, block], scale, codes[m, block])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _encode_block(residuals: Any, scale: Any, codes: Any) -> None:
    for x in range(codes.size):
        known = np.isfinite(residuals[x])
        steps = STEPS_PER_SIGMA / _LINEAR_STEPS * (residuals[x] if known else 0.0) / scale[x]
        size = abs(steps)
        bent = min(_LINEAR_STEPS * log_of(size + np.sqrt(size * size + 1.0)), _MOST)
        code = np.int64(np.rint(_MIDDLE + (bent if steps > 0.0 else -bent)))
        nothing = _FULL if residuals[x] > 0.0 else _UNKNOWN
        codes[x] = code if known else nothing


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _foretell(
    means: MeanNumbers, m: int, maps: Any, excess: Any, predicted: Any, scale: Any
) -> None:
    """Foretell mean m of a few pixels with maps (d, n), and give the noise of it, ADU rms."""
    floor, slope, count = means.frame_variance[m], means.slope[m], means.frame_count[m]
    predicted[:] = 0.0
    for r in range(len(maps)):
        for x in range(excess.size):
            predicted[x] += means.design[m, r] * maps[r, x]
    for x in range(excess.size):
        signal = max(predicted[x], 0.0)
        noise = floor + signal * (slope + means.curvature * signal)
        scale[x] = np.sqrt(excess[x] * noise / count)


def decode_means(
    codes: NDArray[np.uint8],
    maps: NDArray[np.float32],
    excess: NDArray[np.float32],
    means: MeanNumbers,
) -> NDArray[np.float32]:
    """Give means of frames back.

    Parameters
    ----------
    codes : ndarray of uint8, shape (m, n)
        As `encode_residuals` made them.
    maps : ndarray of float32, shape (d, n)
        The model's.
    excess : ndarray of float32, shape (n,)
        Noise of each pixel over that of its class, a variance ratio.
    means : MeanNumbers
        What holds for all pixels.

    Returns
    -------
    ndarray of float32, shape (m, n)
        ADU above level and rows; just saturated where a pixel was full in all frames, NaN where
        nothing is known.
    """
    sigmas = np.sinh((np.arange(256) - _MIDDLE) / _LINEAR_STEPS) * _LINEAR_STEPS / STEPS_PER_SIGMA
    sigmas[_UNKNOWN] = np.nan
    values = np.empty(codes.shape, np.float32)
    full = float(np.nextafter(np.float32(means.censor_adu), np.float32(np.inf)))
    _decode(codes, maps, excess, means, sigmas, full, values)
    return values


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _decode(
    codes: Any, maps: Any, excess: Any, means: MeanNumbers, sigmas: Any, full: float, values: Any
) -> None:
    for chunk in prange((excess.size + _BLOCK - 1) // _BLOCK):
        block = slice(chunk * _BLOCK, min((chunk + 1) * _BLOCK, excess.size))
        own = excess[block]
        predicted, scale = np.empty(own.size), np.empty(own.size)
        for m in range(len(codes)):
            _foretell(means, m, maps[:, block], own, predicted, scale)
            for x in range(own.size):
                code = codes[m, block.start + x]
                least = max(predicted[x], full)
                value = predicted[x] + sigmas[code] * scale[x]
                values[m, block.start + x] = least if code == _FULL else value
