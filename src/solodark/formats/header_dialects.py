"""What programs call things: one table from keyword, program and unit to a field of Acquisition.

Every format's header is brought to one shape, a dictionary of cards, and read with this table: FITS
keywords, XISF's keywords and properties, EXIF and maker notes, DeepSkyStacker's TIFF tags. Sources:
the programs' own code and the SBFITSEXT 1.0, XISF 1.0 and EXIF 2.32 specifications.
"""

from typing import NamedTuple

from solodark.formats.header_values import words
from solodark.frames import FrameKind

__all__ = ["DIALECTS", "HEADER_KIND_WORDS", "KIND_WORDS", "Dialect", "kind_from_words"]


class Dialect(NamedTuple):
    """One row of the table: where `program` writes, `keyword` holds `field` in `unit`."""

    field: str
    keyword: str
    unit: str
    program: str = ""
    """A regular expression on what wrote the file; empty for every program."""


_SBIG = "CCDSoft|TheSky"

DIALECTS = (
    Dialect("program", "SWCREATE", "text"),
    Dialect("program", "PROGRAM", "text"),
    Dialect("program", "CREATOR", "text"),
    Dialect("program", "SOFTWARE", "text"),
    Dialect("program", "XISF:CreatorApplication", "text"),
    Dialect("program", "Exif.Image.Software", "text"),
    Dialect("kind", "IMAGETYP", "kind"),
    Dialect("kind", "FRAMETYP", "kind"),
    Dialect("kind", "FRAME", "kind"),
    Dialect("kind", "OBSTYPE", "kind"),
    Dialect("kind", "IMGTYPE", "kind"),
    Dialect("kind", "PICTTYPE", "SBIG number", _SBIG),
    Dialect("kind", "imageType", "kind"),
    # Microseconds are exact where the seconds may hold a decimal comma.
    Dialect("exposure_s", "EXPOINUS", "us"),
    Dialect("exposure_s", "EXPTIME", "s"),
    Dialect("exposure_s", "EXPOSURE", "s"),
    Dialect("exposure_s", "EXP-TIME", "s"),
    Dialect("exposure_s", "Instrument:ExposureTime", "s"),
    Dialect("exposure_s", "Exif.Photo.ExposureTime", "s above 0"),
    Dialect("exposure_s", "Exif.Image.ExposureTime", "s above 0"),
    Dialect("exposure_s", "DSS:TOTALEXPOSURE", "s"),
    Dialect("sensor_temperature_c", "CCD-TEMP", "C"),
    Dialect("sensor_temperature_c", "CCD_TEMP", "C"),
    Dialect("sensor_temperature_c", "CCDTEMP", "C"),
    Dialect("sensor_temperature_c", "TEMPERAT", "C"),
    Dialect("sensor_temperature_c", "CAMTCCD", "C"),
    Dialect("sensor_temperature_c", "DET-TEMP", "C"),
    Dialect("sensor_temperature_c", "CAMTEMP", "C"),
    Dialect("sensor_temperature_c", "Instrument:Sensor:Temperature", "C"),
    Dialect("sensor_temperature_c", "Exif.CanonSi.CameraTemperature", "C"),
    Dialect("sensor_temperature_c", "Exif.OlympusFi.SensorTemperature", "C"),
    Dialect("sensor_temperature_c", "Exif.SonyMisc1.CameraTemperature", "C"),
    Dialect("sensor_temperature_c", "Exif.PentaxDng.Temperature", "C"),
    Dialect("sensor_temperature_c", "Exif.Pentax.Temperature", "C"),
    Dialect("setpoint_temperature_c", "SET-TEMP", "C"),
    Dialect("setpoint_temperature_c", "SET_TEMP", "C"),
    Dialect("setpoint_temperature_c", "SETTEMP", "C"),
    Dialect("setpoint_temperature_c", "Instrument:Sensor:TargetTemperature", "C"),
    Dialect("gain_e_per_adu", "EGAIN", "e-/ADU"),
    Dialect("gain_e_per_adu", "E-GAIN", "e-/ADU"),
    Dialect("gain_e_per_adu", "CVF", "e-/ADU"),
    Dialect("gain_e_per_adu", "Instrument:Camera:Gain", "e-/ADU"),
    Dialect("gain_setting", "DSS:GAIN", "number"),
    Dialect("offset_setting", "OFFSET", "number"),
    Dialect("offset_setting", "BLKLEVEL", "number"),
    Dialect("iso", "ISOSPEED", "ISO"),
    Dialect("iso", "ISO", "ISO"),
    Dialect("iso", "Instrument:Camera:ISOSpeed", "ISO"),
    Dialect("iso", "Exif.Photo.ISOSpeedRatings", "ISO"),
    Dialect("iso", "Exif.Photo.RecommendedExposureIndex", "ISO"),
    Dialect("iso", "Exif.Image.ISOSpeedRatings", "ISO"),
    Dialect("iso", "Exif.Photo.ISOSpeed", "ISO"),
    Dialect("iso", "Exif.PanasonicRaw.ISOSpeed", "ISO"),
    Dialect("iso", "DSS:ISO", "ISO"),
    Dialect("x_binning", "XBINNING", "count"),
    Dialect("x_binning", "BINX", "count"),
    Dialect("x_binning", "CCDXBIN", "count"),
    Dialect("x_binning", "CCDSUM", "first count"),
    Dialect("x_binning", "Instrument:Camera:XBinning", "count"),
    Dialect("y_binning", "YBINNING", "count"),
    Dialect("y_binning", "BINY", "count"),
    Dialect("y_binning", "CCDYBIN", "count"),
    Dialect("y_binning", "CCDSUM", "second count"),
    Dialect("y_binning", "Instrument:Camera:YBinning", "count"),
    Dialect("model", "INSTRUME", "text"),
    Dialect("model", "CAMERA", "text"),
    Dialect("model", "Instrument:Camera:Name", "text"),
    Dialect("maker", "Exif.Image.Make", "text"),
    Dialect("model", "Exif.Image.Model", "text"),
    Dialect("serial", "CAMSN", "text"),
    Dialect("serial", "SERIALNO", "text"),
    Dialect("serial", "CAMERAID", "text"),
    Dialect("serial", "CAMID", "text"),
    Dialect("serial", "Instrument:Camera:SerialNumber", "text"),
    Dialect("serial", "Exif.Photo.BodySerialNumber", "text"),
    Dialect("serial", "Exif.Image.CameraSerialNumber", "text"),
    Dialect("serial", "Exif.Canon.SerialNumber", "text"),
    Dialect("serial", "Exif.Nikon3.SerialNumber", "text"),
    Dialect("serial", "Exif.Nikon3.SerialNO", "text"),
    Dialect("serial", "Exif.Fujifilm.SerialNumber", "text"),
    Dialect("serial", "Exif.Panasonic.InternalSerialNumber", "text"),
    Dialect("serial", "Exif.OlympusEq.SerialNumber", "text"),
    Dialect("serial", "Exif.Pentax.SerialNumber", "text"),
    # INDI writes the unbinned pitch here, and the binned one in XPIXSZ as SBFITSEXT has it.
    Dialect("pixel_size_um", "PIXSIZE1", "um"),
    Dialect("binned_pixel_size_um", "XPIXSZ", "um"),
    Dialect("binned_pixel_size_um", "XPIXELSZ", "um"),
    Dialect("binned_pixel_size_um", "Instrument:Sensor:XPixelSize", "um"),
    Dialect("cfa_pattern", "BAYERPAT", "Bayer"),
    Dialect("cfa_pattern", "COLORTYP", "Bayer"),
    Dialect("cfa_pattern", "CFATYPE", "Bayer"),
    Dialect("cfa_pattern", "FILTER", "Bayer"),
    Dialect("cfa_pattern", "ColorFilterArray", "Bayer"),
    Dialect("cfa_pattern", "DSS:CFATYPE", "DSS Bayer number"),
    Dialect("cfa_x_offset", "XBAYROFF", "number"),
    Dialect("cfa_x_offset", "BAYOFFX", "number"),
    Dialect("cfa_y_offset", "YBAYROFF", "number"),
    Dialect("cfa_y_offset", "BAYOFFY", "number"),
    Dialect("row_order", "ROWORDER", "row order"),
    Dialect("black_level_adu", "BLACKLEV", "ADU"),
    Dialect("black_level_adu", "PEDESTAL", "ADU to add"),
    Dialect("saturation_adu", "SATURATE", "ADU"),
    Dialect("saturation_adu", "DATAMAX", "ADU", _SBIG),
    Dialect("n_combined", "NCOMBINE", "count"),
    Dialect("n_combined", "STACKCNT", "count"),
    Dialect("n_combined", "DSS:NRFRAMES", "several"),
    Dialect("n_combined", "SNAPSHOT", "several", "MaxIm"),
    Dialect("date_obs", "DATE-OBS", "date"),
    Dialect("date_obs", "Observation:Time:Start", "date"),
    Dialect("date_obs", "Exif.Photo.DateTimeOriginal", "date"),
    Dialect("date_obs", "Exif.Image.DateTimeOriginal", "date"),
    Dialect("date_obs", "Exif.Image.DateTime", "date"),
    Dialect("date_obs", "MJD-OBS", "MJD"),
    Dialect("date_obs", "JD", "JD"),
    Dialect("time_of_day", "TIME-OBS", "text"),
    Dialect("time_of_day", "UT", "text"),
)
"""In order of preference within each field."""

