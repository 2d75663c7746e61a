"""The header that goes with an acquisition: keywords that every program of the field knows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from solodark.frames import Acquisition, FrameKind
from solodark.version import __version__

__all__ = ["Card", "acquisition_cards", "plain_ascii"]


class Card(NamedTuple):
    """A keyword to be written, FITS' or XISF's."""

    keyword: str
    value: str | int | float | bool
    comment: str


KIND_NAMES = {
    FrameKind.LIGHT: "Light",
    FrameKind.DARK: "Dark",
    FrameKind.BIAS: "Bias",
    FrameKind.FLAT: "Flat",
}


def acquisition_cards(acquisition: Acquisition, *, master: bool = False) -> list[Card]:
    """Write down how a frame was taken, in the keywords that most programs read.

    Parameters
    ----------
    acquisition : Acquisition
        What is known; what is not known is left out.
    master : bool, optional
        Whether the frame is a master ("Master Dark") and not a single one ("Dark Frame").

    Returns
    -------
    list of Card
        Keyword, value and comment.

    Examples
    --------
    >>> [card.keyword for card in acquisition_cards(Acquisition(exposure_s=60.0))]
    ['EXPTIME', 'EXPOSURE', 'XBINNING', 'YBINNING', 'ROWORDER', 'SWCREATE']
    """
    return [
        card
        for card in (
            *_kind_cards(acquisition, master=master),
            *_exposure_cards(acquisition),
            *_camera_cards(acquisition),
            *_level_cards(acquisition),
            *_cfa_cards(acquisition),
            Card("SWCREATE", f"solodark {__version__}", "program that wrote this file"),
        )
        if card.value is not None
    ]


def plain_ascii(text: str) -> str:
    r"""Spell a text as FITS can hold it: ASCII on one line.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        With escapes in place of what FITS cannot hold.

    Examples
    --------
    >>> plain_ascii("Dark\t 1")
    'Dark 1'
    """
    ascii_text = " ".join(text.split()).encode("ascii", "backslashreplace").decode("ascii")
    return "".join(c if c.isprintable() else "?" for c in ascii_text)


def _kind_cards(acquisition: Acquisition, *, master: bool) -> Iterator[Card]:
    if acquisition.kind is not None:
        name = KIND_NAMES[acquisition.kind]
        kind = f"Master {name}" if master else f"{name} Frame"
        yield Card("IMAGETYP", kind, "what the frame is for")
    if acquisition.n_combined is not None:
        yield Card("STACKCNT", acquisition.n_combined, "number of frames combined")
        yield Card("NCOMBINE", acquisition.n_combined, "number of frames combined")


def _exposure_cards(acquisition: Acquisition) -> Iterator[Card]:
    if acquisition.date_obs is not None:
        yield Card("DATE-OBS", _utc(acquisition.date_obs), "start of the exposure, UTC")
    for keyword, value, comment in (
        ("EXPTIME", acquisition.exposure_s, "[s] exposure time"),
        ("EXPOSURE", acquisition.exposure_s, "[s] exposure time"),
        ("CCD-TEMP", acquisition.sensor_temperature_c, "[C] sensor temperature"),
        ("SET-TEMP", acquisition.setpoint_temperature_c, "[C] cooler target"),
    ):
        if value is not None:
            yield Card(keyword, float(value), comment)


def _camera_cards(acquisition: Acquisition) -> Iterator[Card]:
    camera = acquisition.camera
    x_binning, y_binning = acquisition.binning
    if camera.model:
        yield Card("INSTRUME", plain_ascii(camera.model), "camera")
    if camera.serial:
        yield Card("CAMSN", plain_ascii(camera.serial), "serial number of the camera")
    yield Card("XBINNING", x_binning, "binning in width")
    yield Card("YBINNING", y_binning, "binning in height")
    if camera.pixel_size_um is not None:
        yield Card("XPIXSZ", camera.pixel_size_um * x_binning, "[um] pixel width after binning")
        yield Card("YPIXSZ", camera.pixel_size_um * y_binning, "[um] pixel height after binning")


def _level_cards(acquisition: Acquisition) -> Iterator[Card]:
    for keyword, value, comment in (
        ("GAIN", acquisition.gain_setting, "gain setting of the driver"),
        ("OFFSET", acquisition.offset_setting, "offset setting of the driver"),
        ("ISOSPEED", acquisition.iso, "ISO setting"),
    ):
        if value is not None:
            yield Card(keyword, _whole(value), comment)
    for keyword, value, comment in (
        ("EGAIN", acquisition.gain_e_per_adu, "[e-/ADU] conversion gain"),
        ("CVF", acquisition.gain_e_per_adu, "[e-/ADU] conversion gain"),
        ("BLACKLEV", acquisition.black_level_adu, "[ADU] level of no signal"),
        ("SATURATE", acquisition.saturation_adu, "[ADU] level of full scale"),
    ):
        if value is not None:
            yield Card(keyword, float(value), comment)


def _cfa_cards(acquisition: Acquisition) -> Iterator[Card]:
    if acquisition.cfa_pattern is not None:
        yield Card("BAYERPAT", acquisition.cfa_pattern, "Bayer pattern, from the top")
        yield Card("XBAYROFF", 0, "first column in the pattern")
        yield Card("YBAYROFF", 0, "first row in the pattern")
    yield Card("ROWORDER", "TOP-DOWN", "the first row is the sensor's top")


def _whole(value: float) -> int | float:
    """Siril reads GAIN and OFFSET as unsigned whole numbers, so they are written as such."""
    return int(value) if value == int(value) else value


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
