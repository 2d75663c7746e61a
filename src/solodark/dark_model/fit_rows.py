"""What pixels are fitted to: means of the frames before one, and every frame from that one on.

Where a library is learned at once, its frames are there from the first on. A model that grows has
the means of those it was learned from; of pixels that may hop it has kept the frames, of most of
these all. So a pixel is described by the first frame that is there of it, and all are fitted alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.frame_times import FrameTimes, frame_times, means_taken
from solodark.dark_model.kept_means import join_series, means_before, means_of, starts_after
from solodark.dark_model.sample_numbers import SampleFit
from solodark.frames import FrameSource

__all__ = ["FitRows", "Library"]

Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class FitRows:
    """Means and frames, as pixels are fitted to them.

    Attributes
    ----------
    since : int
        The first frame that is no part of a mean.
    fit : SampleFit
        States, prior, noise and rows of the means, then of the frames.
    starts : ndarray of int, shape (n_means + n_series + 1,)
        Where each series begins; each mean is one of its own.
    times : FrameTimes
        When means and frames were taken.
    kept_as : ndarray of int, shape (n_means + n_series,)
        Mean in which each mean, and then each series, is kept from now on; of none, none is.
    used : ndarray of int, shape (n_means,)
        Which they are of the means that were kept until now.
    learned : SampleFit, optional
        Of the means, as these were learned.
    """

    since: int
    fit: SampleFit
    starts: Numbers
    times: FrameTimes
    kept_as: Numbers = field(default_factory=lambda: np.zeros(0, np.intp))
    used: Numbers = field(default_factory=lambda: np.zeros(0, np.intp))
    learned: SampleFit | None = None

    @property
    def n_means(self) -> int:
        """Number of the means."""
        return len(self.used)

    @property
    def kept(self) -> SampleFit:
        """Of the means that are kept from now on."""
        return means_of(self.fit, self.starts, self.kept_as)

    @property
    def kept_alone(self) -> tuple[SampleFit, Numbers]:
        """Of those that these means are kept in, the part that they are; and which they are."""
        n = self.n_means
        which, own = np.unique(self.kept_as[:n], return_inverse=True)
        return means_of(self.fit.of(slice(0, n)), np.arange(n + 1), own), which


@dataclass(frozen=True, eq=False, slots=True)
class Library:
    """All frames of a library; those that are gone, in a model that grows, are the first.

    Attributes
    ----------
    sources : sequence of FrameSource
        The frames, sorted by series; of those that are gone all but their pixels.
    series : ndarray of int, shape (n,)
        Series of each.
    fit : SampleFit
        States of all, and what all pixels have in common.
    kept_until_now : ndarray of int, shape (n_gone,)
        Mean in which each of those is kept that are gone.
    learned : SampleFit, optional
        Of those, as it was learned.
    """

    sources: Sequence[FrameSource]
    series: Numbers
    fit: SampleFit
    kept_until_now: Numbers = field(default_factory=lambda: np.zeros(0, np.intp))
    learned: SampleFit | None = None

    @property
    def n_gone(self) -> int:
        """How many frames are gone."""
        return len(self.kept_until_now)

    def joined(self) -> Numbers:
        """Choose the mean in which each frame is kept from now on.

        Returns
        -------
        ndarray of int, shape (n,)
            From 0 without a gap.
        """
        means = means_before(self.fit, self.series, self.kept_until_now)
        n_means, there = len(means.design), slice(self.n_gone, None)
        starts = starts_after(n_means, self.series[there])
        joined = join_series(means.followed_by(self.fit.of(there)), starts)
        new = np.repeat(joined[n_means:], np.diff(starts[n_means:]))
        return np.concatenate([joined[self.kept_until_now], new])

    def rows(self, since: int, kept_as: Numbers) -> FitRows:
        """Let means stand for the frames before one.

        Parameters
        ----------
        since : int
            The first frame that is there.
        kept_as : ndarray of int, shape (n,)
            Mean in which each frame is kept from now on.

        Returns
        -------
        FitRows
            Rows of the means are those beyond the rows that were taken off them already.
        """
        used, first, own = np.unique(
            self.kept_until_now[:since], return_index=True, return_inverse=True
        )
        means, learned = means_before(self.fit, self.series, own), None
        if self.learned is not None:
            learned = means_before(self.learned, self.series, own)
            means = replace(means, rows=means.rows - learned.rows)
        starts = starts_after(len(used), self.series[since:])
        begins = since - len(used) + starts[len(used) : -1]
        return FitRows(
            since=since,
            fit=means.followed_by(self.fit.of(slice(since, None))),
            starts=starts,
            times=frame_times(self.sources[since:], starts, means_taken(self.sources[:since], own)),
            kept_as=np.concatenate([kept_as[first], kept_as[begins]]),
            used=used,
            learned=learned,
        )
