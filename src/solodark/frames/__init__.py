"""What things are: frames, how they were taken, masters and their flags."""

from solodark.frames.acquisition import Acquisition, Camera, FrameKind
from solodark.frames.ahead import read_ahead
from solodark.frames.cfa import CFA_PATTERNS, cfa_plane_index, cfa_planes, shift_cfa_pattern
from solodark.frames.frame import Frame, FrameSource, row_bands
from solodark.frames.master import (
    InputRecord,
    Master,
    MasterDark,
    PixelFlags,
    Provenance,
    Verdict,
)
from solodark.frames.matching import MATCHING_FIELDS, require_matching
from solodark.frames.progress import Progress, silent
from solodark.frames.series import series_acquisition

__all__ = [
    "CFA_PATTERNS",
    "MATCHING_FIELDS",
    "Acquisition",
    "Camera",
    "Frame",
    "FrameKind",
    "FrameSource",
    "InputRecord",
    "Master",
    "MasterDark",
    "PixelFlags",
    "Progress",
    "Provenance",
    "Verdict",
    "cfa_plane_index",
    "cfa_planes",
    "read_ahead",
    "require_matching",
    "row_bands",
    "series_acquisition",
    "shift_cfa_pattern",
    "silent",
]
