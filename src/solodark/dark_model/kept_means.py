"""The means by which a model remembers its frames: of each series, or of series that are alike.

A model that grows has to fit pixels to frames it no longer has. The mean of a series, with as many
frames as it is the mean of, stands for all of them: in any states, with any number of maps, beside
any new frames. Of long libraries the series most alike share one mean, so that no model keeps more
than `MOST_MEANS`; which ones, is decided by what joining two of them loses (Ward's method)::

    loss = w_a w_b / (w_a + w_b) (x_a - x_b)' M (x_a - x_b)

with w the frames over their variance and x the weights of the maps; M tells how a loss of
information about the maps lets the variance grow with which frames are foretold.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.kept_codes import MeanNumbers
from solodark.dark_model.sample_numbers import SampleFit, series_starts

__all__ = ["MOST_MEANS", "join_series", "mean_numbers", "means_before", "means_of", "starts_after"]

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

MOST_MEANS = 32
"""Means that a model keeps; each takes five bits of every pixel."""


def means_of(fit: SampleFit, starts: Numbers, kept_as: Numbers) -> SampleFit:
    """Give the fit of the means of frames.

    Parameters
    ----------
    fit : SampleFit
        Of the frames.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    kept_as : ndarray of int, shape (n_series,)
        Mean in which each series is kept, from 0 without a gap.

    Returns
    -------
    SampleFit
        Of the means, which take the place of frames.
    """
    own = np.repeat(kept_as, np.diff(starts))
    total = np.bincount(own, fit.weight)
    count = np.bincount(own, fit.frame_count).astype(np.float64)
    shares = np.eye(total.size)[own].T * fit.weight / total[:, None]
    return replace(
        fit,
        design=shares @ fit.design,
        rows=shares @ fit.rows,
        law=replace(fit.law, frame_variance=count / total),
        setting=fit.setting[np.unique(own, return_index=True)[1]],
        frame_count=count,
        series_count=np.bincount(kept_as, fit.series_count[starts[:-1]]).astype(np.float64),
    )


def means_before(fit: SampleFit, series: Numbers, kept_as: Numbers) -> SampleFit:
    """Give the fit of the means of a library's first frames.

    Parameters
    ----------
    fit : SampleFit
        Of all frames.
    series : ndarray of int, shape (n,)
        Series of each, sorted.
    kept_as : ndarray of int, shape (n_first,)
        Mean in which each of the first frames is kept, from 0 without a gap; all frames of a series
        are kept in one.

    Returns
    -------
    SampleFit
        Of the means, which take the place of these frames.
    """
    first = slice(0, len(kept_as))
    starts = series_starts(series[first])
    return means_of(fit.of(first), starts, kept_as[starts[:-1]])


def starts_after(n_means: int, series: Numbers) -> Numbers:
    """Find where each series begins among means, each a series of its own, and frames after them.

    Parameters
    ----------
    n_means : int
        Number of the means.
    series : ndarray of int, shape (n,)
        Sorted series numbers of the frames.

    Returns
    -------
    ndarray of int, shape (n_means + n_series + 1,)
        First of each series, and the number of all.

    Examples
    --------
    >>> starts_after(2, np.array([0, 0, 0, 1]))
    array([0, 1, 2, 5, 6])
    """
    return np.concatenate([np.arange(n_means), n_means + series_starts(series)])


def join_series(fit: SampleFit, starts: Numbers, *, most: int = MOST_MEANS) -> Numbers:
    """Choose the series that are kept in one mean.

    Parameters
    ----------
    fit : SampleFit
        Of the frames.
    starts : ndarray of int, shape (n_series + 1,)
        Where each series begins.
    most : int
        Means to be left; gain settings are never mixed.

    Returns
    -------
    ndarray of int, shape (n_series,)
        Mean in which each series is kept, from 0 without a gap.
    """
    kept_as = np.arange(len(starts) - 1)
    each = means_of(fit, starts, kept_as)
    weight, place = each.weight, each.design @ _reach(each)
    loss = np.array([_losses(int(i), place, weight, each.setting) for i in kept_as])
    for _ in range(len(kept_as) - most):
        i, j = (int(k) for k in np.unravel_index(np.argmin(loss), loss.shape))
        if not np.isfinite(loss[i, j]):
            break
        place[i] = np.average(place[[i, j]], axis=0, weights=weight[[i, j]])
        weight[i], weight[j] = weight[i] + weight[j], np.nan
        kept_as[kept_as == j] = i
        loss[i] = loss[:, i] = _losses(i, place, weight, each.setting)
        loss[j] = loss[:, j] = np.inf
    return np.unique(kept_as, return_inverse=True)[1]


def _reach(each: SampleFit) -> Array:
    """Root of a form that measures what joining loses: ``C S C`` of all classes, over ``tr C S``.

    C is the covariance of the maps of a pixel of the class, S the mean square of the weights: the
    variance with which frames of the library are foretold is ``tr C S``, and a loss of information
    ``w d d'`` adds ``w d' C S C d`` to it.
    """
    normal = each.design.T @ (each.design * each.weight[:, None])
    covariances = np.linalg.inv(normal + each.prior.precisions)
    square = each.design.T @ each.design / len(each.design)
    foretold = np.einsum("krq,qr->k", covariances, square)
    form = covariances @ square @ covariances / foretold[:, None, None]
    return np.linalg.cholesky(form.mean(axis=0))


def _losses(i: int, place: Array, weight: Array, setting: Numbers) -> Array:
    """Tell what is lost where i is joined with each other; one that is gone has no weight."""
    squares = np.sum((place - place[i]) ** 2, axis=1)
    joined = weight[i] * weight / (weight[i] + weight) * squares
    apart = (setting != setting[i]) | (np.arange(len(weight)) == i) | np.isnan(joined)
    return np.where(apart, np.inf, joined)


def mean_numbers(means: SampleFit) -> MeanNumbers:
    """Put together what the compiled code needs of means.

    Parameters
    ----------
    means : SampleFit
        As `means_of` gives them.

    Returns
    -------
    MeanNumbers
        As arrays.
    """
    return MeanNumbers(
        design=np.ascontiguousarray(means.design),
        frame_count=means.frame_count,
        frame_variance=means.law.frame_variance,
        slope=means.law.slope[means.setting],
        curvature=means.law.curvature,
        censor_adu=means.censor_adu,
    )
