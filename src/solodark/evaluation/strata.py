"""Which pixels are judged together, chosen by frames that the judgement does not use.

Choosing by the level of the truth subs themselves biases the product of errors: where the mean of
A and B is low, their noises were low together, and ``E[ab | a + b < t] < 0``. Where noise dominates
the level, the lower 97 % lose 1/15 of the variance of a half, 1/30 of one sub's where a half holds
two: enough to fake 30 equivalent subs. So classes come from a level map of other frames, or from
masks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameMismatchError, SettingError
from solodark.frames import cfa_planes

__all__ = ["STRATA", "Stratum", "classify_pixels", "stratum_members"]

ORDINARY_FRACTION = 0.97
HOTTEST_FRACTION = 0.001

BITS = {"ordinary": 1, "hot": 2, "hottest": 4, "newborn": 8, "telegraph": 16, "excluded": 32}
"""Bits of a pixel's class."""

N_CLASSES = 64


@dataclass(frozen=True, slots=True)
class Stratum:
    """A column of the table.

    Attributes
    ----------
    name : str
        What the table calls it.
    bit : int
        The bit of `BITS` that its pixels carry; 0 for every pixel that is not excluded.
    clipped : bool
        Whether errors are clipped at +-10 robust sigma of one sub.
    """

    name: str
    bit: int
    clipped: bool = False


STRATA = (
    Stratum("all", 0),
    Stratum("winsorised", 0, clipped=True),
    Stratum("ordinary", BITS["ordinary"]),
    Stratum("hot", BITS["hot"]),
    Stratum("hottest", BITS["hottest"]),
    Stratum("newborn", BITS["newborn"]),
    Stratum("telegraph", BITS["telegraph"]),
)
"""All columns, in the order of the table; "winsorised" is the headline."""


def classify_pixels(
    shape: tuple[int, int],
    *,
    cfa_pattern: str | None,
    level_map: NDArray[np.floating] | None = None,
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
) -> NDArray[np.uint8]:
    """Class of each pixel, from frames that are independent of the subs to be judged.

    Ordinary pixels are the lower 97 % of the level map in each CFA plane, hot ones the upper 3 %,
    the hottest the upper 0.1 %.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    cfa_pattern : str or None
        As in `solodark.frames.cfa_planes`.
    level_map : ndarray of float, shape (ny, nx), optional
        Dark level of each pixel from OTHER frames: a library's mean, or a model's prediction made
        without the subs. Without it there are no ordinary and no hot pixels.
    masks : mapping of str to ndarray of bool, shape (ny, nx), optional
        "hot" (instead of the level map's), "newborn", "telegraph" and "excluded" pixels.

    Returns
    -------
    ndarray of uint8, shape (ny, nx)
        Bits of `BITS`.

    Raises
    ------
    FrameMismatchError
        A map or mask has another shape than the subs.
    SettingError
        A mask has a name that is no stratum, or the level map is not finite.
    """
    masks = dict(masks or {})
    _check(shape, level_map, masks)
    classes = np.zeros(shape, dtype=np.uint8)
    if level_map is not None:
        for plane in cfa_planes(cfa_pattern):
            classes[plane] |= _classify_levels(level_map[plane])
    if "hot" in masks:
        classes &= np.uint8(0xFF ^ BITS["hot"])
    for name, mask in masks.items():
        classes[mask] |= np.uint8(BITS[name])
    return classes


def stratum_members(stratum: Stratum) -> NDArray[np.bool_]:
    """Which classes of pixels belong to a stratum.

    Parameters
    ----------
    stratum : Stratum
        A column of the table.

    Returns
    -------
    ndarray of bool, shape (64,)
        Indexed by class.
    """
    classes = np.arange(N_CLASSES)
    carries_bit = (classes & stratum.bit) == stratum.bit
    members: NDArray[np.bool_] = carries_bit & ((classes & BITS["excluded"]) == 0)
    return members


def _classify_levels(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    warm, hottest = np.quantile(levels, (ORDINARY_FRACTION, 1.0 - HOTTEST_FRACTION))
    classes = np.where(levels <= warm, BITS["ordinary"], BITS["hot"])
    classes[levels > hottest] |= BITS["hottest"]
    return classes.astype(np.uint8)


def _check(
    shape: tuple[int, int],
    level_map: NDArray[np.floating] | None,
    masks: Mapping[str, NDArray[np.bool_]],
) -> None:
    allowed = ("hot", "newborn", "telegraph", "excluded")
    for name in masks:
        if name not in allowed:
            raise SettingError(
                f"the mask {name!r} is no stratum; expected one of {', '.join(allowed)}"
            )
    maps: dict[str, NDArray[np.bool_ | np.floating]] = {
        f"the mask {name!r}": mask for name, mask in masks.items()
    }
    if level_map is not None:
        maps["the level map"] = level_map
    for name, image in maps.items():
        if image.shape != shape:
            raise FrameMismatchError(
                f"{name} has shape {image.shape}, the subs have {shape}; "
                "make it from frames of the same camera and binning"
            )
    if level_map is not None and not np.isfinite(level_map).all():
        raise SettingError("the level map holds values that are not finite; mask or repair them")
