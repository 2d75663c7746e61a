"""Lights without dark signal and vignetting, their uncertainty and flags carried along."""

from solodark.calibration.calibrate import calibrate_light
from solodark.calibration.flat import NormalisedFlat, normalised_flat
from solodark.calibration.light import CalibratedLight
from solodark.calibration.repair import repair

__all__ = ["CalibratedLight", "NormalisedFlat", "calibrate_light", "normalised_flat", "repair"]
