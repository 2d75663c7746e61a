"""Statistics that a few bad frames cannot move."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["scatter", "straight_line", "weighted_median"]

Values = NDArray[np.float64]


def scatter(values: Values) -> float:
    """Give one sigma from the median absolute deviation.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Numbers; none give 0.

    Returns
    -------
    float
        In the unit of the values.

    Examples
    --------
    >>> round(scatter(np.array([1.0, 2.0, 3.0, 4.0, 1000.0])), 3)
    1.483
    """
    if values.size == 0:
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def straight_line(x: Values, y: Values, *, least_step: float = 0.0) -> tuple[float, float]:
    """Fit a line by repeated medians (Siegel 1982).

    For each point the median of its slopes to all others is taken, and then the median of those:
    almost half of the points may lie anywhere, and one of four.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Points.
    least_step : float, optional
        Pairs closer than this in `x` are left out: their slopes are all noise.

    Returns
    -------
    slope, intercept : float
        Slope 0 where no pair is far enough apart.

    Examples
    --------
    >>> straight_line(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0, 99.0]))
    (2.0, 1.0)
    """
    step = x[:, np.newaxis] - x
    apart = (np.abs(step) >= least_step) & (step != 0.0)
    rise = y[:, np.newaxis] - y
    slopes = [np.median(rise[n, ok] / step[n, ok]) for n, ok in enumerate(apart) if ok.any()]
    slope = float(np.median(slopes)) if slopes else 0.0
    return slope, float(np.median(y - slope * x))


def weighted_median(values: Values, weights: Values) -> float:
    """Give the value below which half of the weight lies.

    Parameters
    ----------
    values, weights : ndarray of float64, shape (n,)
        Numbers and how much each counts.

    Returns
    -------
    float
        NaN where there are none.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 5.0]))
    9.0
    """
    if values.size == 0:
        return float("nan")
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
