"""The dark model: learn a sensor's dark signal, generate its master dark from one sub."""

from solodark.dark_model.fit import learn
from solodark.dark_model.generate import generate
from solodark.dark_model.growth import grow
from solodark.dark_model.health import Advice, ModelHealth, examine
from solodark.dark_model.model import DarkModel
from solodark.dark_model.predict import level_image, predict
from solodark.dark_model.series import is_bias, series_index
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.solve import solve
from solodark.dark_model.storage import from_arrays, to_arrays
from solodark.dark_model.update import update
from solodark.dark_model.without_sub import (
    generate_each_light,
    generate_for_exposure,
    generate_for_lights,
)

__all__ = [
    "Advice",
    "DarkModel",
    "LearnSettings",
    "ModelHealth",
    "examine",
    "from_arrays",
    "generate",
    "generate_each_light",
    "generate_for_exposure",
    "generate_for_lights",
    "grow",
    "is_bias",
    "learn",
    "level_image",
    "predict",
    "series_index",
    "solve",
    "to_arrays",
    "update",
]
