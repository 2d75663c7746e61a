"""The dark pattern and level of a state, from the maps alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.model import DarkModel
from solodark.frames import cfa_planes

__all__ = ["Prediction", "level_image", "predict"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """The model's word on a state, before any sub is looked at.

    Attributes
    ----------
    pattern : ndarray of float32, shape (ny, nx)
        ADU above the level.
    variance : ndarray of float32, shape (ny, nx)
        Variance of the pattern from the maps' own error, ADU^2.
    """

    pattern: Image
    variance: Image


def predict(
    model: DarkModel, state: Array, covariance: Array | None = None, *, setting: int = 0
) -> Prediction:
    """Dark pattern of a state, from the maps alone.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.
    covariance : ndarray, shape (rank, rank), optional
        Uncertainty of the state.
    setting : int
        Gain setting.

    Returns
    -------
    Prediction
        Pattern and its variance.
    """
    x = model.design(state, setting)
    shown = np.flatnonzero(x)
    pattern = np.zeros(model.shape, np.float32)
    for strength, layer in zip(x[shown].astype(np.float32), model.pixels.maps[shown], strict=True):
        pattern += strength * layer
    variance = np.empty_like(pattern)
    for k in range(model.prior.weights.size):
        here = model.pixels.component == k
        variance[here] = _component_variance(model, k, x, model.pixels.information[here])
    if covariance is not None:
        dark = model.pixels.maps[len(model.settings) :]
        variance += np.einsum(
            "ryx,rq,qyx->yx", dark, covariance.astype(np.float32), dark, optimize=True
        )
    return Prediction(pattern, variance)


def _component_variance(model: DarkModel, k: int, x: Array, information: Image) -> Image:
    """``x (information * class + precision)^-1 x`` for all pixels of one component.

    Both matrices are made diagonal at once, so that no pixel needs an inverse of its own.
    """
    lower = np.linalg.cholesky(model.prior.precisions[k])
    whiten = np.linalg.inv(lower)
    strengths, turn = np.linalg.eigh(whiten @ model.class_information[k] @ whiten.T)
    parts = (turn.T @ whiten @ x) ** 2
    total = np.zeros(information.shape, np.float32)
    for part, strength in zip(parts, strengths, strict=True):
        total += np.float32(part) / (1.0 + np.float32(strength) * information)
    return total


def level_image(model: DarkModel, state: Array, *, setting: int = 0) -> Image:
    """Level of every pixel's plane at a state, as the library knew it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.
    setting : int
        Gain setting.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU.
    """
    levels = model.level_maps @ model.design(state, setting)
    image = np.empty(model.shape, np.float32)
    for plane, level in zip(cfa_planes(model.acquisition.cfa_pattern), levels, strict=True):
        image[plane] = level
    return image
