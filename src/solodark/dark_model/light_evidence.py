"""What lights tell of single pixels: hot ones that hopped, and those born since the library.

In ten lights a hot pixel that hops between levels stands where it stands tonight, and so does one
that the library has never seen. The residual of each light, prediction subtracted, is compared with
a ring of pixels of the same colour two pixels away; over the lights this adds up to an observation
of every pixel about as sharp as one dark. What the sky leaves in it is told apart by its shape: a
star spills over into the eight pixels next to it, a hot pixel does not, and what moves with the sky
is not the same in all lights. The deviation is kept per unit of the dark signal's strength, so that
each light of a night that cools gets its own share of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.births import years_from_library
from solodark.dark_model.dark_signal import mean_scatter, strength2_of
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.noise import robust_variance
from solodark.dark_model.predict import Prediction
from solodark.dark_model.solve import Solved
from solodark.dark_model.strength import FLOOR_AMPLITUDE2
from solodark.dark_model.telegraph_lights import HopsInLights

__all__ = ["LightEvidence", "PixelDeviations"]

Image = NDArray[np.float32]
Places = NDArray[np.intp]

_RING = 2  # of the same colour on a Bayer sensor, and clear of most stars' cores on any
_STAR_SIGMA = 3.0
_MOST_TOLD = 6  # so many of eight neighbours must tell something, and one more
_MIN_FOR_BIRTHS = 3  # fewer lights do not tell a newborn hot pixel from a cosmic ray
_TELLING = 1.0  # evidence of lights counts where the library doubts more than they are noisy
_NEW = 25.0  # a pixel is looked at as newborn where it is this many squared sigma off
_HOT_SIGMA = 10.0
_HOT_CHANGES = 1e-3
_STAR_SHARE = 1e-4  # pixels on which a star of these lights may still stand alone
_CHUNK = 200_000
_BORN_STEPS = 64.0 * 8.0 ** np.arange(8)


@dataclass(frozen=True, eq=False, slots=True)
class PixelDeviations:
    """Pixels unlike what the library says of them, per unit of the dark signal's strength.

    Attributes
    ----------
    place : ndarray of int, shape (n,)
        Index into the flattened sensor.
    mean, variance : ndarray of float32, shape (n,)
        Deviation and its variance, ADU at strength 1.
    changed : ndarray of float32, shape (n,)
        Chance that the pixel is unlike anything the library knew.
    """

    place: Places
    mean: Image
    variance: Image
    changed: Image


class LightEvidence:
    """Sums over lights; memory does not grow with their number.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    """

    def __init__(self, model: DarkModel) -> None:
        self._model = model
        self._weight = np.zeros(model.shape, np.float32)
        self._sum = np.zeros(model.shape, np.float32)
        self._square = np.zeros(model.shape, np.float32)
        self._count = np.zeros(model.shape, np.uint16)
        self._lights = 0
        self._taken_s: list[float] = []
        self._hops = HopsInLights(model)

    def add(
        self, image: Image, solved: Solved, pattern: Image, taken: datetime | None = None
    ) -> None:
        """Add one light.

        Parameters
        ----------
        image : ndarray of float32, shape (ny, nx)
            The light, ADU.
        solved : Solved
            Its state.
        pattern : ndarray of float32, shape (ny, nx)
            What the model says of that state, ADU above the level.
        taken : datetime, optional
            When it was taken.
        """
        law = self._model.law
        residual = image - pattern
        contrast, background = _against_ring(residual)
        amplitude = float(np.sqrt(_amplitude2(self._model, solved.state)))
        before = self._weight.ravel()[self._hops.place]
        _accumulate(
            contrast,
            background,
            pattern,
            self._model.pixels.excess,
            solved.frame_variance,
            float(np.nanmedian(background)),
            float(law.slope[solved.setting]),
            amplitude,
            self._weight,
            self._sum,
            self._square,
            self._count,
        )
        self._lights += 1
        if taken is not None:
            self._taken_s.append(taken.timestamp())
        self._follow_hops(contrast, before, solved, amplitude, taken)

    def _follow_hops(
        self,
        contrast: Image,
        before: Image,
        solved: Solved,
        amplitude: float,
        taken: datetime | None,
    ) -> None:
        """Show the telegraph pixels of this light, where it added something to their weight."""
        place = self._hops.place
        added = self._weight.ravel()[place] - before
        seen = np.where(added > 0.0, contrast.ravel()[place], np.nan)
        noise = amplitude**2 / np.where(added > 0.0, added, 1.0)
        noise /= self._model.pixels.excess.ravel()[place]  # that of their hops
        slope = float(self._model.law.slope[solved.setting])
        taken_s = np.nan if taken is None else taken.timestamp()
        self._hops.add(seen, noise, solved.state, slope, taken_s)

    def deviations(self, strongest: Prediction, strength2: float) -> PixelDeviations:
        """Weigh what the lights showed against what the library knew.

        Parameters
        ----------
        strongest : Prediction
            What the model says of the strongest state among them, and the error of its maps.
        strength2 : float
            Squared strength of that state.

        Returns
        -------
        PixelDeviations
            Of the pixels that deserve it.
        """
        mean, variance = self._average()
        told = np.isfinite(variance)
        place = np.flatnonzero(told)
        mean, variance = mean[place], variance[place]
        scatter = mean_scatter(self._model).ravel()[place]
        births = self._births(strongest.pattern).ravel()[place]
        worth = scatter > _TELLING * variance
        worth |= (births > 0.0) & (mean**2 > _NEW * variance)
        place, mean, variance = place[worth], mean[worth], variance[worth]
        known = strongest.variance.ravel()[place] / (strength2 + FLOOR_AMPLITUDE2)
        found = _posterior(self._model, place, mean, variance, known, births[worth])
        return self._with_hops(found)

    def _with_hops(self, found: PixelDeviations) -> PixelDeviations:
        """Take telegraph pixels from their two levels, where they were at one of them."""
        told, mean, variance = self._hops.deviations()
        hopping = self._hops.place[told]
        rest = ~np.isin(found.place, hopping)
        return PixelDeviations(
            np.concatenate([found.place[rest], hopping]),
            np.concatenate([found.mean[rest], mean[told].astype(np.float32)]),
            np.concatenate([found.variance[rest], variance[told].astype(np.float32)]),
            np.concatenate([found.changed[rest], np.zeros(hopping.size, np.float32)]),
        )

    def _births(self, pattern: Image) -> Image:
        """Chance of each pixel to be unlike what the library knew; hot ones change more."""
        if self._lights < _MIN_FOR_BIRTHS:
            return np.zeros(self._model.shape, np.float32)
        taken_s = float(np.median(self._taken_s)) if self._taken_s else None
        years = years_from_library(self._model.library.taken_s, taken_s)
        born = float(self._model.births_per_year) * years
        hot = pattern > _HOT_SIGMA * np.sqrt(np.median(self._model.law.frame_variance))
        return np.where(hot, max(born, _HOT_CHANGES), born).astype(np.float32)

    def _average(self) -> tuple[Image, Image]:
        """Mean deviation and its variance, infinite where stars or too few lights tell nothing."""
        told = (self._weight > 0) & (2 * self._count.astype(np.int64) >= self._lights)
        weight = np.where(told, self._weight, np.float32(1.0))
        mean = np.where(told, self._sum / weight, np.float32(0.0))
        scatter = (self._square - self._sum * mean) / np.maximum(
            self._count.astype(np.float32) - 1, 1
        )
        # What passes by on the sky makes the lights differ by more than their noise.
        variance = np.where(told, np.maximum(1.0, scatter) / weight, np.inf).astype(np.float32)
        variance += self._fixed_on_sensor(mean, variance)
        variance[_beside_star(mean, variance)] = np.inf
        return mean.ravel(), variance.ravel()

    def _fixed_on_sensor(self, mean: Image, variance: Image) -> np.float32:
        """Variance of what stays on the pixels, though the dark signal does not: their response.

        Pixels differ by a percent in what they make of light. Under a bright sky that outshines the
        noise of a few lights, and looks like a dark signal of its own.
        """
        steady = self._model.pixels.component == np.argmax(self._model.prior.weights)
        steady &= np.isfinite(variance)
        if not steady.any():
            return np.float32(0.0)
        noise = float(np.median(variance[steady]))
        return np.float32(max(robust_variance(mean[steady]) - noise, 0.0))


def _amplitude2(model: DarkModel, state: NDArray[np.float64]) -> float:
    return strength2_of(model, state) + FLOOR_AMPLITUDE2


def _posterior(
    model: DarkModel, place: Places, mean: Image, variance: Image, known: Image, births: Image
) -> PixelDeviations:
    """Posterior of each deviation under a mixture of the library's scatter and of a birth."""
    result = np.empty((3, place.size), np.float32)
    codes = model.pixels.scatter.reshape(len(model.scatter_grid), -1)
    scale = float(np.median(variance)) if place.size else 1.0
    steps = np.concatenate([model.scatter_grid, scale * _BORN_STEPS])[:, None]
    for first in range(0, place.size, _CHUNK):
        part = slice(first, first + _CHUNK)
        shares = decoded_weights()[codes[:, place[part]]]
        surprise = (births[part] > 0.0) * (births[part] + _STAR_SHARE) / len(_BORN_STEPS)
        born = np.tile(np.where(mean[part] > 0.0, surprise, 0.0), (len(_BORN_STEPS), 1))
        real = births[part] / (births[part] + _STAR_SHARE)
        result[:, part] = _mix(
            np.concatenate([shares, born]), steps, known[part], mean[part], variance[part], real
        )
    return PixelDeviations(place, *result)


