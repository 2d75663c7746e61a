"""Stack lights: interpolated onto one grid, levelled, outliers rejected, weighted mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.combine import METHODS
from solodark.combine.rule import Counts, Planes, Rule
from solodark.errors import SettingError
from solodark.frames import (
    Acquisition,
    FrameSource,
    Progress,
    series_acquisition,
    silent,
)
from solodark.registration import Transform
from solodark.stacking.bands import StackedBands
from solodark.stacking.brightness import Brightness, measure_brightness
from solodark.stacking.holes import fill_holes
from solodark.stacking.in_register import in_register
from solodark.stacking.lattice import colour_lattices
from solodark.stacking.resample import kernel_table

__all__ = ["Stack", "stack"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stack:
    """A stacked picture.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        ADU of the reference; red, green and blue of lights with colour filters. NaN where no
        light reaches.
    uncertainty : ndarray of float32, shape of `data`
        One sigma from the scatter of the lights, ADU; NaN where fewer than two values count.
    coverage : ndarray of uint8 or uint16, shape of `data`
        Lights that hold a value there, the rejected ones among them; 0 where `data` was filled in
        from its neighbours.
    n_rejected_low, n_rejected_high : ndarray of uint8 or uint16, shape of `data`
        Values that rejection left out.
    weights : ndarray of float64, shape (n_lights,)
        Of the lights, mean 1; the mean over the colours.
    acquisition : Acquisition
        What the lights share; `n_combined` is their number, the exposure that of one.
    method : str
        How they were combined.
    """

    data: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    coverage: Counts
    n_rejected_low: Counts
    n_rejected_high: Counts
    weights: NDArray[np.float64]
    acquisition: Acquisition
    method: str

    @property
    def n_lights(self) -> int:
        """Lights in the stack."""
        return int(self.weights.size)

    @property
    def rejected_fraction(self) -> tuple[float, float]:
        """Values rejected as too low and as too high, as fractions of all that were there."""
        there = max(float(self.coverage.sum(dtype=np.float64)), 1.0)
        low, high = self.n_rejected_low, self.n_rejected_high
        return float(low.sum(dtype=np.float64)) / there, float(high.sum(dtype=np.float64)) / there


def stack(
    lights: Sequence[FrameSource],
    transforms: Sequence[Transform | None] | None = None,
    *,
    method: str = "winsorized",
    sigma: float = 3.0,
    normalised: bool = True,
    kernel: str = "lanczos3",
    memory_mb: float = 600.0,
    progress: Progress = silent,
) -> Stack:
    """Bring lights onto one grid and combine them, pixel by pixel.

    Each colour is interpolated straight from its own pixels to the grid, so a colour filter array
    is never demosaiced into a picture of its own: red and blue from the pixels two apart, green
    from its lattice at 45 degrees. Lights are read by bands of rows; memory holds `memory_mb` of
    them and the result, whatever their number. Pixels that are not finite, or flagged DEAD by a
    `FlaggedSource`, do not count.

    Parameters
    ----------
    lights : sequence of FrameSource
        Calibrated lights of one size, `CalibratedLight` or files. Not changed. Several threads call
        `read_rows`.
    transforms : sequence of Transform or None, optional
        Of each light, from `solodark.registration.register`; lights whose transform is None are
        left out. Without transforms the lights are taken as they lie on the sensor.
    method : {"winsorized", "sigma", "mean", "median"}
        As in `solodark.combine.combine`; the median is not weighted.
    sigma : float
        Values more than so many sigma from the median are rejected.
    normalised : bool
        Whether each light's sky is brought to the reference's, its stars by the transform's
        `transparency` too, and whether lights count by one over the variance of their background.
    kernel : {"lanczos3", "cubic", "linear"}
        How to interpolate.
    memory_mb : float
        Most memory for pixels that wait to be combined, MB. Two rows of all lights are always held.
    progress : Progress
        Told about each band.

    Returns
    -------
    Stack
        On the pixels of the reference, or of the sensor.

    Raises
    ------
    NotEnoughFramesError
        There are fewer than two lights, or fewer than two are in register.
    FrameMismatchError
        Lights differ in size, binning or colour filters, or a transform is missing or left over.
    SettingError
        The method or the kernel is unknown, or a limit is not positive.

    Notes
    -----
    Rejection as in `combine`, of the levelled values with equal weights; then, of the survivors x
    with weights w, ``m = sum(w x) / sum(w)`` and
    ``sigma^2 = sum(w (x - m)^2) / (sum(w) (n - 1))``.

    References
    ----------
    C. E. Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteorology 18 (1979).

    Examples
    --------
    >>> from solodark.frames import Frame
    >>> lights = [Frame(np.full((8, 8), 100.0 + n)) for n in range(4)]
    >>> picture = stack(lights, normalised=False)
    >>> float(picture.data[4, 4]), int(picture.coverage[4, 4]), picture.n_lights
    (101.5, 4, 4)
    """
    _require_settings(method, {"sigma": sigma, "memory_mb": memory_mb})
    kept, ways = in_register(lights, transforms)
    lattices = colour_lattices(kept[0].acquisition.cfa_pattern)
    brightness = Brightness.untouched(len(lattices), len(kept))
    if normalised:
        brightness = measure_brightness(kept, ways)
    bands = StackedBands(
        kept,
        ways,
        lattices,
        brightness,
        table=kernel_table(kernel),
        rule=Rule(METHODS[method], sigma, sigma),
        memory_bytes=memory_mb * 1e6,
    )
    planes = [Planes.empty(kept[0].shape, len(kept)) for _ in lattices]
    for _ in progress(bands.combine_into(planes), "stacking", len(bands)):
        pass
    return _finished(planes, kept, brightness, method)


def _require_settings(method: str, limits: dict[str, float]) -> None:
    if method not in METHODS:
        raise SettingError(f"no method {method!r}; expected one of {', '.join(METHODS)}")
    for name, limit in limits.items():
        if not limit > 0:
            raise SettingError(f"found {name} = {limit}, expected a number above 0")


def _finished(
    planes: Sequence[Planes], lights: Sequence[FrameSource], brightness: Brightness, method: str
) -> Stack:
    whole = planes[0]
    if len(planes) > 1:
        whole = Planes(*(np.stack(colours) for colours in zip(*planes, strict=True)))
    coverage = whole.n_missing.dtype.type(len(lights)) - whole.n_missing
    fill_holes(whole.data, coverage == 0)
    return Stack(
        data=whole.data,
        uncertainty=whole.uncertainty,
        coverage=coverage,
        n_rejected_low=whole.n_rejected_low,
        n_rejected_high=whole.n_rejected_high,
        weights=brightness.weights.mean(axis=0),
        acquisition=replace(series_acquisition(lights), cfa_pattern=None),
        method=method,
    )
