"""Many frames in, one master out, with what is known about each of its pixels."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import numba
import numpy as np
from numpy.typing import NDArray

from solodark.combine.bands import (
    ArrayPlane,
    Stacks,
    common_step_adu,
    rows_per_band,
    stack_dtype,
)
from solodark.combine.rule import (
    MEAN,
    MEDIAN,
    SIGMA,
    WINSORIZED,
    Counts,
    Planes,
    Rule,
    median_noise_factor,
)
from solodark.errors import NotEnoughFramesError, SettingError
from solodark.frames import FrameSource, Progress, require_matching, silent

__all__ = ["METHODS", "Combined", "combine"]

METHODS: Mapping[str, int] = MappingProxyType(
    {"mean": MEAN, "median": MEDIAN, "sigma": SIGMA, "winsorized": WINSORIZED}
)
"""What `combine` can do; the numbers are the compiled code's names for the methods."""

_FRAMES_MAX = 65535  # counts are kept in 16 bits


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Combined:
    """The combination of many frames, pixel by pixel.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx)
        ADU; NaN where no frame holds a value.
    uncertainty : ndarray of float32, shape (ny, nx)
        One sigma of `data`, ADU; NaN where fewer than two values survive.
    flags : ndarray of uint8, shape (ny, nx)
        Bits of `solodark.frames.PixelFlags`: SATURATED where more than half of the survivors are
        at full scale, DEAD where no frame holds a value.
    n_rejected_low, n_rejected_high : ndarray of uint8 or uint16, shape (ny, nx)
        Values left out because they are too low or too high; 16 bits for more than 255 frames.
    n_missing : ndarray of uint8 or uint16, shape (ny, nx)
        Values that were not finite.
    n_frames : int
        Frames that went in.
    method : str
        One of `METHODS`.
    """

    data: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    flags: NDArray[np.uint8]
    n_rejected_low: Counts
    n_rejected_high: Counts
    n_missing: Counts
    n_frames: int
    method: str

    @property
    def n_used(self) -> Counts:
        """Values that survived, shape (ny, nx)."""
        return self._n_used(slice(None))

    @property
    def noise_adu(self) -> float:
        """Temporal noise of one frame, median over some 250 000 pixels, ADU; NaN for one frame."""
        rows = slice(None, None, self.data.size // 250_000 | 1)  # odd: both rows of a CFA cell
        n_used = self._n_used(rows).astype(np.float64)
        variance = self.uncertainty[rows] ** 2 * n_used
        known = np.isfinite(variance) & (n_used > 1)
        if not known.any():
            return np.nan
        # The median of chi-squared lies below its mean (Wilson and Hilferty 1931).
        variance = variance[known] / (1.0 - 2.0 / (9.0 * (n_used[known] - 1.0))) ** 3
        factor = median_noise_factor(self.n_frames) if self.method == "median" else 1.0
        return float(np.sqrt(np.median(variance))) / factor

    def _n_used(self, rows: slice) -> Counts:
        left_out = self.n_rejected_low[rows] + self.n_rejected_high[rows] + self.n_missing[rows]
        n_used: Counts = left_out.dtype.type(self.n_frames) - left_out
        return n_used

    @property
    def rejected_fraction_low(self) -> float:
        """Values rejected as too low, as a fraction of all values."""
        return float(self.n_rejected_low.mean(dtype=np.float64)) / self.n_frames

    @property
    def rejected_fraction_high(self) -> float:
        """Values rejected as too high, as a fraction of all values."""
        return float(self.n_rejected_high.mean(dtype=np.float64)) / self.n_frames


def combine(
    darks: Sequence[FrameSource] | NDArray[Any],
    *,
    method: str = "mean",
    sigma_low: float = 3.0,
    sigma_high: float = 3.0,
    iterations: int = 10,
    saturation_adu: float | None = None,
    memory_mb: float = 512.0,
    progress: Progress = silent,
) -> Combined:
    """Combine frames into one, pixel by pixel, with rejection counts and an uncertainty.

    Frames are read by bands of rows, several at once, so memory holds `memory_mb` of frames and
    the result whatever the number of frames; the band size does not change the result. Values
    that are not finite are skipped.

    Parameters
    ----------
    darks : sequence of FrameSource, or ndarray of shape (n, ny, nx)
        Darks, biases, flats or other frames of one shape, ADU. uint16 values are combined
        exactly; others are taken as float32. Not changed. Several threads call `read_rows`.
    method : {"mean", "median", "sigma", "winsorized"}
        "sigma" and "winsorized" are means of the values that survive a rejection.
    sigma_low, sigma_high : float
        Values more than so many sigma below or above the median are rejected; infinity rejects
        none.
    iterations : int
        Most rounds of rejection.
    saturation_adu : float, optional
        Full scale. Without it 65535 for uint16 frames and none for others.
    memory_mb : float
        Most memory for pixels that wait to be combined, MB. Two rows of all frames are always
        held.
    progress : Progress
        Told about each frame looked at and each band combined.

    Returns
    -------
    Combined
        Master, uncertainty, counts and flags.

    Raises
    ------
    NotEnoughFramesError
        There is no frame, or more than 65535.
    FrameMismatchError
        Frames differ in size.
    SettingError
        The method is unknown, or a limit is not positive.

    Notes
    -----
    With m the median and s the standard deviation (n - 1) of a pixel's values x:

    * "sigma": values with x < m - sigma_low s or x > m + sigma_high s are rejected, and again
      with the m and s of the survivors, until none is.
    * "winsorized": the same with Huber's winsorised sigma in place of s: start with s and a copy
      w of the values; clip w to m - 1.5 s and m + 1.5 s; set s to 1.134 times the standard
      deviation of w; repeat until s no longer shrinks. The limit is computed directly, where
      PixInsight and Siril stop when s shrinks by less than 0.05 %. One cosmic
      ray of height h among n values makes s at least h / sqrt(n), so that among nine frames no
      ray ever lies beyond 3 s; the winsorised sigma hardly notices it.
    * At least 3 values survive; where more would go, those farthest from m go first. Integers
      within one step of the camera's converter of m are never rejected, since where the noise is
      below one step most values are equal and s is 0.

    The uncertainty is the standard deviation of the survivors over the square root of their
    number, for the median times the noise that the median of n normal values has over their mean:
    sqrt(pi n / (2 n + pi - 2)) for odd n and sqrt(pi n / (2 n + 2 pi - 4)) for even n, 1.2533 for
    many, within 1.5 % of exact. It is NaN for one frame, and 0 where all
    survivors are equal. Rejecting beyond 3 sigma also cuts the tails of honest noise: of 20 normal
    values "winsorized" rejects 0.7 %, and the uncertainty comes out about 5 % too small.

    References
    ----------
    P. J. Huber, E. Ronchetti, Robust Statistics, 2nd ed., Wiley 2009. J. Conejero, "Winsorized
    sigma clipping", PixInsight forum, 2010. Siril keeps the centre of the clipping at the median,
    as here.

    Examples
    --------
    >>> darks = np.full((8, 2, 2), 500, np.uint16)
    >>> darks[:4] += 2
    >>> darks[3, 0, 0] = 60000  # a cosmic ray
    >>> master = combine(darks, method="winsorized")
    >>> print(master.data[0].round(2), master.n_rejected_high[0])
    [500.86 501.  ] [1 0]
    """
    sources = _sources(darks)
    limits = {"sigma_low": sigma_low, "sigma_high": sigma_high, "iterations": iterations}
    _require_settings(method, {**limits, "memory_mb": memory_mb})
    samples = _samples(sources, progress)
    dtype = stack_dtype(samples)
    if saturation_adu is None:
        saturation_adu = np.inf if dtype == np.float32 else float(np.iinfo(np.uint16).max)
    step_adu = common_step_adu(samples)
    rule = Rule(METHODS[method], sigma_low, sigma_high, step_adu, iterations, saturation_adu)
    n_threads = _n_threads()
    shape = sources[0].shape
    rows = rows_per_band(
        len(sources), shape, dtype.itemsize, memory_bytes=memory_mb * 1e6, n_threads=n_threads
    )
    stacks = Stacks(sources, dtype, rows, n_threads)
    planes = Planes.empty(shape, len(sources))
    for _ in progress(stacks.combine_into(planes, rule), "combining", len(stacks.bands)):
        pass
    return Combined(**planes._asdict(), n_frames=len(sources), method=method)


def _n_threads() -> int:
    """Cores this process may use, as NUMBA_NUM_THREADS or the system say."""
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # set when imported


def _sources(darks: Sequence[FrameSource] | NDArray[Any]) -> Sequence[FrameSource]:
    if isinstance(darks, np.ndarray):
        if darks.ndim != 3:
            raise SettingError(f"found an array of shape {darks.shape}, expected (n, ny, nx)")
        darks = [cast("FrameSource", ArrayPlane(d, f"frame {i}")) for i, d in enumerate(darks)]
    if not 1 <= len(darks) <= _FRAMES_MAX:
        raise NotEnoughFramesError(
            f"found {len(darks)} frames to combine, expected 1 to {_FRAMES_MAX}"
        )
    require_matching(darks, ["shape"])
    return darks


def _require_settings(method: str, limits: Mapping[str, float]) -> None:
    if method not in METHODS:
        raise SettingError(f"no method {method!r}; expected one of {', '.join(METHODS)}")
    for name, limit in limits.items():
        if not limit > 0:
            raise SettingError(f"found {name} = {limit}, expected a number above 0")


def _samples(sources: Sequence[FrameSource], progress: Progress) -> list[NDArray[Any]]:
    """Read a few rows of each frame; files that are decoded whole are so here, side by side."""
    with ThreadPoolExecutor(_n_threads()) as threads:
        rows = threads.map(lambda source: source.read_rows(0, 2), sources)
        return list(progress(rows, "looking at the frames", len(sources)))
