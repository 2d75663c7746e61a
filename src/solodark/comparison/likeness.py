"""How alike two pictures are: the paper's figure, structural similarity, and the error in ADU."""

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError

__all__ = ["error_adu", "peak_signal_to_noise_db", "structural_similarity"]

SMALLEST_SIDE_PX = 7


def peak_signal_to_noise_db(
    shown: NDArray[np.floating], other: NDArray[np.floating], *, peak: float = 1.0
) -> float:
    """Compare two pictures as shown on a screen, by the paper's measure.

    ``PSNR = 10 log10(peak^2 / mean((a - b)^2))``, over all pixels that are finite in both. The
    paper compares each calibrated stack with the stack without any dark, so it tells how much a
    dark changes the picture and not whether for the better.

    Parameters
    ----------
    shown, other : ndarray of one shape
        Brightness, 0 to `peak`, at one stretch.
    peak : float
        What is shown white.

    Returns
    -------
    float
        dB; infinite for equal pictures.

    Raises
    ------
    SettingError
        The pictures are not of one shape.

    Examples
    --------
    >>> round(peak_signal_to_noise_db(np.full((4, 4), 0.5), np.full((4, 4), 0.6)), 3)
    20.0
    """
    _require_one_shape(shown, other)
    difference = shown.astype(np.float64) - other
    error = float(np.mean(difference[np.isfinite(difference)] ** 2))
    return float("inf") if error == 0.0 else float(10.0 * np.log10(peak**2 / error))


def structural_similarity(shown: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Compare the structure of two pictures as shown on a screen.

    The mean SSIM of Wang et al. (2004, IEEE Trans. Image Process. 13, 600) in windows of 7 px, by
    scikit-image.

    Parameters
    ----------
    shown, other : ndarray, shape (ny, nx) or (3, ny, nx)
        Brightness, 0 to 1, at one stretch.

    Returns
    -------
    float
        1 for equal pictures; NaN for pictures smaller than a window.

    Raises
    ------
    SettingError
        The pictures are not of one shape.
    """
    from skimage.metrics import structural_similarity as mean_ssim

    _require_one_shape(shown, other)
    if min(shown.shape[-2:]) < SMALLEST_SIDE_PX:
        return float("nan")
    one, two = (np.nan_to_num(image.astype(np.float32)) for image in (shown, other))
    axis = 0 if shown.ndim == 3 else None
    ssim = mean_ssim(one, two, data_range=1.0, channel_axis=axis)  # type: ignore[no-untyped-call]
    return float(ssim)


def error_adu(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Measure how far a picture is from the truth, its level apart.

    Root mean square of ``image - truth`` after the median of each plane's difference is taken off:
    a level is no pattern.

    Parameters
    ----------
    image, truth : ndarray of one shape, (ny, nx) or (3, ny, nx)
        ADU.

    Returns
    -------
    float
        ADU, over all pixels that are finite in both.

    Raises
    ------
    SettingError
        The pictures are not of one shape.

    Examples
    --------
    >>> round(error_adu(np.array([[5.0, 5.0, 8.0]]), np.zeros((1, 3))), 3)
    1.732
    """
    _require_one_shape(image, truth)
    difference = image.astype(np.float64) - truth
    levels = np.nanmedian(difference, axis=(-2, -1), keepdims=True)
    return float(np.sqrt(np.nanmean((difference - levels) ** 2)))


def _require_one_shape(one: NDArray[np.floating], other: NDArray[np.floating]) -> None:
    if one.shape != other.shape:
        raise SettingError(f"found pictures of {one.shape} and {other.shape}, expected one size")
