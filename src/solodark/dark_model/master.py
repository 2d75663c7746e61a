"""A master dark from what is known of its pattern: the last step, whatever it was known from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import range_in_words, strength2_of
from solodark.dark_model.finish_kernel import Bounds, compare_noise, finish_pixels
from solodark.dark_model.model import DarkModel
from solodark.dark_model.predict import level_rows
from solodark.frames import Acquisition, FrameKind, MasterDark, PixelFlags, Provenance, Verdict

__all__ = [
    "HOT_SIGMA",
    "STRONG",
    "TELEGRAPH_EXCESS",
    "Estimate",
    "describe",
    "finish_master",
    "full_scale_adu",
    "too_strong",
]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_FULL_SCALE_16_BIT = 65_535
HOT_SIGMA = 10.0  # a hot pixel stands this far out of one sub's noise
TELEGRAPH_EXCESS = 4.0  # twice the noise of its class
STRONG = 1.15
"""Strength over the strongest of the library; beyond it a dark signal is extrapolated."""


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """The pattern of one state of the sensor.

    Attributes
    ----------
    state : ndarray, shape (rank,)
        Strength of each dark map.
    setting : int
        Gain setting, an index into the model's `settings`.
    pattern, variance : ndarray of float32, shape (ny, nx)
        ADU above the level, ADU^2.
    frame_variance : float
        Variance of an ordinary pixel of one sub in that state, ADU^2.
    saturated, dead, changed : ndarray of bool, shape (ny, nx)
        Pixels that are flagged so.
    """

    state: Array
    setting: int
    pattern: Image
    variance: Image
    frame_variance: float
    saturated: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    changed: NDArray[np.bool_]


def finish_master(
    model: DarkModel,
    estimate: Estimate,
    *,
    acquisition: Acquisition,
    provenance: Provenance,
    verdict: Verdict,
) -> MasterDark:
    """Put the level under a pattern, and flags and worth beside it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    estimate : Estimate
        The pattern; its arrays become those of the master.
    acquisition : Acquisition
        What the master stands for.
    provenance : Provenance
        How the estimate was found; model and rank are added.
    verdict : Verdict
        Whether it may be trusted.

    Returns
    -------
    MasterDark
        Level of the library, pattern of the estimate, one sigma for each pixel.
    """
    settings = {"rank": str(model.rank), "library frames": str(len(model.library.names))}
    equivalent_subs = _equivalent_subs(model, estimate)
    # Memory from NumPy comes in huge pages, that of compiled code in 4096 bytes at a time.
    flags = np.empty(model.shape, np.uint8)
    finish_pixels(
        estimate.pattern,
        estimate.variance,
        level_rows(model, estimate.state, setting=estimate.setting),
        model.pixels.excess,
        (estimate.changed, estimate.saturated, estimate.dead),
        flags,
        _bounds(model, estimate, verdict),
    )
    hopping = model.pixels.telegraph
    flags.flat[hopping.place[hopping.hopping]] |= PixelFlags.TELEGRAPH.value
    return MasterDark(
        data=estimate.pattern,
        uncertainty=estimate.variance,
        flags=flags,
        acquisition=acquisition,
        origin="generated",
        provenance=replace(
            provenance, model_id=model.model_id, settings=provenance.settings | settings
        ),
        equivalent_subs=equivalent_subs,
        verdict=verdict,
    )


def describe(acquisition: Acquisition) -> Acquisition:
    """Describe the master of a frame.

    Parameters
    ----------
    acquisition : Acquisition
        How the frame was taken that the master is for.

    Returns
    -------
    Acquisition
        The same, of a dark.
    """
    return replace(acquisition, kind=FrameKind.DARK, kind_source="model", n_combined=None)


def too_strong(model: DarkModel, state: Array) -> str:
    """Say that a state is beyond the library's strongest.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    state : ndarray, shape (rank,)
        Strength of each dark map.

    Returns
    -------
    str
        A sentence that names the library's range, or nothing.
    """
    strength = float(np.sqrt(strength2_of(model, state)))
    if strength <= STRONG:
        return ""
    return (
        f"the dark signal is {strength:.2f} times the strongest of the library "
        f"({range_in_words(model)}); the master is extrapolated"
    )


def full_scale_adu(model: DarkModel) -> float:
    """Look up the highest number that a pixel can hold.

    Parameters
    ----------
    model : DarkModel
        The sensor.

    Returns
    -------
    float
        ADU; that of 16 bits where no header told it.
    """
    return float(model.acquisition.saturation_adu or _FULL_SCALE_16_BIT)


def _bounds(model: DarkModel, estimate: Estimate, verdict: Verdict) -> Bounds:
    extrapolated = any("extrapolated" in reason for reason in verdict.reasons)
    return Bounds(
        hot_adu=HOT_SIGMA * float(np.sqrt(estimate.frame_variance)),
        telegraph_excess=TELEGRAPH_EXCESS,
        everywhere=PixelFlags.EXTRAPOLATED.value if extrapolated else 0,
        seam_y=model.seams.y or 0,
    )


def _equivalent_subs(model: DarkModel, estimate: Estimate) -> float:
    """Noise of one sub over the master's, on ordinary pixels; no pixel is worth less than one."""
    noise, left = compare_noise(
        estimate.variance,
        model.pixels.excess,
        model.pixels.component,
        int(np.argmax(model.prior.weights)),
        estimate.frame_variance,
    ).sum(axis=0)
    return float(noise / left)
