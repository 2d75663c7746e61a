"""When frames were taken, and the means that stand for frames before them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.series import is_bias
from solodark.frames import FrameSource

__all__ = ["NO_MEANS", "FrameTimes", "MeansTaken", "frame_times", "means_taken"]

Array = NDArray[np.float64]


class MeansTaken(NamedTuple):
    """When the frames of each mean were taken.

    Attributes
    ----------
    middle_s : ndarray, shape (n_means,)
        Middle of their times, seconds since 1970 UTC; NaN where these are unknown.
    biases : ndarray of bool, shape (n_means,)
        Means of frames that were not exposed.
    """

    middle_s: Array
    biases: NDArray[np.bool_]


NO_MEANS = MeansTaken(np.zeros(0), np.zeros(0, bool))
"""When no means stand before the frames."""


class FrameTimes(NamedTuple):
    """When means and frames were taken, each after the other, however they are sorted.

    Attributes
    ----------
    order : ndarray of int, shape (n_means + n_frames,)
        By time. Means without a date come first; then those with one, and frames; frames without a
        date come last, by series.
    gaps_s : ndarray, shape (n_means + n_frames,)
        From the middle of the one before, in that order, to the middle of each, s.
    biases : ndarray of bool, shape (n_means + n_frames,)
        Those that were not exposed.
    """

    order: NDArray[np.intp]
    gaps_s: Array
    biases: NDArray[np.bool_]


def means_taken(sources: Sequence[FrameSource], kept_as: NDArray[np.intp]) -> MeansTaken:
    """Tell when the frames of each mean were taken.

    Parameters
    ----------
    sources : sequence of FrameSource
        The frames.
    kept_as : ndarray of int, shape (n_frames,)
        Mean that each is part of, from 0 without a gap.

    Returns
    -------
    MeansTaken
        A mean has a date as soon as one of its frames has.
    """
    middle_s = _middles_s(sources)
    dated, exposed = np.isfinite(middle_s), [not is_bias(source) for source in sources]
    count = np.bincount(kept_as, dated)
    total = np.bincount(kept_as, np.where(dated, middle_s, 0.0))
    return MeansTaken(
        np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan),
        np.bincount(kept_as, exposed) == 0.0,
    )


def _middles_s(sources: Sequence[FrameSource]) -> Array:
    """Middle of each exposure, seconds since 1970 UTC; NaN where its header is silent."""
    taken = [source.acquisition for source in sources]
    begun_s = [one.date_obs.timestamp() if one.date_obs else np.nan for one in taken]
    return np.array(begun_s) + 0.5 * np.array([one.exposure_s or 0.0 for one in taken])


def frame_times(
    sources: Sequence[FrameSource], starts: NDArray[np.intp], means: MeansTaken = NO_MEANS
) -> FrameTimes:
    """Tell when frames were taken.

    Parameters
    ----------
    sources : sequence of FrameSource
        Sorted by series.
    starts : ndarray of int, shape (n_means + n_series + 1,)
        Where each series begins, the means first and each a series of its own.
    means : MeansTaken
        Those that come before the frames.

    Returns
    -------
    FrameTimes
        Without dates frames of a series follow each other at once, and a series knows nothing of
        the one before: its gap is infinite, as it is for the first of all.
    """
    n_means = len(means.middle_s)
    exposure_s = [0.0] * n_means + [source.acquisition.exposure_s or 0.0 for source in sources]
    middle_s = np.concatenate([means.middle_s, _middles_s(sources)])
    place_s = middle_s.copy()
    place_s[:n_means][np.isnan(means.middle_s)] = -np.inf
    order = np.argsort(place_s, kind="stable")
    gaps_s = np.empty_like(middle_s)
    gaps_s[order] = np.diff(middle_s[order], prepend=np.nan)
    at_once = 0.5 * np.add(exposure_s, np.roll(exposure_s, 1))
    at_once[starts[:-1]] = np.inf
    biases = np.array([*means.biases, *(is_bias(source) for source in sources)])
    return FrameTimes(order, np.where(np.isfinite(gaps_s), gaps_s, at_once), biases)
