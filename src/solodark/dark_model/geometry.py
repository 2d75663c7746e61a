"""How a frame lies on the sensor that a pattern is of: which way up, and shifted by how much."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Geometry", "find_geometry"]

Image = NDArray[np.float32]

_LEAST_SIGMAS = 8.0
"""Among eight orientations and all shifts of 24 megapixels, noise gets there once in 10 million."""

_ALONE = 1.25
"""The height of a sensor's own peak over all others; a glow fits a glow at many places."""
_PEAK = 4  # pixels around it that may share it, as a CCD's trails do

_ORIENTATIONS: dict[str, Callable[[Image], Image]] = {
    "": lambda image: image,
    "upside down (rows flipped)": np.flipud,
    "mirrored (columns flipped)": np.fliplr,
    "turned by 180 degrees": lambda image: np.rot90(image, 2),
}
_QUARTER_TURNS: dict[str, Callable[[Image], Image]] = {
    "turned by 90 degrees": lambda image: np.rot90(image, -1),
    "turned by 270 degrees": np.rot90,
    "with rows and columns swapped": np.transpose,
    "with rows and columns swapped and turned by 180 degrees": lambda image: np.rot90(image.T, 2),
}


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a frame lies on a sensor.

    Attributes
    ----------
    orientation : str
        In words; "" for the right way up.
    dy, dx : int
        Rows and columns by which the pattern is moved in the frame, after it was turned.
    sigmas : float
        Height of the correlation's peak over its scatter.
    """

    orientation: str
    dy: int
    dx: int
    sigmas: float

    def __str__(self) -> str:
        """Give the geometry in words."""
        shift = f"shifted by {self.dy} rows and {self.dx} columns" if self.dy or self.dx else ""
        return " and ".join(part for part in (self.orientation, shift) if part)


def find_geometry(frame: Image, pattern: Image) -> Geometry | None:
    """Look for a pattern in a frame in any orientation and at any shift.

    Parameters
    ----------
    frame, pattern : ndarray of float32, shape (ny, nx)
        As `solodark.dark_model.fine_structure.prepare` gives them.

    Returns
    -------
    Geometry or None
        The best one; None where no peak of the cross-correlation stands out. The right place
        itself is a geometry too, without orientation and shift.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pattern = rng.normal(0.0, 1.0, (96, 128)).astype(np.float32)
    >>> frame = np.roll(pattern[::-1], 3, axis=1) + rng.normal(0.0, 1.0, pattern.shape)
    >>> str(find_geometry(frame.astype(np.float32), pattern))
    'upside down (rows flipped) and shifted by 0 rows and 3 columns'
    """
    from scipy import fft  # takes long to import, and only a sub in doubt needs it

    square = frame.shape[0] == frame.shape[1]
    turns = _ORIENTATIONS | (_QUARTER_TURNS if square else {})
    size = [fft.next_fast_len(length, real=True) for length in frame.shape]
    spectrum = fft.rfft2(frame, size)
    found = [_best_shift(spectrum, turn(pattern), size, name) for name, turn in turns.items()]
    best = max(found, key=lambda geometry: geometry.sigmas)
    return best if best.sigmas >= _LEAST_SIGMAS else None


def _best_shift(
    spectrum: NDArray[np.complex64], pattern: Image, size: list[int], name: str
) -> Geometry:
    from scipy import fft

    product = spectrum * np.conj(fft.rfft2(pattern, size))
    correlation = fft.irfft2(product, size)
    scatter = float(np.sqrt(np.mean(correlation**2, dtype=np.float64)))
    y, x = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    dy, dx = (
        int(place) - n if place > n // 2 else int(place)
        for place, n in zip((y, x), size, strict=True)
    )
    height = float(correlation[y, x])
    around = (np.arange(at - _PEAK, at + _PEAK + 1) % n for at, n in zip((y, x), size, strict=True))
    correlation[np.ix_(*around)] = 0.0
    alone = height > _ALONE * float(correlation.max())
    return Geometry(name, dy, dx, height / max(scatter, 1e-30) if alone else 0.0)
