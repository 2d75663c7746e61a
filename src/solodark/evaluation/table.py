"""The table: rows are estimators, columns are strata, cells are equivalent subs with intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import NotEnoughFramesError
from solodark.evaluation.bootstrap import (
    Draws,
    draw,
    equivalent_subs,
    mean_ratio,
    percentile_interval,
    resampled_ratios,
)
from solodark.evaluation.residual import ResidualQuality, mean_quality
from solodark.evaluation.series import AnyEstimator, SeriesSums, measure_series
from solodark.evaluation.strata import STRATA
from solodark.frames import Frame, Progress, silent

__all__ = ["Cell", "EvaluationTable", "Row", "evaluate_series", "tabulate"]

N_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Cell:
    """How good one estimator is on one stratum.

    Attributes
    ----------
    equivalent_subs : float
        ``sigma^2 / MSE``; infinite where the error cannot be told from zero.
    error_over_variance : float
        ``MSE / sigma^2``, unbiased, so that by noise it can fall below zero.
    error_adu2, variance_adu2 : float
        Mean over series of the mean squared error and of one sub's variance, ADU squared.
    interval_68, interval_95 : tuple of float
        Bounds of the equivalent subs.
    n_pixels : int
        Pixels of the stratum, summed over series.
    """

    equivalent_subs: float
    error_over_variance: float
    error_adu2: float
    variance_adu2: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    n_pixels: int

    def to_dict(self) -> dict[str, object]:
        """Give plain values; an infinite number becomes the string "inf", which JSON lacks.

        Returns
        -------
        dict
            Ready for `json.dumps`.
        """
        return {
            "equivalent_subs": _json_number(self.equivalent_subs),
            "error_over_variance": self.error_over_variance,
            "error_adu2": self.error_adu2,
            "variance_adu2": self.variance_adu2,
            "interval_68": [_json_number(bound) for bound in self.interval_68],
            "interval_95": [_json_number(bound) for bound in self.interval_95],
            "n_pixels": self.n_pixels,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One estimator.

    Attributes
    ----------
    name : str
        What the caller named it.
    cells : dict of str to Cell or None
        By stratum, in the order of the table; None where no pixel belongs to it.
    quality : ResidualQuality or None
        What it leaves after subtraction, mean over series, where that was measured.
    note : str
        What it was made of, "85 s 33 C for 70 s 34 C"; one part for each different series.
    """

    name: str
    cells: dict[str, Cell | None]
    quality: ResidualQuality | None = None
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        """Give plain values.

        Returns
        -------
        dict
            Ready for `json.dumps`.
        """
        cells = {name: cell and cell.to_dict() for name, cell in self.cells.items()}
        quality = self.quality and self.quality.to_dict()
        return {"name": self.name, "note": self.note, "cells": cells, "quality": quality}


@dataclass(frozen=True, slots=True)
class EvaluationTable:
    """Estimators against strata.

    Attributes
    ----------
    rows : tuple of Row
        In the order in which the estimators were named.
    strata : tuple of str
        Names of the columns.
    resampled : str
        What the intervals resample: sessions, or the subs and blocks of the only one.
    n_sessions, n_series, n_subs : int
        What the figures rest on.
    noise_adu : float
        Noise of one sub, rms over series.
    """

    rows: tuple[Row, ...]
    strata: tuple[str, ...]
    resampled: str
    n_sessions: int
    n_series: int
    n_subs: int
    noise_adu: float

    def cell(self, row: str, stratum: str) -> Cell | None:
        """Look up one cell.

        Parameters
        ----------
        row, stratum : str
            Names.

        Returns
        -------
        Cell or None
            None where no pixel belongs to the stratum.

        Raises
        ------
        KeyError
            No such row or stratum.
        """
        return {one.name: one for one in self.rows}[row].cells[stratum]

    def to_dict(self) -> dict[str, object]:
        """Give plain values.

        Returns
        -------
        dict
            Ready for `json.dumps`.
        """
        return {
            "rows": [row.to_dict() for row in self.rows],
            "strata": list(self.strata),
            "resampled": self.resampled,
            "n_sessions": self.n_sessions,
            "n_series": self.n_series,
            "n_subs": self.n_subs,
            "noise_adu": self.noise_adu,
        }


