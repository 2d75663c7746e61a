"""The law of a library's states, learned from the states and the headers of its frames."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.model import DarkModel
from solodark.dark_model.sample_state import sample_pixels
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.dark_model.state_law import (
    ENERGY_EV,
    EXPONENT,
    WEAK2,
    StateLaw,
    inverse_thermal_energy,
    mixture_terms,
)
from solodark.dark_model.strength import squared_strength

__all__ = ["learn_law"]

Array = NDArray[np.float64]

_PER_KELVIN = 0.14  # change of 1/kT by a kelvin, 1/eV, near 15 C
_SERIES_ERROR_C = 0.7  # what headers differ by from series to series, before the library tells
_SERIES_ERROR_WEIGHT = 3.0  # in series
_MIX_ERROR2 = 0.03**2  # of the pattern, before the library tells; counts as one series
_GAIN_ERROR = 0.2  # what gains that the noise tells may be wrong by, as a logarithm
_NO_ERROR = 1e-3
_ROBUST = 4.0  # degrees of freedom of Student's distribution
_OF_VARIANCE = 0.69  # its squared scale over the variance of normal residuals
_ROUNDS = 30
_SIZES = (1, 2, 3, 4, 6)


@dataclass(frozen=True, eq=False, slots=True)
class _Darks:
    """The library's darks, settings as one column each."""

    states: Array
    log_strength: Array
    log_exposure: Array
    inverse: Array
    settings: Array
    series: NDArray[np.intp]
    weight: Array

    def mean(self, values: Array) -> float:
        """Give a mean over series."""
        return float(self.weight @ values / self.weight.sum())


def learn_law(model: DarkModel) -> StateLaw:
    """Learn how the states of a library follow exposure and temperature.

    Parameters
    ----------
    model : DarkModel
        The sensor, with the states of its library.

    Returns
    -------
    StateLaw
        The law.
    """
    dark = np.nan_to_num(model.library.exposure_s) > BIAS_EXPOSURE_S
    darks = _gather(model, dark)
    centre = np.array([darks.mean(darks.log_exposure), darks.mean(darks.inverse)])
    darks = replace(
        darks, log_exposure=darks.log_exposure - centre[0], inverse=darks.inverse - centre[1]
    )
    coefficients, covariance, scatter2 = _fit_strength(darks, _log_slopes(model))
    gains = darks.settings @ coefficients[3:]
    darks = replace(
        darks,
        log_strength=darks.log_strength - gains,
        states=darks.states * np.exp(-gains)[:, None],
    )
    mixture, mixture_covariance = _fit_mixture(model, darks)
    places = np.stack([darks.log_strength, darks.log_exposure])
    known = _temperatures(model, dark)
    return StateLaw(
        coefficients,
        covariance,
        scatter2,
        centre,
        darks.mean(darks.inverse**2),
        mixture,
        mixture_covariance,
        np.stack([places.min(axis=1), places.max(axis=1)], axis=1),
        model.strength,
        _range(model.library.exposure_s[dark]),
        _range(known),
    )


def _temperatures(model: DarkModel, dark: NDArray[np.bool_]) -> Array:
    """Temperatures of the darks, all NaN where most headers do not tell them."""
    told: Array = model.library.sensor_temperature_c[dark]
    return told if np.mean(np.isfinite(told)) > 0.5 else np.full_like(told, np.nan)


def _gather(model: DarkModel, dark: NDArray[np.bool_]) -> _Darks:
    """Darks with a strength that can be told, each series with a weight of one."""
    states = model.library.states[dark]
    strength2 = squared_strength(states, model.strength)
    inverse = inverse_thermal_energy(_temperatures(model, dark))
    known = np.isfinite(inverse) if np.isfinite(inverse).any() else np.ones(len(states), np.bool_)
    told = known & (strength2 > min(WEAK2, 0.25 * float(strength2.max())))
    series = model.library.series[dark][told]
    _, place, size = np.unique(series, return_inverse=True, return_counts=True)
    sure = strength2[told] / (strength2[told] + WEAK2)
    return _Darks(
        states[told],
        0.5 * np.log(strength2[told]),
        np.log(model.library.exposure_s[dark][told]),
        np.nan_to_num(inverse[told]),
        np.eye(len(model.settings))[model.library.setting[dark][told]],
        series,
        sure / size[place],
    )


