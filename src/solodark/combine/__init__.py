"""Combine many frames into one: mean, median, sigma-clipped and winsorised mean."""

from solodark.combine.combining import METHODS, Combined, combine

__all__ = ["METHODS", "Combined", "combine"]
