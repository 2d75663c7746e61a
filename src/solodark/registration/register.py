"""All lights of a night onto one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solodark.errors import RegistrationError, SettingError
from solodark.frames import Progress, silent
from solodark.registration.matching import LEAST_STARS, find_transform
from solodark.registration.stars import Stars
from solodark.registration.transform import Transform, TransformKind

__all__ = ["Registration", "choose_reference", "register"]


@dataclass(frozen=True, slots=True)
class Registration:
    """How the lights of a night lie on one of them.

    Attributes
    ----------
    transforms : tuple of Transform or None
        From each light to the reference, in the order of the lights; None for one that is left out.
    reference : int
        Place of the reference among the lights.
    left_out : tuple of (int, str)
        Place of each light that is left out, and why.
    """

    transforms: tuple[Transform | None, ...]
    reference: int
    left_out: tuple[tuple[int, str], ...] = ()

    @property
    def kept(self) -> tuple[int, ...]:
        """Places of the lights that are in register."""
        return tuple(i for i, transform in enumerate(self.transforms) if transform is not None)

    @property
    def rms_px(self) -> float:
        """Root mean square of the lights' residuals, the reference not counted; NaN for one."""
        others = [
            transform.rms_px
            for i, transform in enumerate(self.transforms)
            if transform is not None and i != self.reference
        ]
        return float(np.sqrt(np.mean(np.square(others)))) if others else float("nan")


def register(
    lights: Sequence[Stars],
    *,
    reference: int | None = None,
    kind: TransformKind = "affine",
    progress: Progress = silent,
) -> Registration:
    """Find every light's transform to the reference.

    Parameters
    ----------
    lights : sequence of Stars
        Stars of each light, from `find_stars`.
    reference : int, optional
        Which light the others are brought onto; by default `choose_reference`.
    kind : {"similarity", "affine"}
        See `find_transform`.
    progress : Progress
        Told about each light.

    Returns
    -------
    Registration
        Transforms, and the lights that could not be matched.

    Raises
    ------
    RegistrationError
        There is no light, none shows stars, or the reference shows too few.
    SettingError
        The kind is unknown, or there is no such reference.

    Examples
    --------
    >>> sky = np.random.default_rng(1).random((3, 20)) * 99
    >>> shape = {"fwhm_px": np.full(20, 3.0), "error_px": np.full(20, 0.05)}
    >>> nights = [
    ...     Stars(y=sky[0] + drift, x=sky[1], flux_adu=sky[2], **shape) for drift in (0.0, 1.5)
    ... ]
    >>> register(nights, reference=0).transforms[1].matrix.round(3) + 0.0
    array([[ 1. ,  0. , -1.5],
           [ 0. ,  1. ,  0. ]])
    """
    if reference is None:
        reference = choose_reference(lights)
    elif not 0 <= reference < len(lights):
        raise SettingError(f"found light {reference} as reference among {len(lights)} lights")
    if len(lights[reference]) < LEAST_STARS:
        raise RegistrationError(
            f"the reference shows {len(lights[reference])} stars, expected {LEAST_STARS} or more; "
            "choose a light taken through clear sky"
        )
    transforms: list[Transform | None] = []
    left_out = []
    for i, stars in enumerate(progress(lights, "registering", len(lights))):
        if i == reference:
            transforms.append(Transform.identity(n_stars=len(stars)))
            continue
        try:
            transforms.append(find_transform(stars, lights[reference], kind=kind))
        except RegistrationError as error:
            transforms.append(None)
            left_out.append((i, str(error)))
    return Registration(tuple(transforms), reference, tuple(left_out))


def choose_reference(lights: Sequence[Stars]) -> int:
    """Choose the light that shows most, and sharpest, stars.

    Parameters
    ----------
    lights : sequence of Stars
        Stars of each light.

    Returns
    -------
    int
        Place of the light whose ``n_stars / fwhm_px^2`` is highest.

    Raises
    ------
    RegistrationError
        There is no light, or none shows enough stars.
    """
    most = max((len(stars) for stars in lights), default=0)
    if most < LEAST_STARS:
        raise RegistrationError(
            f"none of {len(lights)} lights shows {LEAST_STARS} stars or more (the most are "
            f"{most}): clouds, or out of focus"
        )
    return int(np.argmax([_worth(stars) for stars in lights]))


def _worth(stars: Stars) -> float:
    if len(stars) < LEAST_STARS:
        return 0.0
    return len(stars) / float(np.median(stars.fwhm_px)) ** 2
