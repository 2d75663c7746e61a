"""What pixels of one sensor have in common: a mixture of Gaussians over their maps.

Most pixels of a sensor are ordinary, some warm, few hot. The mixture is learned from a sample of
pixels whose maps are known only with error, by the expectation maximisation of "extreme
deconvolution" (Bovy, Hogg & Roweis 2011, Annals of Applied Statistics 5, 1657), written here with
information matrices so that maps which no frame constrains are allowed.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.levels import robust_sigma
from solodark.dark_model.small_matrices import from_lower
from solodark.dark_model.strips import (
    STRIP,
    Mixture,
    empty_posterior,
    inverse_of,
    load_normal,
    solve_components,
)

__all__ = ["MixturePrior", "refine_prior", "starting_prior"]

Array = NDArray[np.float64]

_FIRST_BREAKS = (0.0, 0.5, 0.8, 0.95)
_CORE_SIGMA = 3.0
_WIDER = 5.0  # variance of a component in the core over that of the one before
_LEAST_BEYOND = 0.05  # variance that pixels may have at the least, over that of their noise
_CHUNKS = 16
_SETTLED = 1e-6  # nats of a pixel that a step must gain: three hundred are a thirtieth of a map


@dataclass(frozen=True, eq=False, slots=True)
class MixturePrior:
    """A mixture of Gaussians over the maps of one pixel.

    Attributes
    ----------
    weights : ndarray, shape (k,)
        Share of the sensor's pixels in each component.
    means : ndarray, shape (k, d)
        Centre of each component, ADU per unit of state.
    precisions : ndarray, shape (k, d, d)
        Inverse covariances.
    """

    weights: Array
    means: Array
    precisions: Array

    @property
    def pulls(self) -> Array:
        """Precision times mean of each component, shape (k, d)."""
        pulls: Array = np.einsum("kij,kj->ki", self.precisions, self.means)
        return pulls

    @property
    def log_norms(self) -> Array:
        """Logarithm of each component's weight and normalisation, shape (k,)."""
        log_determinants = np.linalg.slogdet(self.precisions)[1]
        lengths = np.einsum("ki,kij,kj->k", self.means, self.precisions, self.means)
        norms: Array = np.log(self.weights) + 0.5 * log_determinants - 0.5 * lengths
        return norms


def starting_prior(
    maps: Array, noise: Array, shares: Array, n_components: int, *, n_settings: int = 1
) -> MixturePrior:
    """Begin with what can be seen through the noise: shells of growing distance from the core.

    Where a shell lies in the core, noise has cut it out as much as the pixels' own differences
    have. There the components are centred alike, the first as wide as the core is beyond its noise
    and each later one wider: begun with the shells themselves, expectation maximisation hardly ever
    finds its way back from slices of noise.

    Parameters
    ----------
    maps : ndarray, shape (n, d)
        Maps of the sampled pixels, the bias maps first.
    noise : ndarray, shape (d, d)
        Covariance by which noise alone spreads them in an ordinary pixel.
    shares : ndarray, shape (n,)
        How many pixels of the sensor each sampled one stands for.
    n_components : int
        Components wanted.
    n_settings : int
        Number of bias maps.

    Returns
    -------
    MixturePrior
        One Gaussian for each shell.
    """
    centre = np.median(maps, axis=0)
    sigma = np.maximum(np.apply_along_axis(robust_sigma, 0, maps), np.sqrt(np.diag(noise)))
    distances = np.abs(maps - centre)
    core = (distances <= _CORE_SIGMA * sigma).all(axis=1)
    beyond_noise = _beyond_noise(np.cov(maps[core].T), noise)
    order = np.argsort(distances[:, n_settings])
    reach = np.cumsum(shares[order]) / shares.sum()
    means, precisions, weights = [], [], []
    for k, (low, high) in enumerate(pairwise(_breaks(n_components))):
        shell = order[(reach > low) & (reach <= high)]
        if shell.size < 10 * maps.shape[1]:
            shell = order[-10 * maps.shape[1] :]
        far = shell[~core[shell]]
        if 2 * far.size < shell.size:
            # A stuck row is far off in the bias alone; it is no part of the first component.
            odd = maps[far] - centre if k else np.zeros((1, len(centre)))
            means.append(centre)
            covariance = beyond_noise * _WIDER**k + odd.T @ odd / shell.size
        else:
            means.append(np.median(maps[shell], axis=0))
            covariance = np.cov(maps[shell].T)
        precisions.append(_precision(covariance))
        weights.append(high - low)
    return MixturePrior(np.array(weights), np.array(means), np.array(precisions))


def _beyond_noise(covariance: Array, noise: Array) -> Array:
    """Give what noise leaves of a covariance, in every direction some."""
    root = np.linalg.cholesky(_regular(noise))
    whitened = np.linalg.solve(root, np.linalg.solve(root, covariance).T)
    ratios, axes = np.linalg.eigh(whitened)
    turned = root @ axes
    return np.asarray((turned * np.maximum(ratios - 1.0, _LEAST_BEYOND)) @ turned.T)


