"""Where a light's pixels lie in the reference: shifts, turns, scale, shear, and mirrors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Transform", "TransformKind", "fit_affine", "fit_similarity"]

Vector = NDArray[np.float64]
TransformKind = Literal["identity", "similarity", "affine"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Transform:
    """From a light's pixels to the reference's.

    Attributes
    ----------
    matrix : ndarray of float64, shape (2, 3)
        ``(y, x) of the reference = matrix @ (y, x, 1) of the light``, px.
    rms_px : float
        Root mean square distance between matched stars after the transform, each star weighted by
        the accuracy of its centre.
    n_stars : int
        Matched stars it was fitted to.
    kind : {"identity", "similarity", "affine"}
        What was fitted.
    transparency : float
        Light of the matched stars over that of the same stars in the reference.

    Examples
    --------
    >>> y, x = Transform.identity().apply(np.array([1.0]), np.array([2.0]))
    >>> y.item(), x.item()
    (1.0, 2.0)
    """

    matrix: NDArray[np.float64]
    rms_px: float = 0.0
    n_stars: int = 0
    kind: TransformKind = "similarity"
    transparency: float = 1.0

    @classmethod
    def identity(cls, *, n_stars: int = 0) -> "Transform":
        """Give the transform of the reference itself, or of undithered lights.

        Parameters
        ----------
        n_stars : int
            Stars of the reference.

        Returns
        -------
        Transform
            Every pixel stays where it is.
        """
        return cls(matrix=np.eye(2, 3), n_stars=n_stars, kind="identity")

    @property
    def mirrored(self) -> bool:
        """Whether the light is a mirror image of the reference."""
        return bool(np.linalg.det(self.matrix[:, :2]) < 0)

    def apply(self, y: Vector, x: Vector) -> tuple[Vector, Vector]:
        """Find where places of the light lie in the reference.

        Parameters
        ----------
        y, x : ndarray of float64
            Pixel coordinates in the light.

        Returns
        -------
        y, x : ndarray of float64
            Pixel coordinates in the reference.
        """
        (a, b, c), (d, e, f) = self.matrix
        return a * y + b * x + c, d * y + e * x + f

    def inverse(self) -> "Transform":
        """Give the transform from the reference's pixels to the light's.

        Returns
        -------
        Transform
            Of the same stars.

        Examples
        --------
        >>> turn = Transform(matrix=np.array([[-1.0, 0.0, 9.0], [0.0, -1.0, 5.0]]))
        >>> y, x = turn.inverse().apply(*turn.apply(np.array([1.0]), np.array([2.0])))
        >>> y.item(), x.item()
        (1.0, 2.0)
        """
        linear = np.linalg.inv(self.matrix[:, :2])
        matrix = np.column_stack([linear, -linear @ self.matrix[:, 2]])
        return Transform(
            matrix=matrix,
            rms_px=self.rms_px / float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2])))),
            n_stars=self.n_stars,
            kind=self.kind,
            transparency=1.0 / self.transparency,
        )


def fit_similarity(
    source_yx: Vector, target_yx: Vector, weights: Vector, *, mirrored: bool
) -> NDArray[np.float64]:
    """Fit shift, turn and scale by weighted least squares.

    Parameters
    ----------
    source_yx, target_yx : ndarray of float64, shape (n, 2)
        Matched places, n at least 2.
    weights : ndarray of float64, shape (n,)
        Of the pairs.
    mirrored : bool
        Whether to fit a mirror image.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        As `Transform.matrix`.

    References
    ----------
    In the complex plane a similarity is z -> p z + q; a mirror image takes z's conjugate first.

    Examples
    --------
    >>> places = np.array([[0.0, 0.0], [0.0, 4.0], [3.0, 0.0]])
    >>> fit_similarity(places, 2 * places + 1, np.ones(3), mirrored=False).round(6) + 0.0
    array([[2., 0., 1.],
           [0., 2., 1.]])
    """
    z = source_yx[:, 0] + 1j * source_yx[:, 1]
    z = z.conj() if mirrored else z
    w = target_yx[:, 0] + 1j * target_yx[:, 1]
    share = weights / weights.sum()
    z_mean, w_mean = np.sum(share * z), np.sum(share * w)
    turn = np.sum(share * (w - w_mean) * (z - z_mean).conj()) / np.sum(share * abs(z - z_mean) ** 2)
    shift = w_mean - turn * z_mean
    side = -1.0 if mirrored else 1.0
    return np.array(
        [
            [turn.real, -side * turn.imag, shift.real],
            [turn.imag, side * turn.real, shift.imag],
        ]
    )


def fit_affine(source_yx: Vector, target_yx: Vector, weights: Vector) -> NDArray[np.float64]:
    """Fit shift, turn, two scales and shear by weighted least squares.

    Parameters
    ----------
    source_yx, target_yx : ndarray of float64, shape (n, 2)
        Matched places, at least 3 that are not on one line.
    weights : ndarray of float64, shape (n,)
        Of the pairs.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        As `Transform.matrix`.

    Examples
    --------
    >>> places = np.array([[0.0, 0.0], [0.0, 4.0], [3.0, 0.0], [5.0, 5.0]])
    >>> fit_affine(places, places[:, ::-1], np.ones(4)).round(6) + 0.0
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    centre = source_yx.mean(axis=0)
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([source_yx - centre, np.ones(len(source_yx))])
    solution = np.linalg.lstsq(root * design, root * target_yx, rcond=None)[0]
    linear = solution[:2].T
    return np.column_stack([linear, solution[2] - linear @ centre])