def tabulate(
    series: Sequence[SeriesSums], *, rng: np.random.Generator, n_draws: int = N_DRAWS
) -> EvaluationTable:
    """Pool series into one table.

    A row's figure is the inverse of the mean of ``MSE / sigma^2`` over the series that hold it,
    weighted by their number of subs.

    Parameters
    ----------
    series : sequence of SeriesSums
        From `measure_series`, one or more.
    rng : numpy.random.Generator
        Dice of the bootstrap.
    n_draws : int
        Number of resamplings.

    Returns
    -------
    EvaluationTable
        Rows in the order in which they first appear.

    Raises
    ------
    NotEnoughFramesError
        No series was given.
    """
    if not series:
        raise NotEnoughFramesError("no series of held-out subs was found; expected at least one")
    draws = draw(series, n_draws=n_draws, rng=rng)
    names = list(dict.fromkeys(name for one in series for name in one.errors))
    return EvaluationTable(
        rows=tuple(_row(series, name, draws) for name in names),
        strata=tuple(stratum.name for stratum in STRATA),
        resampled=draws.unit,
        n_sessions=len({one.session for one in series}),
        n_series=len(series),
        n_subs=sum(one.n_subs for one in series),
        noise_adu=float(np.sqrt(np.mean([one.noise_adu**2 for one in series]))),
    )


def evaluate_series(
    subs: Sequence[Frame],
    estimators: Mapping[str, AnyEstimator],
    *,
    level_map: NDArray[np.floating] | None = None,
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> EvaluationTable:
    """Judge estimators on one series of held-out subs.

    Parameters
    ----------
    subs : sequence of Frame
        At least three subs of one exposure, in order of time, unseen by any estimator.
    estimators : mapping of str to estimator
        Rows of the table, as in `measure_series`.
    level_map : ndarray of float, shape (ny, nx), optional
        Dark level of each pixel from OTHER frames, which tells ordinary from hot pixels.
    masks : mapping of str to ndarray of bool, optional
        "hot", "newborn", "telegraph" and "excluded" pixels.
    rng : numpy.random.Generator
        Dice of the bootstrap and of the stars.
    progress : Progress
        Told of every fold.

    Returns
    -------
    EvaluationTable
        Equivalent subs with intervals.

    Raises
    ------
    NotEnoughFramesError, FrameMismatchError, SettingError
        As in `measure_series`.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> pattern = rng.gamma(1.0, 20.0, (64, 64))
    >>> subs = [Frame(pattern + rng.normal(0.0, 5.0, (64, 64))) for _ in range(6)]
    >>> truth = Frame(pattern)
    >>> table = evaluate_series(subs, {"one sub": lambda sub: sub.data, "truth": truth}, rng=rng)
    >>> round(table.cell("one sub", "all").equivalent_subs, 1)
    1.0
    """
    sums = measure_series(
        subs, estimators, level_map=level_map, masks=masks, rng=rng, progress=progress
    )
    return tabulate([sums], rng=rng)


def _row(series: Sequence[SeriesSums], name: str, draws: Draws) -> Row:
    cells = {
        stratum.name: _cell(series, name, index, draws) for index, stratum in enumerate(STRATA)
    }
    qualities = [one.quality[name] for one in series if name in one.quality]
    notes = dict.fromkeys(one.notes[name] for one in series if one.notes.get(name))
    return Row(name, cells, mean_quality(qualities) if qualities else None, "; ".join(notes))


def _cell(series: Sequence[SeriesSums], name: str, stratum: int, draws: Draws) -> Cell | None:
    held = [one for one in series if one.judged_folds(name, stratum).any()]
    if not held:
        return None
    ratio = mean_ratio(held, name, stratum)
    resampled = resampled_ratios(series, name, stratum, draws)
    return Cell(
        equivalent_subs=equivalent_subs(ratio),
        error_over_variance=ratio,
        error_adu2=float(
            np.mean([_per_pixel(one, name, one.errors[name], stratum) for one in held])
        ),
        variance_adu2=float(
            np.mean([_per_pixel(one, name, one.variances, stratum) for one in held])
        ),
        interval_68=percentile_interval(resampled, 0.68),
        interval_95=percentile_interval(resampled, 0.95),
        n_pixels=int(sum(one.n_pixels[stratum] for one in held)),
    )


def _per_pixel(one: SeriesSums, name: str, sums: NDArray[np.float64], stratum: int) -> float:
    judged = one.judged_folds(name, stratum)
    return float(sums[judged, :, stratum].sum() / (judged.sum() * one.n_pixels[stratum]))


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else "inf"
