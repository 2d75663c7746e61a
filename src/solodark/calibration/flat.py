"""The sensor's response to light, from a master flat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.calibration.part import Part
from solodark.errors import FrameFormatError
from solodark.frames import Acquisition, Master, cfa_planes, require_matching

__all__ = ["NormalisedFlat", "normalised_flat"]

_LEAST_RESPONSE = 0.05
"""Of its plane's median: no vignetting goes so deep, and noise would be raised twentyfold."""
_MOST_DEAD = 0.5
_FIELDS = ("shape", "camera", "binning", "cfa_pattern")
_OFFSET_FIELDS = (*_FIELDS, "gain_setting", "offset_setting", "iso")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class NormalisedFlat:
    """Response of each pixel over the median of its CFA plane.

    Attributes
    ----------
    response : ndarray of float32, shape (ny, nx)
        About 1; exactly 1 where `dead`.
    uncertainty : ndarray of float32, shape (ny, nx)
        One sigma of the response.
    dead : ndarray of bool, shape (ny, nx)
        Pixels that do not respond, or were saturated in the flat.
    acquisition : Acquisition
        How the flat was taken.
    notes : tuple of str
        What was subtracted.
    """

    response: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    dead: NDArray[np.bool_]
    acquisition: Acquisition
    notes: tuple[str, ...] = ()


def normalised_flat(flat: Master, *, offset: Master | None = None) -> NormalisedFlat:
    """Subtract the offset from a master flat, and divide each CFA plane by its median.

    Each plane by itself, so that the flat's lamp leaves the colours of the lights as they are.
    Pixels without response (not finite, or below a twentieth of the median) are marked dead and
    never divided by.

    Parameters
    ----------
    flat : Master
        Master flat, the bias level in it. Not changed.
    offset : Master, optional
        Master bias, or master dark of the flats' exposure (a flat-dark). Without it the header's
        black level is taken off, where it tells one.

    Returns
    -------
    NormalisedFlat
        ``response = (flat - offset) / median`` per plane.

    Raises
    ------
    FrameMismatchError
        The offset is not of the flat's camera, size, binning or gain.
    FrameFormatError
        Half of the flat's pixels or more, or a whole colour, do not respond.

    Examples
    --------
    >>> light = np.full((4, 6), 20_000.0, np.float32); light[0, 0] = 0.0
    >>> quiet = np.zeros((4, 6), np.float32)
    >>> master = Master(data=light, uncertainty=quiet + 20, flags=quiet.astype(np.uint8),
    ...                 acquisition=Acquisition(), origin="combined")
    >>> flat = normalised_flat(master)
    >>> flat.response[0].tolist(), int(flat.dead.sum()), float(flat.uncertainty[1, 1])
    ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1, 0.0010000000474974513)
    """
    signal, variance, note = _without_offset(flat, offset)
    dead = flat.mask | ~np.isfinite(signal)
    pattern = flat.acquisition.cfa_pattern
    for plane in cfa_planes(pattern):
        median = _median(signal[plane][~dead[plane]])
        signal[plane] /= np.float32(median)
        variance[plane] /= np.float32(median**2)
    dead |= ~(signal >= _LEAST_RESPONSE)
    _require_light(dead, pattern)
    signal[dead], variance[dead] = 1.0, 0.0
    return NormalisedFlat(
        response=signal,
        uncertainty=np.sqrt(variance),
        dead=dead,
        acquisition=flat.acquisition,
        notes=(note,),
    )


def _without_offset(
    flat: Master, offset: Master | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    """Give the flat's own copy without its offset, its variance, and what was done."""
    variance = np.nan_to_num(flat.uncertainty) ** 2
    if offset is not None:
        parts = [Part("the flat", flat), Part("its bias or dark", offset)]
        require_matching(parts, _OFFSET_FIELDS)
        kind = offset.acquisition.kind or "offset"
        taken_off = f"flat: master {kind} subtracted"
        return (
            flat.data - offset.data,
            variance + np.nan_to_num(offset.uncertainty) ** 2,
            taken_off,
        )
    black_adu = flat.acquisition.black_level_adu
    if black_adu is None:
        note = "flat: nothing subtracted, its bias level is still in it; give biases or flat-darks"
        return flat.data.copy(), variance, note
    return (
        flat.data - np.float32(black_adu),
        variance,
        f"flat: black level {black_adu:g} subtracted",
    )


def _median(values: NDArray[np.float32]) -> float:
    """Median of what responds; 1 where nothing does, which is refused later."""
    median = float(np.median(values)) if values.size else 0.0
    return median if median > 0 else 1.0


def _require_light(dead: NDArray[np.bool_], cfa_pattern: str | None) -> None:
    share = max(float(dead[plane].mean()) for plane in cfa_planes(cfa_pattern))
    if share > _MOST_DEAD:
        where = "of one colour of " if cfa_pattern else "of "
        raise FrameFormatError(
            f"{share:.0%} {where}the flat's pixels do not respond to light; expected an evenly lit "
            "flat, its bias level below its light. Check that the flats are flats, and their bias"
        )
