"""How good a network is on nights it is not trained on: equivalent subs, as everywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation import measure_series, tabulate
from solodark.frames import Acquisition, Frame
from solodark.pix2pix.history import Judgement
from solodark.pix2pix.patches import Place, SensorPairs, SubPairs
from solodark.workflows.training_store import SensorStore, SubStore

if TYPE_CHECKING:
    from solodark.pix2pix.estimate import NetworkEstimator

__all__ = ["NetworkJudge", "Samples"]

_SUBS = 6  # of each series; a night's subs resemble one another, and more would only cost time
_SERIES = 4
_LEAST_RATIO = 1e-3
_HEADLINE = "winsorised"

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Samples:
    """A sub, what a network makes of it, and what the others of its series show.

    Attributes
    ----------
    sub, made, truth : ndarray of float32, shape (h, w)
        ADU.
    """

    sub: Image
    made: Image
    truth: Image


@dataclass(frozen=True, slots=True)
class NetworkJudge:
    """Judges networks on a store's held-out subs; picklable, for other processes.

    Attributes
    ----------
    store : SubStore or SensorStore
        Where the subs lie.
    subs : tuple of int
        The held-out ones.
    cfa_pattern : str or None
        Filters, row 0 at the top.
    side_px : int
        Side of the central part that is judged, even.
    """

    store: SubStore | SensorStore
    subs: tuple[int, ...]
    cfa_pattern: str | None
    side_px: int = 512

    def __call__(self, estimator: "NetworkEstimator") -> Judgement:
        """Give the winsorised equivalent subs, over all held-out series, and the contrast.

        Parameters
        ----------
        estimator : NetworkEstimator
            The network.

        Returns
        -------
        Judgement
            At most 1000 subs.
        """
        shown = self.samples(estimator)
        contrast = float(np.std(shown.made) / max(float(np.std(shown.truth)), 1e-12))
        return Judgement(self.figures(estimator)[0], contrast)

    def figures(self, estimator: "NetworkEstimator") -> tuple[float, float]:
        """Give the winsorised equivalent subs, and the error behind them.

        Parameters
        ----------
        estimator : NetworkEstimator
            The network.

        Returns
        -------
        equivalent_subs : float
            At most 1000.
        error_adu : float
            Root mean square error, ADU.
        """
        frames, make = self._played(estimator)
        rng = np.random.default_rng(1)  # of the interval, which is not looked at
        sums = [measure_series(series, {"network": make}) for series in frames]
        row = tabulate(sums, rng=rng).rows[0]
        cell = row.cells[_HEADLINE]
        if cell is None:  # every pixel is winsorised; a series that cannot be judged has raised
            return float("nan"), float("nan")
        ratio = max(cell.error_over_variance, _LEAST_RATIO)
        return 1.0 / ratio, float(np.sqrt(ratio * cell.variance_adu2))

    def samples(self, estimator: "NetworkEstimator") -> Samples:
        """Show the first held-out sub.

        Parameters
        ----------
        estimator : NetworkEstimator
            The network.

        Returns
        -------
        Samples
            Of the central part.
        """
        frames, make = self._played(estimator)
        first, *others = frames[0]
        truth = np.stack([other.data for other in others]).mean(axis=0, dtype=np.float64)
        return Samples(first.data, make(first), truth.astype(np.float32))

    def _played(
        self, estimator: "NetworkEstimator"
    ) -> tuple[list[list[Frame]], Callable[[Frame], Image]]:
        """Frames by series, and what makes a master of each."""
        pairs = self.store.open()
        if isinstance(pairs, SubPairs):
            return self._frames(pairs.subs, pairs), lambda sub: estimator.master(
                sub.data, self.cfa_pattern
            )
        above = [view.above for view in pairs.views]
        place = self._centre(pairs.shape)
        return self._frames(above, pairs), lambda sub: estimator.pattern(
            pairs.views[int(sub.name)].cut(place.cut)
        )

    def _frames(
        self, images: Sequence[Image] | NDArray[np.uint16] | Image, pairs: SubPairs | SensorPairs
    ) -> list[list[Frame]]:
        """Cut the centre out of some subs of some series; each is named after its index."""
        acquisition, place = Acquisition(cfa_pattern=self.cfa_pattern), self._centre(pairs.shape)
        by_series: dict[int, list[Frame]] = {}
        for i in self.subs:
            members = by_series.setdefault(int(pairs.series[i]), [])
            if len(members) < _SUBS:
                pixels = place.cut(images[i]).astype(np.float32)
                members.append(Frame(pixels, acquisition, name=str(i)))
        return [members for members in by_series.values() if len(members) > 2][:_SERIES]

    def _centre(self, shape: tuple[int, int]) -> Place:
        height, width = (min(self.side_px, n - n % 2) for n in shape)
        top, left = ((n - side) // 4 * 2 for n, side in zip(shape, (height, width), strict=True))
        return Place(0, top, left, height, width)
