"""How strongly a sensor's dark pattern shows in each frame: the thermometer that cannot lie.

The mean of a dark is no measure of its dark signal, because many sensors subtract their own optical
black; the amplitude of the pattern of warm pixels is. It grows in proportion to the exposure and
doubles every 5 to 10 C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.frames import FrameKind
from solodark.library.records import FrameRecord
from solodark.library.robust import weighted_median

__all__ = ["Amplitudes", "measure_amplitudes"]

WARM_SIGMAS = 6.0
"""Height of a warm pixel in the strongest darks, in sigmas of their noise."""
FEWEST_WARM_PIXELS = 20
CENSORED_SHARE = 0.8
"""Pixels above this share of the highest value seen may be clipped, and are left out."""
REFERENCE_FRAMES = 40
"""Darks that make the pattern; more would cost memory and add nothing."""
ROUNDS = 3


@dataclass(frozen=True, eq=False, slots=True)
class Amplitudes:
    """Amplitude of the dark pattern in each of some frames.

    Attributes
    ----------
    values : ndarray of float64, shape (n,)
        Amplitude in seconds of exposure at the typical rate of the reference darks.
    errors : ndarray of float64, shape (n,)
        One sigma, from the scatter of the pixels.
    n_pixels : int
        Warm pixels used.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    n_pixels: int


def measure_amplitudes(frames: Sequence[FrameRecord]) -> Amplitudes | None:
    """Measure how strongly the pattern that the darks share shows in every frame.

    The pattern is the median of the strongest darks, each divided by its own amplitude; amplitudes
    are weighted medians of the ratio of frame to pattern over warm pixels, so that neither cosmic
    rays nor pixels that changed, hop or saturate move them. Both are found in turn, three times;
    the headers' exposures only set the scale.

    Parameters
    ----------
    frames : sequence of FrameRecord
        Frames of one sensor at one gain; darks and, where there are any, biases among them.

    Returns
    -------
    Amplitudes or None
        None where the darks show too few warm pixels to tell.
    """
    residuals = np.stack([frame.statistics.sample_residuals_adu for frame in frames])
    exposures = np.array([frame.acquisition.exposure_s or 0.0 for frame in frames])
    is_dark = np.array([frame.acquisition.kind is FrameKind.DARK for frame in frames])
    is_bias = np.array([frame.acquisition.kind is FrameKind.BIAS for frame in frames])
    if is_bias.any():
        residuals -= np.median(residuals[is_bias], axis=0)
    seen = residuals[:, ~_censored(frames)]
    noise = np.array([frame.statistics.mean_noise_adu for frame in frames])
    used = is_dark & (exposures > 0.0)
    if not used.any() or seen.shape[1] < FEWEST_WARM_PIXELS:
        return None
    # The first guess is in ADU and owes nothing to the header, which may be what is wrong.
    guess = np.where(used, np.percentile(seen, 99.5, axis=1), 0.0)
    return _solve(seen, guess, noise, np.where(used, exposures, np.nan))


def _censored(frames: Sequence[FrameRecord]) -> NDArray[np.bool_]:
    """Pixels of the sample that come near full scale in any frame, shape (m,)."""
    ceiling = CENSORED_SHARE * max(frame.statistics.maximum_adu for frame in frames)
    near: NDArray[np.bool_] = np.any(
        [frame.statistics.sample_adu > ceiling for frame in frames], axis=0
    )
    return near


def _solve(
    residuals: NDArray[np.float32],
    amplitudes: NDArray[np.float64],
    noise: NDArray[np.float64],
    exposures: NDArray[np.float64],
) -> Amplitudes | None:
    """Find pattern and amplitudes in turn; `exposures` are NaN where a frame is no dark."""
    used = np.isfinite(exposures)
    for _ in range(ROUNDS):
        reference = _strongest(amplitudes)
        if reference.size == 0:
            return None
        scaled = residuals[reference] / amplitudes[reference, np.newaxis].astype(np.float32)
        rate: NDArray[np.float32] = np.median(scaled, axis=0)
        least = WARM_SIGMAS * np.median(noise[reference] / amplitudes[reference])
        warm = np.flatnonzero(rate > least)
        if warm.size < FEWEST_WARM_PIXELS:
            return None
        values, errors = _project(residuals[:, warm], rate[warm])
        amplitudes = np.where(used, values, 0.0)
    scale = np.median(values[used] / exposures[used])
    if scale <= 0.0:
        return None
    return Amplitudes(values / scale, errors / scale, int(warm.size))


def _strongest(amplitudes: NDArray[np.float64]) -> NDArray[np.intp]:
    """Frames near the third strongest: one or two freaks must not be the pattern alone."""
    order = np.argsort(-amplitudes)[:REFERENCE_FRAMES]
    typical = amplitudes[order[min(2, order.size // 2)]]
    strong: NDArray[np.intp] = order[amplitudes[order] > max(0.3 * typical, 0.0)]
    return strong


def _project(
    residuals: NDArray[np.float32], rate: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted median of residual over rate in every frame, and its error."""
    values = np.empty(residuals.shape[0])
    errors = np.empty(residuals.shape[0])
    weights = rate.astype(np.float64)
    effective = np.sum(weights) ** 2 / np.sum(weights**2)
    for n, row in enumerate(residuals):
        ratios = row / weights
        values[n] = weighted_median(ratios, weights)
        spread = 1.4826 * weighted_median(np.abs(ratios - values[n]), weights)
        errors[n] = 1.25 * spread / np.sqrt(effective)  # 1.25: what a median costs against a mean
    return values, errors
