"""Networks that make a master dark from one sub: pix2pix, and one that knows its place.

Importing this room loads no torch; its modules `generator`, `discriminator`, `corrector`, `losses`,
`training` and `inference` do, and are imported where a network is used.
"""

from solodark.pix2pix.planes import from_planes, to_planes
from solodark.pix2pix.scaling import Scaling, learn_scaling
from solodark.pix2pix.settings import PRESETS, NetworkSettings, TrainSettings

__all__ = [
    "PRESETS",
    "NetworkSettings",
    "Scaling",
    "TrainSettings",
    "from_planes",
    "learn_scaling",
    "to_planes",
]
