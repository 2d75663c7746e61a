"""What a frame's pixels say about it, in a few kilobytes: levels, noise, blemishes, fingerprint."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.frames.block_levels import BandLevels, block_edges, difference_noise, measure_band
from solodark.frames.bright_peaks import find_peaks
from solodark.frames.cfa import cfa_plane_index, cfa_planes
from solodark.frames.frame import FrameSource
from solodark.frames.sensor_sample import sample_positions
from solodark.frames.tallies import (
    Extremes,
    HottestPixels,
    PixelSample,
    interpolated_median,
    line_structure,
)

__all__ = [
    "N_HOT_PIXELS",
    "N_SAMPLE",
    "STATISTICS_VERSION",
    "FrameStatistics",
    "measure_statistics",
]

STATISTICS_VERSION = 1
"""Raised with every change of what is measured, so that kept statistics are measured anew."""

N_SAMPLE = 32_768
"""Pixels of the fixed sample: a sensor with one warm pixel in a thousand still shows 30 of them."""
N_HOT_PIXELS = 512
_N_LEVEL_SAMPLE = 131_072
"""Pixels that give the median level: its error is then below a hundredth of the noise."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class FrameStatistics:
    """What is kept of a frame's pixels, so that frames can be compared without reading them again.

    Attributes
    ----------
    shape : tuple of int
        (ny, nx).
    cfa_pattern : str or None
        Colour filters; the planes below are those of `cfa_planes`.
    level_adu : tuple of float
        Median of each plane, ADU, interpolated between the steps of quantised pixels.
    noise_adu : tuple of float
        One sigma of each plane from the differences of neighbours, ADU.
    minimum_adu, maximum_adu : float
        Extremes of the finite pixels.
    fraction_at_minimum, fraction_at_maximum : float
        Share of the pixels that hold exactly the extreme: large where a frame was clipped.
    fraction_saturated : float
        Share at or above the saturation level of the header; where that is unknown, the share at
        the maximum if so many sit there that it must be a ceiling, else 0.
    fraction_not_finite : float
        Share of NaN and infinite pixels; they are taken for their plane's median elsewhere.
    fraction_hot, fraction_cold : float
        Share more than 10 sigma above and below the level of the neighbourhood.
    n_stars : int
        Peaks that spread over their neighbours like stars.
    row_structure_adu, column_structure_adu : float
        One sigma of the rows' and the columns' own offsets, ADU, the pixels' noise taken out.
    block_levels_adu : ndarray of float32, shape (planes, blocks in y, blocks in x)
        Clipped mean of each block of a coarse grid, ADU.
    hot_pixels_yx : ndarray of uint16 or uint32, shape (n, 2)
        Where the hottest lone pixels are, hottest first.
    hot_pixels_adu : ndarray of float32, shape (n,)
        Their height above the neighbourhood, ADU.
    sample_adu : ndarray of float32, shape (m,)
        Pixels at ``sample_positions(shape, N_SAMPLE)``, ADU.
    """

    shape: tuple[int, int]
    cfa_pattern: str | None
    level_adu: tuple[float, ...]
    noise_adu: tuple[float, ...]
    minimum_adu: float
    maximum_adu: float
    fraction_at_minimum: float
    fraction_at_maximum: float
    fraction_saturated: float
    fraction_not_finite: float
    fraction_hot: float
    fraction_cold: float
    n_stars: int
    row_structure_adu: float
    column_structure_adu: float
    block_levels_adu: NDArray[np.float32]
    hot_pixels_yx: NDArray[np.uint32]
    hot_pixels_adu: NDArray[np.float32]
    sample_adu: NDArray[np.float32]

    @property
    def mean_level_adu(self) -> float:
        """Mean of the planes' levels, ADU."""
        return float(np.mean(self.level_adu))

    @property
    def mean_noise_adu(self) -> float:
        """Mean of the planes' noise, ADU."""
        return float(np.mean(self.noise_adu))

    @property
    def gradient_adu(self) -> float:
        """Spread of the blocks' levels, 5th to 95th percentile, mean over the planes, ADU."""
        low, high = np.percentile(self.block_levels_adu, (5, 95), axis=(1, 2))
        return float(np.mean(high - low))

    @property
    def sample_residuals_adu(self) -> NDArray[np.float32]:
        """The fixed sample less the level of each pixel's block, ADU, shape (m,)."""
        y, x = sample_positions(self.shape, N_SAMPLE)
        plane = np.broadcast_to(cfa_plane_index(y, x, self.cfa_pattern), y.shape)
        block_y = np.searchsorted(block_edges(self.shape[0]), y, side="right") - 1
        block_x = np.searchsorted(block_edges(self.shape[1]), x, side="right") - 1
        residuals: NDArray[np.float32] = (
            self.sample_adu - self.block_levels_adu[plane, block_y, block_x]
        )
        return residuals


