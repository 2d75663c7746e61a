"""What the best linear estimate from a library's series would reach on a series held out.

The Cramer-Rao bound of a model holds if the model does. This one asks nothing of the sensor but
second moments, and knows more than any estimator may: its weights for the means of the library's
series are fitted on the held-out series itself. What pixels do between one series and the next, and
no library can know, is in it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model import DarkModel
from solodark.formats import open_frame, read_acquisition
from solodark.frames import cfa_planes

_FAR = 8.0  # robust sigma; farther pixels decide no second moment


def best_linear_error(
    model: DarkModel,
    library: Sequence[Path],
    held_out: Sequence[Path],
    ordinary: NDArray[np.bool_],
) -> float:
    """Mean squared error, ADU^2, of the best linear estimate with the sub's own pixels joined in.

    With the covariance C of the series' means, their noise N and the held-out series 0,
    ``e = C_00 - N_00 - C_0l C_ll^-1 C_l0``; the sub adds its variance v as ``1 / (1 / e + 1 / v)``.
    """
    subs = np.array([levelled(path) for path in held_out])
    means = [subs.mean(axis=0)]
    means += [np.mean([levelled(p) for p in files], axis=0) for files in series_of(model, library)]
    near = ordinary.copy()
    for mean in means:
        near &= np.abs(mean) < _FAR * 1.4826 * np.median(np.abs(mean[ordinary]))
    sub_variance = float(subs.var(axis=0, ddof=1)[near].mean())
    covariance = np.cov(np.array([mean[near] for mean in means], dtype=np.float64))
    with_library = covariance[0, 1:]
    explained = with_library @ np.linalg.solve(covariance[1:, 1:], with_library)
    error = covariance[0, 0] - sub_variance / len(held_out) - explained
    return float(1.0 / (1.0 / error + 1.0 / sub_variance))


def series_of(model: DarkModel, library: Sequence[Path]) -> list[list[Path]]:
    """Part the library's files into the model's series."""
    number = dict(zip(model.library.names, model.library.series, strict=True))
    parts: dict[int, list[Path]] = {}
    for path in library:
        if str(path) in number:
            parts.setdefault(int(number[str(path)]), []).append(path)
    return list(parts.values())


def levelled(path: Path) -> NDArray[np.float32]:
    """Read a frame, and subtract the median of each CFA plane."""
    with open_frame(path) as frame:
        image = np.array(frame.read_rows(0, frame.shape[0]), np.float32)
    for plane in cfa_planes(read_acquisition(path).cfa_pattern):
        image[plane] -= np.median(image[plane])
    return image


def ordinary_pixels(model: DarkModel, design: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose the lower 97 % of the pixels by their level in the sub's state."""
    level = np.tensordot(design, model.pixels.maps, axes=1)
    return level <= np.quantile(level, 0.97)
