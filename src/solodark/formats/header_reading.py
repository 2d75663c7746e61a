"""From a header's cards to an `Acquisition`, saying what was decided on the way."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from solodark.formats.header_dialects import DIALECTS, Dialect
from solodark.formats.header_units import MEANINGS, Meaning
from solodark.formats.header_values import Header, parse_date, parse_number
from solodark.frames import Acquisition, Camera, FrameKind, shift_cfa_pattern

__all__ = ["acquisition_from_header"]

_AMATEUR_PROGRAMS = re.compile(
    r"ASI|ZWO|N\.?I\.?N\.?A|SharpCap|FireCapture|KStars|Ekos|INDI|Siril|PHD|APT|Astro Photography"
    r"|Sequence Generator|SGP|Voyager|CCDciel|ToupSky|AstroDMx|solodark|Prism|DeepSkyStacker|DSS"
    r"|PixInsight|EZCAP|QHY|DWARF|Seestar",
    re.IGNORECASE,
)
_ELECTRONS = re.compile(r"e-?\s*/\s*(ADU|DN|count)|electron|photo-?e", re.IGNORECASE)


@dataclass(slots=True)
class _Reading:
    """What the table found so far: field to (meaning, keyword), and remarks."""

    found: dict[str, tuple[Meaning, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        value = self.found.get(name, (None, ""))[0]
        return value if isinstance(value, str) else None

    def number(self, name: str) -> float | None:
        value = self.found.get(name, (None, ""))[0]
        return float(value) if isinstance(value, int | float) else None

    def whole(self, name: str) -> int | None:
        number = self.number(name)
        return None if number is None else int(number)


def acquisition_from_header(header: Header) -> Acquisition:
    """Read how a frame was taken from its header, in whatever dialect it is written.

    Parameters
    ----------
    header : dict of str to HeaderCard
        Cards, as a format's reader found them.

    Returns
    -------
    Acquisition
        What the header says; `notes` tells what was decided where it is ambiguous.

    Examples
    --------
    >>> from solodark.formats.header_values import HeaderCard
    >>> header = {"EXPOINUS": HeaderCard(32), "EXPTIME": HeaderCard("3,2E-05 ")}
    >>> acquisition_from_header(header).exposure_s
    3.2e-05
    """
    reading = _Reading()
    for dialect in DIALECTS:
        _take(dialect, header, reading)
    gain_setting, gain_e_per_adu = _gains(header, reading)
    kind, kind_keyword = reading.found.get("kind", (None, ""))
    return Acquisition(
        kind=kind if isinstance(kind, FrameKind) else None,
        kind_source=f"header {kind_keyword}" if kind else "",
        camera=_camera(reading),
        exposure_s=reading.number("exposure_s"),
        sensor_temperature_c=reading.number("sensor_temperature_c"),
        setpoint_temperature_c=reading.number("setpoint_temperature_c"),
        gain_setting=gain_setting,
        offset_setting=reading.number("offset_setting"),
        iso=reading.whole("iso"),
        gain_e_per_adu=gain_e_per_adu,
        binning=_binning(reading),
        cfa_pattern=_cfa_pattern(header, reading),
        row_order=reading.text("row_order"),
        black_level_adu=reading.number("black_level_adu"),
        saturation_adu=reading.number("saturation_adu"),
        n_combined=reading.whole("n_combined"),
        date_obs=_date(header, reading),
        program=reading.text("program"),
        notes=tuple(reading.notes),
    )


def _take(dialect: Dialect, header: Header, reading: _Reading) -> None:
    """Take a row's value if its field is still unknown; else compare and remark."""
    card = header.get(dialect.keyword)
    if card is None or not re.search(dialect.program, reading.text("program") or ""):
        return
    meaning = MEANINGS[dialect.unit](card.value)
    if meaning is None:
        return
    if dialect.field not in reading.found:
        reading.found[dialect.field] = (meaning, dialect.keyword)
    elif dialect.field == "exposure_s":
        _compare_exposures(dialect.keyword, meaning, reading)