def measure_statistics(source: FrameSource) -> FrameStatistics:
    """Measure a frame in one pass over its rows.

    Parameters
    ----------
    source : FrameSource
        A frame in memory or an open file; read by bands, so memory does not grow with its size.

    Returns
    -------
    FrameStatistics
        Levels, noise, blemishes and the fingerprint.

    Raises
    ------
    SettingError
        The frame's colour filter pattern is not a Bayer layout.

    Examples
    --------
    >>> from solodark.frames import Frame
    >>> rng = np.random.default_rng(1)
    >>> dark = Frame(rng.normal(1000.0, 5.0, (200, 300)).round())
    >>> statistics = measure_statistics(dark)
    >>> bool(abs(statistics.mean_level_adu - 1000.0) < 0.1)
    True
    """
    survey = _Survey(source)
    edges = block_edges(source.shape[0])
    for start, stop in itertools.pairwise(edges):
        survey.add_band(int(start), source.read_rows(int(start), int(stop)))
    return survey.finish()


class _Survey:
    """The running sums of one pass."""

    def __init__(self, source: FrameSource) -> None:
        self.shape = source.shape
        self.cfa_pattern = source.acquisition.cfa_pattern
        self.planes = cfa_planes(self.cfa_pattern)
        self.step = 1 if self.cfa_pattern is None else 2
        self.extremes = Extremes(source.acquisition.saturation_adu)
        self.hot_pixels = HottestPixels(N_HOT_PIXELS)
        self.sample = PixelSample(self.shape, N_SAMPLE)
        self.level_sample = PixelSample(self.shape, _N_LEVEL_SAMPLE)
        self.x_edges = block_edges(self.shape[1])
        self.noises: list[list[float]] = []
        self.levels: list[list[NDArray[np.float64]]] = []
        self.row_means: list[NDArray[np.float64]] = []
        self.column_sums = np.zeros(self.shape[1])
        self.last_residuals = self.last_heights = np.empty((0, self.shape[1]), np.float32)
        self.n_hot = self.n_cold = self.n_stars = 0

    def add_band(self, start: int, pixels: NDArray[np.uint16] | NDArray[np.float32]) -> None:
        band = self.extremes.add(pixels)
        self.sample.add(start, band)
        self.level_sample.add(start, band)
        residuals, heights = np.empty_like(band), np.empty_like(band)
        self.noises.append([])
        self.levels.append([])
        for plane in self.planes:
            found, noise = self._measure_plane(band, plane)
            residuals[plane] = found.residuals
            heights[plane] = found.residuals * np.float32(1.0 / noise)
        self._find_peaks(start, residuals, heights)

    def _find_peaks(
        self, start: int, residuals: NDArray[np.float32], heights: NDArray[np.float32]
    ) -> None:
        """Search a band together with the last rows of the one before: peaks need neighbours."""
        residuals = np.concatenate([self.last_residuals, residuals])
        heights = np.concatenate([self.last_heights, heights])
        hot, n_stars = find_peaks(heights, self.step)
        self.n_stars += n_stars
        self.hot_pixels.add(start - self.last_heights.shape[0], residuals, hot)
        self.last_residuals = residuals[-2 * self.step :].copy()
        self.last_heights = heights[-2 * self.step :].copy()

    def _measure_plane(
        self, band: NDArray[np.float32], plane: tuple[slice, slice]
    ) -> tuple[BandLevels, float]:
        pixels = np.ascontiguousarray(band[plane])
        first = plane[1].start or 0
        edges = (self.x_edges - first + self.step - 1) // self.step
        noise = difference_noise(pixels)
        self.noises[-1].append(noise)
        # A constant band has no noise; any unit then serves to say that nothing stands out.
        noise = noise or max(1e-6 * float(np.abs(pixels).max()), 1e-12)
        found = measure_band(pixels, edges, noise)
        self.levels[-1].append(found.levels)
        self.row_means.append(found.row_means)
        self.column_sums[plane[1]] += found.column_sums
        self.n_hot += found.n_hot
        self.n_cold += found.n_cold
        return found, noise

    def finish(self) -> FrameStatistics:
        noises = np.median(np.asarray(self.noises), axis=0)
        hot_yx, hot_adu = self.hot_pixels.hottest()
        size = self.shape[0] * self.shape[1]
        return FrameStatistics(
            shape=self.shape,
            cfa_pattern=self.cfa_pattern,
            level_adu=self._plane_levels(),
            noise_adu=tuple(float(noise) for noise in noises),
            **self.extremes.fractions(size),
            fraction_hot=self.n_hot / size,
            fraction_cold=self.n_cold / size,
            n_stars=self.n_stars,
            row_structure_adu=self._row_structure(float(noises.mean())),
            column_structure_adu=self._column_structure(float(noises.mean())),
            block_levels_adu=np.asarray(self.levels, np.float32).transpose(1, 0, 2),
            hot_pixels_yx=hot_yx,
            hot_pixels_adu=hot_adu,
            sample_adu=self.sample.values,
        )

    def _plane_levels(self) -> tuple[float, ...]:
        sample = self.level_sample
        index = np.broadcast_to(
            cfa_plane_index(sample.y, sample.x, self.cfa_pattern), sample.y.shape
        )
        return tuple(
            interpolated_median(sample.values[index == plane]) for plane in range(len(self.planes))
        )

    def _row_structure(self, noise: float) -> float:
        jumps = np.concatenate([np.diff(means) for means in self.row_means])
        return line_structure(jumps, noise / np.sqrt(self.shape[1] / self.step))

    def _column_structure(self, noise: float) -> float:
        rows = self.shape[0] / self.step
        jumps = (self.column_sums[self.step :] - self.column_sums[: -self.step]) / rows
        return line_structure(jumps, noise / np.sqrt(rows))