def _log_slopes(model: DarkModel) -> Array:
    """By how much the same charge is stronger in ADU at each setting, told from the noise."""
    slopes = model.law.slope
    if not (slopes > 0).all():
        return np.zeros(len(slopes))
    return np.asarray(np.log(slopes) - np.log(slopes).mean())


def _fit_strength(darks: _Darks, log_slopes: Array) -> tuple[Array, Array, float]:
    """Coefficients of the law, their covariance and the scatter, by robust Bayesian regression."""
    terms = np.stack([np.ones_like(darks.inverse), darks.log_exposure, -darks.inverse], axis=1)
    terms = np.hstack([terms, darks.settings])
    n = len(log_slopes)
    expected = np.array([0.0, EXPONENT[0], ENERGY_EV[0], *log_slopes])
    gain_error = _GAIN_ERROR if n > 1 else _NO_ERROR
    sigma = np.array([1e3, EXPONENT[1], ENERGY_EV[1], *[gain_error] * n])
    precision = np.diag(sigma**-2.0)
    first2 = (ENERGY_EV[0] * _SERIES_ERROR_C * _PER_KELVIN) ** 2
    scatter2, weight = first2, darks.weight
    for _ in range(_ROUNDS):
        normal = (terms * weight[:, None]).T @ terms / scatter2
        covariance = np.linalg.inv(normal + precision)
        right = terms.T @ (weight * darks.log_strength) / scatter2 + precision @ expected
        coefficients = covariance @ right
        residual2 = (darks.log_strength - terms @ coefficients) ** 2
        free = weight.sum() - float(np.trace(covariance @ normal))
        counted = _SERIES_ERROR_WEIGHT + max(free, 0.0)
        scatter2 = (_SERIES_ERROR_WEIGHT * first2 + float(weight @ residual2)) / counted
        weight = darks.weight * (_ROBUST + 1.0) / (_ROBUST + residual2 / scatter2)
    return coefficients, np.asarray(covariance), scatter2 / _OF_VARIANCE * (1.0 + 2.0 / counted)


def _fit_mixture(model: DarkModel, darks: _Darks) -> tuple[Array, Array]:
    """State at strength 1 as a polynomial; left-out series choose how many terms.

    What is noise in a state is more of it in the mixture of a weak dark, which counts for less.
    """
    strength2 = np.exp(2.0 * darks.log_strength)
    darks = replace(darks, weight=darks.weight * strength2 / (strength2 + np.median(strength2)))
    mixtures = darks.states / np.sqrt(strength2)[:, None]
    places = np.stack([darks.log_strength, darks.log_exposure])
    maps = sample_pixels(model).maps[: model.sample_random, 1:]
    metric = maps.T @ maps / len(maps)
    typical = darks.weight @ mixtures / darks.weight.sum()
    doubt = _MIX_ERROR2 * float(typical @ metric @ typical) * np.linalg.pinv(metric)
    n_series = np.unique(darks.series).size
    tried = {}
    for size in (size for size in _SIZES if 2 * size <= n_series):
        scatter = _left_out_scatter(mixture_terms(places, size), mixtures, darks)
        tried[size] = (n_series * scatter + doubt) / (n_series + 1)
    if not tried:
        return typical[None], np.asarray(doubt)
    best = min(tried, key=lambda size: float(np.sum(tried[size] * metric)))
    return _least_squares(mixture_terms(places, best), mixtures, darks.weight), tried[best]


def _left_out_scatter(terms: Array, mixtures: Array, darks: _Darks) -> Array:
    """Mean square of how far series lie from what the others foretell, shape (rank, rank)."""
    scatter = np.zeros((mixtures.shape[1], mixtures.shape[1]))
    for one in np.unique(darks.series):
        inside = darks.series == one
        fit = _least_squares(terms[~inside], mixtures[~inside], darks.weight[~inside])
        weight = darks.weight[inside]
        error = weight @ (mixtures[inside] - terms[inside] @ fit)
        scatter += np.outer(error, error) / weight.sum()
    return np.asarray(scatter / darks.weight.sum())


def _least_squares(terms: Array, values: Array, weight: Array) -> Array:
    root = np.sqrt(weight)[:, None]
    return np.asarray(np.linalg.lstsq(root * terms, root * values, rcond=1e-6)[0])


def _range(values: Array) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)
