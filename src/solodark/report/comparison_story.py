"""What the report of a comparison tells: stacks of the same lights, one for each dark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.report.story import Telling

__all__ = ["ComparisonRow", "ComparisonStory", "StackPanel"]


@dataclass(frozen=True, eq=False, slots=True)
class StackPanel:
    """The lights stacked after one kind of dark.

    Attributes
    ----------
    title : str
        "one dark per light".
    caption : str
        One sentence below it.
    stack : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        The registered stack, ADU; NaN where no light covers it.
    fixed : ndarray of float32, shape (ny, nx)
        What stays fixed to the sensor: mean of the calibrated lights as the sensor saw them,
        without large scales, ADU.
    dark : ndarray of float32, shape (ny, nx)
        The dark that was subtracted, without its level, ADU; zeros for none.
    """

    title: str
    caption: str
    stack: NDArray[np.float32]
    fixed: NDArray[np.float32]
    dark: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """Figures of one kind of dark.

    Attributes
    ----------
    name : str
        As the panel's title.
    meaning : str
        One sentence: how that dark is made.
    figures : tuple of str
        One per column of the story, ready to read; "–" where there is none. What stands in
        further lines is set smaller.
    is_ours : bool
        Whether the row is set off from the others.
    """

    name: str
    meaning: str
    figures: tuple[str, ...]
    is_ours: bool = False


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class ComparisonStory(Telling):
    """Everything the report of a comparison shows.

    Attributes
    ----------
    panels : tuple of StackPanel
        Stacks to compare, all of one shape; the first is the one without a dark.
    stretched_by : int
        Number of the panel whose stretch all share.
    cfa_pattern : str or None
        Bayer layout of the sensor, or None for mono.
    rows : tuple of ComparisonRow
        Rows of the table.
    """

    panels: tuple[StackPanel, ...]
    stretched_by: int
    cfa_pattern: str | None
    rows: tuple[ComparisonRow, ...]
