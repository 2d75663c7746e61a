"""One series of subs played through every estimator, kept as sums small enough to resample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameMismatchError, NotEnoughFramesError, SettingError
from solodark.evaluation.estimators import Estimator, SubsEstimator
from solodark.evaluation.strata import STRATA, classify_pixels, stratum_members
from solodark.evaluation.truth import (
    CLIP_SIGMA,
    Fold,
    PixelSums,
    held_out_folds,
    one_sub_noise,
    pair_squares,
    product_sums,
)
from solodark.frames import Frame, Progress, silent

__all__ = ["AnyEstimator", "SeriesSums", "measure_series"]

AnyEstimator = Estimator | SubsEstimator | Frame | NDArray[np.floating]
"""A callable of the new sub, one of several subs, or a fixed image."""


@dataclass(frozen=True, eq=False, slots=True)
class SeriesSums:
    """What one series says about every estimator.

    Attributes
    ----------
    session : str
        The night or series that is resampled as a whole.
    n_subs : int
        Subs in the series, which is also the number of folds.
    n_pixels : ndarray of int64, shape (n_strata,)
        Pixels of each stratum.
    noise_adu : float
        Robust noise of one sub, rms over the CFA planes.
    errors : dict of str to ndarray of float64, shape (n_folds, n_blocks, n_strata)
        Sums of products of errors of each estimator, ADU squared.
    variances : ndarray of float64, shape (n_folds, n_blocks, n_strata)
        Sums of one sub's variance, from the pairs with the fold's new sub, ADU squared.
    """

    session: str
    n_subs: int
    n_pixels: NDArray[np.int64]
    noise_adu: float
    errors: dict[str, NDArray[np.float64]]
    variances: NDArray[np.float64]


def measure_series(
    subs: Sequence[Frame],
    estimators: Mapping[str, AnyEstimator],
    *,
    level_map: NDArray[np.floating] | None = None,
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
    session: str = "",
    progress: Progress = silent,
) -> SeriesSums:
    """Play every sub of a series in turn as the one new sub of every estimator.

    Each estimator is called once per sub; its estimate is judged by all subs that it was not given
    and then forgotten, so memory holds the subs and one estimate.

    Parameters
    ----------
    subs : sequence of Frame
        At least three subs of one exposure, in order of time, unseen by any estimator.
    estimators : mapping of str to estimator
        Rows of the table: a callable of the new sub, a `SubsEstimator`, or a fixed image.
    level_map : ndarray of float, shape (ny, nx), optional
        As in `solodark.evaluation.strata.classify_pixels`: never made of `subs`.
    masks : mapping of str to ndarray of bool, optional
        As in `solodark.evaluation.strata.classify_pixels`.
    session : str
        The night the series belongs to; the bootstrap resamples whole sessions.
    progress : Progress
        Told of every fold.

    Returns
    -------
    SeriesSums
        Sums per fold, block of the image and stratum.

    Raises
    ------
    NotEnoughFramesError
        Fewer than three subs, or too few for a `SubsEstimator`.
    FrameMismatchError
        Subs, estimates, maps or masks of different shape.
    SettingError
        An estimate, map or sub holds values that are not finite.
    """
    check_subs(subs)
    cfa_pattern = subs[0].acquisition.cfa_pattern
    images = [sub.data for sub in subs]
    noise = one_sub_noise(images, cfa_pattern)
    classes = classify_pixels(
        subs[0].shape, cfa_pattern=cfa_pattern, level_map=level_map, masks=masks
    )
    how = PixelSums(classes, cfa_pattern, CLIP_SIGMA * noise)
    players = [
        (name, estimator, held_out_folds(len(subs), subs_given=_subs_given(estimator)))
        for name, estimator in estimators.items()
    ]
    errors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in estimators}
    for new in progress(range(len(subs)), "judging the estimates", len(subs)):
        for name, estimator, folds in players:
            estimate = _estimate(name, estimator, folds[new], subs)
            truth = [images[i] for i in folds[new].truth]
            errors[name].append(_by_stratum(product_sums(estimate, truth, how)))
    return SeriesSums(
        session=session,
        n_subs=len(subs),
        n_pixels=np.array([how.count()[stratum_members(s)].sum() for s in STRATA]),
        noise_adu=float(np.sqrt(np.mean(noise**2))),
        errors={name: np.array(folds) for name, folds in errors.items()},
        variances=_variances(images, how),
    )


def check_subs(subs: Sequence[Frame]) -> None:
    """Refuse subs that cannot judge one another.

    Parameters
    ----------
    subs : sequence of Frame
        Subs of one series.

    Raises
    ------
    NotEnoughFramesError
        Fewer than three subs.
    FrameMismatchError
        Subs of different shape or CFA pattern; the culprits are named.
    SettingError
        A sub holds values that are not finite.
    """
    if len(subs) < 3:
        raise NotEnoughFramesError(
            f"found {len(subs)} subs of one series, expected at least 3: one as the new sub and "
            "two as truth; take more subs of this exposure"
        )
    first = subs[0]
    wanted = (first.shape, first.acquisition.cfa_pattern)
    others = [s for s in subs if (s.shape, s.acquisition.cfa_pattern) != wanted]
    if others:
        found = "; ".join(f"{s.name}: {s.shape}, {s.acquisition.cfa_pattern}" for s in others)
        raise FrameMismatchError(
            f"the subs to judge by must share shape and colour filters; {first.name} has "
            f"{first.shape}, {first.acquisition.cfa_pattern}, but {found}"
        )
    for sub in subs:
        if not np.isfinite(sub.data).all():
            raise SettingError(f"{sub.name} holds pixels that are not finite; it cannot be truth")


def _subs_given(estimator: AnyEstimator) -> int:
    return estimator.subs_given if isinstance(estimator, SubsEstimator) else 1


def _estimate(
    name: str, estimator: AnyEstimator, fold: Fold, subs: Sequence[Frame]
) -> NDArray[np.float32]:
    """Call one estimator, whatever its kind, and check what it gives."""
    if isinstance(estimator, SubsEstimator):
        found: NDArray[np.floating] = estimator.from_subs([subs[i] for i in fold.given])
    elif isinstance(estimator, Frame):
        found = estimator.data
    elif isinstance(estimator, np.ndarray):
        found = estimator
    else:
        found = estimator(subs[fold.given[0]])
    if found.shape != subs[0].shape:
        raise FrameMismatchError(
            f"the estimate {name!r} has shape {found.shape}, the subs have {subs[0].shape}"
        )
    if not np.isfinite(found).all():
        raise SettingError(f"the estimate {name!r} holds pixels that are not finite")
    return np.ascontiguousarray(found, dtype=np.float32)


def _variances(images: Sequence[NDArray[np.float32]], how: PixelSums) -> NDArray[np.float64]:
    """Variance of one sub for each fold: the mean over its pairs with all others."""
    n = len(images)
    totals = [0.0 * _by_stratum(how.empty()) for _ in images]
    for i in range(n):
        for k in range(i + 1, n):
            pair = _by_stratum(pair_squares(images[i], images[k], how)) / (n - 1)
            totals[i] += pair
            totals[k] += pair
    return np.array(totals)


def _by_stratum(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fold sums by class into sums by stratum, shape (n_blocks, n_strata)."""
    columns = [sums[:, stratum_members(s), int(s.clipped)].sum(axis=1) for s in STRATA]
    return np.stack(columns, axis=1)
