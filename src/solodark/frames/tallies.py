"""Running tallies of a frame that is read band by band."""

import numpy as np
from numpy.typing import NDArray

from solodark.frames.sensor_sample import sample_positions

__all__ = ["Extremes", "HottestPixels", "PixelSample", "interpolated_median", "line_structure"]

_PILE_UP = 1e-4
"""Share of pixels at the very maximum that no tail of noise, dark current or stars explains."""


class Extremes:
    """Minimum, maximum, how many pixels sit there, and how many are saturated or not finite.

    Parameters
    ----------
    saturation_adu : float or None
        Full scale, where the header tells it.
    """

    def __init__(self, saturation_adu: float | None) -> None:
        self.saturation_adu = saturation_adu
        self.minimum, self.maximum = np.inf, -np.inf
        self.n_at_minimum = self.n_at_maximum = self.n_saturated = self.n_not_finite = 0

    def add(self, pixels: NDArray[np.uint16] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Count a band, and give it with its bad values filled in.

        Parameters
        ----------
        pixels : ndarray of uint16 or float32, shape (rows, nx)
            ADU; not changed.

        Returns
        -------
        ndarray of float32, shape (rows, nx)
            A copy; what was not finite holds the median of the rest.
        """
        band: NDArray[np.float32] = pixels.astype(np.float32)
        finite = band
        if pixels.dtype.kind == "f" and not np.isfinite(band).all():
            finite = band[np.isfinite(band)]
            self.n_not_finite += band.size - finite.size
            fill = np.median(finite) if finite.size else np.float32(0.0)
            band = np.where(np.isfinite(band), band, fill)
        if finite.size:
            self._count(finite)
        return band

    def _count(self, finite: NDArray[np.float32]) -> None:
        low, high = float(finite.min()), float(finite.max())
        if low < self.minimum:
            self.minimum, self.n_at_minimum = low, 0
        if high > self.maximum:
            self.maximum, self.n_at_maximum = high, 0
        self.n_at_minimum += int(np.count_nonzero(finite == self.minimum))
        self.n_at_maximum += int(np.count_nonzero(finite == self.maximum))
        if self.saturation_adu is not None:
            self.n_saturated += int(np.count_nonzero(finite >= self.saturation_adu))

    def fractions(self, size: int) -> dict[str, float]:
        """Sum up, under the names of `FrameStatistics`.

        Parameters
        ----------
        size : int
            Number of pixels of the frame.

        Returns
        -------
        dict of str to float
            Extremes in ADU, and shares of the pixels.
        """
        at_maximum = self.n_at_maximum / size
        saturated = at_maximum if at_maximum > _PILE_UP else 0.0
        if self.saturation_adu is not None:
            saturated = self.n_saturated / size
        known = self.n_not_finite < size
        return {
            "minimum_adu": self.minimum if known else float("nan"),
            "maximum_adu": self.maximum if known else float("nan"),
            "fraction_at_minimum": self.n_at_minimum / size,
            "fraction_at_maximum": at_maximum,
            "fraction_saturated": saturated,
            "fraction_not_finite": self.n_not_finite / size,
        }


class PixelSample:
    """Values at fixed places, gathered band by band.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the frame.
    size : int
        Number of pixels wanted, as in `sample_positions`.
    """

    def __init__(self, shape: tuple[int, int], size: int) -> None:
        self.y, self.x = sample_positions(shape, size)
        self.values = np.empty(self.y.size, np.float32)

    def add(self, start: int, band: NDArray[np.float32]) -> None:
        """Take the values that lie in a band.

        Parameters
        ----------
        start : int
            The band's first row.
        band : ndarray of float32, shape (rows, nx)
            ADU.
        """
        first, last = np.searchsorted(self.y, (start, start + band.shape[0]))
        self.values[first:last] = band[self.y[first:last] - start, self.x[first:last]]


class HottestPixels:
    """The hottest lone pixels so far.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.yx = np.empty((0, 2), np.uint32)
        self.adu = np.empty(0, np.float32)

    def add(self, start: int, residuals: NDArray[np.float32], hot: NDArray[np.bool_]) -> None:
        """Let the hot pixels of a band compete with those of the bands before.

        Parameters
        ----------
        start : int
            The band's first row.
        residuals : ndarray of float32, shape (rows, nx)
            Height above the neighbourhood, ADU.
        hot : ndarray of bool, shape (rows, nx)
            True at hot pixels.
        """
        y, x = np.nonzero(hot)
        adu = np.concatenate([self.adu, residuals[y, x]])
        yx = np.concatenate([self.yx, np.column_stack([y + start, x]).astype(np.uint32)])
        if adu.size > self.size:
            hottest = np.argpartition(adu, -self.size)[-self.size :]
            adu, yx = adu[hottest], yx[hottest]
        self.adu, self.yx = adu, yx

    def hottest(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Give the kept pixels, hottest first.

        Returns
        -------
        yx : ndarray of uint32, shape (n, 2)
            Rows and columns.
        adu : ndarray of float32, shape (n,)
            Heights, ADU.
        """
        order = np.lexsort((self.yx[:, 1], self.yx[:, 0], -self.adu))
        return self.yx[order], self.adu[order]


def interpolated_median(values: NDArray[np.float32]) -> float:
    """Find the median of quantised values, between their steps.

    Camera files hold steps of up to 16 ADU, and a plain median jumps from one to the next. Here
    the values of the middle step count as spread over it evenly: the median of grouped data.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Finite pixels, ADU.

    Returns
    -------
    float
        ADU; NaN where there are no values.

    Examples
    --------
    >>> interpolated_median(np.float32([0, 4, 4, 8]))
    4.0
    >>> round(interpolated_median(np.float32([4, 4, 4, 8, 8, 8, 12])), 3)
    6.667
    """
    if values.size == 0:
        return float("nan")
    median = float(np.median(values))
    below = values[values < median]
    above = values[values > median]
    n_equal = values.size - below.size - above.size
    if n_equal < 2 or not below.size or not above.size:
        return median
    step = (float(above.min()) - float(below.max())) / 2.0
    return median + step * ((values.size / 2.0 - below.size) / n_equal - 0.5)


def line_structure(jumps: NDArray[np.float64], noise_of_means: float) -> float:
    """Estimate the spread of rows' or columns' own offsets.

    Parameters
    ----------
    jumps : ndarray of float64, shape (n,)
        Differences between the means of neighbouring lines, ADU.
    noise_of_means : float
        What the pixels' own noise leaves in one mean, ADU.

    Returns
    -------
    float
        One sigma of a line's offset, ADU.

    Examples
    --------
    >>> line_structure(np.array([0.1, -0.1, 0.1, -0.1]), noise_of_means=1.0)
    0.0
    """
    if jumps.size == 0:
        return 0.0
    spread = 1.4826 * float(np.median(np.abs(jumps))) / np.sqrt(2.0)
    return float(np.sqrt(max(0.0, spread**2 - noise_of_means**2)))