def _breaks(n_components: int) -> list[float]:
    breaks = list(_FIRST_BREAKS)
    while len(breaks) < n_components:
        breaks.append(1.0 - (1.0 - breaks[-1]) / 3.0)
    return [*breaks[:n_components], 1.0]


def _precision(covariance: Array) -> Array:
    return np.linalg.inv(_regular(covariance)).astype(np.float64)


def _regular(covariance: Array) -> Array:
    """Give a covariance that can be inverted, even one of maps that nothing tells apart."""
    return covariance + 1e-6 * np.diag(np.maximum(np.diag(covariance), 1e-12))


def refine_prior(
    prior: MixturePrior, information: Array, pulls: Array, shares: Array, *, most_steps: int
) -> MixturePrior:
    """Run expectation maximisation on pixels known by their normal equations, until it settles.

    Parameters
    ----------
    prior : MixturePrior
        Where to start.
    information : ndarray, shape (n, d, d)
        Normal matrix of each pixel.
    pulls : ndarray, shape (n, d)
        Right-hand side of each pixel's normal equations.
    shares : ndarray, shape (n,)
        How many pixels each stands for.
    most_steps : int
        Iterations, if it does not settle before.

    Returns
    -------
    MixturePrior
        The refined mixture.
    """
    matrices = np.ascontiguousarray(np.moveaxis(information, 0, -1))
    right = np.ascontiguousarray(pulls.T)
    before = -np.inf
    for _ in range(most_steps):
        told, *sums = _expect(
            matrices, right, shares, prior.precisions, prior.pulls, prior.log_norms, _CHUNKS
        )
        prior = _maximise(prior, *(part.sum(axis=0) for part in sums))
        gained = (told.sum() - before) / shares.sum()
        if gained < _SETTLED:
            break
        before = told.sum()
    return prior


def _maximise(prior: MixturePrior, mass: Array, first: Array, second: Array) -> MixturePrior:
    n, dims = first.shape
    second = from_lower(second)
    mass = mass + 1e-9 * mass.sum()
    means = first / mass[:, None]
    spread = second / mass[:, None, None] - means[:, :, None] * means[:, None, :]
    # One pixel's worth of the old covariance keeps a starving component alive.
    old = np.linalg.inv(prior.precisions)
    spread = (spread * mass[:, None, None] + old) / (mass[:, None, None] + 1.0)
    precisions = np.array([_precision(part) for part in spread]).reshape(n, dims, dims)
    return MixturePrior(mass / mass.sum(), means, precisions)


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _expect(
    information: Any,
    pulls: Any,
    shares: Any,
    precisions: Any,
    prior_pulls: Any,
    log_norms: Any,
    n_chunks: int,
) -> Any:
    """Log likelihood; mass, first and second moments of each component; in parts to be added up.

    Of the second moments only the lower half is filled.
    """
    d, n = pulls.shape
    k_all = log_norms.size
    told = np.zeros(n_chunks)
    mass = np.zeros((n_chunks, k_all))
    first = np.zeros((n_chunks, k_all, d))
    second = np.zeros((n_chunks, k_all, d, d))
    for chunk in prange(n_chunks):
        prior = Mixture(precisions, prior_pulls, log_norms)
        found = empty_posterior(k_all, d)
        own, covariance = np.zeros((d, d, STRIP)), np.zeros((d, d, STRIP))
        triangle = np.zeros((d, d, STRIP))
        right, share = np.zeros((d, STRIP)), np.zeros(STRIP)
        for begin in range(chunk * STRIP, n, n_chunks * STRIP):
            last = min(begin + STRIP, n)
            load_normal(information[:, :, begin:last], pulls[:, begin:last], own, right)
            solve_components(own, right, prior, found)
            for x in range(begin, last):
                told[chunk] += shares[x] * found.told[x - begin]
            for k in range(k_all):
                for x in range(STRIP):
                    share[x] = found.odds[k, x] * shares[begin + x] if begin + x < last else 0.0
                mass[chunk, k] += share.sum()
                inverse_of(found.factors[k], found.inverses[k], triangle, covariance)
                _add_moments(found.centres[k], covariance, share, first[chunk, k], second[chunk, k])
    return told, mass, first, second


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _add_moments(centres: Any, covariance: Any, share: Any, first: Any, second: Any) -> None:
    """Add a strip's centres, and their squares and covariances, of one component."""
    for r in range(len(first)):
        total = 0.0
        for x in range(STRIP):
            total += share[x] * centres[r, x]
        first[r] += total
        for q in range(r + 1):
            total = 0.0
            for x in range(STRIP):
                total += share[x] * (covariance[r, q, x] + centres[r, x] * centres[q, x])
            second[r, q] += total
