"""What a model remembers of the frames it was learned from, in the form in which a fit uses it.

The model keeps no frame. It keeps what the frames told: of every pixel its maps, how firmly they
are known, its noise and its scatter, and of every frame its state. From these the sums of the fit
are put together again.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import LIBRARY_THIRDS, SECONDS_PER_YEAR, USUAL_WEIGHT_PIXEL_YEARS
from solodark.dark_model.inversion import find_pulls
from solodark.dark_model.levels import robust_sigma, row_profile
from solodark.dark_model.library_noise import COSMIC_SERIES
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, Memory
from solodark.dark_model.scatter_prior import learn_scatter
from solodark.dark_model.survey import Sample
from solodark.frames import cfa_plane_index

__all__ = ["Past", "Places"]

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
    def profiles(self) -> Array:
        """Robust mean of each row of each map, shape (d, ny), ADU."""
        maps = self.model.pixels.maps
        levels = np.array([np.median(layer) for layer in maps])
        rows = [
            row_profile(layer - np.float32(level), max(robust_sigma(layer), 1e-6)) + level
            for layer, level in zip(maps, levels, strict=True)
        ]
        return np.array(rows)

    def continue_least_squares(self, before: Array, design: Array, values: Array) -> Array:
        """Least squares over the frames behind the model and new ones.

        Parameters
        ----------
        before : ndarray, shape (d, n)
            Solution of the frames behind the model.
        design : ndarray, shape (n_new, d)
            Of the new frames.
        values : ndarray, shape (n_new, n)
            Of the new frames.

        Returns
        -------
        ndarray, shape (d, n)
            Solution of all frames.
        """
        own = self.design.T @ self.design
        own = own + 1e-9 * np.trace(own) * np.eye(len(own))
        right = own @ before + design.T @ values
        return np.asarray(np.linalg.solve(own + design.T @ design, right))

    def with_noise_of(self, new: NoiseLaw, design: Array) -> NoiseLaw:
        """Noise of all frames; what it grows by with the signal is averaged by squared signal.

        Parameters
        ----------
        new : NoiseLaw
            Of the new frames.
        design : ndarray, shape (n_new, d)
            Of the new frames.

        Returns
        -------
        NoiseLaw
            Of all frames.
        """
        old = self.model.law
        before, now = self._signals(self.design), self._signals(design)
        slope = np.average([old.slope, new.slope], axis=0, weights=[before, now])
        curvature = np.average([old.curvature, new.curvature], weights=[before.sum(), now.sum()])
        variance = np.concatenate([old.frame_variance, new.frame_variance])
        return NoiseLaw(variance, slope, float(curvature))

    def _signals(self, design: Array) -> Array:
        """Sum the squared strength of the dark signal at each gain setting."""
        setting, states = np.hsplit(design, [len(self.model.settings)])
        strength2 = np.einsum("fr,rq,fq->f", states, self.model.strength, states)
        return np.asarray(setting.T @ strength2 + _LEAST_WEIGHT)

    def cosmic_share_per_s(self, hits: int, pixel_seconds: float) -> float:
        """Share of the pixels that cosmic rays hit in one second, in old frames and new.

        Parameters
        ----------
        hits : int
            Counted in the new frames.
        pixel_seconds : float
            In so many pixels times seconds.

        Returns
        -------
        float
            Per second.
        """
        library = self.model.library
        counted = np.bincount(library.series)[library.series] >= COSMIC_SERIES
        before = self.model.sample_random * float(np.nansum(library.exposure_s[counted]))
        total = before + pixel_seconds
        if total <= 0.0:
            return self.model.cosmic_share_per_s
        return (self.model.cosmic_share_per_s * before + hits) / total

    def births_per_year(self, born: float, years: float) -> float:
        """Share of the pixels that turn hot in a year, in the library and since.

        Parameters
        ----------
        born : float
            Pixels of the sensor that turned hot since.
        years : float
            Since the library.

        Returns
        -------
        float
            Per year.
        """
        taken_s = self.model.library.taken_s
        known_s = taken_s[np.isfinite(taken_s)]
        seen_years = (
            LIBRARY_THIRDS * float(np.ptp(known_s)) / SECONDS_PER_YEAR if known_s.size else 0.0
        )
        n = self.model.pixels.excess.size
        before = n * seen_years + USUAL_WEIGHT_PIXEL_YEARS
        return (self.model.births_per_year * before + max(born, 0.0)) / (before + n * years)

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
