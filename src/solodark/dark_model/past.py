"""What a model remembers of the frames it was learned from, in the form in which a fit uses it.

The model keeps the state of every frame, and of every pixel its noise and the means of its frames;
the frames themselves only of the few pixels that may hop.
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import library_strength2
from solodark.dark_model.fit_rows import FitRows
from solodark.dark_model.kept_codes import decode_means
from solodark.dark_model.kept_frames import KeptFrames
from solodark.dark_model.kept_means import mean_numbers
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, Memory
from solodark.dark_model.row_pattern import rows_beyond
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.scatter_prior import learn_scatter
from solodark.dark_model.smooth_maps import SmoothMaps
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.dark_model.survey import Sample, Survey
from solodark.frames import Acquisition, FrameKind

__all__ = ["Chosen", "Past", "Places"]

Array = NDArray[np.float64]
Places = tuple[NDArray[np.intp] | slice, NDArray[np.intp] | slice]
Chosen = NDArray[np.integer[Any]] | slice

_LEAST_WEIGHT = 1e-7  # a weight stored as none is smaller than this


@dataclass(frozen=True, eq=False)
class Past:
    """The library behind a model.

    Attributes
    ----------
    model : DarkModel
        The model.
    """

    model: DarkModel

    @cached_property
    def design(self) -> Array:
        """Weights of all maps in each frame, shape (n_frames, d)."""
        library = self.model.library
        pairs = zip(library.states, library.setting, strict=True)
        return np.array([self.model.design(state, int(setting)) for state, setting in pairs])

    @property
    def n_frames(self) -> int:
        """Number of the frames."""
        return len(self.model.library.names)

    @cached_property
    def sample(self) -> Sample:
        """The pixels that states and prior were learned from."""
        n_random, (y, x) = self.model.sample_random, self.model.sample.T
        rest = self.model.pixels.excess.size - (y.size - n_random)
        shares = np.where(np.arange(y.size) < n_random, rest / n_random, 1.0)
        return Sample(y, x, self.model.level_parts.index(y, x), shares, n_random)

    @cached_property
    def scatter_prior(self) -> Array:
        """Prior of the scatter for each component, shape (k, t)."""
        y, x = self.model.sample.T
        scatter = self.scatter_weights((y, x))
        odds = np.eye(self.model.prior.weights.size)[self.model.pixels.component[y, x]]
        return learn_scatter(scatter, odds, self.sample.shares)

    @cached_property
    def fit(self) -> SampleFit:
        """States, prior, noise and rows of the frames, as they were learned."""
        model = self.model
        rows = rows_beyond(self.design, self.survey.profiles)
        return SampleFit(
            design=self.design,
            setting=model.library.setting,
            frame_count=np.ones(len(self.design)),
            series_count=np.ones(len(self.design)),
            smooth=SmoothMaps.of(
                self.survey, rows, self.design, model.law.frame_variance, model.shape
            ),
            prior=model.prior,
            law=model.law,
            scatter_grid=model.scatter_grid,
            scatter_prior=self.scatter_prior,
            strength=model.strength,
            rows=rows,
            level_maps=model.level_maps,
            cosmic_share_per_s=model.cosmic_share_per_s,
            censor_adu=model.censor_adu,
            evidence=-np.inf,
        )

    @property
    def survey(self) -> Survey:
        """The sample of all frames behind the model."""
        if self.model.survey is None:
            raise ValueError("the model was read without the sample of its frames")
        return self.model.survey

    @property
    def residuals(self) -> NDArray[np.uint8]:
        """What the maps leave of the means, as it is kept, shape (n_means, ny, nx)."""
        if self.model.pixels.residuals is None:
            raise ValueError("the model was read without the means of its frames")
        return self.model.pixels.residuals

    @property
    def kept(self) -> KeptFrames:
        """The frames of those pixels of which they are kept."""
        if self.model.pixels.kept is None:
            raise ValueError("the model was read without the frames of any pixel")
        return self.model.pixels.kept

    @property
    def acquisitions(self) -> list[Acquisition]:
        """How each frame was taken, as far as it is remembered; a weak one is called a bias."""
        library, shared = self.model.library, self.model.acquisition
        weak = library_strength2(self.model) < FLOOR_AMPLITUDE2
        rows = zip(library.exposure_s, library.taken_s, library.setting, weak, strict=True)
        return [
            replace(
                shared,
                kind=FrameKind.BIAS if np.isnan(exposure_s) and faint else FrameKind.DARK,
                exposure_s=None if np.isnan(exposure_s) else float(exposure_s),
                date_obs=datetime.fromtimestamp(at_s, UTC) if np.isfinite(at_s) else None,
                **asdict(self.model.settings[setting]),
            )
            for exposure_s, at_s, setting, faint in rows
        ]

    def maps(self, places: Places) -> Array:
        """Give the maps of some pixels.

        Parameters
        ----------
        places : tuple
            Rows and columns, as an index into an image.

        Returns
        -------
        ndarray, shape (n, d)
            ADU, and ADU per unit of state.
        """
        maps = self.model.pixels.maps[:, *places].reshape(len(self.model.pixels.maps), -1)
        return np.ascontiguousarray(maps.T, dtype=np.float64)

    def information(self, places: Places) -> Array:
        """Give the normal matrices of some pixels.

        Parameters
        ----------
        places : tuple
            Rows and columns, as an index into an image.

        Returns
        -------
        ndarray, shape (n, d, d)
            1/ADU^2.
        """
        pixels = self.model.pixels
        total = pixels.information[places].reshape(-1, 1, 1).astype(np.float64)
        return np.asarray(total * self.model.class_information[pixels.component[places].ravel()])

    def scatter_weights(self, places: Places) -> Array:
        """Give the weights of the scatter grid of some pixels.

        Parameters
        ----------
        places : tuple
            Rows and columns, as an index into an image.

        Returns
        -------
        ndarray, shape (n, t)
            Above 0: one that is stored as none is taken as the least that could be stored.
        """
        codes = self.model.pixels.scatter[:, *places].reshape(len(self.model.scatter_grid), -1).T
        return np.maximum(decoded_weights()[codes], _LEAST_WEIGHT)

    def values(self, seen: FitRows, rows: slice, place: Chosen) -> NDArray[np.float32]:
        """Give the means of frames, in some pixels of some rows.

        Parameters
        ----------
        seen : FitRows
            Which means, and what was learned of them.
        rows : slice
            Of the sensor.
        place : ndarray of int, or slice
            Which of the pixels of these rows.

        Returns
        -------
        ndarray of float32, shape (n_means, n)
            ADU above level and rows, as these were when the frames were learned.
        """
        if seen.learned is None:
            raise ValueError("these means were not learned before")
        pixels = self.model.pixels
        codes = self.residuals[:, rows].reshape(len(self.residuals), -1)[:, place]
        maps = pixels.maps[:, rows].reshape(len(pixels.maps), -1)[:, place]
        excess = pixels.excess[rows].ravel()[place]
        return decode_means(codes[seen.used], maps, excess, mean_numbers(seen.learned))

    def hopping(self, rows: slice) -> NDArray[np.int32]:
        """Find the pixels that are known to hop between two levels.

        Parameters
        ----------
        rows : slice
            Of the sensor.

        Returns
        -------
        ndarray of int
            Places among the pixels of these rows.
        """
        nx = self.model.shape[1]
        own = self.model.pixels.telegraph.between(rows.start * nx, rows.stop * nx)
        return own.place[own.settled]

    def memory(self, since: int, rows: slice, place: Chosen) -> Memory:
        """Give what the frames before one told of the noise of some pixels of some rows.

        Parameters
        ----------
        since : int
            That frame.
        rows : slice
            Of the sensor.
        place : ndarray of int, or slice
            Which of the pixels of these rows.

        Returns
        -------
        Memory
            Of the n pixels.
        """
        excess = self.model.pixels.excess[rows].ravel()[place].astype(np.float64)
        all_dof, own_dof = self._dof(None), self._dof(since)
        squares = np.maximum(excess * (EXCESS_PRIOR_DOF + all_dof) - EXCESS_PRIOR_DOF, 0.0)
        share = own_dof / max(all_dof, 1.0)
        return Memory(share * squares, np.full(excess.size, own_dof))

    def _dof(self, since: int | None) -> float:
        """Degrees of freedom of a pixel's noise: frames beyond the first of each series."""
        counts = np.bincount(self.model.library.series[:since])
        return float(np.maximum(counts - 1, 0).sum())
