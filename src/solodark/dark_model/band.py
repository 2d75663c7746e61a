"""A band of pixels, or some pixels of one, as they are fitted."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.fit_rows import FitRows
from solodark.dark_model.pixel_numbers import Memory
from solodark.dark_model.sample_numbers import SampleFit

__all__ = ["Band"]

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """Pixels, as they are fitted.

    Attributes
    ----------
    rows : FitRows
        What they are fitted to: means of frames that are gone, then the frames.
    values : ndarray of float32, shape (n_means + n_frames, n)
        ADU above level and rows.
    smooth : ndarray of float32, shape (d, n)
        Smooth part of their maps.
    memory : Memory, optional
        What the frames that are gone tell of the noise of these pixels.
    changed : ndarray of int, shape (m,)
        Those that are no longer what they were, or stand at another level.
    """

    rows: FitRows
    values: Image
    smooth: Image
    memory: Memory | None = None
    changed: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))

    @property
    def fit(self) -> SampleFit:
        """States, prior and noise of means and frames."""
        return self.rows.fit

    @property
    def means(self) -> Image:
        """Means of the frames that are gone, shape (n_means, n)."""
        return self.values[: self.rows.n_means]
