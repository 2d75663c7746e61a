"""How pixels become brightness: the autostretch everyone knows, and one for residuals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import cfa_planes

__all__ = ["ResidualStretch", "Stretch", "autostretch", "midtones", "residual_stretch"]

SIGMAS_BELOW_MEDIAN = 2.8
TARGET_BACKGROUND = 0.25
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Stretch:
    """Settings of an autostretch, one black and midtone per CFA plane, one white for all.

    Attributes
    ----------
    black_adu : tuple of float
        What is shown black, per CFA plane (four for a Bayer sensor, one for mono).
    white_adu : float
        What is shown white.
    midtone : tuple of float
        Midtones balance per CFA plane, 0 to 1.
    cfa_pattern : str or None
        Layout of the planes.
    """

    black_adu: tuple[float, ...]
    white_adu: float
    midtone: tuple[float, ...]
    cfa_pattern: str | None

    def apply(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Brightness of each pixel under these settings.

        Parameters
        ----------
        image : ndarray, shape (ny, nx)
            ADU, in the CFA phase the settings were found for. Not changed.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            0 (black) to 1 (white).
        """
        shown = np.empty(image.shape, np.float32)
        planes = cfa_planes(self.cfa_pattern)
        for plane, black, midtone in zip(planes, self.black_adu, self.midtone, strict=True):
            span = max(self.white_adu - black, 1e-6)
            shown[plane] = midtones(np.clip((image[plane] - black) / span, 0, 1), midtone)
        return shown


@dataclass(frozen=True, slots=True)
class ResidualStretch:
    """Settings that show a residual: zero is middle grey, both signs reach equally far.

    Attributes
    ----------
    half_range_adu : float
        What is shown white; its negative is shown black.
    """

    half_range_adu: float

    def apply(self, residual: NDArray[np.floating]) -> NDArray[np.float32]:
        """Brightness of each pixel: 0.5 where nothing is left.

        Parameters
        ----------
        residual : ndarray, shape (ny, nx)
            ADU. Not changed.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            0 (far too low) to 1 (far too high).
        """
        shown: NDArray[np.floating] = 0.5 + residual / (2 * self.half_range_adu)
        return shown.clip(0, 1).astype(np.float32)


def midtones(brightness: NDArray[np.floating], midtone: float) -> NDArray[np.floating]:
    """Midtones transfer function: 0 stays 0, `midtone` becomes 1/2, 1 stays 1.

    The formula is ``(m - 1) x / ((2 m - 1) x - m)``, the one that PixInsight and Siril share.

    Parameters
    ----------
    brightness : ndarray
        0 to 1.
    midtone : float
        Midtones balance m, 0 < m < 1.

    Returns
    -------
    ndarray
        0 to 1, same shape.

    Examples
    --------
    >>> midtones(np.array([0.0, 0.1, 1.0]), 0.1).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    return (midtone - 1) * brightness / ((2 * midtone - 1) * brightness - midtone)


def autostretch(
    image: NDArray[np.floating], cfa_pattern: str | None = None, *, white_adu: float | None = None
) -> Stretch:
    """Find the stretch that sets the background at a quarter of full brightness.

    Per CFA plane, with brightness x scaled so that 1 is white:
    ``c0 = max(0, median - 2.8 x 1.4826 MAD)`` is black, and the midtone takes the median to 0.25.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        ADU. Not changed.
    cfa_pattern : str, optional
        Bayer layout; each plane gets its own black and midtone (an unlinked stretch).
    white_adu : float, optional
        What is shown white; by default the brightest pixel.

    Returns
    -------
    Stretch
        To be applied to every picture that is compared with this one.

    Raises
    ------
    SettingError
        The image holds no finite pixel.

    Examples
    --------
    >>> stretch = autostretch(np.array([[80.0, 90.0, 100.0, 110.0, 1000.0]]))
    >>> stretch.apply(np.array([[100.0, 1000.0]])).round(3).tolist()
    [[0.25, 1.0]]
    """
    finite = image[np.isfinite(image)]
    if finite.size == 0:
        raise SettingError("an image without a single finite pixel cannot be stretched")
    white = float(finite.max()) if white_adu is None else white_adu
    found = [_plane_stretch(image[plane], white) for plane in cfa_planes(cfa_pattern)]
    blacks, midtone = zip(*found, strict=True)
    return Stretch(blacks, white, midtone, cfa_pattern)


def _plane_stretch(plane: NDArray[np.floating], white: float) -> tuple[float, float]:
    """Black and midtone of one plane: the midtone that takes the median to the target."""
    values = plane[np.isfinite(plane)]
    median = float(np.median(values))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
    black = max(0.0, median - SIGMAS_BELOW_MEDIAN * spread)
    background = np.clip((median - black) / max(white - black, 1e-6), 1e-6, 1 - 1e-6)
    # The function is its own inverse in this sense: m = MTF(target, x) takes x to the target.
    return black, float(midtones(np.asarray(background), TARGET_BACKGROUND))


def residual_stretch(
    residuals: Sequence[NDArray[np.floating]], *, sigmas: float = 4.0
) -> ResidualStretch:
    """Find one symmetrical stretch for residuals that are shown side by side.

    Parameters
    ----------
    residuals : sequence of ndarray
        ADU; the widest of them sets the range. Not changed.
    sigmas : float
        How many robust standard deviations of the widest reach white.

    Returns
    -------
    ResidualStretch
        To be applied to all of them.

    Raises
    ------
    SettingError
        There is no residual.

    Examples
    --------
    >>> round(residual_stretch([np.array([-1.0, 0.0, 1.0])], sigmas=2).half_range_adu, 4)
    2.9652
    """
    if not residuals:
        raise SettingError("a stretch for residuals needs at least one residual, and got none")
    widest = max(MAD_TO_SIGMA * float(np.nanmedian(np.abs(r))) for r in residuals)
    return ResidualStretch(max(sigmas * widest, 1e-6))
