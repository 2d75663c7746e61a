"""What the fit of a band found, put into the model's planes and summed up by class, compiled."""

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.model import PixelMaps, encoded_weight
from solodark.dark_model.pixel_numbers import PixelsFound
from solodark.dark_model.small_matrices import from_lower
from solodark.dark_model.strips import put

__all__ = ["ClassSums", "keep_band"]

Array = NDArray[np.float64]

_CHUNKS = 64
_BLOCK = 256  # pixels whose numbers stay in the second-level cache


class ClassSums:
    """Sums over the pixels of each component of the prior.

    Parameters
    ----------
    n_components, n_maps : int
        Sizes k and d.

    Attributes
    ----------
    mass : ndarray, shape (k,)
        Of their odds.
    matrices : ndarray, shape (k, d, d)
        Of their normal matrices, each scaled to an information of 1; the lower half is filled.
    """

    def __init__(self, n_components: int, n_maps: int) -> None:
        self.mass = np.zeros(n_components)
        self.matrices = np.zeros((n_components, n_maps, n_maps))

    @property
    def information(self) -> Array:
        """Mean normal matrix of the pixels of each component, shape (k, d, d)."""
        return from_lower(self.matrices / np.maximum(self.mass, 1e-9)[:, None, None])


def keep_band(
    found: PixelsFound, first: int, n_settings: int, pixels: PixelMaps, sums: ClassSums
) -> None:
    """Put what was found of a band into its place among all pixels, and sum it up by class.

    Parameters
    ----------
    found : PixelsFound
        Of the band.
    first : int
        Number of its first pixel.
    n_settings : int
        Number of bias maps.
    pixels : PixelMaps
        Of the sensor; the band's are overwritten.
    sums : ClassSums
        The band is added to them.
    """
    side_by_side = PixelsFound(*(np.ascontiguousarray(np.moveaxis(p, 0, -1)) for p in found))
    planes = (pixels.maps, pixels.excess[None], pixels.information[None], pixels.scatter)
    flat: list[Any] = [plane.reshape(len(plane), -1) for plane in planes]
    flat.append(pixels.component.reshape(-1))
    mass, matrices = _keep(side_by_side, n_settings, first, *flat)
    sums.mass += mass.sum(axis=0)
    sums.matrices += matrices.sum(axis=0)


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _keep(
    found: PixelsFound,
    n_settings: int,
    first: int,
    maps: Any,
    excess: Any,
    information: Any,
    scatter: Any,
    component: Any,
) -> Any:
    """Write a band into planes from its `first` pixel on; gives mass and matrices in parts."""
    k_all, n = found.odds.shape
    d, t_all = len(found.maps), len(found.scatter)
    mass, matrices = np.zeros((_CHUNKS, k_all)), np.zeros((_CHUNKS, k_all, d, d))
    for chunk in prange(_CHUNKS):
        weight, share = np.zeros(_BLOCK), np.zeros(_BLOCK)
        for begin in range(chunk * _BLOCK, n, _CHUNKS * _BLOCK):
            last = min(begin + _BLOCK, n)
            size, place = last - begin, slice(first + begin, first + last)
            for r in range(d):
                put(found.maps[r, begin:last], maps[r, place])
            for t in range(t_all):
                _encode(found.scatter[t, begin:last], scatter[t, place])
            put(found.excess[begin:last], excess[0, place])
            weight[:] = 0.0
            for s in range(n_settings):
                weight[:size] += found.information[s, s, begin:last]
            put(weight[:size], information[0, place])
            odds = found.odds[:, begin:last]
            _likeliest(odds, share[:size], component[place])
            for k in range(k_all):
                mass[chunk, k] += odds[k].sum()
                share[:size] = odds[k] / weight[:size]
                _add_up(share[:size], found.information[:, :, begin:last], matrices[chunk, k])
    return mass, matrices


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _encode(weights: Any, codes: Any) -> None:
    for x in range(weights.size):
        codes[x] = encoded_weight(weights[x])


@njit(cache=True)
def _likeliest(odds: Any, best: Any, component: Any) -> None:
    """Component with the greatest odds, (k, n), of each pixel; `best` is room for these."""
    best[:] = -1.0
    for k in range(len(odds)):
        own = odds[k]
        for x in range(component.size):
            component[x] = k if own[x] > best[x] else component[x]
            best[x] = max(own[x], best[x])


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _add_up(share: Any, information: Any, matrix: Any) -> None:
    for r in range(len(matrix)):
        for q in range(r + 1):
            own, total = information[r, q], 0.0
            for x in range(share.size):
                total += share[x] * own[x]
            matrix[r, q] += total