KIND_WORDS = (
    (FrameKind.DARK, {"dark", "darks", "darkframe", "darkframes", "darkflat", "darkflats",
                      "flatdark", "flatdarks", "masterdark", "masterdarks"}),
    (FrameKind.BIAS, {"bias", "biases", "biasframe", "offsets", "masterbias", "superbias"}),
    (FrameKind.FLAT, {"flat", "flats", "flatfield", "flatfields", "flatframe", "skyflat",
                      "domeflat", "masterflat"}),
    (FrameKind.LIGHT, {"light", "lights", "lightframe", "lightframes", "masterlight"}),
)  # fmt: skip
"""Darks come first, because a flat's dark is a dark."""

HEADER_KIND_WORDS = (
    (FrameKind.BIAS, {"zero", "offset"}),
    (FrameKind.LIGHT, {"object", "science", "sci", "target"}),
)


def kind_from_words(text: str, *, header: bool = False) -> FrameKind | None:
    """Tell the kind of frame that a header value, a file's or a folder's name speaks of.

    Parameters
    ----------
    text : str
        "Dark Frame", "MasterBias", "lux-180_000secs_Light_Open".
    header : bool, optional
        Whether it is a header's value: there "offset" is a bias and "object" a light, while in a
        name they are a setting of the camera and what was observed.

    Returns
    -------
    FrameKind or None
        None where no word tells.

    Examples
    --------
    >>> kind_from_words("flat-darks"), kind_from_words("M31")
    (<FrameKind.DARK: 'dark'>, None)
    """
    spoken = set(words(text))
    known = KIND_WORDS + HEADER_KIND_WORDS if header else KIND_WORDS
    return next((kind for kind, names in known if spoken & names), None)
