"""The background of a picture: its large scales, where stars are not, and the noise between."""

import numpy as np
import sep
from numpy.typing import NDArray

from solodark.errors import SettingError

__all__ = [
    "MESH_PX",
    "STAR_REACH",
    "channels_of",
    "flatten_background",
    "mask_stars",
    "robust_noise",
]

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

MESH_PX = 32
"""Side of the meshes that the background is measured in, larger than stars and trails."""
MAD_TO_SIGMA = 1.4826
STAR_REACH = 6.0
"""A star is masked out to so many of its own rms radii, where a Moffat profile has faded."""


def channels_of(image: NDArray[np.floating]) -> Image:
    """Give a picture as a pile of planes, one for mono and three for colour.

    Parameters
    ----------
    image : ndarray, shape (ny, nx) or (3, ny, nx)
        A mono or a colour picture. Not changed.

    Returns
    -------
    ndarray of float32, shape (1, ny, nx) or (3, ny, nx)
        The planes.

    Raises
    ------
    SettingError
        It has another shape.

    Examples
    --------
    >>> channels_of(np.zeros((4, 6))).shape
    (1, 4, 6)
    """
    planes = image[None] if image.ndim == 2 else image
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise SettingError(
            f"found a picture of shape {image.shape}, expected (ny, nx) or (3, ny, nx)"
        )
    return np.ascontiguousarray(planes, np.float32)


def flatten_background(image: NDArray[np.floating], mask: Mask, *, mesh_px: int = MESH_PX) -> Image:
    """Take the large scales off a plane: sky, gradients and nebulae wider than a mesh.

    In each mesh the background is ``2.5 median - 1.5 mean`` after clipping at 3 sigma; the
    meshes are joined by a bicubic spline (SExtractor, Bertin & Arnouts 1996, by the library sep).

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        One plane, ADU. Not changed.
    mask : ndarray of bool, shape (ny, nx)
        True where stars are; they do not count.
    mesh_px : int
        Side of a mesh, larger than stars and trails.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU above the background; 0 where the picture holds no finite value.

    Examples
    --------
    >>> slope = np.add.outer(np.arange(128.0), np.arange(96.0))
    >>> bool(np.abs(flatten_background(slope, np.zeros((128, 96), bool))[32:96, 32:64]).max() < 3)
    True
    """
    finite = np.isfinite(image)
    plane = np.where(finite, image, 0.0).astype(np.float32)
    side = min(mesh_px, *plane.shape)
    background = sep.Background(plane, mask=mask | ~finite, bw=side, bh=side, fw=1, fh=1)
    flat: Image = np.where(finite, plane - background.back(dtype=np.float32), np.float32(0.0))
    return flat


def robust_noise(flat: NDArray[np.floating], mask: Mask) -> float:
    """Measure the noise of what is left when large scales and stars are gone.

    ``1.4826 median |x - median x|``, which a few per cent of hot pixels or faint stars hardly move.

    Parameters
    ----------
    flat : ndarray, shape (ny, nx)
        From `flatten_background`.
    mask : ndarray of bool, shape (ny, nx)
        True where pixels do not count.

    Returns
    -------
    float
        One sigma, ADU; NaN where every pixel is masked.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(0.0, 3.0, (200, 200))
    >>> round(robust_noise(noise, np.zeros((200, 200), bool)), 1)
    3.0
    """
    values = flat[~mask]
    if values.size == 0:
        return float("nan")
    return float(MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))))


def mask_stars(
    shape: tuple[int, int], y: NDArray[np.floating], x: NDArray[np.floating], rms_px: float
) -> Mask:
    """Mask discs around stars.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    y, x : ndarray, shape (n,)
        Centres, px; may lie outside.
    rms_px : float
        Rms radius of a star's profile along one axis, FWHM / 2.355.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        True within `STAR_REACH` rms radii of a star.

    Examples
    --------
    >>> int(mask_stars((64, 64), np.array([30.0]), np.array([20.0]), 1.0).sum())
    113
    """
    mask = np.zeros(shape, np.bool_)
    sep.mask_ellipse(
        mask, np.asarray(x, float), np.asarray(y, float), a=rms_px, b=rms_px, theta=0.0,
        r=STAR_REACH,
    )  # fmt: skip
    return mask
