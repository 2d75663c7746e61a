"""What a dark does to the picture: noise, trails, walking noise, stars, likeness."""

from solodark.comparison.background import (
    channels_of,
    flatten_background,
    mask_stars,
    robust_noise,
)
from solodark.comparison.injected_stars import (
    InjectedStars,
    StarPhotometry,
    measure_aperture_fluxes,
    paint_stars,
    place_stars,
    summarise_photometry,
)
from solodark.comparison.likeness import (
    error_adu,
    peak_signal_to_noise_db,
    structural_similarity,
)
from solodark.comparison.sensor_pattern import (
    Trails,
    pattern_match,
    summarise_trails,
    trail_residuals,
)
from solodark.comparison.stars import StarField, measure_stars

__all__ = [
    "InjectedStars",
    "StarField",
    "StarPhotometry",
    "Trails",
    "channels_of",
    "error_adu",
    "flatten_background",
    "mask_stars",
    "measure_aperture_fluxes",
    "measure_stars",
    "paint_stars",
    "pattern_match",
    "peak_signal_to_noise_db",
    "place_stars",
    "robust_noise",
    "structural_similarity",
    "summarise_photometry",
    "summarise_trails",
    "trail_residuals",
]
