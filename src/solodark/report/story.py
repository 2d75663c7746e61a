"""What a report tells: pictures of one sensor, rivals with their figures, and the recipe."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Estimate", "Panel", "Rival", "Story", "show_digits", "show_estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes
    ----------
    value : float
        The figure; NaN where it could not be measured, infinite where it has no upper end.
    low, high : float
        Ends of its interval; NaN where there is none.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, slots=True)
class Column:
    """A figure that every rival is judged by.

    Attributes
    ----------
    title : str
        Heading, "all pixels".
    meaning : str
        One sentence for somebody who has not read the theory.
    """

    title: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Rival:
    """One way to get a dark, and how good it was.

    Attributes
    ----------
    name : str
        "one k".
    meaning : str
        One sentence: how that dark is made.
    estimates : tuple of Estimate
        One per column of the story; the first is the headline.
    is_ours : bool
        Whether the row is set off from the others.
    """

    name: str
    meaning: str
    estimates: tuple[Estimate, ...]
    is_ours: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Panel:
    """One dark of the sensor, as pixels.

    Attributes
    ----------
    title : str
        "your one dark".
    caption : str
        One sentence below it.
    data : ndarray of float32, shape (ny, nx)
        ADU.
    worth_subs : float
        Its equivalent subs over all pixels; NaN where that makes no sense, as for the truth.
    worth_ordinary_subs : float
        The same over ordinary pixels alone.
    """

    title: str
    caption: str
    data: NDArray[np.float32]
    worth_subs: float = float("nan")
    worth_ordinary_subs: float = float("nan")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Telling:
    """What every report tells beside its pictures and figures.

    Attributes
    ----------
    title : str
        Heading of the page.
    lead : tuple of str
        Opening paragraphs; the first is the result in one sentence.
    columns : tuple of Column
        What the table's figures mean.
    recipe : tuple of (str, str)
        How it was made: a name and a value per line.
    next_steps : tuple of (str, str)
        What to do now: a sentence and a command per step.
    """

    title: str
    lead: tuple[str, ...]
    columns: tuple[Column, ...]
    recipe: tuple[tuple[str, str], ...] = ()
    next_steps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Story(Telling):
    """Everything a report shows.

    Attributes
    ----------
    panels : tuple of Panel
        Darks to compare, all of one shape; the first is the sub, which sets the stretch.
    truth : Panel
        What all of them are compared with.
    cfa_pattern : str or None
        Bayer layout of all panels, or None for mono.
    rivals : tuple of Rival
        Rows of the table.
    """

    panels: tuple[Panel, ...]
    truth: Panel
    cfa_pattern: str | None
    rivals: tuple[Rival, ...]


def show_estimate(estimate: Estimate) -> str:
    """Write a figure with as many digits as it deserves, and its interval.

    Parameters
    ----------
    estimate : Estimate
        What to write.

    Returns
    -------
    str
        "42 (31 – 55)", or "–" where there is no figure.

    Examples
    --------
    >>> show_estimate(Estimate(41.7, 30.9, 55.2)), show_estimate(Estimate(0.734))
    ('42 (31 – 55)', '0.73')
    """
    value, low, high = map(show_digits, (estimate.value, estimate.low, estimate.high))
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return value
    if math.isinf(estimate.value):
        return f"more than {low}"
    return f"{value} ({low} – {high})"


def show_digits(value: float) -> str:
    """Write a figure with two significant digits below ten, and as a whole number above.

    Parameters
    ----------
    value : float
        What to write.

    Returns
    -------
    str
        "46", "1.3", "0.73" or "< 0.01"; "∞" where an error cannot be told from zero, "–" for NaN.

    Examples
    --------
    >>> show_digits(45.7), show_digits(1.26), show_digits(0.734)
    ('46', '1.3', '0.73')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    if 0 < value < 0.005:
        return "< 0.01"
    if abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
