"""One series of subs played through every estimator, kept as sums small enough to resample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameMismatchError, NotEnoughFramesError, SettingError
from solodark.evaluation.estimators import Estimator, SubsEstimator
from solodark.evaluation.newborn import find_newborn_pixels, newborn_classes, reserved_subs
from solodark.evaluation.residual import ResidualQuality, mean_quality, measure_residual
from solodark.evaluation.selection import (
    Selection,
    errors_of_fold,
    pixels_of_strata,
    variances_of_folds,
)
from solodark.evaluation.star_effect import random_places
from solodark.evaluation.strata import BITS, STRATA, classify_pixels
from solodark.evaluation.truth import CLIP_SIGMA, Fold, PixelSums, held_out_folds, one_sub_noise
from solodark.frames import Frame, Progress, silent

__all__ = ["AnyEstimator", "SeriesSums", "measure_series"]

N_STARS = 1000

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
        Sums of products of errors of each estimator, ADU squared; NaN where nobody could judge.
    variances : ndarray of float64, shape (n_folds, n_blocks, n_strata)
        Sums of one sub's variance, from the pairs with the fold's new sub, ADU squared; NaN where
        that sub is reserved for finding newborn pixels.
    quality : dict of str to ResidualQuality
        What each estimator leaves, mean over folds; empty where it was not asked for.
    notes : dict of str to str
        What an estimator says of itself: a frame its name, others their attribute `note`.
    """

    session: str
    n_subs: int
    n_pixels: NDArray[np.int64]
    noise_adu: float
    errors: dict[str, NDArray[np.float64]]
    variances: NDArray[np.float64]
    quality: dict[str, ResidualQuality] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def judged_folds(self, row: str, stratum: int) -> NDArray[np.bool_]:
        """Tell in which folds an estimator could be judged on a stratum.

        Parameters
        ----------
        row : str
            Name of the estimator.
        stratum : int
            Index into `solodark.evaluation.strata.STRATA`.

        Returns
        -------
        ndarray of bool, shape (n_folds,)
            All False where the row is absent or no pixel belongs to the stratum.
        """
        if row not in self.errors or self.n_pixels[stratum] == 0:
            return np.zeros(self.n_subs, dtype=np.bool_)
        sums = self.errors[row][:, 0, stratum] + self.variances[:, 0, stratum]
        return np.isfinite(sums)


def measure_series(
    subs: Sequence[Frame],
    estimators: Mapping[str, AnyEstimator],
    *,
    level_map: NDArray[np.floating] | None = None,
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
    session: str = "",
    rng: np.random.Generator | None = None,
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
    rng : numpy.random.Generator, optional
        Throws the stars of the residual's quality, which is left out without it.
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
    images = [sub.data for sub in subs]
    cfa_pattern = subs[0].acquisition.cfa_pattern
    noise = one_sub_noise(images, cfa_pattern)
    selections = _select(subs, noise, level_map, dict(masks or {}))
    players = [
        (name, estimator, held_out_folds(len(subs), subs_given=_subs_given(estimator)))
        for name, estimator in estimators.items()
    ]
    errors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in estimators}
    quality: dict[str, list[ResidualQuality]] = {name: [] for name in estimators if rng}
    for new in progress(range(len(subs)), "judging the estimates", len(subs)):
        places = random_places(subs[0].shape, N_STARS, rng) if rng else None
        for name, estimator, folds in players:
            estimate = _estimate(name, estimator, folds[new], subs)
            errors[name].append(errors_of_fold(estimate, folds[new], images, selections))
            if places is not None:
                truth = [images[i] for i in folds[new].truth]
                left = measure_residual(
                    estimate, truth, noise_adu=noise, cfa_pattern=cfa_pattern, places=places
                )
                quality[name].append(left)
    return SeriesSums(
        session=session,
        n_subs=len(subs),
        n_pixels=pixels_of_strata(selections),
        noise_adu=float(np.sqrt(np.mean(noise**2))),
        errors={name: np.array(folds) for name, folds in errors.items()},
        variances=variances_of_folds(images, selections),
        quality={name: mean_quality(folds) for name, folds in quality.items()},
        notes={name: _note(estimator) for name, estimator in estimators.items()},
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


def _note(estimator: AnyEstimator) -> str:
    if isinstance(estimator, Frame):
        return estimator.name
    return str(getattr(estimator, "note", ""))


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


def _select(
    subs: Sequence[Frame],
    noise: NDArray[np.float64],
    level_map: NDArray[np.floating] | None,
    masks: dict[str, NDArray[np.bool_]],
) -> list[Selection]:
    """Classify the pixels; without a mask of newborn ones, let reserved subs find them."""
    cfa_pattern = subs[0].acquisition.cfa_pattern
    classes = classify_pixels(
        subs[0].shape, cfa_pattern=cfa_pattern, level_map=level_map, masks=masks
    )
    clip_adu = CLIP_SIGMA * noise
    everywhere = np.ones(len(STRATA), dtype=np.bool_)
    main = PixelSums(classes, cfa_pattern, clip_adu)
    reserved = reserved_subs(len(subs))
    if level_map is None or "newborn" in masks or not reserved:
        return [Selection(main, everywhere)]
    newborn = find_newborn_pixels([subs[i].data for i in reserved], level_map, cfa_pattern)
    newborn &= (classes & BITS["excluded"]) == 0
    column = np.array([stratum.bit == BITS["newborn"] for stratum in STRATA])
    chosen = PixelSums(newborn_classes(newborn), cfa_pattern, clip_adu)
    return [Selection(main, ~column), Selection(chosen, column, frozenset(reserved))]
