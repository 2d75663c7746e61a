"""Why a sub is refused or doubted: one sentence per cause, and how much it weighs."""

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Cause", "Weight"]


class Weight(IntEnum):
    """What follows from a cause."""

    DOUBT = 1
    """The master stands, with a warning."""
    REFUSED = 2
    """No master, unless the owner knows better and forces it."""
    WRONG = 3
    """No master: it would be of another sensor or another place."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason not to trust a sub.

    Attributes
    ----------
    sentence : str
        What was found, what was expected, what helps; begins after the sub's name.
    weight : Weight
        What follows.
    """

    sentence: str
    weight: Weight
