"""The sensor's own row pattern, and what the rows of each frame show beyond it.

The banding of rows is new in every frame. Averaged over a library, some of it is left in what the
frames have in common, and would pass for the sensor's; one number is wrong for a whole row then,
and a map may be worth no more darks than the library has, however quiet its pixels are. What the
frames have in common is hence shrunk by how much it stands out of the banding.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["rows_beyond"]

Array = NDArray[np.float64]

_NEIGHBOURS = 65  # rows that tell how strong the pattern is around one of them: glow is smooth
_ALONE2 = 9.0  # a row three sigma out of the banding speaks for itself


def rows_beyond(design: Array, profiles: Array) -> Array:
    """Give what the rows of each frame show beyond the sensor's own row pattern.

    Parameters
    ----------
    design : ndarray, shape (n_frames, d)
        Gain settings and states.
    profiles : ndarray, shape (n_frames, ny)
        Robust mean of each row above the level, ADU.

    Returns
    -------
    ndarray, shape (n_frames, ny)
        The banding of that frame alone, ADU. What the frames have in common is a pattern where it
        is larger than their banding leaves in it by chance, by the rule of James & Stein (1961).

    Examples
    --------
    >>> banding = np.random.default_rng(1).normal(size=(20, 500))
    >>> pattern = 10.0 * np.sin(np.arange(500.0))
    >>> beyond = rows_beyond(np.ones((20, 1)), banding + pattern)
    >>> bool(np.abs(beyond - banding).std() < 0.25)
    True
    """
    span = _directions(design)
    common = span.T @ profiles
    rest = profiles - span @ common
    chance2 = _around(np.sum(rest**2, axis=0) / max(len(design) - span.shape[1], 1))
    turned = np.linalg.svd(common, full_matrices=False)[0]
    along = turned.T @ common
    return np.asarray(rest + span @ turned @ (_by_chance(along, chance2) * along))


def _directions(design: Array) -> Array:
    """Orthonormal directions of the frames that settings and states span, (n_frames, r)."""
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    return np.asarray(left[:, sizes > sizes[0] * max(design.shape) * np.finfo(np.float64).eps])


def _around(rows: Array) -> Array:
    """Mean of the rows around each, along the last axis."""
    width = min(_NEIGHBOURS, rows.shape[-1])
    beside = [(0, 0)] * (rows.ndim - 1) + [(width // 2, (width - 1) // 2)]
    return np.asarray(sliding_window_view(np.pad(rows, beside, "edge"), width, axis=-1).mean(-1))


def _by_chance(along: Array, chance2: Array) -> Array:
    """Share of each number that is due to chance, if the rows are uncertain by some variances."""
    strength2 = np.maximum(np.maximum(_around(along**2), along**2 / _ALONE2), 1e-300)
    return np.asarray(np.minimum(chance2 / strength2, 1.0))
