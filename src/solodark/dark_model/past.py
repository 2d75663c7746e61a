"""What a model remembers of the frames it was learned from, in the form in which a fit uses it.

The model keeps no frame. It keeps what the frames told: of every pixel its maps, how firmly they
are known, its noise and its scatter, and of every frame its state. From these the sums of the fit
are put together again.
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import least_information, library_strength2
from solodark.dark_model.first_fit import rows_beyond
from solodark.dark_model.inversion import find_pulls
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, Memory
from solodark.dark_model.sample_fit import FLOOR_AMPLITUDE2, SampleFit
from solodark.dark_model.scatter_prior import learn_scatter
from solodark.dark_model.strength import squared_strength
from solodark.dark_model.survey import Sample, Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.frames import Acquisition, FrameKind, cfa_plane_index

__all__ = ["NewStates", "Past", "Places"]

Array = NDArray[np.float64]
Places = tuple[NDArray[np.intp] | slice, NDArray[np.intp] | slice]

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
    def dof(self) -> float:
        """Degrees of freedom of a pixel's noise: frames beyond the first of each series."""
        counts = np.bincount(self.model.library.series)
        return float(np.maximum(counts - 1, 0).sum())

    @cached_property
    def least_information(self) -> float:
        """Information of a pixel below which nothing is known of it, 1/ADU^2."""
        return least_information(self.model)

    @cached_property
    def sample(self) -> Sample:
        """The pixels that states and prior were learned from."""
        n_random, (y, x) = self.model.sample_random, self.model.sample.T
        rest = self.model.pixels.excess.size - (y.size - n_random)
        shares = np.where(np.arange(y.size) < n_random, rest / n_random, 1.0)
        plane = np.asarray(cfa_plane_index(y, x, self.model.acquisition.cfa_pattern))
        return Sample(y, x, plane, shares, n_random)

    @cached_property
    def scatter_prior(self) -> Array:
        """Prior of the scatter for each component, shape (k, t)."""
        y, x = self.model.sample.T
        scatter = self.scatter_weights((y, x))
        odds = np.eye(self.model.prior.weights.size)[self.model.pixels.component[y, x]]
        return learn_scatter(scatter, odds, self.sample.shares)

    @cached_property
    def fit(self) -> SampleFit:
        """States, prior and noise of the frames, with their rows left as they were."""
        model = self.model
        return SampleFit(
            design=self.design,
            setting=model.library.setting,
            prior=model.prior,
            law=model.law,
            scatter_grid=model.scatter_grid,
            scatter_prior=self.scatter_prior,
            strength=model.strength,
            rows=np.zeros((len(self.design), model.shape[0])),
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

    def with_states(self, fit: SampleFit) -> "NewStates":
        """Translate what is remembered to other states of the same frames.

        Parameters
        ----------
        fit : SampleFit
            What is now known of all frames; those behind the model are its first.

        Returns
        -------
        NewStates
            The translation.
        """
        n = len(self.design)
        weight = 1.0 / np.sqrt(self.model.law.frame_variance)[:, None]
        solve = np.linalg.pinv(weight * self.design) * weight.T
        rows = rows_beyond(self.design, self.survey.profiles) - fit.rows[:n]
        before = library_strength2(self.model).sum()
        now = squared_strength(fit.states[:n], fit.strength).sum()
        return NewStates(
            turn=solve @ fit.design[:n],
            rows=solve @ rows,
            strength2_ratio=now / before if before > 0.0 else 1.0,
            old_grid=self.model.scatter_grid,
            new_grid=fit.scatter_grid,
        )

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

    def memory(self, places: Places) -> Memory:
        """Give what is remembered of some pixels.

        Parameters
        ----------
        places : tuple
            Rows and columns, as an index into an image.

        Returns
        -------
        Memory
            Of the n pixels, in the order of the index.
        """
        model, prior = self.model, self.model.prior
        k = model.pixels.component[places].ravel()
        information = self.information(places)
        pulls = find_pulls(
            self.maps(places), information, prior.precisions, prior.pulls, prior.log_norms
        )
        log_scatter = np.log(self.scatter_weights(places)) - np.log(self.scatter_prior[k])
        excess = model.pixels.excess[places].ravel().astype(np.float64)
        dof = np.full(k.size, self.dof)
        squares = np.maximum(excess * (EXCESS_PRIOR_DOF + dof) - EXCESS_PRIOR_DOF, 0.0)
        return Memory(information, pulls, log_scatter, squares, dof)


@dataclass(frozen=True, eq=False)
class NewStates:
    """What is remembered of pixels, in the terms of other states of the same frames.

    Attributes
    ----------
    turn : ndarray, shape (d_old, d_new)
        The old maps are this times the new ones.
    rows : ndarray, shape (d_old, ny)
        What each row of the old maps is to be raised by: banding that was taken out of the frames
        before the old maps were learned, and belongs to the new ones.
    strength2_ratio : float
        Squared strength of the frames by the new states over that by the old ones.
    old_grid, new_grid : ndarray, shape (t_old,) and (t_new,)
        Variances of the scatter at full strength, ADU^2; the first of each is zero.
    """

    turn: Array
    rows: Array
    strength2_ratio: float
    old_grid: Array
    new_grid: Array

    def memory(self, memory: Memory, rows: slice) -> Memory:
        """Translate what is remembered of some rows.

        Parameters
        ----------
        memory : Memory
            By the old states.
        rows : slice
            Of the sensor.

        Returns
        -------
        Memory
            By the new ones.
        """
        own = self.rows[:, rows]
        raised = np.repeat(own.T, len(memory.dof) // own.shape[1], axis=0)
        pulls = memory.pulls + np.einsum("nrq,nq->nr", memory.information, raised)
        information = np.einsum("rd,nrq,qe->nde", self.turn, memory.information, self.turn)
        at = np.log(self.new_grid[1:] * self.strength2_ratio)
        places = np.interp(at, np.log(self.old_grid[1:]), np.arange(1, self.old_grid.size))
        below = np.clip(places.astype(np.intp), 1, self.old_grid.size - 2)
        share = places - below
        log_scatter = np.empty((len(memory.log_scatter), self.new_grid.size))
        log_scatter[:, 0] = memory.log_scatter[:, 0]
        log_scatter[:, 1:] = (1.0 - share) * memory.log_scatter[:, below]
        log_scatter[:, 1:] += share * memory.log_scatter[:, below + 1]
        return Memory(information, pulls @ self.turn, log_scatter, memory.squares, memory.dof)

    def telegraph(self, pixels: TelegraphPixels) -> TelegraphPixels:
        """Translate what is known of telegraph pixels.

        Parameters
        ----------
        pixels : TelegraphPixels
            At the old full strength.

        Returns
        -------
        TelegraphPixels
            At the new one.
        """
        return replace(
            pixels,
            rise_adu=pixels.rise_adu / np.float32(np.sqrt(self.strength2_ratio)),
            rest_adu2=pixels.rest_adu2 / np.float32(self.strength2_ratio),
        )
