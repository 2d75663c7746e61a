"""What is smooth in the maps of a sensor: glow and shading, known better than any one pixel is.

Few frames leave a pixel's maps as uncertain as they are noisy, but the mean of the thousand pixels
around it they tell thirty times better. So what a pixel has of its own is measured from the smooth
maps at its place, and the prior is one over what is left: glow over pixels that hardly differ
would else pass for pixels that differ as much as glow does, and every one would keep its noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from solodark.dark_model.block_levels import above_rows
from solodark.dark_model.survey import Survey
from solodark.frames import cfa_plane_index, cfa_planes

__all__ = ["SmoothMaps", "fit_blocks"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Places = NDArray[np.intp]

_SURE = 4.0  # standard errors
_UNLIKE_BY_NOISE = 1.0 + 34.0 / 36.0  # variance of a block less the cubic through four others
_STEEP_SIGMAS = 0.05, 0.2  # of a pixel's noise: less costs no master much, more costs any
_LEAST_ALONE = 4.0  # blocks; where noise is that of so few, none of it can be told from a map
_UNTOLD = 1e-13  # of the information: keeps maps finite of which no frame tells


@dataclass(frozen=True, eq=False, slots=True)
class SmoothMaps:
    """The smooth part of every map.

    Attributes
    ----------
    blocks : ndarray, shape (d, n_planes, n_down, n_across)
        Mean of each map over blocks of pixels of one colour.
    steep : ndarray of bool, shape (n_down, n_across)
        Blocks whose means do not tell what lies between them: there nothing counts as smooth.
    shape : tuple of int
        Of the sensor, (ny, nx).
    cfa_pattern : str or None
        Colour filters.
    """

    blocks: Array
    steep: NDArray[np.bool_]
    shape: tuple[int, int]
    cfa_pattern: str | None

    @classmethod
    def of(
        cls, survey: Survey, rows: Array, design: Array, variance: Array, shape: tuple[int, int]
    ) -> "SmoothMaps":
        """Learn the smooth maps from the blocks of all frames.

        Parameters
        ----------
        survey : Survey
            Of the frames.
        rows : ndarray, shape (n_frames, ny)
            Banding of each frame, ADU.
        design : ndarray, shape (n_frames, d)
            Weights of all maps in each.
        variance : ndarray, shape (n_frames,)
            Noise of an ordinary pixel in each, ADU^2.
        shape : tuple of int
            Of the sensor, (ny, nx).

        Returns
        -------
        SmoothMaps
            ADU, and ADU per unit of state.
        """
        blocks, covariance = fit_blocks(survey.blocks, rows, design, variance)
        steep = _find_steep(blocks, covariance, design, variance)
        return cls(_across_steep(blocks, steep), steep, shape, survey.parts.cfa_pattern)

    def at(self, y: Places, x: Places) -> Image:
        """Give the smooth maps at some pixels.

        Parameters
        ----------
        y, x : ndarray of int, shape (n,)
            Where these are.

        Returns
        -------
        ndarray of float32, shape (d, n)
            Smooth functions of place whose means over the blocks are theirs.
        """
        index = cfa_plane_index(y, x, self.cfa_pattern)
        smooth = np.empty((len(self.blocks), y.size), np.float32)
        for p, (rows, columns) in enumerate(cfa_planes(self.cfa_pattern)):
            own = np.flatnonzero(index == p)
            down = self._weights(0, rows)[y[own] // (rows.step or 1)]
            across = self._weights(1, columns)[x[own] // (columns.step or 1)]
            told = ~self.steep[down.argmax(axis=1), across.argmax(axis=1)]
            for found, blocks in zip(smooth, self.blocks[:, p], strict=True):
                found[own] = np.sum((down @ blocks) * across, axis=1) * told
        return smooth

    def of_rows(self, rows: slice) -> Image:
        """Give the smooth maps of some rows.

        Parameters
        ----------
        rows : slice
            Of the sensor, from an even one.

        Returns
        -------
        ndarray of float32, shape (d, n)
            Row after row.
        """
        smooth = np.empty((len(self.blocks), rows.stop - rows.start, self.shape[1]), np.float32)
        for p, part in enumerate(cfa_planes(self.cfa_pattern)):
            step = part[0].step or 1
            first, n = rows.start // step, len(range(*part[0].indices(smooth.shape[1])))
            down = self._weights(0, part[0])[first : first + n]
            across = self._weights(1, part[1]).T
            told = ~self.steep[down.argmax(axis=1)][:, across.argmax(axis=0)]
            for found, blocks in zip(smooth, self.blocks[:, p], strict=True):
                found[part] = (down @ blocks) @ across * told
        return smooth.reshape(len(smooth), -1)

    def _weights(self, axis: int, plane: slice) -> Array:
        """Weight of each block at each place of a plane, along one axis."""
        length = len(range(*plane.indices(self.shape[axis])))
        return _block_weights(length, self.blocks.shape[2 + axis])


def _block_weights(length: int, n: int) -> Array:
    """Weights, (length, n), of the means of n blocks in the smoothest function that has them.

    The integral of a function is known at the edges of its blocks; the differences of a cubic
    spline through these are the function, and no steep slope is cut off by averaging.
    """
    from scipy.interpolate import CubicSpline  # takes long to import, and only learning needs it

    edges = np.arange(n + 1) * length // n
    integrals = np.vstack([np.zeros(n), np.diag(np.diff(edges)).cumsum(axis=0)])
    integral = CubicSpline(edges, integrals)(np.arange(length + 1))
    return np.asarray(np.diff(integral, axis=0))


def fit_blocks(levels: Image, rows: Array, design: Array, variance: Array) -> tuple[Array, Array]:
    """Fit the smooth maps to the levels of blocks in all frames.

    Maps are believed as far as they vary over the sensor by more than noise makes them, that of the
    banding included: it is taken off where it is no pattern of rows, but not where it feigns one.

    Parameters
    ----------
    levels : ndarray of float32, shape (n_frames, n_planes, n_down, n_across)
        Of the blocks, ADU above the levels of the frame.
    rows : ndarray, shape (n_frames, ny)
        Banding of each frame, ADU.
    design : ndarray, shape (n_frames, d)
        Weights of all maps in each frame.
    variance : ndarray, shape (n_frames,)
        Noise of the frames, but for a factor that is found.

    Returns
    -------
    maps : ndarray, shape (d, n_planes, n_down, n_across)
        ADU, and ADU per unit of state.
    covariance : ndarray, shape (d, d)
        Of their errors in one block.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> glow = 9.0 * np.exp(-np.arange(40.0) / 10.0).reshape(1, 5, 8)
    >>> state = np.arange(12.0) / 12.0
    >>> levels = state[:, None, None, None] * glow + rng.normal(0.0, 0.1, (12, 1, 5, 8))
    >>> design = np.column_stack([np.ones(12), state])
    >>> rows = np.zeros((12, 160))
    >>> maps, _ = fit_blocks(levels.astype(np.float32), rows, design, np.ones(12))
    >>> bool(np.abs(maps[1] - glow).max() < 0.3), bool(np.abs(maps[0]).max() < 0.15)
    (True, True)
    """
    weighted = design / variance[:, None]
    information = design.T @ weighted
    information += _UNTOLD * np.trace(information) * np.eye(len(information))
    solve = np.linalg.solve(information, weighted.T)
    banded, blocks = (
        part.reshape(len(part), -1).astype(np.float64)
        for part in (levels, above_rows(levels, rows))
    )
    left, maps = banded - design @ (solve @ banded), np.asarray(solve @ blocks)
    freedom = max(len(design) - np.linalg.matrix_rank(design), 1)
    noise2, n_alone = _noise_of(left / np.sqrt(variance)[:, None], freedom)
    believed, covariance = _believe(information / noise2, maps, n_alone)
    return (believed @ maps).reshape(-1, *levels.shape[1:]), covariance


def _noise_of(residuals: Array, freedom: int) -> tuple[float, float]:
    """Variance of what the maps leave of the blocks, and how many blocks are noisy on their own.

    A slope that is new in every frame moves all blocks together, and makes up maps as large as
    those of one single block would be. The residuals' covariance tells (the participation ratio of
    its eigenvalues), as far as frames are many enough to show that blocks differ.
    """
    products = residuals @ residuals.T
    total, n_blocks = float(np.trace(products)), residuals.shape[1]
    if total <= 0.0:
        return 1e-12, float(n_blocks)
    alike = float(np.sum(products**2)) / total**2 - 1.0 / freedom
    return total / (freedom * n_blocks), 1.0 / min(max(alike, 1.0 / n_blocks), 1.0)


def _believe(information: Array, maps: Array, n_alone: float) -> tuple[Array, Array]:
    """How much of the maps is more than their noise, (d, d), and the covariance that is left.

    In units of their noise the maps are turned to where they vary by most, second most, and so on;
    of each direction's variance 1 is noise. The rule is that of James & Stein (1961), but for
    directions in which the blocks show no more than noise may by chance: those are not believed,
    nor is any where a few clouds or slopes are all of the noise.
    """
    factor = np.linalg.cholesky(information)
    whitened = factor.T @ maps
    spreads, turn = np.linalg.eigh(whitened @ whitened.T / maps.shape[1])
    chance = 1.0 + _SURE * np.sqrt(2.0 / n_alone) if n_alone > _LEAST_ALONE else np.inf
    kept = np.where(spreads > chance, 1.0 - 1.0 / np.maximum(spreads, 1.0), 0.0)
    back = np.linalg.solve(factor.T, turn)
    return np.asarray(back * kept @ turn.T @ factor.T), np.asarray(back * kept @ back.T)


def _find_steep(
    blocks: Array, covariance: Array, design: Array, variance: Array
) -> NDArray[np.bool_]:
    """Tell where blocks in the library's extreme states are not what those around them foretell."""
    extreme = np.unique([design.argmin(axis=0), design.argmax(axis=0)])
    weights = design[extreme]
    noise2 = np.einsum("fr,rq,fq->f", weights, covariance, weights) * _UNLIKE_BY_NOISE
    noise2 /= blocks.shape[1]
    least, most = (sigmas * np.sqrt(variance[extreme]) for sigmas in _STEEP_SIGMAS)
    limit = np.clip(_SURE * np.sqrt(noise2), least, most)
    steep = np.zeros(blocks.shape[2:], bool)
    for axis in (2, 3):
        unlike = np.tensordot(weights, _unlike_neighbours(blocks, axis).mean(axis=1), 1)
        steep |= np.any(np.abs(unlike) > limit[:, None, None], axis=0)
    return _with_neighbours(steep)


def _unlike_neighbours(blocks: Array, axis: int) -> Array:
    """How far each block is from the cubic through two on either side, along one axis."""
    along = np.moveaxis(blocks, axis, -1)
    if along.shape[-1] < 5:
        return np.zeros_like(blocks)
    near, far = along[..., 1:-3] + along[..., 3:-1], along[..., :-4] + along[..., 4:]
    unlike = along[..., 2:-2] - (4.0 * near - far) / 6.0
    return np.moveaxis(np.pad(unlike, [(0, 0)] * (blocks.ndim - 1) + [(2, 2)], "edge"), -1, axis)


def _with_neighbours(steep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    around = np.pad(steep, 1)
    return np.asarray(sliding_window_view(around, (3, 3)).any(axis=(2, 3)))


def _across_steep(blocks: Array, steep: NDArray[np.bool_]) -> Array:
    """Give steep blocks the value of the nearest others: a cliff would make waves far around."""
    if steep.all():
        return np.zeros_like(blocks)
    from scipy.ndimage import distance_transform_edt  # takes long to import

    down, across = distance_transform_edt(steep, return_distances=False, return_indices=True)
    return np.asarray(blocks[:, :, down, across])