def _mix(
    shares: NDArray[np.float64],
    steps: NDArray[np.float64],
    known: Image,
    mean: Image,
    variance: Image,
    real: Image,
) -> NDArray[np.float64]:
    """Posterior mean, variance and chance of a birth; the last steps are those of births.

    Of what is too bright for the library a share is real, and the rest is a lone star's.
    """
    prior = steps + known
    total = prior + variance
    log_odds = np.log(np.maximum(shares, 1e-30)) - 0.5 * (np.log(total) + mean**2 / total)
    odds = np.exp(log_odds - log_odds.max(axis=0))
    odds /= odds.sum(axis=0)
    born = slice(len(steps) - len(_BORN_STEPS), None)
    starlit = (1.0 - real) * odds[born].sum(axis=0)
    odds[born] *= real
    gain = prior / total
    centre = (odds * gain).sum(axis=0) * mean
    spread = (odds * (gain * variance + (gain * mean) ** 2)).sum(axis=0) + starlit * known
    return np.stack([centre, np.maximum(spread - centre**2, 0.0), odds[born].sum(axis=0)])


@njit(cache=True, parallel=True, error_model="numpy")
def _against_ring(residual: Any) -> Any:
    """Each pixel against the middle of the eight pixels two steps away, and that middle."""
    ny, nx = residual.shape
    contrast = np.empty((ny, nx), np.float32)
    background = np.empty((ny, nx), np.float32)
    for y in prange(ny):
        ring = np.empty(8, np.float32)
        for x in range(nx):
            _gather(residual, y, x, _RING, ring)
            middle = _middle(ring)
            background[y, x] = middle
            contrast[y, x] = residual[y, x] - middle
    return contrast, background


