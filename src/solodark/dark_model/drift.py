"""How much of the smooth part of a dark is of its night, and how much of that one frame alone.

Glow is a little stronger in one night than in another, and alike in all frames of it: what one sub
shows of that belongs into its master. But a bias that settles anew in every read-out is the frame's
own. A library tells the two apart, for it holds several frames of one night.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.levels import robust_sigma

__all__ = ["NO_DRIFT", "Drift", "measure_drift"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_CELLS = 8  # along each axis
_LEAST_PIXELS = 16  # of a cell whose median tells anything
_MEDIAN_VARIANCE = np.pi / 2.0  # over that of a mean
_SURE = 3.0  # standard errors; below them frames of a night are taken to be alike


class Drift(NamedTuple):
    """Variances of the smooth part of darks beyond their maps, ADU^2.

    Attributes
    ----------
    of_night : float
        That all frames of a series share.
    of_frame : float
        That is new in every frame.
    """

    of_night: float = 0.0
    of_frame: float = 0.0

    @property
    def share_of_night(self) -> float:
        """How much of what one sub shows is to be expected in the frames beside it."""
        return self.of_night / (self.of_night + self.of_frame) if self.of_frame > 0.0 else 1.0


NO_DRIFT = Drift()
"""Of a library that tells nothing of it."""


def measure_drift(
    residuals: Iterable[Array], place: tuple[Places, Places], shape: tuple[int, int], series: Places
) -> Drift:
    """Measure how smooth parts of frames differ within series, and between them.

    Parameters
    ----------
    residuals : iterable of ndarray, shape (n,)
        What each frame shows beyond its maps at some pixels, ADU.
    place : tuple of ndarray of int, shape (n,)
        Where these are, (y, x).
    shape : tuple of int
        Of the sensor, (ny, nx).
    series : ndarray of int, shape (n_frames,)
        Series of each frame.

    Returns
    -------
    Drift
        By an analysis of variance of the medians of 8 x 8 cells, less what noise leaves in them.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> y, x = rng.integers(0, 400, (2, 20_000))
    >>> frames = (rng.normal() * y / 40.0 + rng.normal(0.0, 5.0, y.size) for _ in range(40))
    >>> drift = measure_drift(frames, (y, x), (400, 400), np.arange(40) // 4)
    >>> bool(5.0 < drift.of_frame < 12.0), drift.share_of_night < 0.2
    (True, True)
    """
    cells = _cells(place, shape)
    seen = [_cell_medians(residual, cells) for residual in residuals] if cells else []
    if not seen:
        return NO_DRIFT
    groups = [np.flatnonzero(series == number) for number in np.unique(series)]
    fields, noise2 = (np.array(part) for part in zip(*seen, strict=True))
    told = [_of_series(fields[own], noise2[own]) for own in groups if own.size > 1]
    if not told:
        return NO_DRIFT
    within, between, error2, freedom = np.array(told).T
    of_frame = float(np.sum(within * freedom) / freedom.sum())
    error = float(np.sqrt(np.sum(error2 * freedom**2) / len(cells))) / freedom.sum()
    of_night = float(np.mean(between - np.maximum(of_frame, 0.0) / (freedom + 1.0)))
    return Drift(max(of_night, 0.0), of_frame if of_frame > _SURE * error else 0.0)


def _cells(place: tuple[Places, Places], shape: tuple[int, int]) -> list[Places]:
    """Pixels of each cell that has enough of them."""
    row, column = (at * _CELLS // n for at, n in zip(place, shape, strict=True))
    cell = row * _CELLS + column
    found = (np.flatnonzero(cell == number) for number in range(_CELLS**2))
    return [own for own in found if own.size >= _LEAST_PIXELS]


def _cell_medians(residual: Array, cells: list[Places]) -> tuple[Array, float]:
    """Medians of the cells less their mean, and their mean variance by noise: glow brings some."""
    medians = np.array([np.median(residual[own]) for own in cells])
    noise2 = [robust_sigma(residual[own]) ** 2 / own.size for own in cells]
    return medians - medians.mean(), _MEDIAN_VARIANCE * float(np.mean(noise2))


def _of_series(fields: Array, noise2: Array) -> tuple[float, float, float, float]:
    """Variance within a series, that of its mean, the squared error of the one, its freedom."""
    n, mean, noise = len(fields), fields.mean(axis=0), float(noise2.mean())
    within = float(np.sum((fields - mean) ** 2)) / ((n - 1) * mean.size) - noise
    return within, float(np.mean(mean**2)) - noise / n, 2.0 * noise**2 / (n - 1), n - 1.0
