"""The same lights with one kind of dark after the other: stacked alike, measured alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.calibration import NormalisedFlat
from solodark.comparison.contenders import Contender
from solodark.comparison.field import Field, survey_field
from solodark.comparison.injected_stars import (
    InjectedStars,
    StarPhotometry,
    summarise_photometry,
)
from solodark.comparison.measures import StackMeasures, measure_injected, measure_stack
from solodark.comparison.stacks import (
    Keep,
    Stacked,
    calibrate_lights,
    find_register,
    stack_calibrated,
)
from solodark.comparison.starred_light import StarredLight
from solodark.errors import SettingError
from solodark.frames import FrameSource, Progress, silent
from solodark.registration import Registration, Transform

__all__ = ["Compared", "Night", "compare_contenders", "prepare_night"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Night:
    """Lights in register, and what their stacks are judged by.

    Attributes
    ----------
    lights : tuple of FrameSource
        Those that could be registered, as the camera wrote them.
    transforms : tuple of Transform
        Of each of them.
    registration : Registration
        Of all lights, those left out among them.
    field : Field
        Stars, hot pixels and free sky.
    flat : NormalisedFlat or None
        What all are divided by.
    """

    lights: tuple[FrameSource, ...]
    transforms: tuple[Transform, ...]
    registration: Registration
    field: Field
    flat: NormalisedFlat | None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Compared:
    """One contender's stack and its figures.

    Attributes
    ----------
    name : str
        Of the contender.
    stacked : Stacked
        Without injected stars.
    fixed : ndarray of float32, shape (ny, nx)
        What stays fixed to the sensor, ADU.
    measures : StackMeasures
        Its figures.
    photometry : StarPhotometry
        Of the injected stars, against what was put in.
    beside_truth : StarPhotometry or None
        The same against the stars of the true dark's stack, where that is known.
    """

    name: str
    stacked: Stacked
    fixed: NDArray[np.float32]
    measures: StackMeasures
    photometry: StarPhotometry
    beside_truth: StarPhotometry | None = None


def prepare_night(
    lights: Sequence[FrameSource],
    best: Contender,
    *,
    rng: np.random.Generator,
    flat: NormalisedFlat | None = None,
    keep: Keep | None = None,
    progress: Progress = silent,
) -> Night:
    """Register the lights once, and find what all stacks are judged by.

    Parameters
    ----------
    lights : sequence of FrameSource
        As the camera wrote them.
    best : Contender
        Whose darks leave least behind; stars are found after it.
    rng : numpy.random.Generator
        The dice: where stars are put, which pixels are followed.
    flat : NormalisedFlat, optional
        What to divide by.
    keep : callable, optional
        See `solodark.comparison.stacks.calibrate_lights`.
    progress : Progress
        Who is told.

    Returns
    -------
    Night
        Ready for `compare_contenders`.

    Raises
    ------
    RegistrationError
        No light shows enough stars.
    """
    calibrated = calibrate_lights(lights, best, flat=flat, keep=keep, progress=progress)
    registration, stars = find_register(calibrated, progress=progress)
    stacked = stack_calibrated(calibrated, registration.transforms, progress=progress)
    kept = registration.kept
    transforms = tuple(one for one in registration.transforms if one is not None)
    field = survey_field(
        stacked,
        [stars[i] for i in kept],
        transforms,
        cfa_pattern=lights[0].acquisition.cfa_pattern,
        rng=rng,
    )
    return Night(
        lights=tuple(lights[i] for i in kept),
        transforms=transforms,
        registration=registration,
        field=field,
        flat=flat,
    )


def compare_contenders(
    night: Night,
    contenders: Sequence[Contender],
    *,
    truth: str | None = None,
    keep: Keep | None = None,
    progress: Progress = silent,
) -> Iterator[Compared]:
    """Stack and measure the night once for each contender; memory holds one.

    Parameters
    ----------
    night : Night
        From `prepare_night`.
    contenders : sequence of Contender
        Ways to get the darks.
    truth : str, optional
        Name of the contender whose darks are true; it comes first, the others in their order.
    keep : callable, optional
        See `solodark.comparison.stacks.calibrate_lights`.
    progress : Progress
        Who is told.

    Yields
    ------
    Compared
        Stack and figures.

    Raises
    ------
    SettingError
        No contender has the name of the truth.
    """
    if truth is not None and truth not in {one.name for one in contenders}:
        raise SettingError(f"found {truth!r} as the truth, expected the name of a contender")
    response = None if night.flat is None else night.flat.response
    starred = [
        StarredLight(light, night.field.stars, transform, response)
        for light, transform in zip(night.lights, night.transforms, strict=True)
    ]
    true_fluxes = None
    for contender in sorted(contenders, key=lambda one: one.name != truth):
        stacked, with_stars = (
            stack_calibrated(
                calibrate_lights(lights, contender, flat=night.flat, keep=keep, progress=progress),
                night.transforms,
                progress=progress,
            )
            for lights in (night.lights, starred)
        )
        measures, fixed = measure_stack(stacked, night.field)
        fluxes = measure_injected(with_stars, night.field)
        if contender.name == truth:
            true_fluxes = fluxes
        yield Compared(
            name=contender.name,
            stacked=stacked,
            fixed=fixed,
            measures=measures,
            photometry=summarise_photometry(fluxes, night.field.stars),
            beside_truth=_beside(true_fluxes, fluxes, night.field.stars),
        )


def _beside(
    true_fluxes: NDArray[np.float64] | None, fluxes: NDArray[np.float64], stars: InjectedStars
) -> StarPhotometry | None:
    return None if true_fluxes is None else summarise_photometry(fluxes, stars, beside=true_fluxes)
