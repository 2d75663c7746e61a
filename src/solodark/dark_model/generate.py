"""A master dark from one new sub."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.levels import remove_levels
from solodark.dark_model.model import DarkModel
from solodark.dark_model.predict import level_image, predict
from solodark.dark_model.solve import Solved, solve
from solodark.dark_model.survey import read_image
from solodark.dark_model.trust import judge, require_same_camera
from solodark.dark_model.update import update
from solodark.frames import (
    Acquisition,
    FrameKind,
    FrameSource,
    InputRecord,
    MasterDark,
    PixelFlags,
    Provenance,
    Verdict,
)

__all__ = ["generate"]

Image = NDArray[np.float32]

_FULL_SCALE_16_BIT = 65_535
_HOT_SIGMA = 10.0  # a hot pixel stands this far out of one sub's noise
_TELEGRAPH_EXCESS = 4.0  # twice the noise of its class


def generate(
    model: DarkModel, sub: FrameSource, *, force: bool = False, sub_sha256: str = ""
) -> MasterDark:
    """Make a master dark from one new sub.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One new dark of the same camera and gain.
    force : bool
        Give a master even where the sub deserves doubt; a sub that is plainly not of this sensor,
        or not in this orientation, is refused all the same.
    sub_sha256 : str
        Hash of the sub's file, kept with the master.

    Returns
    -------
    MasterDark
        Level of the library, pattern of the sensor in the sub's state, one sigma for each pixel.

    Raises
    ------
    WrongSubError
        The model cannot explain the sub; says why.
    """
    require_same_camera(model, sub)
    solved = solve(model, sub)
    prediction = predict(model, solved.state, solved.covariance, setting=solved.setting)
    strength2 = float(solved.state @ model.strength @ solved.state)
    image = read_image(sub)
    above = remove_levels(image, solved.levels, model.acquisition.cfa_pattern)
    verdict = judge(
        model,
        sub,
        above,
        frame_variance=solved.frame_variance,
        strength2=strength2,
        force=force,
    )
    pattern, variance, changed = update(model, sub, solved, prediction)
    flags = _flags(model, image, pattern, changed, solved, verdict)
    return MasterDark(
        data=pattern + level_image(model, solved.state, setting=solved.setting),
        uncertainty=np.sqrt(variance),
        flags=flags,
        acquisition=_describe(sub),
        origin="generated",
        provenance=Provenance(
            action="generate",
            inputs=(InputRecord(sub.name, sub_sha256),),
            model_id=model.model_id,
            settings={"rank": str(model.rank), "library frames": str(len(model.library.names))},
        ),
        equivalent_subs=_equivalent_subs(model, solved.frame_variance, variance),
        verdict=verdict,
    )


def _equivalent_subs(model: DarkModel, frame_variance: float, variance: Image) -> float:
    """Noise of one sub over the master's, on ordinary pixels; no pixel is worth less than one."""
    ordinary = model.pixels.component == np.argmax(model.prior.weights)
    noise = model.pixels.excess[ordinary] * np.float32(frame_variance)
    left = np.minimum(variance[ordinary], noise)
    return float(noise.mean(dtype=np.float64) / left.mean(dtype=np.float64))


def _describe(sub: FrameSource) -> Acquisition:
    return replace(sub.acquisition, kind=FrameKind.DARK, kind_source="model", n_combined=None)


def _flags(
    model: DarkModel,
    image: Image,
    pattern: Image,
    changed: Image,
    solved: Solved,
    verdict: Verdict,
) -> NDArray[np.uint8]:
    full_scale = model.acquisition.saturation_adu or _FULL_SCALE_16_BIT
    sigma = np.sqrt(solved.frame_variance)
    flags = np.zeros(model.shape, np.uint8)
    for flag, where in (
        (PixelFlags.HOT, pattern > _HOT_SIGMA * sigma),
        (PixelFlags.TELEGRAPH, model.pixels.excess > _TELEGRAPH_EXCESS),
        (PixelFlags.CHANGED, changed > 0.5),
        (PixelFlags.SATURATED, image >= full_scale),
        (PixelFlags.DEAD, ~np.isfinite(image)),
        (PixelFlags.EXTRAPOLATED, np.full(model.shape, any("extra" in r for r in verdict.reasons))),
    ):
        flags[where] |= flag.value
    return flags
