"""A choice of pixels, the strata it serves, and the subs that made the choice and may not judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.strata import STRATA, stratum_members
from solodark.evaluation.truth import Fold, PixelSums, pair_squares, product_sums

__all__ = ["Selection", "errors_of_fold", "pixels_of_strata", "variances_of_folds"]

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """Pixels, strata and reserved subs.

    Attributes
    ----------
    how : PixelSums
        Classes, blocks and clipping.
    columns : ndarray of bool, shape (n_strata,)
        Strata that this choice serves.
    reserved : frozenset of int
        Subs that chose the pixels: neither given nor truth here.
    """

    how: PixelSums
    columns: NDArray[np.bool_]
    reserved: frozenset[int] = frozenset()

    def judges(self, fold: Fold) -> tuple[int, ...]:
        """Which subs judge an estimate made of the fold's given subs.

        Parameters
        ----------
        fold : Fold
            Given and truth subs.

        Returns
        -------
        tuple of int
            Indices; empty where nobody may judge.
        """
        truth = tuple(i for i in fold.truth if i not in self.reserved)
        return () if self.reserved.intersection(fold.given) or len(truth) < 2 else truth


def errors_of_fold(
    estimate: Image, fold: Fold, images: Sequence[Image], selections: Sequence[Selection]
) -> NDArray[np.float64]:
    """Sum one estimate's products of errors, by blocks and strata.

    Parameters
    ----------
    estimate : ndarray of float32, shape (ny, nx)
        ADU.
    fold : Fold
        What it was given, and the truth.
    images : sequence of ndarray of float32, shape (ny, nx)
        All subs of the series, ADU.
    selections : sequence of Selection
        Together they serve every stratum once.

    Returns
    -------
    ndarray of float64, shape (n_blocks, n_strata)
        ADU squared; NaN in a stratum where nobody may judge.
    """
    total = np.zeros((0, 0))
    for selection in selections:
        judges = selection.judges(fold)
        sums = selection.how.empty()
        if judges:
            sums = product_sums(estimate, [images[i] for i in judges], selection.how)
        served = _serve(sums, selection, judged=bool(judges))
        total = served if total.size == 0 else total + served
    return total


def variances_of_folds(
    images: Sequence[Image], selections: Sequence[Selection]
) -> NDArray[np.float64]:
    """Sum the variance of one sub, for each fold the mean over its pairs with all others.

    Parameters
    ----------
    images : sequence of ndarray of float32, shape (ny, nx)
        All subs of the series, ADU.
    selections : sequence of Selection
        Together they serve every stratum once.

    Returns
    -------
    ndarray of float64, shape (n_folds, n_blocks, n_strata)
        ADU squared; NaN in a stratum where the fold's sub is reserved.
    """
    total: NDArray[np.float64] = np.sum([_variances(images, s) for s in selections], axis=0)
    return total


def pixels_of_strata(selections: Sequence[Selection]) -> NDArray[np.int64]:
    """Count the pixels of each stratum.

    Parameters
    ----------
    selections : sequence of Selection
        Together they serve every stratum once.

    Returns
    -------
    ndarray of int64, shape (n_strata,)
        Pixels.
    """
    counts = [
        [one.how.count()[stratum_members(stratum)].sum() for stratum in STRATA] * one.columns
        for one in selections
    ]
    total: NDArray[np.int64] = np.sum(counts, axis=0, dtype=np.int64)
    return total


def _variances(images: Sequence[Image], selection: Selection) -> NDArray[np.float64]:
    members = [i for i in range(len(images)) if i not in selection.reserved]
    totals = np.zeros((len(images), *selection.how.empty().shape))
    for place, i in enumerate(members):
        for k in members[place + 1 :]:
            pair = pair_squares(images[i], images[k], selection.how) / (len(members) - 1)
            totals[i] += pair
            totals[k] += pair
    served = [_serve(sums, selection, judged=i in members) for i, sums in enumerate(totals)]
    return np.array(served)


def _serve(sums: NDArray[np.float64], selection: Selection, *, judged: bool) -> NDArray[np.float64]:
    """Fold sums by class into sums by stratum; strata that are not served stay zero."""
    columns = [sums[:, stratum_members(s), int(s.clipped)].sum(axis=1) for s in STRATA]
    found = np.stack(columns, axis=1) if judged else np.full((len(sums), len(STRATA)), np.nan)
    return np.where(selection.columns, found, 0.0)
