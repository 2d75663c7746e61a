"""A camera with known truth: what it draws, only its dice decide, and they are handed in."""

from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.exposure import ExposureTruth, SyntheticDark, expose_bias, expose_dark
from solodark.synthetic.manufacture import make_camera
from solodark.synthetic.newborn import NewbornPixels
from solodark.synthetic.series import (
    SeriesPlan,
    SyntheticSession,
    expose_library,
    expose_series,
    stream_series,
)
from solodark.synthetic.settings import PRESETS, GainMode, SensorSettings
from solodark.synthetic.telegraph import DarkTelegraph, ReadTelegraph, TelegraphState

__all__ = [
    "PRESETS",
    "DarkTelegraph",
    "ExposureTruth",
    "GainMode",
    "NewbornPixels",
    "ReadTelegraph",
    "SensorSettings",
    "SeriesPlan",
    "SyntheticCamera",
    "SyntheticDark",
    "SyntheticSession",
    "TelegraphState",
    "expose_bias",
    "expose_dark",
    "expose_library",
    "expose_series",
    "make_camera",
    "stream_series",
]
