"""What full scale does to the mean and the variance of a noisy signal."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["clipped_mean", "clipped_variance"]

FAR_SIGMA = 6.0
"""Further below full scale than this, clipping changes nothing that float32 can hold."""

Image = NDArray[np.float32]


def clipped_mean(mean: Image, variance: Image, limit: float) -> Image:
    """Mean of ``min(x, limit)`` for a Gaussian x.

    With z = (limit - mean) / sigma it is ``limit - sigma (z Phi(z) + phi(z))``.

    Parameters
    ----------
    mean, variance : ndarray of float32, shape (ny, nx)
        Of x.
    limit : float
        Full scale, in the unit of the mean.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Never above the limit.

    Examples
    --------
    >>> low, high = np.float32([[0.0]]), np.float32([[99.0]])
    >>> clipped_mean(low, low + 1, 50.0).item(), clipped_mean(high, low + 1, 50.0).item()
    (0.0, 50.0)
    """
    result = np.minimum(mean, np.float32(limit))
    near, z, sigma = _near_limit(mean, variance, limit)
    result[near] = limit - sigma * (z * ndtr(z) + _phi(z))
    return result


def clipped_variance(mean: Image, variance: Image, limit: float) -> Image:
    """Variance of ``min(x, limit)`` for a Gaussian x.

    The second moment of the lost part is ``sigma^2 ((1 + z^2) Phi(z) + z phi(z))``.

    Parameters
    ----------
    mean, variance : ndarray of float32, shape (ny, nx)
        Of x.
    limit : float
        Full scale, in the unit of the mean.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Zero far above the limit.

    Examples
    --------
    >>> high = np.float32([[99.0]])
    >>> clipped_variance(high, high, 50.0).item() < clipped_variance(high, high, 150.0).item()
    True
    """
    result = np.where(mean < limit, variance, np.float32(0.0))
    near, z, sigma = _near_limit(mean, variance, limit)
    below, density = ndtr(z), _phi(z)
    first = z * below + density
    result[near] = sigma**2 * ((1.0 + z**2) * below + z * density - first**2)
    return result


def _near_limit(
    mean: Image, variance: Image, limit: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Pixels that clipping bends, how many sigma below the limit they are, and their sigma."""
    sigma = np.sqrt(variance)
    near = (np.abs(mean - np.float32(limit)) < FAR_SIGMA * sigma) & (sigma > 0)
    near_sigma = sigma[near].astype(np.float64)
    return near, (limit - mean[near].astype(np.float64)) / near_sigma, near_sigma


def _phi(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of the normal distribution."""
    density: NDArray[np.float64] = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    return density
