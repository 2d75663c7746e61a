"""Whether a file holds an exposure at all: neither empty nor saturated, and no part filled up."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.fine_structure import BLOCK
from solodark.errors import WrongSubError
from solodark.frames import Acquisition

__all__ = ["require_content"]

Image = NDArray[np.float32]

_FULL_SCALES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))
_NEARLY = 0.98  # some converters stop a little below full scale
_MOST_AT_MAXIMUM = 0.05  # a dark with more saturated pixels has no pattern left to compare
_LEAST_FILLED = 0.01
_KNOWN = 0.9  # of a masked part's distance from the level lies in the library's bias pattern


def require_content(
    name: str, image: Image, acquisition: Acquisition, bias: Image | None = None
) -> None:
    """Raise unless an image holds an exposure.

    Parameters
    ----------
    name : str
        What the message calls it.
    image : ndarray of float32, shape (ny, nx)
        The sub, ADU.
    acquisition : Acquisition
        How it was taken; its full scale, where it tells.
    bias : ndarray of float32, shape (ny, nx), optional
        The library's bias pattern, ADU above the level: parts that are empty in every frame of a
        camera, such as a masked border, are no fault of this one.

    Raises
    ------
    WrongSubError
        It is empty, saturated, or partly filled with one value; says so.

    Examples
    --------
    >>> require_content("dark_1.fit", np.zeros((64, 64), np.float32), Acquisition())
    Traceback (most recent call last):
        ...
    solodark.errors.WrongSubError: dark_1.fit is empty: all its pixels are 0, expected the noise of
    a dark; take it again
    """
    finite = image[np.isfinite(image)] if not np.isfinite(image).all() else image
    if finite.size < image.size / 2:
        raise WrongSubError(
            f"{name} is empty: {image.size - finite.size} of {image.size} pixels hold no finite "
            "value, expected a dark; take it again"
        )
    lowest, highest = float(finite.min()), float(finite.max())
    if lowest == highest:
        raise WrongSubError(_constant(name, lowest, acquisition.saturation_adu))
    at_maximum = np.count_nonzero(finite == np.float32(highest)) / image.size
    filled = _filled_share(image, bias)
    if filled > _LEAST_FILLED and at_maximum <= _MOST_AT_MAXIMUM:
        raise WrongSubError(
            f"{name} holds one single value in each of many areas, {filled:.0%} of the frame; it "
            "is a crop that was filled up, expected the whole frame as the camera wrote it"
        )
    if at_maximum > _MOST_AT_MAXIMUM and _is_bound(finite, highest):
        raise WrongSubError(
            f"{name} is saturated: {at_maximum:.0%} of its pixels are at {highest:g}, the highest "
            "value of all, expected next to none; it is no dark, or far too warm"
        )


def _constant(name: str, value: float, saturation_adu: float | None) -> str:
    full_scale = saturation_adu or next((s for s in _FULL_SCALES if value <= s), value)
    word = "saturated" if value > 0 and value >= _NEARLY * full_scale else "empty"
    return (
        f"{name} is {word}: all its pixels are {value:g}, expected the noise of a dark; "
        "take it again"
    )


def _filled_share(image: Image, bias: Image | None) -> float:
    """Share of the blocks of 32 x 32 whose pixels are all alike, and are not known to be."""
    blocks = _blocks(image)
    filled = blocks.max(axis=(1, 3)) == blocks.min(axis=(1, 3))
    if bias is not None and filled.any() and not filled.all():
        corners = blocks[:, 0, :, 0]
        above = corners - np.median(corners[~filled])
        left = above - _blocks(bias).mean(axis=(1, 3))
        filled &= ~(np.abs(left) < (1.0 - _KNOWN) * np.abs(above))
    return float(filled.mean())


def _blocks(image: Image) -> Image:
    """Cut an image into blocks of 32 x 32, (rows, 32, columns, 32)."""
    rows, columns = (max(1, length // BLOCK) for length in image.shape)
    height, width = (min(BLOCK, length) for length in image.shape)
    return image[: rows * height, : columns * width].reshape(rows, height, columns, width)


def _is_bound(finite: Image, highest: float) -> bool:
    """Whether values pile up at the highest one, and are not just coarsely quantised."""
    sample = finite.ravel()[:: max(1, finite.size // 100_000)]
    below = sample[sample < highest]
    if not below.size:
        return True
    return bool(np.mean(sample == highest) > 2.0 * np.mean(sample == below.max()))
