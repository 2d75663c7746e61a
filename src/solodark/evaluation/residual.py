"""What is left after the subtraction: pattern, holes, warm leftovers, rows, columns, stars.

Every figure is taken against two halves of the truth, A and B, so that the truth's noise cancels
in their product, or must agree in both.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation.levels import clipped_mean_and_sigma, difference_statistics, signed_root
from solodark.evaluation.star_effect import StarEffect, star_effects
from solodark.frames import cfa_planes

__all__ = ["ResidualQuality", "mean_quality", "measure_residual"]

OFF_SIGMA = 5.0

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
    groups = truth[0::2], truth[1::2]
    a, b = (_error(estimate, group, cfa_pattern) for group in groups)
    ny, nx = a.shape
    noise = np.tile(noise_adu.astype(np.float32), (ny // 2 + 1, nx // 2 + 1))[:ny, :nx]
    holes = (np.minimum(a, b) > OFF_SIGMA * noise).mean()
    warm = (np.maximum(a, b) < -OFF_SIGMA * noise).mean()
    half_variance = sum(1.0 / len(group) for group in groups)
    overall = float(np.sqrt(np.mean(noise_adu**2)))
    stars = star_effects((a, b), overall, half_variance, places)
    clipped = [np.clip(error, -10.0 * noise, 10.0 * noise) for error in (a, b)]
    return ResidualQuality(
        pattern_adu=signed_root(_robust_square(a, b, cfa_pattern)),
        holes_fraction=float(holes),
        warm_fraction=float(warm),
        row_adu=signed_root(_structure(clipped, axis=1)),
        column_adu=signed_root(_structure(clipped, axis=0)),
        stars=stars,
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


def _error(estimate: Image, group: Sequence[Image], cfa_pattern: str | None) -> Image:
    """Estimate minus the mean of some subs, the level of each plane removed."""
    mean = np.zeros(estimate.shape, dtype=np.float32)
    for sub in group:
        mean += sub / np.float32(len(group))
    error = estimate - mean
    levels, _ = difference_statistics(estimate, mean, cfa_pattern)
    for y in (0, 1):
        for x in (0, 1):
            error[y::2, x::2] -= np.float32(levels[y, x])
    return error


def _robust_square(a: Image, b: Image, cfa_pattern: str | None) -> float:
    squares = [
        clipped_mean_and_sigma(a[plane] + b[plane])[1] ** 2
        - clipped_mean_and_sigma(a[plane] - b[plane])[1] ** 2
        for plane in cfa_planes(cfa_pattern)
    ]
    return float(np.mean(squares)) / 4.0


def _structure(errors: Sequence[Image], *, axis: int) -> float:
    """Variance of the means along an axis, less what unstructured errors of this size make."""
    a, b = (error.mean(axis=axis, dtype=np.float64) for error in errors)
    unstructured = float(np.mean(errors[0] * errors[1], dtype=np.float64)) / int(
        errors[0].shape[axis]
    )
    return float(np.cov(a, b)[0, 1]) - unstructured


def _mean_root(roots: Sequence[float]) -> float:
    """Root of the mean square, where a negative root stands for a negative square."""
    return signed_root(float(np.mean([root * abs(root) for root in roots])))
