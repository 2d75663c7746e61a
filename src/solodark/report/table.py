"""The table of rivals as HTML."""

import math
from html import escape

from solodark.report.story import Estimate, Rival, Story, show_digits

__all__ = ["table_html"]

LONGEST_BAR = 100.0
"""Length of the best rival's bar, per cent of its cell."""


def table_html(story: Story) -> str:
    """Write the rivals as an HTML table, the headline figure with a bar.

    Parameters
    ----------
    story : Story
        Its columns and rivals.

    Returns
    -------
    str
        A ``<table>``.
    """
    best = max((_length(rival.estimates[0]) for rival in story.rivals), default=0.0)
    headings = "".join(f'<th scope="col">{escape(c.title)}</th>' for c in story.columns)
    rows = "\n".join(_row(rival, best) for rival in story.rivals)
    return (
        f'<table>\n<thead><tr><th scope="col">how the dark was made</th>{headings}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _row(rival: Rival, best: float) -> str:
    cells = "".join(_cell(estimate) for estimate in rival.estimates[1:])
    ours = ' class="ours"' if rival.is_ours else ""
    name = f"{escape(rival.name)}<span>{escape(rival.meaning)}</span>"
    return f'<tr{ours}><th scope="row">{name}</th>{_headline(rival.estimates[0], best)}{cells}</tr>'


def _headline(estimate: Estimate, best: float) -> str:
    """Write the first figure with a bar whose length is its share of the best."""
    share = LONGEST_BAR * _length(estimate) / best if best > 0 else 0.0
    bar = f'<i class="bar" style="width: {share:.1f}%"></i>'
    return f'<td class="headline">{_value(estimate)}{bar}{_interval(estimate)}</td>'


def _cell(estimate: Estimate) -> str:
    return f"<td>{_value(estimate)}{_interval(estimate)}</td>"


def _value(estimate: Estimate) -> str:
    if math.isinf(estimate.value) and math.isfinite(estimate.low):
        return f"&gt; {show_digits(estimate.low)}"
    return escape(show_digits(estimate.value))


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return ""
    low, high = (escape(show_digits(end)) for end in (estimate.low, estimate.high))
    return f"<span>{low} – {high}</span>"


def _length(estimate: Estimate) -> float:
    """Give what a bar stands for: the figure, its lower end if that is infinite, or nothing."""
    drawn = estimate.low if math.isinf(estimate.value) else estimate.value
    return max(drawn, 0.0) if math.isfinite(drawn) else 0.0
