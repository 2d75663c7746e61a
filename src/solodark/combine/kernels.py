"""Compiled code that combines the stacks of many pixels; `combine` documents what is computed.

The frames' values are laid out as rows and the pixels as columns ("lanes"), some hundred at a time,
so that what is the same for all pixels, sorting and summing, runs in the processor's vector units.
For most pixels a bound then shows, without iterating, that nothing will be rejected; only the few
others are looked at one by one.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solodark.combine.rule import MEAN, MEDIAN, WINSORIZED, Planes, Rule, median_noise_factor
from solodark.compiled import njit
from solodark.frames import PixelFlags

__all__ = ["combine_stack"]

_LANE_BYTES = 24 * 1024  # one block of lanes stays in a core's nearest cache
_LANES_MIN, _LANES_MAX = 32, 512
_MIN_SURVIVORS = 3  # of three values none can be called the odd one
_WINSOR_REACH = 1.5  # Huber's c: values beyond so many sigma are pulled in
_WINSOR_CORRECTION = 1.134  # a normal distribution winsorised at 1.5 sigma regains its sigma
_MARGIN = 1.0 + 1e-9  # a bound must hold by more than float64 rounding to settle a pixel
_DEAD = int(PixelFlags.DEAD)
_SATURATED = int(PixelFlags.SATURATED)

_Array = NDArray[Any]
_compiled = njit(nogil=True, cache=True, error_model="numpy")
_median_noise_factor = _compiled(median_noise_factor)


class _Lanes(NamedTuple):
    """One float64 per lane."""

    centre: _Array
    reach: _Array
    bound: _Array
    sum1: _Array
    sum2: _Array
    clipped1: _Array
    clipped2: _Array


class _Run(NamedTuple):
    """Sorted values of one pixel from first to before last, and sums relative to a reference."""

    first: int
    last: int
    sum1: float
    sum2: float


@_compiled
def combine_stack(stack: _Array, network: _Array, rule: Rule, planes: Planes) -> None:
    """Combine a stack of values into the planes.

    Parameters
    ----------
    stack : ndarray of uint16 or float32, shape (n_frames, n_pixels)
        ADU; not finite where a frame holds no value.
    network : ndarray of int64, shape (n_comparisons, 2)
        `sorting_network` of n_frames.
    rule : Rule
        How to combine.
    planes : Planes
        Written to: `data`, `uncertainty` and `flags` everywhere; the counts, which come filled
        with 0, only where they are not.
    """
    n_frames, n_pixels = stack.shape
    n_lanes = max(_LANES_MIN, min(_LANES_MAX, _LANE_BYTES // (n_frames * stack.itemsize)))
    block = np.zeros((n_frames, n_lanes), stack.dtype)
    settled = np.zeros(n_lanes, np.bool_)
    work = np.zeros((7, n_lanes))
    lanes = _Lanes(work[0], work[1], work[2], work[3], work[4], work[5], work[6])
    full_scale = block[(n_frames - 1) // 2]
    for start in range(0, n_pixels, n_lanes):
        width = min(n_lanes, n_pixels - start)
        _gather(stack[:, start : start + width], block)
        _sort_lanes(block, network)
        _measure_lanes(block, rule, lanes)
        _write_lanes(lanes, n_frames, rule, planes, start, width)
        _settle_lanes(block, lanes, rule, settled)
        _flag_lanes(full_scale, rule.saturation_adu, planes.flags[start : start + width])
        for lane in range(width):
            if settled[lane]:
                continue
            column = block[:, lane]
            if column[n_frames - 1] < np.inf:
                reference = lanes.centre[lane]
                values = _Run(0, n_frames, lanes.sum1[lane], lanes.sum2[lane])
            else:
                reference, values = _load_incomplete(column)
            _combine_pixel(column, reference, values, rule, planes, start + lane)


@_compiled
def _gather(stack: _Array, block: _Array) -> None:
    """Copy the lanes; what is missing becomes infinite and will be sorted to the end."""
    for frame in range(stack.shape[0]):
        source = stack[frame]
        target = block[frame]
        for lane in range(source.size):
            target[lane] = source[lane] if np.isfinite(source[lane]) else np.inf


@_compiled
def _sort_lanes(block: _Array, network: _Array) -> None:
    for comparison in range(network.shape[0]):
        a = block[network[comparison, 0]]
        b = block[network[comparison, 1]]
        for lane in range(a.size):
            low = min(a[lane], b[lane])
            high = max(a[lane], b[lane])
            a[lane] = low
            b[lane] = high


@_compiled
def _measure_lanes(block: _Array, rule: Rule, lanes: _Lanes) -> None:
    """Find median, sums about the median, and the sigma that would keep every value.

    Rows are taken in pairs, one below and one above the median; the middle row of an odd number
    is the median and adds nothing.
    """
    n = block.shape[0]
    _find_centre(block[(n - 1) // 2], block[n // 2], lanes.centre)
    _find_reach(block[0], block[n - 1], rule, lanes)
    lanes.sum1[:] = 0.0
    lanes.sum2[:] = 0.0
    for row in range(n // 2):
        _add(block[row], block[n - 1 - row], lanes.centre, lanes.sum1, lanes.sum2)
    if rule.method == WINSORIZED:
        lanes.clipped1[:] = 0.0
        lanes.clipped2[:] = 0.0
        for row in range(n // 2):
            _add_clipped(block[row], block[n - 1 - row], lanes)


@_compiled
def _find_centre(below: _Array, above: _Array, centre: _Array) -> None:
    for lane in range(centre.size):
        centre[lane] = 0.5 * (np.float64(below[lane]) + np.float64(above[lane]))


@_compiled
def _find_reach(lowest: _Array, highest: _Array, rule: Rule, lanes: _Lanes) -> None:
    per_low = 1.0 / rule.sigma_low
    per_high = 1.0 / rule.sigma_high
    centre = lanes.centre
    for lane in range(centre.size):
        low = (centre[lane] - np.float64(lowest[lane])) * per_low
        high = (np.float64(highest[lane]) - centre[lane]) * per_high
        reach = max(high, low)
        lanes.reach[lane] = reach
        lanes.bound[lane] = _WINSOR_REACH * reach


@_compiled
def _add(below: _Array, above: _Array, centre: _Array, sum1: _Array, sum2: _Array) -> None:
    for lane in range(centre.size):
        low = np.float64(below[lane]) - centre[lane]
        high = np.float64(above[lane]) - centre[lane]
        sum1[lane] += low + high
        sum2[lane] += low * low + high * high


@_compiled
def _add_clipped(below: _Array, above: _Array, lanes: _Lanes) -> None:
    centre, bound, sum1, sum2 = lanes.centre, lanes.bound, lanes.clipped1, lanes.clipped2
    for lane in range(centre.size):
        low = max(np.float64(below[lane]) - centre[lane], -bound[lane])
        high = min(np.float64(above[lane]) - centre[lane], bound[lane])
        sum1[lane] += low + high
        sum2[lane] += low * low + high * high


@_compiled
def _write_lanes(lanes: _Lanes, n: int, rule: Rule, planes: Planes, start: int, width: int) -> None:
    """Write the result of all lanes as if nothing were rejected."""
    weight = 0.0 if rule.method == MEDIAN else 1.0 / n
    factor = _median_noise_factor(n) if rule.method == MEDIAN else 1.0
    data = planes.data[start : start + width]
    uncertainty = planes.uncertainty[start : start + width]
    _write_data(lanes.centre, lanes.sum1, weight, data)
    _write_uncertainty(lanes.sum1, lanes.sum2, 1.0 / n, factor**2 / n / (n - 1), uncertainty)


@_compiled
def _write_data(centre: _Array, sum1: _Array, weight: float, data: _Array) -> None:
    for lane in range(data.size):
        data[lane] = centre[lane] + weight * sum1[lane]


@_compiled
def _write_uncertainty(
    sum1: _Array, sum2: _Array, per_value: float, scale: float, uncertainty: _Array
) -> None:
    for lane in range(uncertainty.size):
        spread = max(sum2[lane] - sum1[lane] * sum1[lane] * per_value, 0.0)
        uncertainty[lane] = np.sqrt(scale * spread)


@_compiled
def _settle_lanes(block: _Array, lanes: _Lanes, rule: Rule, settled: _Array) -> None:
    """Tell for which lanes all values are there and a bound shows that none will be rejected.

    Winsorising at 1.5 s gives a spread f(s) that never falls when s grows. So if the s that keeps
    every value is no more than the first sigma and no more than f(s), no iterate falls below it.
    """
    n = block.shape[0]
    if rule.method in (MEAN, MEDIAN) or n <= _MIN_SURVIVORS:
        _find_complete(block[n - 1], settled)
        return
    step = rule.step_adu / max(rule.sigma_low, rule.sigma_high)
    per_value, scale = 1.0 / n, 1.0 / (n - 1)
    _find_kept(lanes.sum1, lanes.sum2, lanes.reach, step, per_value, scale, settled)
    if rule.method == WINSORIZED:
        scale *= _WINSOR_CORRECTION**2
        also = settled.copy()
        _find_kept(lanes.clipped1, lanes.clipped2, lanes.reach, step, per_value, scale, also)
        settled &= also


@_compiled
def _flag_lanes(middle: _Array, saturation_adu: float, flags: _Array) -> None:
    for lane in range(flags.size):
        flags[lane] = _SATURATED if middle[lane] >= saturation_adu else 0


@_compiled
def _find_complete(highest: _Array, complete: _Array) -> None:
    for lane in range(complete.size):
        complete[lane] = highest[lane] < np.inf


@_compiled
def _find_kept(
    sum1: _Array,
    sum2: _Array,
    reach: _Array,
    step: float,
    per_value: float,
    scale: float,
    kept: _Array,
) -> None:
    """Tell where the variance from the sums reaches the square of the sigma that is needed."""
    for lane in range(kept.size):
        variance = scale * (sum2[lane] - sum1[lane] * sum1[lane] * per_value)
        enough = (reach[lane] * reach[lane] * _MARGIN <= variance) & (variance < np.inf)
        within = (reach[lane] <= step * _MARGIN) & (sum2[lane] < np.inf)
        kept[lane] = enough | within


@_compiled
def _variance(sum1: float, sum2: float, n: int) -> float:
    """Variance from sums of deviations and their squares; NaN for one value."""
    spread = sum2 - sum1 * sum1 / n
    return max(spread, 0.0) / (n - 1)


@_compiled
def _load_incomplete(column: _Array) -> tuple[float, _Run]:
    """Choose a reference and sum the values that are there."""
    n = column.size
    while n and not np.isfinite(column[n - 1]):
        n -= 1
    reference = np.float64(column[n // 2])
    return reference, _summed(column, reference, 0, n)


@_compiled
def _summed(column: _Array, reference: float, first: int, last: int) -> _Run:
    sum1 = sum2 = 0.0
    for i in range(first, last):
        value = np.float64(column[i]) - reference
        sum1 += value
        sum2 += value * value
    return _Run(first, last, sum1, sum2)


@_compiled
def _combine_pixel(
    column: _Array, reference: float, values: _Run, rule: Rule, planes: Planes, index: int
) -> None:
    """Combine a column's sorted values with all that rejection takes."""
    n = values.last
    if n < column.size:
        planes.n_missing[index] = column.size - n
    if n == 0:
        planes.data[index] = np.nan
        planes.uncertainty[index] = np.nan
        planes.flags[index] = _DEAD
        return
    kept = _survivors(column, reference, values, rule)
    n_used = kept.last - kept.first
    if n_used < n:  # what is left of sums less a far value is its rounding
        kept = _summed(column, reference, kept.first, kept.last)
    centre = kept.sum1 / n_used
    noise = np.sqrt(_variance(kept.sum1, kept.sum2, n_used) / n_used)
    if rule.method == MEDIAN:
        centre = _median(column, reference, kept)
        noise *= _median_noise_factor(n_used)
    planes.data[index] = reference + centre
    planes.uncertainty[index] = noise
    planes.n_rejected_low[index] = kept.first
    planes.n_rejected_high[index] = n - kept.last
    saturated = column[kept.first + (n_used - 1) // 2] >= rule.saturation_adu
    planes.flags[index] = _SATURATED if saturated else 0


@_compiled
def _without_first(column: _Array, reference: float, run: _Run) -> _Run:
    value = np.float64(column[run.first]) - reference
    return _Run(run.first + 1, run.last, run.sum1 - value, run.sum2 - value * value)


@_compiled
def _without_last(column: _Array, reference: float, run: _Run) -> _Run:
    value = np.float64(column[run.last - 1]) - reference
    return _Run(run.first, run.last - 1, run.sum1 - value, run.sum2 - value * value)


@_compiled
def _survivors(column: _Array, reference: float, values: _Run, rule: Rule) -> _Run:
    """Find the values that no round of rejection takes."""
    kept = values
    if rule.method in (MEAN, MEDIAN):
        return kept
    for _ in range(rule.rounds):
        n_before = kept.last - kept.first
        if n_before <= _MIN_SURVIVORS:
            break
        centre = _median(column, reference, kept)
        sigma = np.sqrt(_variance(kept.sum1, kept.sum2, n_before))
        if rule.method == WINSORIZED:
            sigma = _winsorized_sigma(column, reference, kept, centre, sigma)
        kept = _trim(column, reference, kept, centre, sigma, rule)
        if kept.last - kept.first == n_before:
            break
    return kept


@_compiled
def _median(column: _Array, reference: float, run: _Run) -> float:
    """Median of a run, less the reference."""
    below = np.float64(column[(run.first + run.last - 1) // 2])
    above = np.float64(column[(run.first + run.last) // 2])
    return float(0.5 * (below + above) - reference)


@_compiled
def _winsorized_sigma(
    column: _Array, reference: float, kept: _Run, centre: float, sigma: float
) -> float:
    """Find where Huber's iteration ends, without its many small steps.

    As long as the same values are clipped, the square of the next sigma is a quadratic in this
    one, so the sigma that would stay is known at once. Where more values are clipped on the way
    there, the spread is only smaller: the steps come down on the limit from above, and have
    reached it when no more values are clipped.
    """
    inner = _clip(column, reference, kept, centre, sigma)
    a, b, c = _quadratic(kept, inner, centre)
    excess = (a * sigma + b) * sigma - c
    if excess <= 0.0:  # values once clipped stay clipped, so a sigma that has grown stays
        return float(np.sqrt(sigma * sigma - excess))
    while True:
        sigma = min(sigma, max(0.0, _positive_root(a, b, c)))  # whatever the rounding
        n_before = inner.last - inner.first
        inner = _clip(column, reference, inner, centre, sigma)
        if inner.last - inner.first == n_before:
            return float(sigma)
        a, b, c = _quadratic(kept, inner, centre)


@_compiled
def _positive_root(a: float, b: float, c: float) -> float:
    """Solve a s^2 + b s = c for the smaller positive s; 0 where all unclipped values are equal.

    There is one: c is not negative, and the left side exceeds it at the sigma before.
    """
    root = np.sqrt(max(0.0, b * b + 4.0 * a * c))
    if b < 0.0:
        return float(0.5 * (root - b) / a)
    return float(2.0 * c / (b + root)) if b + root > 0.0 else 0.0


@_compiled
def _clip(column: _Array, reference: float, run: _Run, centre: float, sigma: float) -> _Run:
    """Leave the values within 1.5 sigma of the centre."""
    lowest = reference + centre - _WINSOR_REACH * sigma
    highest = reference + centre + _WINSOR_REACH * sigma
    while column[run.first] < lowest:
        run = _without_first(column, reference, run)
    while column[run.last - 1] > highest:
        run = _without_last(column, reference, run)
    return run


@_compiled
def _quadratic(kept: _Run, inner: _Run, centre: float) -> tuple[float, float, float]:
    """Give a, b, c of: a s^2 + b s - c = s^2 less the square of the sigma that follows s."""
    n, n_inner = kept.last - kept.first, inner.last - inner.first
    n_low, n_high = inner.first - kept.first, kept.last - inner.last
    per_value = 1.0 / n
    scale = _WINSOR_CORRECTION**2 / (n - 1)
    about1 = inner.sum1 - n_inner * centre
    about2 = inner.sum2 - (2.0 * inner.sum1 - n_inner * centre) * centre
    lean = (n_high - n_low) * per_value
    a = 1.0 - scale * _WINSOR_REACH**2 * (n_low + n_high - lean * (n_high - n_low))
    b = 2.0 * scale * _WINSOR_REACH * about1 * lean
    c = scale * max(0.0, about2 - about1 * about1 * per_value)
    return a, b, c


@_compiled
def _trim(
    column: _Array, reference: float, run: _Run, centre: float, sigma: float, rule: Rule
) -> _Run:
    """Drop values outside the limits, the farthest first, as long as enough survive."""
    limit_low = rule.sigma_low * sigma  # NaN, beyond which nothing lies, for no limit and no spread
    limit_high = rule.sigma_high * sigma
    while run.last - run.first > _MIN_SURVIVORS:
        low = reference + centre - np.float64(column[run.first])
        high = np.float64(column[run.last - 1]) - reference - centre
        too_low = low > limit_low and low > rule.step_adu
        too_high = high > limit_high and high > rule.step_adu
        if too_low and (low >= high or not too_high):
            run = _without_first(column, reference, run)
        elif too_high:
            run = _without_last(column, reference, run)
        else:
            break
    return run
