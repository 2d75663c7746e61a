"""Truth by held-out subs: the unbiased product of errors, and the variance of one sub.

The truth about a sub is other subs of its series. Split those into two halves with means A and B;
for an estimate M that has seen neither, ``<(M - A)(M - B)>`` is M's mean squared error without the
noise of the truth. The mean over EVERY split in two halves is the mean over all ordered pairs,

    MSE(M) = < ((sum_i d_i)^2 - sum_i d_i^2) / (m (m - 1)) >,    d_i = M - y_i - level_i,

which is what is computed here: no luck of one split, and half of its variance. Clipping each d_i
before the sums keeps this form, so the winsorised figure is as unbiased as the plain one, and one
sub scores 1 in both.

Telegraph pixels. Hops between subs are noise like any other: they enter sigma^2 and cancel in the
product. Where a state outlasts several subs, the truth is the state of the night, not the long-run
mean: an estimate that gives the mean is rightly charged for the difference, and subs taken in a row
share their states, so that a mean of N of them is worth less than N there. One sub scores 1 always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameMismatchError, NotEnoughFramesError
from solodark.evaluation.kernels import add_pair_squares, add_products
from solodark.evaluation.levels import difference_statistics, levels_above
from solodark.evaluation.strata import N_CLASSES
from solodark.frames import row_bands

__all__ = [
    "Fold",
    "PixelSums",
    "held_out_folds",
    "one_sub_variance",
    "pair_squares",
    "product_error",
    "product_sums",
]

CLIP_SIGMA = 10.0
"""Where the winsorised figure clips an error, in robust sigma of one sub."""

BLOCKS_PER_SIDE = 8
"""Sums are kept for 8 x 8 blocks of the image, so that a bootstrap can resample places."""

BAND_ROWS = 256

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fold:
    """One way to play: which subs the estimator gets, and which are the truth.

    Attributes
    ----------
    given : tuple of int
        Indices of the subs that the estimator gets; the first is "the one new sub".
    truth : tuple of int
        Indices of the subs that judge it.
    """

    given: tuple[int, ...]
    truth: tuple[int, ...]


def held_out_folds(n_subs: int, *, subs_given: int = 1) -> list[Fold]:
    """Let every sub in turn be the new one; the subs that are not given are the truth.

    Parameters
    ----------
    n_subs : int
        Subs in the series, in order of time.
    subs_given : int
        How many subs the estimator gets: the new one and those that follow it, cyclically.

    Returns
    -------
    list of Fold
        `n_subs` folds.

    Raises
    ------
    NotEnoughFramesError
        Fewer than two subs are left as truth.

    Examples
    --------
    >>> held_out_folds(4)[3]
    Fold(given=(3,), truth=(0, 1, 2))
    """
    if n_subs - subs_given < 2:
        raise NotEnoughFramesError(
            f"found {n_subs} subs of one series, expected at least {subs_given + 2}: "
            f"{subs_given} for the estimate and 2 as truth; take more subs of this exposure"
        )
    folds = []
    for new in range(n_subs):
        given = tuple((new + step) % n_subs for step in range(subs_given))
        folds.append(Fold(given, tuple(i for i in range(n_subs) if i not in given)))
    return folds


@dataclass(frozen=True, eq=False, slots=True)
class PixelSums:
    """How the pixels of a series are summed: their classes and blocks, and the clipping bound.

    Attributes
    ----------
    classes : ndarray of uint8, shape (ny, nx)
        From `solodark.evaluation.strata.classify_pixels`.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.
    clip_adu : ndarray of float64, shape (2, 2)
        10 robust sigma of one sub, per CFA plane.
    """

    classes: NDArray[np.uint8]
    cfa_pattern: str | None
    clip_adu: NDArray[np.float64]

    def empty(self) -> NDArray[np.float64]:
        """Give sums of nothing.

        Returns
        -------
        ndarray of float64, shape (n_blocks, n_classes, 2)
            Zeros; the last axis is plain and clipped.
        """
        return np.zeros((BLOCKS_PER_SIDE**2, N_CLASSES, 2))

    def where(
        self, start: int, stop: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]]:
        """Class and block of the pixels in rows ``start:stop``.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        tuple of ndarray
            Classes, shape (rows, nx); block of each row; block of each column.
        """
        ny, nx = self.classes.shape
        rows = np.arange(start, stop) * BLOCKS_PER_SIDE // ny * BLOCKS_PER_SIDE
        return self.classes[start:stop], rows, np.arange(nx) * BLOCKS_PER_SIDE // nx

    def count(self) -> NDArray[np.int64]:
        """Count the pixels.

        Returns
        -------
        ndarray of int64, shape (n_classes,)
            Pixels of each class.
        """
        return np.bincount(self.classes.ravel(), minlength=N_CLASSES)


def product_sums(estimate: Image, truth: Sequence[Image], how: PixelSums) -> NDArray[np.float64]:
    """Sum the products of errors of an estimate, by blocks and classes.

    Parameters
    ----------
    estimate : ndarray of float32, shape (ny, nx)
        ADU.
    truth : sequence of ndarray of float32, shape (ny, nx)
        At least two subs that the estimate has not seen, ADU.
    how : PixelSums
        Classes, blocks, clipping.

    Returns
    -------
    ndarray of float64, shape (n_blocks, n_classes, 2)
        Sums over pixels, ADU squared; plain and clipped.
    """
    levels = levels_above(estimate, truth, how.cfa_pattern)
    sums = how.empty()
    for start, stop in row_bands(estimate.shape, rows=BAND_ROWS):
        band = np.stack([sub[start:stop] for sub in truth])
        rows = estimate[start:stop].copy()  # writable: one compiled signature for all callers
        add_products(rows, band, levels, how.clip_adu, how.where(start, stop), sums)
    return sums


def pair_squares(first: Image, second: Image, how: PixelSums) -> NDArray[np.float64]:
    """Sum half the squared difference of two subs, by blocks and classes.

    Parameters
    ----------
    first, second : ndarray of float32, shape (ny, nx)
        Two subs of one series, ADU.
    how : PixelSums
        Classes, blocks, clipping.

    Returns
    -------
    ndarray of float64, shape (n_blocks, n_classes, 2)
        Sums over pixels, ADU squared; plain and clipped.
    """
    level, _ = difference_statistics(first, second, how.cfa_pattern)
    sums = how.empty()
    for start, stop in row_bands(first.shape, rows=BAND_ROWS):
        a, b = first[start:stop].copy(), second[start:stop].copy()
        add_pair_squares(a, b, level, how.clip_adu, how.where(start, stop), sums)
    return sums


def one_sub_noise(subs: Sequence[Image], cfa_pattern: str | None) -> NDArray[np.float64]:
    """Robust noise of one sub: the median over neighbouring pairs of their difference's sigma.

    Parameters
    ----------
    subs : sequence of ndarray of float32, shape (ny, nx)
        Subs of one series, ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.

    Returns
    -------
    ndarray of float64, shape (2, 2)
        ADU, to be indexed by ``[y % 2, x % 2]``.
    """
    sigmas = [difference_statistics(a, b, cfa_pattern)[1] for a, b in pairwise(subs)]
    noise: NDArray[np.float64] = np.median(sigmas, axis=0) / np.sqrt(2.0)
    return noise


def product_error(
    estimate: Image,
    truth: Sequence[Image],
    *,
    cfa_pattern: str | None = None,
    clip_adu: float | None = None,
) -> float:
    """Mean squared error of an estimate, free of the truth's noise.

    Parameters
    ----------
    estimate : ndarray of float32, shape (ny, nx)
        ADU. It must not have seen any sub of `truth`.
    truth : sequence of ndarray of float32, shape (ny, nx)
        At least two subs of the same exposure, ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`: the level of each plane is removed.
    clip_adu : float, optional
        Bound of a single error; none by default.

    Returns
    -------
    float
        ADU squared. By noise it can fall below zero, and is reported so.

    Raises
    ------
    NotEnoughFramesError
        Fewer than two truth subs.
    FrameMismatchError
        The images differ in shape.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> noise = rng.normal(0.0, 5.0, (4, 200, 200)).astype(np.float32)
    >>> round(product_error(noise[0], noise[1:]) / 25.0, 1)
    1.0
    """
    _check_truth(estimate, truth)
    bound = np.full((2, 2), np.inf if clip_adu is None else clip_adu)
    how = PixelSums(np.zeros(estimate.shape, np.uint8), cfa_pattern, bound)
    sums = product_sums(estimate, truth, how)
    return float(sums[..., 1].sum() / estimate.size)


def one_sub_variance(subs: Sequence[Image], *, cfa_pattern: str | None = None) -> float:
    """Noise variance of one sub: half the mean squared difference, over all pairs of subs.

    Parameters
    ----------
    subs : sequence of ndarray of float32, shape (ny, nx)
        At least two subs of one exposure, ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`: the level of each plane is removed.

    Returns
    -------
    float
        ADU squared.

    Raises
    ------
    NotEnoughFramesError
        Fewer than two subs.
    FrameMismatchError
        The subs differ in shape.
    """
    _check_truth(subs[0], subs)
    how = PixelSums(np.zeros(subs[0].shape, np.uint8), cfa_pattern, np.full((2, 2), np.inf))
    pairs = [(a, b) for i, a in enumerate(subs) for b in subs[i + 1 :]]
    total = sum(float(pair_squares(a, b, how)[..., 0].sum()) for a, b in pairs)
    return total / (len(pairs) * subs[0].size)


def _check_truth(estimate: Image, truth: Sequence[Image]) -> None:
    if len(truth) < 2:
        raise NotEnoughFramesError(
            f"found {len(truth)} sub to judge by, expected at least 2: "
            "their noise cancels only between two"
        )
    shapes = {image.shape for image in (estimate, *truth)}
    if len(shapes) > 1:
        raise FrameMismatchError(
            f"the estimate and the subs that judge it have shapes {sorted(shapes)}; "
            "expected one shape: take frames of one camera and binning"
        )
