"""What is known about an exposure before its pixels are looked at."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

__all__ = ["Acquisition", "Camera", "FrameKind"]


class FrameKind(StrEnum):
    """What a frame was taken for."""

    LIGHT = "light"
    DARK = "dark"
    BIAS = "bias"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Camera:
    """A physical camera, as far as its files tell.

    Attributes
    ----------
    model : str or None
        Maker and model as in the header, "ZWO ASI178MC".
    serial : str or None
        Serial number of the body or sensor: two units of one model have different darks.
    pixel_size_um : float or None
        Pitch of one unbinned pixel, micrometres.
    """

    model: str | None = None
    serial: str | None = None
    pixel_size_um: float | None = None


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How a frame was taken. Every field may be unknown (None); units are in the names.

    Attributes
    ----------
    kind : FrameKind or None
        Light, dark, bias or flat.
    kind_source : str
        Where `kind` was read: "header IMAGETYP", "folder darks", "file name", "exposure and
        statistics", or "" where it is not known.
    camera : Camera
        The camera that took it.
    exposure_s : float or None
        Exposure time.
    sensor_temperature_c, setpoint_temperature_c : float or None
        Measured sensor temperature and the cooler's target.
    gain_setting, offset_setting : float or None
        The driver's numbers, without unit.
    iso : int or None
        ISO of a photographic camera.
    gain_e_per_adu : float or None
        Conversion gain, electrons per ADU of the pixels as stored.
    binning : tuple of int
        (x, y).
    cfa_pattern : str or None
        Bayer pattern with row 0 at the top of the sensor; None for a mono sensor.
    row_order : str or None
        "TOP-DOWN" or "BOTTOM-UP" as the file declared it; pixels are always handed out top-down.
    black_level_adu, saturation_adu : float or None
        Level of no signal and of full scale, where the file tells.
    n_combined : int or None
        Number of frames in a master; None for a single exposure.
    date_obs : datetime or None
        Start of the exposure, UTC, timezone-aware.
    program : str or None
        What wrote the file.
    notes : tuple of str
        What the reader decided where the header was silent or contradicted itself.
    """

    kind: FrameKind | None = None
    kind_source: str = ""
    camera: Camera = field(default_factory=Camera)
    exposure_s: float | None = None
    sensor_temperature_c: float | None = None
    setpoint_temperature_c: float | None = None
    gain_setting: float | None = None
    offset_setting: float | None = None
    iso: int | None = None
    gain_e_per_adu: float | None = None
    binning: tuple[int, int] = (1, 1)
    cfa_pattern: str | None = None
    row_order: str | None = None
    black_level_adu: float | None = None
    saturation_adu: float | None = None
    n_combined: int | None = None
    date_obs: datetime | None = None
    program: str | None = None
    notes: tuple[str, ...] = ()
