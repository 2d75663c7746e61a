"""How bright the sky of each light is, and how noisy: what levels and weighs the lights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from solodark.calibration.noise import measure_noise
from solodark.frames import FrameSource
from solodark.registration import Transform

__all__ = ["Brightness", "measure_brightness"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Brightness:
    """How the lights become alike: ``scale * ADU + shift_adu``, and how much each counts.

    Attributes
    ----------
    scale : ndarray of float64, shape (n,)
        One over the transparency of each light.
    shift_adu : ndarray of float64, shape (n_colours, n)
        What brings each sky to that of the first light.
    weights : ndarray of float64, shape (n_colours, n)
        Of the lights, with a mean of 1.
    noise_adu : ndarray of float64, shape (n_colours, n)
        Of each light's background after scaling; NaN where it was not measured.
    """

    scale: Vector
    shift_adu: Vector
    weights: Vector
    noise_adu: Vector

    @classmethod
    def untouched(cls, n_colours: int, n: int) -> Self:
        """Give what leaves lights as they are, all alike.

        Parameters
        ----------
        n_colours, n : int
            Colours and lights.

        Returns
        -------
        Brightness
            Ones and zeros.
        """
        shape = (n_colours, n)
        return cls(np.ones(n), np.zeros(shape), np.ones(shape), np.full(shape, np.nan))


def measure_brightness(
    lights: Sequence[FrameSource], transforms: Sequence[Transform]
) -> Brightness:
    """Measure sky and noise of each colour of each light.

    The scale is the light of the matched stars over that of the reference. The weight is that of
    the least noise: one over the variance that the light's background has after scaling.

    Parameters
    ----------
    lights : sequence of FrameSource
        Calibrated lights.
    transforms : sequence of Transform
        Of each light; its `transparency` counts.

    Returns
    -------
    Brightness
        Levels are those of the light of the reference, if it is there, else of the first.

    Examples
    --------
    >>> from solodark.frames import Frame
    >>> dice = np.random.default_rng(1)
    >>> lights = [Frame(100.0 * n + dice.normal(0, n, (64, 64))) for n in (1, 2)]
    >>> found = measure_brightness(lights, [Transform.identity()] * 2)
    >>> found.shift_adu[0].round(), found.weights[0].round(1)
    (array([   0., -100.]), array([1.6, 0.4]))
    """
    scale = 1.0 / np.array([transform.transparency for transform in transforms])
    measured = [measure_noise(light, None, None, gain_e_per_adu=None) for light in lights]
    patterns = [light.acquisition.cfa_pattern for light in lights]
    sky = _of_colours([one.level_adu for one in measured], patterns)
    variance = _of_colours([one.variance_adu2 for one in measured], patterns) * scale**2
    first = next((i for i, one in enumerate(transforms) if one.kind == "identity"), 0)
    shift = sky[:, [first]] * scale[first] - sky * scale
    least = np.maximum(variance.max(axis=1, keepdims=True) * 1e-6, 1e-12)  # of flawless lights
    weights = 1.0 / np.maximum(variance, least)
    weights /= weights.mean(axis=1, keepdims=True)
    return Brightness(scale, shift, weights, np.sqrt(variance))


def _of_colours(cells: Sequence[NDArray[np.float32]], patterns: Sequence[str | None]) -> Vector:
    """Give the mean of the planes of each colour, shape (n_colours, n)."""
    columns = []
    for cell, pattern in zip(cells, patterns, strict=True):
        planes = cell.reshape(-1).astype(np.float64)
        if pattern is None:
            columns.append([planes[0]])
            continue
        letters = np.array(list(pattern))
        columns.append([planes[letters == letter].mean() for letter in "RGB"])
    return np.array(columns).T
