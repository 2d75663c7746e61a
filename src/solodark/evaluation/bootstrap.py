"""Intervals by resampling whole sessions, from sums; no image is looked at again.

The figure that is resampled is ``MSE / sigma^2``, the inverse of the equivalent subs, which stays
finite where the error vanishes. Of k sessions k - 1 are drawn with replacement, which makes the
bootstrap variance of a mean unbiased also for small k [Rao & Wu 1988, JASA 83, 231]. One session
alone says nothing about other nights: then its subs and 8 x 8 blocks of the image are resampled,
and the table says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.series import SeriesSums

__all__ = ["Draws", "draw", "mean_ratio", "percentile_interval", "resampled_ratios"]


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """How often each resampling takes each session, or each sub and block.

    Attributes
    ----------
    unit : {"sessions", "subs and blocks of one session"}
        What was resampled.
    sessions : ndarray of int64, shape (n_draws, n_series)
        How often each series is taken; series of one session together.
    subs : list of ndarray of int64, shape (n_draws, n_subs)
        Per series; empty where sessions are resampled.
    blocks : ndarray of int64, shape (n_draws, n_blocks)
        Empty where sessions are resampled.
    """

    unit: str
    sessions: NDArray[np.int64]
    subs: list[NDArray[np.int64]]
    blocks: NDArray[np.int64]


def draw(series: Sequence[SeriesSums], *, n_draws: int, rng: np.random.Generator) -> Draws:
    """Throw the dice for all rows and columns at once, so that rows can be compared.

    Parameters
    ----------
    series : sequence of SeriesSums
        All series that will be pooled.
    n_draws : int
        Number of resamplings.
    rng : numpy.random.Generator
        The dice.

    Returns
    -------
    Draws
        Multiplicities.
    """
    names = sorted({one.session for one in series})
    if len(names) > 1:
        taken = _multiplicities(len(names), n_draws, rng)
        columns = [names.index(one.session) for one in series]
        return Draws("sessions", taken[:, columns], [], np.zeros((n_draws, 0), np.int64))
    subs = [_multiplicities(one.n_subs, n_draws, rng) for one in series]
    blocks = _multiplicities(series[0].variances.shape[1], n_draws, rng)
    once = np.ones((n_draws, len(series)), dtype=np.int64)
    return Draws("subs and blocks of one session", once, subs, blocks)


def mean_ratio(series: Sequence[SeriesSums], row: str, stratum: int) -> float:
    """Mean of ``MSE / sigma^2`` over series, each weighing as many subs as it has.

    Parameters
    ----------
    series : sequence of SeriesSums
        Those that could judge the row on the stratum.
    row : str
        Name of the estimator.
    stratum : int
        Index into `solodark.evaluation.strata.STRATA`.

    Returns
    -------
    float
        The inverse of the equivalent subs; below zero by noise alone.
    """
    ratios = []
    for one in series:
        judged = one.judged_folds(row, stratum)
        error, variance = one.errors[row][judged, :, stratum], one.variances[judged, :, stratum]
        ratios.append(error.sum() / variance.sum())
    return float(np.average(ratios, weights=[one.n_subs for one in series]))


def resampled_ratios(
    series: Sequence[SeriesSums], row: str, stratum: int, draws: Draws
) -> NDArray[np.float64]:
    """Give `mean_ratio` of every resampling.

    Parameters
    ----------
    series : sequence of SeriesSums
        All series of the table, in the order that `draw` saw.
    row : str
        Name of the estimator.
    stratum : int
        Index into `solodark.evaluation.strata.STRATA`.
    draws : Draws
        From `draw`.

    Returns
    -------
    ndarray of float64, shape (n_draws,)
        NaN where a resampling took no series with this row and stratum.
    """
    weights, ratios = [], []
    for index, one in enumerate(series):
        judged = one.judged_folds(row, stratum)
        if not judged.any():
            continue
        error, variance = one.errors[row][judged, :, stratum], one.variances[judged, :, stratum]
        if draws.subs:
            taken = draws.subs[index][:, judged]
            error = ((taken @ error) * draws.blocks).sum(axis=1)
            variance = ((taken @ variance) * draws.blocks).sum(axis=1)
        else:
            error, variance = error.sum(), variance.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios.append(np.broadcast_to(error / variance, draws.sessions.shape[:1]))
        weights.append(draws.sessions[:, index] * one.n_subs)
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled: NDArray[np.float64] = np.sum(np.multiply(weights, ratios), axis=0) / np.sum(
            weights, axis=0
        )
    return pooled


def percentile_interval(ratios: NDArray[np.float64], coverage: float) -> tuple[float, float]:
    """Bounds in equivalent subs that hold a share of the resamplings.

    Parameters
    ----------
    ratios : ndarray of float64, shape (n_draws,)
        ``MSE / sigma^2`` of each resampling; NaN is left out.
    coverage : float
        Share of the resamplings inside, 0 to 1.

    Returns
    -------
    tuple of float
        Lower and upper bound; infinite where the error cannot be told from zero.

    Examples
    --------
    >>> percentile_interval(np.array([0.1, 0.2, 0.5]), 1.0)
    (2.0, 10.0)
    """
    tail = 50.0 * (1.0 - coverage)
    best, worst = np.nanpercentile(ratios, (tail, 100.0 - tail))
    return equivalent_subs(worst), equivalent_subs(best)


def equivalent_subs(ratio: float) -> float:
    """Turn ``MSE / sigma^2`` into equivalent subs.

    Parameters
    ----------
    ratio : float
        Mean squared error in units of one sub's variance.

    Returns
    -------
    float
        Its inverse; infinite where the ratio is not above zero.
    """
    return 1.0 / float(ratio) if ratio > 0.0 else float("inf")


def _multiplicities(n: int, n_draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.multinomial(max(1, n - 1), np.full(n, 1.0 / n), size=n_draws)
