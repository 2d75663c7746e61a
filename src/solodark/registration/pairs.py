"""A first transform from a dozen stars: every pair is laid onto every other."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_pairs"]

Vector = NDArray[np.float64]
Complex = NDArray[np.complex128]

_TRIED = 12  # brightest stars of each light: 9000 pairs of pairs
_SCALES = (0.8, 1.25)
_REACH_PX = 2.0
_LEAST_MATCHED = 3


def from_pairs(source_yx: Vector, target_yx: Vector, *, mirrored: bool) -> Vector | None:
    """Find the similarity that brings most of the brightest stars onto each other.

    Each pair of stars of one light laid onto each pair of the other gives a transform; the one
    that brings most stars within 2 px of another wins.

    Parameters
    ----------
    source_yx, target_yx : ndarray of float64, shape (n, 2) and (m, 2)
        Places of stars, the brightest first.
    mirrored : bool
        Whether to look for a mirror image.

    Returns
    -------
    ndarray of float64, shape (2, 3), or None
        As `Transform.matrix`; None where fewer than three stars fall together.

    Examples
    --------
    >>> sky = np.array([[10.0, 20.0], [200.0, 40.0], [70.0, 300.0], [150.0, 160.0]])
    >>> from_pairs(sky[:3] + 5.0, sky, mirrored=False).round(3) + 0.0
    array([[ 1.,  0., -5.],
           [ 0.,  1., -5.]])
    """
    z = _as_complex(source_yx[:_TRIED], mirrored=mirrored)
    w = _as_complex(target_yx[:_TRIED], mirrored=False)
    turn, shift = _candidates(z, w)
    if turn.size == 0:
        return None
    moved = turn[:, None] * z + shift[:, None]
    nearest = np.abs(moved[:, :, None] - w).min(axis=2)
    n_matched = (nearest < _REACH_PX).sum(axis=1)
    if n_matched.max() < _LEAST_MATCHED:
        return None
    loss = np.minimum(nearest, _REACH_PX).sum(axis=1)
    best = int(np.lexsort((loss, -n_matched))[0])
    p, q, side = turn[best], shift[best], -1.0 if mirrored else 1.0
    return np.array([[p.real, -side * p.imag, q.real], [p.imag, side * p.real, q.imag]])


def _as_complex(yx: Vector, *, mirrored: bool) -> Complex:
    z: Complex = yx[:, 0] + 1j * yx[:, 1]
    return z.conj() if mirrored else z


def _candidates(z: Complex, w: Complex) -> tuple[Complex, Complex]:
    """Give w = turn z + shift for each pair of pairs at about the same distance."""
    first, second = np.triu_indices(z.size, 1)
    third, fourth = np.nonzero(~np.eye(w.size, dtype=bool))
    span = z[second] - z[first]
    turn = (w[fourth] - w[third])[None, :] / np.where(span == 0, np.nan, span)[:, None]
    shift = w[third][None, :] - turn * z[first][:, None]
    scale = np.abs(turn)
    alike = (scale > _SCALES[0]) & (scale < _SCALES[1])
    return turn[alike], shift[alike]
