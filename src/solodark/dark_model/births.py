"""How often pixels of a sensor turn hot for good, read off the library itself."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.levels import robust_sigma
from solodark.dark_model.sample_numbers import SampleFit
from solodark.dark_model.strength import TOO_WEAK, squared_strength
from solodark.dark_model.survey import Sample, Survey

__all__ = [
    "LIBRARY_THIRDS",
    "SECONDS_PER_YEAR",
    "USUAL_WEIGHT_PIXEL_YEARS",
    "YEARS_IF_UNKNOWN",
    "births_per_year",
    "years_from_library",
]

Array = NDArray[np.float64]

_USUAL_PER_YEAR = 1e-4  # share of the pixels; cameras differ tenfold either way
USUAL_WEIGHT_PIXEL_YEARS = 10_000.0
"""What is usual counts as much as one birth that was seen in so many pixels times years."""
SECONDS_PER_YEAR = 365.25 * 86_400
"""Of the Julian year."""
YEARS_IF_UNKNOWN = 1.0
"""Age of a library of which no header tells a date."""
LIBRARY_THIRDS = 2 / 3
"""From the middle of a library's first third to that of its last, as a share of its span."""
_SIGMA = 10.0
_MIN_SPAN_YEARS = 0.1
_MIN_FRAMES = 4
_PARTS = 5


def births_per_year(sample: Sample, survey: Survey, fit: SampleFit, taken_s: Array) -> float:
    """Share of the pixels that turn hot in a year.

    The dark signal of every sampled pixel is fitted to the library's first third and to its last.
    Those that were ordinary and are bright by more than 10 sigma, less those that went the other
    way (telegraph pixels do both alike), were born in between.

    Parameters
    ----------
    sample : Sample
        The sampled pixels.
    survey : Survey
        Their values.
    fit : SampleFit
        States and noise of the frames.
    taken_s : ndarray, shape (n_frames,)
        When each frame was taken, seconds since 1970 UTC; NaN where a header was silent.

    Returns
    -------
    float
        Per year; what is usual where the library is too short to tell.
    """
    strength = np.sqrt(squared_strength(fit.states, fit.strength))
    early, late = _ends(taken_s, strength)
    if min(early.size, late.size) < _MIN_FRAMES:
        return _USUAL_PER_YEAR
    years = float(np.mean(taken_s[late]) - np.mean(taken_s[early])) / SECONDS_PER_YEAR
    if years < _MIN_SPAN_YEARS:
        return _USUAL_PER_YEAR
    bias = _bias_maps(survey, sample, fit, strength)
    before = _dark_signal(survey, sample, fit, strength, bias, early)
    after = _dark_signal(survey, sample, fit, strength, bias, late)
    reach = _SIGMA * max(robust_sigma((after - before)[: sample.n_random]), 1e-12)
    came = (before < reach) & (after - before > reach)
    went = (after < reach) & (before - after > reach)
    born = float(sample.shares[came].sum() - sample.shares[went].sum())
    seen = max(born, 0.0) + _USUAL_PER_YEAR * USUAL_WEIGHT_PIXEL_YEARS
    return seen / (float(sample.shares.sum()) * years + USUAL_WEIGHT_PIXEL_YEARS)


def _ends(taken_s: Array, strength: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Darks with a signal to speak of from the library's first third of time, and its last."""
    known = np.flatnonzero(np.isfinite(taken_s) & (strength > 0.1))
    if not known.size:
        return known, known
    first, last = taken_s[known].min(), taken_s[known].max()
    place = (taken_s[known] - first) / max(last - first, 1.0)
    return known[place < 1 / 3], known[place > 2 / 3]


def _dark_signal(
    survey: Survey,
    sample: Sample,
    fit: SampleFit,
    strength: Array,
    bias: Array,
    frames: NDArray[np.intp],
) -> Array:
    """Signal at full strength beyond the ordinary one, ADU.

    Weighted least squares in several parts, and of these the median: a cosmic ray, which brightens
    a mean of hundreds of frames by more than a birth must, is in one part alone.
    """
    weight = strength[frames] / fit.law.frame_variance[frames]
    n_parts = min(_PARTS, frames.size)
    totals, weights = np.zeros((n_parts, survey.values.shape[1])), np.zeros(n_parts)
    for i, (f, w) in enumerate(zip(frames, weight, strict=True)):
        above = survey.values[f] - fit.rows[f, sample.y] - bias[fit.setting[f]]
        totals[i % n_parts] += w * above
        weights[i % n_parts] += w * strength[f]
    signal = np.asarray(np.median(totals / weights[:, None], axis=0))
    return signal - np.median(signal[: sample.n_random])


def _bias_maps(survey: Survey, sample: Sample, fit: SampleFit, strength: Array) -> Array:
    """Bias of every sampled pixel at each gain setting, ADU.

    As frames without a dark signal show it. A fit to all frames would be tilted by a birth between
    them, and call a part of the new signal bias; it is taken where there are no such frames.
    """
    bias = np.linalg.lstsq(fit.design, survey.values.astype(np.float64), rcond=None)[0]
    for setting in range(fit.n_settings):
        weak = (fit.setting == setting) & (strength < TOO_WEAK)
        if weak.any():
            rows = fit.rows[weak].mean(axis=0)
            bias[setting] = survey.values[weak].mean(axis=0, dtype=np.float64) - rows[sample.y]
    return np.asarray(bias[: fit.n_settings])


def years_from_library(library_s: Array, taken_s: float | None) -> float:
    """Tell how far a frame is from the nearest of a library's.

    Parameters
    ----------
    library_s : ndarray, shape (n,)
        When each was taken, seconds since 1970; NaN where unknown.
    taken_s : float or None
        When the frame was taken.

    Returns
    -------
    float
        Years; `YEARS_IF_UNKNOWN` where dates are missing.

    Examples
    --------
    >>> years_from_library(np.array([0.0, SECONDS_PER_YEAR, np.nan]), 3.0 * SECONDS_PER_YEAR)
    2.0
    """
    if taken_s is None or not np.isfinite(library_s).any():
        return YEARS_IF_UNKNOWN
    return float(np.nanmin(np.abs(library_s - taken_s))) / SECONDS_PER_YEAR
