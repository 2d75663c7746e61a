"""As precisely as it is known, and no more: numbers of a model rounded well below their errors.

Digits below the error of a map are noise, and noise cannot be compressed. Maps are kept in steps of
a power of two, so that rounding adds less than a thousandth to the least variance with which any
frame of the library is foretold; weights and noise keep eight bits.
"""

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.model import DarkModel

__all__ = ["keep_precision", "map_steps"]

Array = NDArray[np.float64]

_STEPS_PER_SIGMA = 8.0  # d maps add d / 12 / 64 of the variance at the very most
_DROPPED_BITS = 15  # of the 23 of single precision


def keep_precision(model: DarkModel) -> None:
    """Round what is known of the pixels of a new model where it lies, for it may fill the memory.

    Parameters
    ----------
    model : DarkModel
        As learned; its maps, its information and its excess are overwritten.
    """
    for layer, step in zip(model.pixels.maps, map_steps(model), strict=True):
        _round_to(layer, np.float32(step))
    for plane in (model.pixels.information, model.pixels.excess):
        _drop_bits(plane.reshape(-1).view(np.uint32))


def map_steps(model: DarkModel) -> Array:
    """Choose the steps in which maps are kept.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    ndarray, shape (d,)
        Powers of two, ADU per unit of state.
    """
    library = model.library
    pairs = zip(library.states, library.setting, strict=True)
    designs = np.array([model.design(state, setting) for state, setting in pairs])
    normal = (designs.T / model.law.frame_variance) @ designs
    covariances = np.linalg.inv(normal + model.prior.precisions)
    least = np.einsum("fi,kij,fj->kf", designs, covariances, designs).min()
    reach = np.maximum(np.abs(designs).max(axis=0), 1e-3)
    steps: Array = np.exp2(np.floor(np.log2(np.sqrt(least) / _STEPS_PER_SIGMA / reach)))
    return steps


@njit(cache=True, parallel=True)
def _round_to(layer: Any, step: Any) -> None:
    per_step = np.float32(1.0) / step
    for y in prange(len(layer)):
        for x in range(layer.shape[1]):
            layer[y, x] = np.rint(layer[y, x] * per_step) * step


@njit(cache=True, parallel=True)
def _drop_bits(bits: Any) -> None:
    half, kept = np.uint32(1 << (_DROPPED_BITS - 1)), np.uint32(0xFFFFFFFF << _DROPPED_BITS)
    for i in prange(bits.size):
        bits[i] = (bits[i] + half) & kept
