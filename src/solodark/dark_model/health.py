"""The health of a dark model: how old it is, what it holds, and which darks would gain it most."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.births import SECONDS_PER_YEAR
from solodark.dark_model.dark_signal import strength2_of
from solodark.dark_model.known_noise import known_noise
from solodark.dark_model.master import HOT_SIGMA, TELEGRAPH_EXCESS
from solodark.dark_model.model import DarkModel, decoded_weights
from solodark.dark_model.predict import predict
from solodark.dark_model.series import BIAS_EXPOSURE_S

__all__ = ["Advice", "ModelHealth", "examine"]

Array = NDArray[np.float64]

_NIGHT = 20  # frames that one takes in a night
_ADVICE = 3
_WORTHWHILE = 1.02


@dataclass(frozen=True, slots=True)
class Advice:
    """A night of darks or biases, and what the model would be worth with it.

    Attributes
    ----------
    n_frames : int
        How many to take.
    setting : str
        At which gain setting, in words.
    exposure_s : float or None
        Exposure; None for biases.
    temperature_c : float or None
        Sensor temperature of the library's frames like it; None where no header tells.
    equivalent_subs : float
        What one sub would be worth then, on ordinary pixels.
    """

    n_frames: int
    setting: str
    exposure_s: float | None
    temperature_c: float | None
    equivalent_subs: float


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How a dark model fares.

    Attributes
    ----------
    n_frames : int
        Darks and biases it was learned from.
    last_taken : datetime or None
        When the last of them was taken.
    exposure_range_s, temperature_range_c : tuple of float or None
        Valid range, by the headers.
    n_hot, n_telegraph : int
        Pixels that stand 10 sigma out of a typical dark, and that are twice as noisy as their like.
    births_per_year : float
        Pixels that turn hot in a year.
    newborn : float or None
        Pixels expected to have turned hot since the last frame.
    equivalent_subs : float
        What one sub is worth now on ordinary pixels, on average over the library's darks.
    advice : tuple of Advice
        Which darks to shoot next, the most useful first; empty where none gains 2 %.
    unrepeated : tuple of str
        Gain settings, in words, at which hardly a dark was taken twice: the model cannot tell a sub
        of another gain, or a faint light leak, from a right one.
    """

    n_frames: int
    last_taken: datetime | None
    exposure_range_s: tuple[float, float] | None
    temperature_range_c: tuple[float, float] | None
    n_hot: int
    n_telegraph: int
    births_per_year: float
    newborn: float | None
    equivalent_subs: float
    advice: tuple[Advice, ...]
    unrepeated: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class _Night:
    """Frames alike of the library."""

    design: Array
    noise: float
    amplitude2: float
    setting: int
    exposure_s: float
    temperature_c: float


@dataclass(frozen=True, eq=False, slots=True)
class _Ordinary:
    """What is known of an ordinary pixel: its normal matrix, the prior's included, and scatter."""

    normal: Array
    scatter: float

    def subs(self, nights: list[_Night]) -> float:
        """Equivalent subs, averaged over nights: ``1 / (1/N)`` of ``v m / (v + m)`` for each."""
        covariance = np.linalg.inv(self.normal)
        noise = np.array([night.noise for night in nights])
        error = np.array(
            [n.design @ covariance @ n.design + self.scatter * n.amplitude2 for n in nights]
        )
        return float(noise.sum() / (noise * error / (noise + error)).sum())

    def after(self, night: _Night) -> "_Ordinary":
        """Add a night's frames; what scatters from night to night they share."""
        weight = _NIGHT / (night.noise + _NIGHT * self.scatter * night.amplitude2)
        return replace(self, normal=self.normal + weight * np.outer(night.design, night.design))


