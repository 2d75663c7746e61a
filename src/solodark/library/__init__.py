"""The catalogue of the user's own frames: what there is, and what does not belong."""

from solodark.library.catalogue import Catalogue, Entry, FileState
from solodark.library.check_files import find_bad, find_stale, find_vanished
from solodark.library.checks import find_misfits
from solodark.library.coverage import CoverageTable, coverage_tables
from solodark.library.findings import CODES, Finding, Severity, merged
from solodark.library.records import BadFile, FileStamp, FrameHeader, FrameRecord
from solodark.library.series import Sensor, Series, SeriesKey, group_series, nights_of

__all__ = [
    "CODES",
    "BadFile",
    "Catalogue",
    "CoverageTable",
    "Entry",
    "FileStamp",
    "FileState",
    "Finding",
    "FrameHeader",
    "FrameRecord",
    "Sensor",
    "Series",
    "SeriesKey",
    "Severity",
    "coverage_tables",
    "find_bad",
    "find_misfits",
    "find_stale",
    "find_vanished",
    "group_series",
    "merged",
    "nights_of",
]
