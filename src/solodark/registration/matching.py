"""The same stars in two lights, and the transform between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from solodark.errors import RegistrationError, SettingError
from solodark.registration.pairs import from_pairs
from solodark.registration.stars import Stars
from solodark.registration.transform import (
    Transform,
    TransformKind,
    fit_affine,
    fit_similarity,
)

__all__ = ["LEAST_STARS", "find_transform"]

Vector = NDArray[np.float64]

LEAST_STARS = 3
"""Three stars make the triangle that is looked for."""
_STARS_FOR_AFFINE = 30  # six numbers from fewer follow the noise of single stars
_CONTROL_STARS = 50
_TRIANGLE_STARS = 30  # more of them take astroalign seconds to find that nothing matches
_REACH_PX = 4.0  # of the first matching; triangles of bright stars are right to about a pixel
_CLIP_SIGMAS = 3.5
_ROUNDS = 8
_LEAST_SHARE = 0.5
"""Of the bright stars that both lights should show, so many at least must be matched."""
_LEAST_CREDIBLE = 5  # three of ten stars fall together by chance
_CENTRE_FLOOR_PX = 0.02  # what sampling and seeing add to the error of any centre


def find_transform(
    stars: Stars, reference_stars: Stars, *, kind: TransformKind = "affine"
) -> Transform:
    """Find the transform that takes a light's stars onto those of the reference.

    A first transform is that which brings most of the dozen brightest stars onto each other; where
    there is none, the one that most similar triangles of thirty stars agree on. Shift, turn and
    mirror are free, and so is the scale of triangles. Then all stars are matched, and the transform
    is fitted by least squares, weighted by the accuracy of the centres, odd ones left out, until
    the matched pairs no longer change.

    Parameters
    ----------
    stars, reference_stars : Stars
        Of the light and of the reference.
    kind : {"similarity", "affine"}
        What to fit; "affine" falls back to "similarity" below 30 stars.

    Returns
    -------
    Transform
        From the light to the reference.

    Raises
    ------
    RegistrationError
        Too few stars, or no transform brings them onto each other.
    SettingError
        The kind is unknown.

    References
    ----------
    M. Beroiz, J. B. Cabral, B. Sanchez, "Astroalign", Astronomy & Computing 32, 100384 (2020).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> y, x, one = 99 * rng.random(20), 99 * rng.random(20), np.ones(20)
    >>> sky = {"flux_adu": 1e4 * one, "fwhm_px": 3 * one, "error_px": 0.05 * one}
    >>> light, reference = Stars(y=99 - y, x=99 - x, **sky), Stars(y=y, x=x, **sky)
    >>> find_transform(light, reference).matrix.round(6) + 0.0
    array([[-1.,  0., 99.],
           [ 0., -1., 99.]])
    """
    if kind not in ("similarity", "affine"):
        raise SettingError(f"found a transform of kind {kind!r}, expected similarity or affine")
    for found, whose in ((stars, "the light"), (reference_stars, "the reference")):
        if len(found) < LEAST_STARS:
            raise RegistrationError(
                f"{whose} shows {len(found)} star{'s'[: len(found) != 1]}, expected "
                f"{LEAST_STARS} or more: clouds, or out of focus"
            )
    for first_transform in (from_pairs, _from_triangles):
        for mirrored in (False, True):
            matrix = first_transform(_yx(stars), _yx(reference_stars), mirrored=mirrored)
            if matrix is None:
                continue
            fitted = _refine(_Pairing(stars, reference_stars, kind, mirrored), matrix)
            if fitted is not None:
                return fitted
    raise RegistrationError(
        f"none of its {len(stars)} stars' patterns are found among the {len(reference_stars)} of "
        "the reference; it may show another field, or its stars may be trails"
    )


def _yx(stars: Stars) -> Vector:
    return np.column_stack([stars.y, stars.x])


def _from_triangles(source_yx: Vector, target_yx: Vector, *, mirrored: bool) -> Vector | None:
    """Match triangles of bright stars; astroalign itself knows no mirrors, so one list is turned.

    Its order of trial is random, but what follows from any right match is refined to the same end.
    """
    import astroalign

    side = np.array([1.0, -1.0 if mirrored else 1.0])
    source, target = (side * source_yx)[:_TRIANGLE_STARS, ::-1], target_yx[:_TRIANGLE_STARS, ::-1]
    try:
        _, (from_xy, to_xy) = astroalign.find_transform(source, target, _TRIANGLE_STARS)
    except (astroalign.MaxIterError, ValueError, IndexError):  # none found, each in its own words
        return None
    if len(from_xy) < LEAST_STARS:
        return None
    from_yx = side * from_xy[:, ::-1]
    return fit_similarity(from_yx, to_xy[:, ::-1], np.ones(len(from_yx)), mirrored=mirrored)


@dataclass(frozen=True, eq=False, slots=True)
class _Pairing:
    """Two lists of stars, and how a transform between them is fitted."""

    stars: Stars
    reference: Stars
    kind: TransformKind
    mirrored: bool

    def pairs(self, matrix: Vector, reach_px: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Match stars that are each other's nearest, within reach."""
        y, x = Transform(matrix=matrix).apply(self.stars.y, self.stars.x)
        moved, fixed = np.column_stack([y, x]), _yx(self.reference)
        distance, nearest = KDTree(fixed).query(moved, distance_upper_bound=reach_px)
        _, back = KDTree(moved).query(fixed)
        near = np.flatnonzero(np.isfinite(distance))
        mutual = near[back[nearest[near]] == near]
        return mutual, nearest[mutual]

    def fit(self, mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> tuple[Vector, TransformKind]:
        source, target = _yx(self.stars)[mine], _yx(self.reference)[theirs]
        weights = self.weights(mine, theirs)
        if self.kind == "affine" and len(mine) >= _STARS_FOR_AFFINE:
            return fit_affine(source, target, weights), "affine"
        return fit_similarity(source, target, weights, mirrored=self.mirrored), "similarity"

    def weights(self, mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> Vector:
        error2 = self.stars.error_px[mine] ** 2 + self.reference.error_px[theirs] ** 2
        weights: Vector = 1.0 / (error2 + _CENTRE_FLOOR_PX**2)
        return weights

    def distances(self, matrix: Vector, mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> Vector:
        y, x = Transform(matrix=matrix).apply(self.stars.y[mine], self.stars.x[mine])
        distances: Vector = np.hypot(y - self.reference.y[theirs], x - self.reference.x[theirs])
        return distances

    def n_credible(self) -> int:
        """Give how many stars must match, or it may be chance: of few stars all but one."""
        n_poorer = min(len(self.stars), len(self.reference))
        return max(LEAST_STARS, min(n_poorer - 1, _LEAST_CREDIBLE))

    def n_expected(self, matrix: Vector) -> int:
        """Count the bright stars of the poorer list that should lie in both lights."""
        y, x = Transform(matrix=matrix).apply(self.stars.y, self.stars.x)
        other = Transform(matrix=matrix).inverse()
        back_y, back_x = other.apply(self.reference.y, self.reference.x)
        mine = _inside(y, x, self.reference)[:_CONTROL_STARS].sum()
        theirs = _inside(back_y, back_x, self.stars)[:_CONTROL_STARS].sum()
        return int(min(mine, theirs))


def _inside(y: Vector, x: Vector, stars: Stars) -> NDArray[np.bool_]:
    """Whether places lie within the rectangle that holds all stars."""
    inside: NDArray[np.bool_] = (
        (y >= stars.y.min()) & (y <= stars.y.max()) & (x >= stars.x.min()) & (x <= stars.x.max())
    )
    return inside


def _refine(pairing: _Pairing, matrix: Vector) -> Transform | None:
    """Fit to all matched stars, again and again; nothing where too few of them match."""
    reach_px, kept = _REACH_PX, None
    kind: TransformKind = "similarity"
    for _ in range(_ROUNDS):
        mine, theirs = pairing.pairs(matrix, reach_px)
        if len(mine) < LEAST_STARS:
            return None
        distances = pairing.distances(matrix, mine, theirs)
        near = _not_odd(distances)
        mine, theirs = mine[near], theirs[near]
        matrix, kind = pairing.fit(mine, theirs)
        if kept is not None and np.array_equal(kept, mine):
            break
        kept, reach_px = mine, max(1.0, 0.5 * reach_px)
    if len(mine) < max(pairing.n_credible(), _LEAST_SHARE * pairing.n_expected(matrix)):
        return None
    distances, weights = pairing.distances(matrix, mine, theirs), pairing.weights(mine, theirs)
    return Transform(
        matrix=matrix,
        rms_px=float(np.sqrt(np.average(distances**2, weights=weights))),
        n_stars=len(mine),
        kind=kind,
        transparency=_transparency(pairing, mine, theirs),
    )


def _not_odd(distances: Vector) -> NDArray[np.bool_]:
    """Leave out stars far beyond the others' distance; never so many that no triangle is left."""
    limit = _CLIP_SIGMAS * max(1.4826 * float(np.median(distances)), _CENTRE_FLOOR_PX)
    limit = max(limit, float(np.sort(distances)[LEAST_STARS - 1]))
    return distances <= limit


def _transparency(pairing: _Pairing, mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> float:
    """Ratio of the matched stars' light, the median of the brighter half."""
    ratio = pairing.stars.flux_adu[mine] / pairing.reference.flux_adu[theirs]
    usable = ratio[np.isfinite(ratio) & (ratio > 0)]
    return float(np.median(usable[: max(LEAST_STARS, len(usable) // 2)])) if usable.size else 1.0
