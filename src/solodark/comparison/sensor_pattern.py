"""What of the sensor shows in a picture: trails and holes of hot pixels, and walking noise.

A pixel of the sensor follows the drift of the sky through a registered stack. What a dark leaves
behind at that pixel is therefore found along its path, the places where each light put it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

__all__ = ["Trails", "pattern_match", "summarise_trails", "trail_residuals"]

Vector = NDArray[np.float64]

CONTROL_SHIFTS = ((-6, -6), (-6, 6), (6, -6), (6, 6), (0, -8), (0, 8), (-8, 0), (8, 0))
"""Paths beside a pixel's own, px: the same sky without the pixel; even, so of the same colour."""
BEYOND_SIGMA = 5.0
CLIP_SIGMA = 5.0


@dataclass(frozen=True, slots=True)
class Trails:
    """What hot pixels leave in a stack, in sigma of its background.

    Attributes
    ----------
    mean_sigma : float
        Mean over the hot pixels; positive for trails, negative for holes.
    rms_sigma : float
        Root mean square, to which trails and holes both add; the noise along the paths too.
    trails, holes : float
        Share of the hot pixels whose path lies `BEYOND_SIGMA` of the noise of a path above and
        below its surroundings.
    n_pixels : int
        Hot pixels that could be followed.
    """

    mean_sigma: float
    rms_sigma: float
    trails: float
    holes: float
    n_pixels: int


def trail_residuals(flat: NDArray[np.floating], paths: NDArray[np.floating]) -> Vector:
    """Measure what is left along the path of each pixel, above the paths beside it.

    The mean of the picture over the path, by bilinear interpolation, less the median of the same
    path shifted to eight places around: nebulae and faint stars cancel. Where the picture is NaN,
    under bright stars, it does not count.

    Parameters
    ----------
    flat : ndarray, shape (ny, nx)
        Registered stack without its large scales, ADU; NaN under stars. Not changed.
    paths : ndarray, shape (n_lights, n, 2)
        Row and column in the stack of each pixel in each light; places outside do not count.

    Returns
    -------
    ndarray of float64, shape (n,)
        ADU; NaN for a pixel none of whose places lies in the picture.

    Examples
    --------
    >>> stack = np.zeros((40, 40)); stack[20, 10:14] = 2.0
    >>> path = np.array([[[20.0, 10.0 + k]] for k in range(4)])
    >>> trail_residuals(stack, path).tolist()
    [2.0]
    """
    own = _mean_along(flat, paths)
    beside = [_mean_along(flat, paths + np.array(shift)) for shift in CONTROL_SHIFTS]
    return own - _median_of_known(np.array(beside))


def _median_of_known(values: Vector) -> Vector:
    """Median over the first axis without what is NaN; NaN where all are."""
    ordered = np.sort(values, axis=0)  # NaN comes last
    n = np.isfinite(values).sum(axis=0)
    lower, upper = (
        np.maximum(middle, 0)[None]
        for middle in ((n - 1) // 2, np.minimum(n // 2, len(values) - 1))
    )
    middle: Vector = np.take_along_axis(ordered, lower, 0) + np.take_along_axis(ordered, upper, 0)
    return np.where(n > 0, 0.5 * middle[0], np.nan)


def _mean_along(flat: NDArray[np.floating], paths: NDArray[np.floating]) -> Vector:
    ny, nx = flat.shape
    y, x = paths[..., 0], paths[..., 1]
    inside = (y >= 0) & (y <= ny - 1) & (x >= 0) & (x <= nx - 1)
    values = map_coordinates(flat, [y, x], order=1, mode="nearest", output=np.float64)
    known = inside & np.isfinite(values)
    counts = known.sum(axis=0)
    means: Vector = np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, means, np.nan)


def summarise_trails(residuals: Vector, path_noise_adu: float, noise_adu: float) -> Trails:
    """Say in four figures what hot pixels leave behind.

    Parameters
    ----------
    residuals : ndarray, shape (n,)
        From `trail_residuals`, ADU.
    path_noise_adu : float
        Robust noise of the same measure at ordinary pixels: what counts as a trail is beyond it.
    noise_adu : float
        Background noise of the stack, the unit of the result.

    Returns
    -------
    Trails
        All NaN where no pixel could be followed.

    Examples
    --------
    >>> summarise_trails(np.array([4.0, -4.0, 0.0, 0.0]), 0.5, 2.0)
    Trails(mean_sigma=0.0, rms_sigma=1.414..., trails=0.25, holes=0.25, n_pixels=4)
    """
    known = residuals[np.isfinite(residuals)]
    if known.size == 0:
        return Trails(*(float("nan"),) * 4, 0)
    return Trails(
        mean_sigma=float(known.mean() / noise_adu),
        rms_sigma=float(np.sqrt(np.mean(known**2)) / noise_adu),
        trails=float(np.mean(known > BEYOND_SIGMA * path_noise_adu)),
        holes=float(np.mean(known < -BEYOND_SIGMA * path_noise_adu)),
        n_pixels=int(known.size),
    )


def pattern_match(
    flat: NDArray[np.floating], pattern: NDArray[np.floating], mask: NDArray[np.bool_]
) -> tuple[float, float]:
    """Correlate a picture with the sensor's own pattern: fixed pattern, or walking noise.

    Pearson's correlation of both, each clipped at 5 robust sigma so that no single hot pixel
    decides, and the slope ``sum(flat pattern) / sum(pattern^2)``: the share of the pattern that is
    in the picture, negative where too much was subtracted.

    Parameters
    ----------
    flat : ndarray, shape (ny, nx)
        Picture without its large scales.
    pattern : ndarray, shape (ny, nx)
        The sensor's dark pattern, moved as the picture's frames were, without its large scales.
    mask : ndarray of bool, shape (ny, nx)
        True where pixels do not count: stars.

    Returns
    -------
    correlation : float
        -1 to 1; NaN where one of both is constant.
    slope : float
        Share of the pattern.

    Examples
    --------
    >>> pattern = np.random.default_rng(1).normal(size=(90, 90))
    >>> correlation, slope = pattern_match(-0.2 * pattern, pattern, np.zeros((90, 90), bool))
    >>> round(correlation, 3), round(slope, 3)
    (-1.0, -0.2)
    """
    one, other = (_clipped(image[~mask]) for image in (flat, pattern))
    product = float(one @ other)
    norms = float(one @ one), float(other @ other)
    if min(norms) <= 0.0:
        return float("nan"), float("nan")
    return product / float(np.sqrt(norms[0] * norms[1])), product / norms[1]


def _clipped(values: NDArray[np.floating]) -> Vector:
    """Clip at 5 robust sigma about the median, and take the mean off."""
    centred = values.astype(np.float64) - np.median(values)
    reach = CLIP_SIGMA * 1.4826 * float(np.median(np.abs(centred)))
    clipped = np.clip(centred, -reach, reach)
    centred_again: Vector = clipped - clipped.mean()
    return centred_again
