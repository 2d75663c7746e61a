"""What is left after the subtraction: pattern, holes, warm leftovers, rows, columns, stars.

Every figure is taken against two halves of the truth, A and B, so that the truth's noise cancels
in their product, or must agree in both.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.kernels import judge_by_halves
from solodark.evaluation.levels import (
    clipped_mean_and_sigma,
    levels_above,
    signed_root,
    thin_out,
)
from solodark.evaluation.star_effect import StarEffect, star_effects
from solodark.evaluation.truth import BAND_ROWS, CLIP_SIGMA
from solodark.frames import cfa_planes, row_bands

__all__ = ["ResidualQuality", "mean_quality", "measure_residual"]

OFF_SIGMA = 5.0
PATTERN_PX = 1 << 19
"""Pixels of a plane from which the pattern is read: 0.2 % of one sub's variance."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ResidualQuality:
    """What an estimate leaves after it is subtracted from a perfect dark.

    Attributes
    ----------
    pattern_adu : float
        Robust rms of estimate minus truth beyond the truth's noise, ``(S(a + b)^2 - S(a - b)^2) /
        4`` with S a clipped standard deviation [Gnanadesikan & Kettenring 1972, Biometrics 28,
        81]; negative where the noise of its square leaves it below zero.
    holes_fraction, warm_fraction : float
        Pixels where the estimate is too high, or too low, by more than 5 sigma of one sub against
        both halves of the truth.
    row_adu, column_adu : float
        Rms of row and of column means beyond what unstructured errors make; signed as above.
    stars : tuple of StarEffect
        What it does to magnitudes.
    """

    pattern_adu: float
    holes_fraction: float
    warm_fraction: float
    row_adu: float
    column_adu: float
    stars: tuple[StarEffect, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Give plain values.

        Returns
        -------
        dict
            Ready for `json.dumps`.
        """
        return asdict(self)


def measure_residual(
    estimate: Image,
    truth: Sequence[Image],
    *,
    noise_adu: NDArray[np.float64],
    cfa_pattern: str | None,
    places: NDArray[np.int64],
) -> ResidualQuality:
    """Measure what an estimate leaves, against subs that it has not seen.

    A pixel counts as off only where both halves say so: an error of exactly 5 sigma is found in a
    quarter of the cases, noise alone almost never. Hot pixels are noisier than the 5 sigma of an
    ordinary one, and the truth's few subs may catch a telegraph pixel in another state.

    Parameters
    ----------
    estimate : ndarray of float32, shape (ny, nx)
        ADU.
    truth : sequence of ndarray of float32, shape (ny, nx)
        At least two subs, ADU; every other one is a half.
    noise_adu : ndarray of float64, shape (2, 2)
        Robust noise of one sub per CFA plane.
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.
    places : ndarray of int, shape (n, 2)
        Where stars are injected.

    Returns
    -------
    ResidualQuality
        Of this one estimate.
    """
    ny, nx = estimate.shape
    errors = np.empty((2, ny, nx), dtype=np.float32)
    rows, columns, totals = np.zeros((ny, 2)), np.zeros((nx, 2)), np.zeros(3)
    levels = levels_above(estimate, truth, cfa_pattern)
    bounds = (OFF_SIGMA * noise_adu, CLIP_SIGMA * noise_adu)
    for start, stop in row_bands(estimate.shape, rows=BAND_ROWS):
        band = np.stack([sub[start:stop] for sub in truth])
        sums = (rows[start:stop], columns, totals)
        part = estimate[start:stop].copy()  # writable: one compiled signature for all callers
        judge_by_halves(part, band, levels, bounds, errors[:, start:stop], sums)
    overall = float(np.sqrt(np.mean(noise_adu**2)))
    half_variance = 1.0 / ((len(truth) + 1) // 2) + 1.0 / (len(truth) // 2)
    return ResidualQuality(
        pattern_adu=signed_root(_robust_square(errors, cfa_pattern)),
        holes_fraction=float(totals[0]) / estimate.size,
        warm_fraction=float(totals[1]) / estimate.size,
        row_adu=_structure(rows / nx, totals[2] / (estimate.size * nx)),
        column_adu=_structure(columns / ny, totals[2] / (estimate.size * ny)),
        stars=star_effects(errors, overall, half_variance, places),
    )


def mean_quality(found: Sequence[ResidualQuality]) -> ResidualQuality:
    """Average the folds of a series: squares of signed roots, plain means of the rest.

    Parameters
    ----------
    found : sequence of ResidualQuality
        At least one.

    Returns
    -------
    ResidualQuality
        Their mean.
    """
    stars = tuple(
        StarEffect(
            group[0].peak_sigma,
            float(np.mean([star.bias_mmag for star in group])),
            _mean_root([star.scatter_mmag for star in group]),
            _mean_root([star.rms_mmag for star in group]),
            _mean_root([star.noise_mmag for star in group]),
        )
        for group in zip(*(one.stars for one in found), strict=True)
    )
    return replace(
        found[0],
        pattern_adu=_mean_root([one.pattern_adu for one in found]),
        holes_fraction=float(np.mean([one.holes_fraction for one in found])),
        warm_fraction=float(np.mean([one.warm_fraction for one in found])),
        row_adu=_mean_root([one.row_adu for one in found]),
        column_adu=_mean_root([one.column_adu for one in found]),
        stars=stars,
    )


def _robust_square(errors: Image, cfa_pattern: str | None) -> float:
    squares = []
    for plane in cfa_planes(cfa_pattern):
        a, b = (thin_out(error[plane], PATTERN_PX) for error in errors)
        sigma_sum, sigma_difference = (clipped_mean_and_sigma(x)[1] for x in (a + b, a - b))
        squares.append((sigma_sum**2 - sigma_difference**2) / 4.0)
    return float(np.mean(squares))


def _structure(means: NDArray[np.float64], unstructured: float) -> float:
    """Rms of row or column means, less what errors without structure leave in them."""
    return signed_root(float(np.cov(means.T)[0, 1]) - unstructured)


def _mean_root(roots: Sequence[float]) -> float:
    """Root of the mean square, where a negative root stands for a negative square."""
    return signed_root(float(np.mean([root * abs(root) for root in roots])))