def _compare_exposures(keyword: str, other: Meaning, reading: _Reading) -> None:
    taken, source = reading.found["exposure_s"]
    if not isinstance(taken, float) or not isinstance(other, float):
        return
    if abs(taken - other) > 0.01 * max(taken, other):
        reading.notes.append(f"{source} says {taken:g} s and {keyword} {other:g} s; took {source}")


def _gains(header: Header, reading: _Reading) -> tuple[float | None, float | None]:
    """Tell the driver's number from electrons per ADU: GAIN can be either.

    Amateur programs put the driver's number in GAIN and the conversion gain in EGAIN or CVF;
    observatories put electrons per ADU in GAIN.
    """
    e_per_adu = reading.number("gain_e_per_adu")
    card = header.get("GAIN")
    gain = parse_number(card.value) if card else None
    if card is None or gain is None:
        return reading.number("gain_setting"), e_per_adu
    if e_per_adu is not None or _AMATEUR_PROGRAMS.search(reading.text("program") or ""):
        return gain, e_per_adu
    if _ELECTRONS.search(card.comment):
        reading.notes.append(f"took GAIN = {gain:g} for e-/ADU, as its comment says")
        return None, gain
    if gain != int(gain) and 0 < gain < 50:
        reading.notes.append(f"took GAIN = {gain:g} for e-/ADU: drivers' settings are whole")
        return None, gain
    reading.notes.append(f"took GAIN = {gain:g} for the driver's setting: it is a whole number")
    return gain, None


def _camera(reading: _Reading) -> Camera:
    maker, model = reading.text("maker"), reading.text("model")
    if maker and model and not any(word in model.lower() for word in maker.lower().split()):
        model = f"{maker} {model}"
    pitch, binned = reading.number("pixel_size_um"), reading.number("binned_pixel_size_um")
    if pitch is None and binned is not None:
        pitch = binned / _binning(reading)[0]
    return Camera(model=model, serial=reading.text("serial"), pixel_size_um=pitch)


def _binning(reading: _Reading) -> tuple[int, int]:
    x = reading.whole("x_binning") or reading.whole("y_binning") or 1
    return x, reading.whole("y_binning") or x


def _cfa_pattern(header: Header, reading: _Reading) -> str | None:
    """Give the pattern of the first pixels, row 0 at the top.

    BAYERPAT names the pattern as it is seen from the top in either row order (so Siril and CCDCiel,
    who introduced ROWORDER, read it), and XBAYROFF, YBAYROFF say where in it the image begins.
    """
    pattern = reading.text("cfa_pattern")
    if pattern is None:
        _remark_unknown_pattern(header, reading)
        return None
    dy, dx = (reading.whole(f"cfa_{axis}_offset") or 0 for axis in "yx")
    return shift_cfa_pattern(pattern, dy % 2, dx % 2)


def _remark_unknown_pattern(header: Header, reading: _Reading) -> None:
    value = header["BAYERPAT"].value if "BAYERPAT" in header else None
    if isinstance(value, str) and value.strip() and value.strip().upper() not in {"NONE", "MONO"}:
        reading.notes.append(
            f"BAYERPAT = {value.strip()[:40]!r} is no Bayer pattern; took it for mono"
        )


def _date(header: Header, reading: _Reading) -> datetime | None:
    date, keyword = reading.found.get("date_obs", (None, ""))
    if not isinstance(date, datetime):
        return None
    if keyword.startswith("Exif."):
        return _exif_date(header, keyword, reading) or date
    value = header[keyword].value
    if isinstance(value, str):
        return parse_date(value, reading.text("time_of_day")) or date
    return date


def _exif_date(header: Header, keyword: str, reading: _Reading) -> datetime | None:
    """Add the fraction of the second and the time zone, which EXIF keeps in tags of their own."""
    value, fraction, zone = (
        str(header[name].value).strip() if name in header else ""
        for name in (keyword, "Exif.Photo.SubSecTimeOriginal", "Exif.Photo.OffsetTimeOriginal")
    )
    zone = zone or str(
        header["Exif.Photo.OffsetTime"].value if "Exif.Photo.OffsetTime" in header else ""
    )
    if not zone.strip():
        reading.notes.append("the camera's clock names no time zone; took its time for UTC")
    fraction = f".{fraction}" if fraction.isdigit() else ""
    return parse_date(f"{value}{fraction}{zone.strip()}")
