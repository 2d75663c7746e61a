"""The dark signal of a state, and of the library: its pattern, strength, scatter and range."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.model import (
    UNKNOWN_SHARE,
    DarkModel,
    LibraryFrames,
    decoded_weights,
)
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.dark_model.strength import squared_strength
from solodark.dark_model.telegraph import hop_direction

__all__ = [
    "dark_pattern",
    "hop_strength",
    "least_information",
    "library_strength2",
    "mean_scatter",
    "range_in_words",
    "strength2_of",
    "strongest_state",
    "usual_span_s",
]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Rows = slice | NDArray[np.intp]

_SPAN_IF_UNKNOWN_S = 3600.0
_ALL_ROWS = slice(None)


def dark_pattern(model: DarkModel, state: Array, rows: Rows = _ALL_ROWS) -> Image:
    """Dark signal of a state above that of a bias.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.
    rows : slice or ndarray of int
        Which rows are wanted; all by default.

    Returns
    -------
    ndarray of float32, shape (n_rows, nx)
        ADU.
    """
    maps = model.pixels.maps[len(model.settings) :]
    dark = np.zeros_like(maps[0, rows])
    for strength, layer in zip(state.astype(np.float32), maps, strict=True):
        dark += strength * layer[rows]
    return dark


def strength2_of(model: DarkModel, state: Array) -> float:
    """Measure the dark signal of a state.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.

    Returns
    -------
    float
        Squared strength, 1 for the strongest of the library.
    """
    return float(state @ model.strength @ state)


def library_strength2(model: DarkModel) -> Array:
    """Measure the dark signal of the library's frames.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    ndarray, shape (n_frames,)
        Squared strength of each, 1 for the strongest.
    """
    return squared_strength(model.library.states, model.strength)


def least_information(model: DarkModel) -> float:
    """Tell where knowledge of a pixel ends.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    float
        Information below which nothing is known of a pixel, 1/ADU^2.
    """
    return UNKNOWN_SHARE * float(np.median(model.pixels.information))


def strongest_state(model: DarkModel) -> Array:
    """State of the library's frame with the strongest dark signal.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    ndarray, shape (rank,)
        Strength of each dark map.
    """
    return np.asarray(model.library.states[int(np.argmax(library_strength2(model)))])


def mean_scatter(model: DarkModel, rows: Rows = _ALL_ROWS) -> Image:
    """Variance of what the model cannot explain in a pixel, at full strength.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    rows : slice or ndarray of int
        Which rows are wanted; all by default.

    Returns
    -------
    ndarray of float32, shape (n_rows, nx)
        ADU^2.
    """
    weights = decoded_weights().astype(np.float32)
    total = np.zeros_like(model.pixels.excess[rows])
    for codes, variance in zip(model.pixels.scatter, model.scatter_grid, strict=True):
        total += np.float32(variance) * weights[codes[rows]]
    return total


def hop_strength(model: DarkModel, state: Array) -> float:
    """Measure what the hops of telegraph pixels are multiplied by in a state.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.

    Returns
    -------
    float
        1 for the strongest of the library, and linear in the state.
    """
    return float(hop_direction(model.strength, model.library.states) @ state)


def usual_span_s(library: LibraryFrames) -> float:
    """Tell how long the series of darks of a library take, as a rule.

    Parameters
    ----------
    library : LibraryFrames
        The library.

    Returns
    -------
    float
        Median of the series, each counted by its darks; an hour where nothing is known.
    """
    exposure_s = np.nan_to_num(library.exposure_s)
    spans_s = np.zeros(library.series.max(initial=-1) + 1)
    for series in range(spans_s.size):
        own = library.series == series
        dates_s = library.taken_s[own]
        dated_s = np.ptp(dates_s) if np.isfinite(dates_s).all() else 0.0
        spans_s[series] = max(dated_s, exposure_s[own][1:].sum())
    told_s = spans_s[library.series][exposure_s > BIAS_EXPOSURE_S]
    return float(np.median(told_s)) if np.any(told_s > 0.0) else _SPAN_IF_UNKNOWN_S


def range_in_words(model: DarkModel) -> str:
    """Name the exposures and temperatures of the library.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    str
        Such as "up to 300 s, 5 to 22 C".
    """
    exposure_s, temperature_c = model.library.exposure_s, model.library.sensor_temperature_c
    parts = []
    if np.isfinite(exposure_s).any():
        parts.append(f"up to {np.nanmax(exposure_s):g} s")
    if np.isfinite(temperature_c).any():
        parts.append(f"{np.nanmin(temperature_c):.0f} to {np.nanmax(temperature_c):.0f} C")
    return ", ".join(parts) or "no exposure known"
