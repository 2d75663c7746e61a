"""What an exposure is told, and what is known of it afterwards."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import Frame, FrameKind
from solodark.synthetic.pointing import Pointing
from solodark.synthetic.telegraph import TelegraphState

__all__ = ["Circumstances", "ExposureTruth", "SyntheticExposure"]

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class ExposureTruth:
    """What really happened in one exposure.

    Attributes
    ----------
    temperature_c : float
        True sensor temperature.
    glow_amplitude : float
        State of the glow; 1 is its mean.
    telegraph_state : TelegraphState
        Levels of the dark-type telegraph pixels.
    telegraph_read_e : ndarray of float32, shape (n,)
        Hops of the read-type ones, in the order of ``camera.telegraph_read.index``.
    row_offset_e : ndarray of float32, shape (ny,)
        Row noise.
    plane_offset_adu : ndarray of float32, shape (4,) or (1,)
        Wander of the level of each CFA plane.
    cosmic_index : ndarray of int64, shape (m,)
        Pixels hit by cosmic rays, in the flattened image.
    shape : tuple of int
        (ny, nx) of the frame.
    pointing : Pointing or None
        Where a light looked.
    """

    temperature_c: float
    glow_amplitude: float
    telegraph_state: TelegraphState
    telegraph_read_e: NDArray[np.float32]
    row_offset_e: NDArray[np.float32]
    plane_offset_adu: NDArray[np.float32]
    cosmic_index: NDArray[np.int64]
    shape: tuple[int, int]
    pointing: Pointing | None = None

    @property
    def cosmic_mask(self) -> NDArray[np.bool_]:
        """True where a cosmic ray hit, shape (ny, nx)."""
        mask = np.zeros(self.shape, dtype=np.bool_)
        mask.flat[self.cosmic_index] = True
        return mask


@dataclass(frozen=True, eq=False, slots=True)
class SyntheticExposure:
    """A frame of any kind, and the truth behind it.

    Attributes
    ----------
    frame : Frame
        As the camera hands it out: whole ADU, a header whose temperature lies.
    truth : ExposureTruth
        What really happened.
    """

    frame: Frame
    truth: ExposureTruth


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Circumstances:
    """Everything about an exposure that the dice of its read-out do not decide.

    Attributes
    ----------
    kind : FrameKind
        Light, dark, bias or flat.
    exposure_s : float
        Exposure time.
    temperature_c, header_temperature_c : float
        True sensor temperature, and what the header says.
    iso : int or None
        ISO or gain number; None for the camera's first one.
    date : datetime
        Start of the exposure, timezone-aware.
    telegraph_state : TelegraphState or None
        Levels of dark-type telegraph pixels at an earlier time; None for the long run.
    glow_amplitude : float
        State of the glow; 1 is its mean.
    name : str
        What messages call the frame.
    photons_e : ndarray of float32, shape (ny, nx), or None
        Electrons that light frees, on average.
    pointing : Pointing or None
        Where a light looked.

    Raises
    ------
    SettingError
        A negative exposure, or a date without time zone.
    """

    kind: FrameKind
    exposure_s: float
    temperature_c: float
    header_temperature_c: float
    iso: int | None
    date: datetime
    telegraph_state: TelegraphState | None = None
    glow_amplitude: float = 1.0
    name: str = ""
    photons_e: Image | None = None
    pointing: Pointing | None = None

    def __post_init__(self) -> None:
        if not self.exposure_s >= 0:
            raise SettingError(f"found an exposure of {self.exposure_s} s, expected 0 s or more")
        if self.date.tzinfo is None:
            raise SettingError(
                f"the date {self.date} has no time zone; give it one, as in tzinfo=UTC"
            )
