"""How often pixels scatter by how much: weights on the scatter grid for each class of pixels.

A pixel's scatter is what it does from series to series that neither maps nor noise explain. Its
variance at full strength is one of a grid; how often each occurs among the pixels of a component
of the prior is learned from the sample by expectation maximisation.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_scatter_prior", "learn_scatter", "refine_scatter", "scatter_grid"]

Array = NDArray[np.float64]

_STEP = 8.0  # from one variance of the grid to the next
_SMALLEST = 1.0 / 16.0  # of the frames' variance
_FIRST_WITHOUT = 0.8  # most pixels do what their maps say; those that do not are soon found
_PIXELS_EVERYWHERE = 1e-2  # so that nothing is ever excluded
_STEPS = 10


def scatter_grid(variance: float, largest: float) -> Array:
    """Variances from none, and a fraction of the noise, to that of a pixel that is on or off.

    Parameters
    ----------
    variance : float
        Of an ordinary pixel of the quietest frame, ADU^2.
    largest : float
        Value, ADU above the level.

    Returns
    -------
    ndarray, shape (t,)
        ADU^2.

    Examples
    --------
    >>> scatter_grid(16.0, 20.0)
    array([  0.,   1.,   8.,  64., 512.])
    """
    first = variance * _SMALLEST
    steps = max(4, int(np.ceil(np.log(largest**2 / first) / np.log(_STEP))) + 1)
    return np.concatenate([[0.0], first * _STEP ** np.arange(steps)])


def first_scatter_prior(n_components: int, n_variances: int) -> Array:
    """Give a prior to begin with: most pixels without scatter, fewer the larger it is.

    Parameters
    ----------
    n_components : int
        Components of the prior over pixels.
    n_variances : int
        Size of the scatter grid.

    Returns
    -------
    ndarray, shape (n_components, n_variances)
        Weights.
    """
    shares = 0.5 ** np.arange(n_variances)
    shares[1:] *= (1.0 - _FIRST_WITHOUT) / shares[1:].sum()
    shares[0] = _FIRST_WITHOUT
    return np.tile(shares, (n_components, 1))


def learn_scatter(scatter: Array, odds: Array, shares: Array) -> Array:
    """Count how the scatter of each component's pixels is spread over the grid.

    Parameters
    ----------
    scatter : ndarray, shape (n, t)
        Weights of the scatter grid of each pixel.
    odds : ndarray, shape (n, k)
        Of the prior's components.
    shares : ndarray, shape (n,)
        How many pixels of the sensor each stands for.

    Returns
    -------
    ndarray, shape (k, t)
        Weights.
    """
    return _shares_of((odds * shares[:, None]).T @ scatter)


def _shares_of(mass: Array) -> Array:
    mass = mass + _PIXELS_EVERYWHERE
    return np.asarray(mass / mass.sum(axis=1, keepdims=True), dtype=np.float64)


def refine_scatter(prior: Array, scatter: Array, odds: Array, shares: Array) -> Array:
    """Refine the prior by several steps at once, without fitting the pixels again in between.

    Variances below the noise are hard to tell from none, so that single steps would go on creeping
    from one rank to the next, and look like the merit of the rank.

    Parameters
    ----------
    prior : ndarray, shape (k, t)
        With which the pixels were fitted.
    scatter : ndarray, shape (n, t)
        Weights of the scatter grid of each pixel, found with that prior.
    odds : ndarray, shape (n, k)
        Of the prior's components.
    shares : ndarray, shape (n,)
        How many pixels of the sensor each stands for.

    Returns
    -------
    ndarray, shape (k, t)
        Weights.
    """
    odds = np.ascontiguousarray(odds.T)  # the pixels side by side, for sums are over the others
    likelihood = scatter.T / (prior.T @ odds)
    found, weighted = np.empty_like(likelihood), np.empty_like(odds)
    for _ in range(_STEPS):
        np.multiply(np.matmul(prior.T, odds, out=found), likelihood, out=found)
        np.multiply(odds, shares / found.sum(axis=0), out=weighted)
        prior = _shares_of(weighted @ found.T)
    return prior