@njit(cache=True, error_model="numpy")
def _gather(image: Any, y: int, x: int, step: int, ring: Any) -> None:
    """Collect the eight pixels some steps away; beyond an edge the frame is mirrored at it."""
    ny, nx = image.shape
    inside = step <= y < ny - step and step <= x < nx - step
    k = 0
    for dy in range(-step, step + 1, step):
        for dx in range(-step, step + 1, step):
            if dy != 0 or dx != 0:
                if inside:
                    ring[k] = image[y + dy, x + dx]
                else:
                    ring[k] = image[_mirrored(y + dy, ny), _mirrored(x + dx, nx)]
                k += 1


@njit(cache=True, error_model="numpy")
def _mirrored(place: int, size: int) -> int:
    return min(abs(place), 2 * size - 2 - abs(place))


@njit(cache=True, error_model="numpy")
def _middle(ring: Any) -> float:
    """Mean of the middle four of eight values, which it leaves sorted."""
    for i in range(1, 8):
        value, k = ring[i], i
        while k > 0 and ring[k - 1] > value:
            ring[k] = ring[k - 1]
            k -= 1
        ring[k] = value
    mean: float = 0.25 * (ring[2] + ring[3] + ring[4] + ring[5])
    return mean


@njit(cache=True, parallel=True, error_model="numpy")
def _accumulate(  # noqa: PLR0913, PLR0917 - a compiled kernel takes every array by itself
    contrast: Any,
    background: Any,
    pattern: Any,
    excess: Any,
    variance: float,
    typical: float,
    slope: float,
    amplitude: float,
    weight: Any,
    total: Any,
    square: Any,
    count: Any,
) -> None:
    """Add the contrasts of one light where no bright star is near."""
    ny, nx = contrast.shape
    for y in prange(ny):
        near = np.empty(8, np.float32)
        for x in range(nx):
            if not np.isfinite(contrast[y, x]):
                continue
            sky = max(0.3 * variance, variance + slope * (background[y, x] - typical))
            _gather(contrast, y, x, 1, near)
            spill = _middle(near)
            # Mean of the middle four of eight has a quarter of the variance, about.
            if not spill * spill <= _STAR_SIGMA**2 * 0.25 * sky:
                continue
            v = 1.25 * excess[y, x] * (sky + slope * max(pattern[y, x], 0.0))
            w = 1.0 / v
            weight[y, x] += amplitude * amplitude * w
            total[y, x] += amplitude * contrast[y, x] * w
            square[y, x] += contrast[y, x] * contrast[y, x] * w
            count[y, x] += 1


@njit(cache=True, parallel=True, error_model="numpy")
def _beside_star(mean: Any, variance: Any) -> Any:
    """Where the eight pixels next to one are brighter than noise allows: a star stands there."""
    ny, nx = mean.shape
    star = np.empty((ny, nx), np.bool_)
    for y in prange(ny):
        near, noise = np.empty(8, np.float32), np.empty(8, np.float32)
        for x in range(nx):
            _gather(mean, y, x, 1, near)
            _gather(variance, y, x, 1, noise)
            spill = _middle(near)
            # Infinite noise: that neighbour was beside a star itself, in most lights.
            _middle(noise)  # sorts
            clear = np.isfinite(noise[_MOST_TOLD])
            star[y, x] = not (clear and spill * spill <= _STAR_SIGMA**2 * 0.25 * noise[4])
    return star
