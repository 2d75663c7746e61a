"""Many registered lights become one picture."""

from solodark.stacking.bands import FlaggedSource
from solodark.stacking.drizzled import drizzle
from solodark.stacking.resample import KERNELS
from solodark.stacking.stacked import Stack, stack

__all__ = ["KERNELS", "FlaggedSource", "Stack", "drizzle", "stack"]
