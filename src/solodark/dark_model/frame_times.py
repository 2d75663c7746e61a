"""When frames were taken, and the means that stand for frames before them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.series import is_bias
from solodark.frames import FrameSource

__all__ = ["NO_MEANS", "FrameTimes", "MeansTaken", "frame_times"]

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
    taken, n_means = [source.acquisition for source in sources], len(means.middle_s)
    exposure_s = np.array([0.0] * n_means + [one.exposure_s or 0.0 for one in taken])
    dates = [one.date_obs for one in taken]
    begun_s = np.array([date.timestamp() if date else np.nan for date in dates])
    middle_s = np.concatenate([means.middle_s, begun_s]) + 0.5 * exposure_s
    place_s = middle_s.copy()
    place_s[:n_means][np.isnan(means.middle_s)] = -np.inf
    order = np.argsort(place_s, kind="stable")
    gaps_s = np.empty_like(middle_s)
    gaps_s[order] = np.diff(middle_s[order], prepend=np.nan)
    at_once = 0.5 * (exposure_s + np.roll(exposure_s, 1))
    at_once[starts[:-1]] = np.inf
    biases = np.array([*means.biases, *(is_bias(source) for source in sources)])
    return FrameTimes(order, np.where(np.isfinite(gaps_s), gaps_s, at_once), biases)
