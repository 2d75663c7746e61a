"""Mosaics as planes: one plane of half the resolution for each colour filter, and back."""

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_planes

__all__ = ["from_planes", "to_planes"]

Pixels = NDArray[np.float32]


def to_planes(image: Pixels, cfa_pattern: str | None) -> Pixels:
    """Lay the filters of a mosaic side by side.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Any size; an odd row or column is repeated, as the pixels of its filter in the row before.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`; None leaves one plane.

    Returns
    -------
    ndarray of float32, shape (4, ceil(ny / 2), ceil(nx / 2)) or (1, ny, nx)
        A copy.

    Raises
    ------
    SettingError
        The pattern is not a Bayer layout.

    Examples
    --------
    >>> to_planes(np.arange(4, dtype=np.float32).reshape(2, 2), "RGGB").ravel().tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    if cfa_pattern is None:
        return image[np.newaxis].copy()
    even = (
        image[np.ix_(*map(_even_indices, image.shape))]
        if any(n % 2 for n in image.shape)
        else image
    )
    return np.stack([even[plane] for plane in cfa_planes(cfa_pattern)])


def from_planes(planes: Pixels, shape: tuple[int, int]) -> Pixels:
    """Weave planes into an image again.

    Parameters
    ----------
    planes : ndarray of float32, shape (4, h, w) or (1, ny, nx)
        As `to_planes` gave them.
    shape : tuple of int
        (ny, nx) of the image.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        The image; what `to_planes` repeated is dropped.

    Examples
    --------
    >>> image = np.arange(15, dtype=np.float32).reshape(3, 5)
    >>> bool((from_planes(to_planes(image, "RGGB"), (3, 5)) == image).all())
    True
    """
    if len(planes) == 1:
        return np.array(planes[0])
    image = np.empty((2 * planes.shape[1], 2 * planes.shape[2]), np.float32)
    for plane, pixels in zip(cfa_planes("RGGB"), planes, strict=True):
        image[plane] = pixels
    return np.ascontiguousarray(image[: shape[0], : shape[1]])


def _even_indices(n: int) -> NDArray[np.intp]:
    """Index 0 to n - 1, and n - 2 again where n is odd."""
    indices = np.arange(n + n % 2)
    indices[n:] = max(0, n - 2)
    return indices
