"""One k for the whole dark, found as PixInsight and as Siril find it, and the best there is.

Each function gives the factor k that makes ``light - k dark`` quietest by that program's own
measure, for a `dark` without bias. Read off the programs' public sources: PixInsight's PCL,
ImageCalibration module, and Siril's preprocess.c. The estimate of the dark is then bias + k dark.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from solodark.evaluation.levels import clipped_mean_and_sigma, thin_out
from solodark.frames import cfa_planes

__all__ = ["find_k_least_squares", "find_k_pixinsight", "find_k_siril", "golden_section"]

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
B3_SPLINE = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0

Image = NDArray[np.floating]


def find_k_pixinsight(light: Image, dark: Image, cfa_pattern: str | None) -> float:
    """Scale a dark as PixInsight's dark frame optimisation does.

    The noise of the first B3-spline a-trous wavelet layer of ``light - k dark``, by 3-sigma
    clipping, is minimised by golden section to 0.0005 in a bracket that starts at [0.5, 2]. The
    central 1024 x 1024 px count, mosaics are first averaged 2 x 2, and dark pixels below median +
    3 sigma do not count as signal (the program's default threshold).

    Parameters
    ----------
    light : ndarray of float, shape (ny, nx)
        The frame to be calibrated, its bias still in it, ADU.
    dark : ndarray of float, shape (ny, nx)
        Master dark without bias, ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.

    Returns
    -------
    float
        k, not below 0.
    """
    if cfa_pattern is not None:
        light, dark = _average_2x2(light), _average_2x2(dark)
    median = np.median(dark)
    threshold = median + 3.0 * 1.4826 * np.median(np.abs(dark - median))
    signal = _centre(np.where(dark < threshold, 0.0, dark), 1024)
    # the layer is linear in the image, so it is made once and not once per k
    layers = _wavelet_layer(_centre(light, 1024)), _wavelet_layer(signal)
    noise = partial(_layer_noise, *layers)
    return max(0.0, golden_section(noise, *_bracket(noise, 0.5, 2.0), tolerance=0.0005))


def find_k_siril(light: Image, dark: Image) -> float:
    """Scale a dark as Siril's ``-opt`` does.

    The standard deviation of ``light - k dark`` in the central 512 x 512 px, mosaic or not, is
    minimised by golden section over [0, 2] until the two inner points are 0.001 apart.

    Parameters
    ----------
    light : ndarray of float, shape (ny, nx)
        The frame to be calibrated, its bias still in it, ADU.
    dark : ndarray of float, shape (ny, nx)
        Master dark without bias, ADU.

    Returns
    -------
    float
        k, from 0 to 2.
    """
    noise = partial(_plain_noise, _centre(light, 512), _centre(dark, 512))
    # inner points 0.001 apart: an interval of 0.001 / (2 g - 1)
    tolerance = 0.001 / (2.0 * GOLDEN - 1.0)
    return golden_section(noise, 0.0, 2.0, tolerance=tolerance)


def find_k_least_squares(light: Image, dark: Image, cfa_pattern: str | None) -> float:
    """Find the k that the headline likes best, over the whole frame: the rival at its best.

    Minimises the mean of ``min(|light - k dark - level|, 10 sigma)^2`` with a free level per CFA
    plane, by a scan over [1/16, 16] and golden section; sigma is the smallest robust noise that
    any k of the scan leaves.

    Parameters
    ----------
    light : ndarray of float, shape (ny, nx)
        The frame to be calibrated, without bias, ADU.
    dark : ndarray of float, shape (ny, nx)
        Master dark without bias, ADU.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.

    Returns
    -------
    float
        k.
    """
    planes = [(thin_out(light[p]), thin_out(dark[p])) for p in cfa_planes(cfa_pattern)]
    scan = 2.0 ** np.linspace(-4.0, 4.0, 33)
    noise = [[clipped_mean_and_sigma(one - k * other)[1] for one, other in planes] for k in scan]
    loss = partial(_winsorised_loss, planes, 10.0 * np.min(noise, axis=0))
    best = int(np.argmin([loss(k) for k in scan]))
    return golden_section(loss, scan[max(0, best - 1)], scan[min(32, best + 1)], tolerance=1e-4)


def golden_section(
    function: Callable[[float], float], low: float, high: float, *, tolerance: float
) -> float:
    """Find the minimum of a function with one valley.

    Parameters
    ----------
    function : callable
        Of one number.
    low, high : float
        Ends of the interval that holds the minimum.
    tolerance : float
        Length at which the interval is short enough.

    Returns
    -------
    float
        Middle of the last interval.

    Examples
    --------
    >>> round(golden_section(lambda x: (x - 0.7) ** 2, 0.0, 2.0, tolerance=1e-4), 3)
    0.7
    """
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > tolerance:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = function(right)
    return float(0.5 * (low + high))


def _bracket(
    function: Callable[[float], float], first: float, second: float
) -> tuple[float, float]:
    """Walk downhill in golden steps until the function rises: its minimum lies between."""
    if function(second) > function(first):
        first, second = second, first
    third = second + (second - first) / GOLDEN
    while function(third) < function(second):
        first, second, third = second, third, third + (third - second) / GOLDEN
    return min(first, third), max(first, third)


def _k_sigma(layer: NDArray[np.floating]) -> float:
    """Noise of a wavelet layer by iterated 3-sigma clipping, to 1 % or ten rounds."""
    values = layer.ravel()
    before = np.inf
    for _ in range(10):
        sigma = float(values.std())
        if sigma == 0.0 or (np.isfinite(before) and before - sigma < 0.01 * before):
            return sigma
        values = values[np.abs(values) < 3.0 * sigma]
        before = sigma
    return sigma


def _wavelet_layer(image: Image) -> NDArray[np.float64]:
    smooth = image.astype(np.float64)
    for axis in (0, 1):
        smooth = correlate1d(smooth, B3_SPLINE, axis=axis, mode="mirror")
    return image - smooth


def _average_2x2(image: Image) -> NDArray[np.float64]:
    ny, nx = (size - size % 2 for size in image.shape)
    cells = image[:ny, :nx].reshape(ny // 2, 2, nx // 2, 2)
    averaged: NDArray[np.float64] = cells.mean(axis=(1, 3), dtype=np.float64)
    return averaged


def _centre(image: Image, size: int) -> Image:
    top, left = (max(0, (length - size) // 2) for length in image.shape)
    return image[top : top + size, left : left + size]


def _layer_noise(light: Image, dark: Image, k: float) -> float:
    return _k_sigma(light - k * dark)


def _plain_noise(light: Image, dark: Image, k: float) -> float:
    return float(np.std(light - k * dark, dtype=np.float64))


def _winsorised_loss(
    planes: Sequence[tuple[Image, Image]], bounds: NDArray[np.float64], k: float
) -> float:
    rest = [light - k * dark for light, dark in planes]
    errors = [one - clipped_mean_and_sigma(one)[0] for one in rest]
    return sum(
        float(np.mean(np.minimum(np.abs(error), bound) ** 2))
        for error, bound in zip(errors, bounds, strict=True)
    )