def examine(model: DarkModel, now: datetime) -> ModelHealth:
    """Examine a model.

    What a night of new frames would gain follows from the normal matrix of an ordinary pixel: the
    frames add to it, and its inverse is the error of the maps (optimal design of experiments;
    Fedorov 1972).

    Parameters
    ----------
    model : DarkModel
        The sensor.
    now : datetime
        With time zone; the age is counted to it.

    Returns
    -------
    ModelHealth
        How it fares.
    """
    library = model.library
    nights = list(_nights(model))
    darks = [night for night in nights if night.exposure_s > BIAS_EXPOSURE_S] or nights
    ordinary = _ordinary(model)
    worth = ordinary.subs(darks)
    taken_s = library.taken_s[np.isfinite(library.taken_s)]
    last = datetime.fromtimestamp(float(taken_s.max()), UTC) if taken_s.size else None
    births = model.births_per_year * model.pixels.excess.size
    years = (now - last).total_seconds() / SECONDS_PER_YEAR if last else None
    return ModelHealth(
        n_frames=len(library.names),
        last_taken=last,
        exposure_range_s=_range(library.exposure_s),
        temperature_range_c=_range(library.sensor_temperature_c),
        n_hot=_count_hot(model, darks),
        n_telegraph=_count_telegraph(model),
        births_per_year=births,
        newborn=None if years is None else births * max(years, 0.0),
        equivalent_subs=worth,
        advice=tuple(_advise(model, nights, darks, ordinary, worth)),
        unrepeated=tuple(
            str(setting)
            for number, setting in enumerate(model.settings)
            if not known_noise(model, number).slope_adu
        ),
    )


def _nights(model: DarkModel) -> Iterator[_Night]:
    """Give the library's series."""
    library = model.library
    for number in np.unique(library.series):
        own = library.series == number
        setting, state = int(library.setting[own][0]), library.states[own].mean(axis=0)
        temperatures_c = library.sensor_temperature_c[own]
        known = temperatures_c[np.isfinite(temperatures_c)]
        exposure_s = float(library.exposure_s[own][0])
        yield _Night(
            model.design(state, setting),
            float(model.law.frame_variance[own].mean()),
            strength2_of(model, state),
            setting,
            exposure_s if np.isfinite(exposure_s) else 0.0,
            float(known.mean()) if known.size else float("nan"),
        )


def _ordinary(model: DarkModel) -> _Ordinary:
    k = int(np.argmax(model.prior.weights))
    y, x = model.sample[: model.sample_random].T
    own = model.pixels.component[y, x] == k
    information = float(np.median(model.pixels.information[y, x][own]))
    scatter = decoded_weights()[model.pixels.scatter[:, y, x][:, own]].T @ model.scatter_grid
    normal = information * model.class_information[k] + model.prior.precisions[k]
    return _Ordinary(normal, float(np.median(scatter)))


def _advise(
    model: DarkModel,
    nights: list[_Night],
    darks: list[_Night],
    ordinary: _Ordinary,
    worth: float,
) -> Iterator[Advice]:
    tried = sorted(
        ((ordinary.after(night).subs(darks), number) for number, night in enumerate(nights)),
        reverse=True,
    )
    told: set[tuple[int, float]] = set()
    for subs, number in tried:
        night = nights[number]
        alike = (night.setting, night.exposure_s)
        if subs < _WORTHWHILE * worth or alike in told or len(told) == _ADVICE:
            continue
        told.add(alike)
        yield Advice(
            _NIGHT,
            str(model.settings[night.setting]),
            night.exposure_s if night.exposure_s > BIAS_EXPOSURE_S else None,
            None if np.isnan(night.temperature_c) else night.temperature_c,
            subs,
        )


def _count_telegraph(model: DarkModel) -> int:
    """Count the pixels that are known to hop, and those too restless for their signal."""
    restless, hopping = model.pixels.excess > TELEGRAPH_EXCESS, model.pixels.telegraph
    hops = hopping.place[hopping.hopping]
    return int(np.count_nonzero(restless) + np.count_nonzero(~restless.ravel()[hops]))


def _count_hot(model: DarkModel, darks: list[_Night]) -> int:
    """Count the pixels that stand out of the library's middle dark."""
    middle = sorted(darks, key=lambda night: night.amplitude2)[len(darks) // 2]
    state = middle.design[len(model.settings) :]
    pattern = predict(model, state, setting=middle.setting).pattern
    return int(np.count_nonzero(pattern > HOT_SIGMA * np.sqrt(middle.noise)))


def _range(values: Array) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else None
