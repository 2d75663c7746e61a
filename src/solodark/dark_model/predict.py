"""The dark pattern and level of a state, from the maps alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.model import DarkModel

__all__ = ["Prediction", "dark_variance", "level_image", "level_rows", "predict"]

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
    parts, strengths = _variance_parts(model, x)
    if covariance is None:
        covariance = np.zeros((model.rank, model.rank))
    # Memory from NumPy comes in huge pages, that of compiled code in 4096 bytes at a time.
    prediction = Prediction(np.empty(model.shape, np.float32), np.empty(model.shape, np.float32))
    _predict_pixels(
        model.pixels.maps,
        x.astype(np.float32),
        len(model.settings),
        covariance.astype(np.float32),
        (model.pixels.component, model.pixels.information),
        (parts.astype(np.float32), strengths.astype(np.float32)),
        prediction.pattern,
        prediction.variance,
    )
    return prediction


def dark_variance(model: DarkModel, state: Array, rows: NDArray[np.intp]) -> Image:
    """Variance of the dark signal of a state from the maps' own error, without the bias.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.
    rows : ndarray of int, shape (n,)
        Which rows are wanted.

    Returns
    -------
    ndarray of float32, shape (n, nx)
        ADU^2.
    """
    weights = np.concatenate([np.zeros(len(model.settings)), state])
    parts, strengths = (part.astype(np.float32) for part in _variance_parts(model, weights))
    variance = np.zeros((rows.size, model.shape[1]), np.float32)
    known = model.pixels.component[rows], model.pixels.information[rows]
    _add_all_parts(parts, strengths, *known, variance)
    return variance


def _variance_parts(model: DarkModel, x: Array) -> tuple[Array, Array]:
    """Parts and strengths, (k, d), of ``x (information * class + precision)^-1 x``.

    It is ``sum over d of part / (1 + strength * information)``: both matrices of a component are
    made diagonal at once, so that no pixel needs an inverse of its own.
    """
    whiten = np.linalg.inv(np.linalg.cholesky(model.prior.precisions))
    strengths, turns = np.linalg.eigh(whiten @ model.class_information @ whiten.swapaxes(1, 2))
    return (turns.swapaxes(1, 2) @ whiten @ x) ** 2, strengths


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _predict_pixels(
    maps: Any,
    weights: Any,
    n_settings: int,
    covariance: Any,
    known: Any,
    shares: Any,
    pattern: Any,
    variance: Any,
) -> None:
    """Pattern, and its variance from the maps' error and from that of the state."""
    d_all, ny = maps.shape[:2]
    component, information = known
    parts, strengths = shares
    for y in prange(ny):
        pattern[y], variance[y] = np.float32(0.0), np.float32(0.0)
        for d in range(d_all):
            _add_scaled(weights[d], maps[d, y], pattern[y])
            _add_parts(parts[:, d], strengths[:, d], component[y], information[y], variance[y])
        for r in range(n_settings, d_all):
            for q in range(n_settings, d_all):
                shared = covariance[r - n_settings, q - n_settings]
                _add_product(shared, maps[r, y], maps[q, y], variance[y])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_scaled(factor: Any, row: Any, total: Any) -> None:
    if factor != 0.0:
        for x in range(row.size):
            total[x] += factor * row[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_product(factor: Any, one: Any, other: Any, total: Any) -> None:
    if factor != 0.0:
        for x in range(one.size):
            total[x] += factor * one[x] * other[x]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_parts(parts: Any, strengths: Any, component: Any, information: Any, total: Any) -> None:
    for x in range(component.size):
        k = component[x]
        total[x] += parts[k] / (np.float32(1.0) + strengths[k] * information[x])


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _add_all_parts(
    parts: Any, strengths: Any, component: Any, information: Any, variance: Any
) -> None:
    for y in prange(len(variance)):
        for d in range(parts.shape[1]):
            _add_parts(parts[:, d], strengths[:, d], component[y], information[y], variance[y])


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
    ny, nx = model.shape
    return model.level_parts.image(_levels(model, state, setting), np.arange(ny), nx)


def level_rows(model: DarkModel, state: Array, *, setting: int = 0) -> Image:
    """Level of each kind of row that the sensor has, at a state.

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
    ndarray of float32, shape (4, nx)
        Even and odd rows above the seam between amplifiers, even and odd rows below it, ADU.
    """
    return model.level_parts.rows(_levels(model, state, setting), model.shape[1])


def _levels(model: DarkModel, state: Array, setting: int) -> Array:
    return np.asarray(model.level_maps @ model.design(state, setting))
