"""Pictures of pixels: crops, colours and PNG bytes; what is shown is what was measured."""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Crop", "block_mean", "colour", "detail_crop", "png_bytes", "png_data_uri"]

Brightness = NDArray[np.float32]
Pixel = TypeVar("Pixel", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of pixels, cut so that the CFA phase stays.

    Attributes
    ----------
    top, left : int
        First row and column, even.
    height, width : int
        Rows and columns, even.
    """

    top: int
    left: int
    height: int
    width: int

    def cut(self, image: NDArray[Pixel]) -> NDArray[Pixel]:
        """Give the rectangle as a view.

        Parameters
        ----------
        image : ndarray, shape (ny, nx)
            Any image of the size the crop was chosen for.

        Returns
        -------
        ndarray, shape (height, width)
            A view of it.
        """
        rows = slice(self.top, self.top + self.height)
        return image[rows, self.left : self.left + self.width]


def detail_crop(image: NDArray[np.floating], *, height: int, width: int) -> Crop:
    """Choose the rectangle that shows hot pixels best, for a picture at integer zoom.

    Of a grid of candidates it is the one whose count of pixels beyond 5 robust sigma is the upper
    quartile: neither the emptiest nor the most crowded part of the sensor.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        ADU; the least noisy image at hand.
    height, width : int
        Rows and columns wanted; the result is even and no larger than the image.

    Returns
    -------
    Crop
        Where to cut.
    """
    height, width = (min(w, n) // 2 * 2 for w, n in zip((height, width), image.shape, strict=True))
    centred = image - np.nanmedian(image)
    hot = centred > 5 * 1.4826 * np.nanmedian(np.abs(centred))
    corners = [
        (top, left)
        for top in _even_starts(image.shape[0], height)
        for left in _even_starts(image.shape[1], width)
    ]
    counts = [int(Crop(y, x, height, width).cut(hot).sum()) for y, x in corners]
    chosen = np.argsort(counts, kind="stable")[(3 * (len(counts) - 1)) // 4]
    top, left = corners[chosen]
    return Crop(top, left, height, width)


def _even_starts(length: int, part: int) -> list[int]:
    """Where parts may begin, side by side from the first pixel on, without an overhang."""
    return list(range(0, length - part + 1, part))


def colour(brightness: Brightness, cfa_pattern: str | None) -> Brightness:
    """Make 2 x 2 superpixels of a Bayer mosaic: one colour pixel per four, nothing interpolated.

    Parameters
    ----------
    brightness : ndarray of float32, shape (ny, nx)
        0 to 1, from a stretch.
    cfa_pattern : str or None
        Bayer layout; None leaves a mono image as it is.

    Returns
    -------
    ndarray of float32, shape (ny // 2, nx // 2, 3) or (ny, nx)
        Red, green (the mean of both) and blue; or `brightness`.

    Examples
    --------
    >>> colour(np.array([[1.0, 0.5], [0.25, 0.0]], np.float32), "RGGB").tolist()
    [[[1.0, 0.375, 0.0]]]
    """
    if cfa_pattern is None:
        return brightness
    even = brightness[: brightness.shape[0] // 2 * 2, : brightness.shape[1] // 2 * 2]
    planes = [even[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    channels = [
        np.mean([p for p, letter in zip(planes, cfa_pattern, strict=True) if letter == name], 0)
        for name in "RGB"
    ]
    return np.stack(channels, axis=-1).astype(np.float32)


def block_mean(image: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Shrink an image by a whole factor, each pixel the mean of its block.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx) or (ny, nx, 3)
        What to shrink. Not changed.
    factor : int
        Side of the block, px; rows and columns that fill no block are dropped.

    Returns
    -------
    ndarray of float32, shape (ny // factor, nx // factor) or with 3 channels
        The means.

    Examples
    --------
    >>> block_mean(np.array([[1, 3, 9], [5, 7, 9]], np.float32), 2).tolist()
    [[4.0]]
    """
    ny, nx = (n // factor for n in image.shape[:2])
    whole = image[: ny * factor, : nx * factor]
    blocks = whole.reshape(ny, factor, nx, factor, *image.shape[2:])
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3), dtype=np.float64)
    return means.astype(np.float32)


def png_bytes(brightness: Brightness) -> bytes:
    """Encode brightness as an 8-bit PNG.

    Parameters
    ----------
    brightness : ndarray of float32, shape (ny, nx) or (ny, nx, 3)
        0 to 1; what is not finite becomes black.

    Returns
    -------
    bytes
        The file's content.
    """
    from PIL import Image

    levels = np.nan_to_num(np.clip(brightness, 0, 1), nan=0.0)
    encoded = BytesIO()
    Image.fromarray(np.rint(levels * 255).astype(np.uint8)).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def png_data_uri(brightness: Brightness) -> str:
    """Encode brightness as the address of an image that needs no file.

    Parameters
    ----------
    brightness : ndarray of float32, shape (ny, nx) or (ny, nx, 3)
        As in `png_bytes`.

    Returns
    -------
    str
        ``data:image/png;base64,...``.
    """
    return "data:image/png;base64," + base64.b64encode(png_bytes(brightness)).decode("ascii")
