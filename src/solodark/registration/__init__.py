"""Stars of a light, and the transform that brings it onto another."""

from solodark.registration.matching import find_transform
from solodark.registration.register import Registration, choose_reference, register
from solodark.registration.stars import Stars, find_stars
from solodark.registration.transform import Transform, TransformKind

__all__ = [
    "Registration",
    "Stars",
    "Transform",
    "TransformKind",
    "choose_reference",
    "find_stars",
    "find_transform",
    "register",
]
