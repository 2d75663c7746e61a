"""A camera with known truth: what it draws, only its dice decide, and they are handed in."""

from solodark.synthetic.camera import SyntheticCamera
from solodark.synthetic.chain import expose
from solodark.synthetic.exposure import expose_bias, expose_dark
from solodark.synthetic.lights import expose_flat, expose_light, flat_electrons, light_electrons
from solodark.synthetic.manufacture import make_camera
from solodark.synthetic.newborn import NewbornPixels
from solodark.synthetic.night import NightPlan, expose_night
from solodark.synthetic.pointing import Pointing
from solodark.synthetic.records import Circumstances, ExposureTruth, SyntheticExposure
from solodark.synthetic.scene import Scene, make_scene, scene_electrons
from solodark.synthetic.series import SeriesPlan, expose_series, stream_series
from solodark.synthetic.sessions import SyntheticSession, expose_library
from solodark.synthetic.settings import PRESETS, GainMode, SensorSettings
from solodark.synthetic.telegraph import DarkTelegraph, ReadTelegraph, TelegraphState

__all__ = [
    "PRESETS",
    "Circumstances",
    "DarkTelegraph",
    "ExposureTruth",
    "GainMode",
    "NewbornPixels",
    "NightPlan",
    "Pointing",
    "ReadTelegraph",
    "Scene",
    "SensorSettings",
    "SeriesPlan",
    "SyntheticCamera",
    "SyntheticExposure",
    "SyntheticSession",
    "TelegraphState",
    "expose",
    "expose_bias",
    "expose_dark",
    "expose_flat",
    "expose_library",
    "expose_light",
    "expose_night",
    "expose_series",
    "flat_electrons",
    "light_electrons",
    "make_camera",
    "make_scene",
    "scene_electrons",
    "stream_series",
]
