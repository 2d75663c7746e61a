"""A comparison told: what its rows and columns mean, and what came out."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from solodark.report import Column, ComparisonRow, ComparisonStory
from solodark.workflows.compare_rows import EACH, GENERATED, MEANINGS, REAL, TRUTH, CompareRow
from solodark.workflows.compare_stacks import Comparison

__all__ = [
    "columns_for",
    "lead_sentences",
    "table_rows",
    "tell_comparison",
]

OURS = (GENERATED, EACH)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A column of the table, and how a row fills it."""

    title: str
    meaning: str
    show: Callable[[CompareRow], str]
    needs_truth: bool = False


def _number(value: float, digits: int, sign: str = "") -> str:
    if math.isnan(value):
        return "–"
    return "∞" if math.isinf(value) else f"{value:{sign}.{digits}f}"


FIGURES = (
    _Figure(
        "background noise, ADU",
        "Noise of the stack between the stars, its large scales removed: less is deeper. The "
        "second figure is that of the plain mean of the lights, as if no light had drifted.",
        lambda r: f"{_number(r.noise_adu, 3)}\n{_number(r.noise_unregistered_adu, 3)} unregistered",
    ),
    _Figure(
        "hot pixels, σ",
        "What known hot pixels leave along their paths through the stack, in background noise of "
        "the best stack: the mean (above 0 are trails, below 0 holes) and the root mean square, to "
        "which both add; some of it is the sky's own noise.",
        lambda r: f"{_number(r.trail_mean_sigma, 2, '+')}\n{_number(r.trail_rms_sigma, 2)} rms",
    ),
    _Figure(
        "trails / holes",
        "Share of the hot pixels whose path stands 5 sigma above or below its surroundings.",
        lambda r: f"{_number(100 * r.trails, 1)} %\n{_number(100 * r.holes, 1)} % holes",
    ),
    _Figure(
        "walking noise",
        "Correlation of the stack with the sensor's own pattern, moved as the lights were, and of "
        "the plain mean with the pattern itself: 0 is perfect, below 0 too much was subtracted.",
        lambda r: (
            f"{_number(r.walking_correlation, 3, '+')}\n"
            f"{_number(r.fixed_correlation, 3, '+')} unregistered"
        ),
    ),
    _Figure(
        "faint stars, mag",
        "Bias of injected stars of 5 sigma with its standard error, above 0 for too faint, and the "
        "scatter of single ones. They were put into the raw lights, before any calibration.",
        lambda r: (
            f"{_number(r.star_bias_mag, 3, '+')} ± {_number(r.star_bias_error_mag, 3)}\n"
            f"scatter {_number(r.star_scatter_mag, 2)}"
        ),
    ),
    _Figure(
        "stars found",
        "Sources that stand 5 sigma above the stack's own noise; what hot pixels leave is counted "
        "too, so more is not always better. Then the width of the bright stars in pixels.",
        lambda r: f"{r.n_stars}\n{_number(r.fwhm_px, 2)} px wide",
    ),
    _Figure(
        "PSNR, dB",
        "The figure of the paper that this program takes up: how little the picture differs from "
        "the stack without any dark, both stretched for the screen. The paper found 27.688 for its "
        "generated and 27.685 for its real master. It cannot tell a good dark from a bad one.",
        lambda r: _number(r.psnr_db, 3),
    ),
    _Figure(
        "error, ADU",
        "Root mean square difference from the stack with the true darks.",
        lambda r: _number(r.error_adu, 3),
        needs_truth=True,
    ),
    _Figure(
        "similarity",
        "Structural similarity to that stack on the screen (SSIM); 1 is the same picture.",
        lambda r: _number(r.similarity, 4),
        needs_truth=True,
    ),
    _Figure(
        "bias to truth, mag",
        "Bias of the injected stars against the same stars after the true darks: the lights' own "
        "noise is in both and cancels.",
        lambda r: _number(r.star_bias_to_truth_mag, 4, "+"),
        needs_truth=True,
    ),
)


def _figures(rows: Sequence[CompareRow]) -> list[_Figure]:
    knows_truth = any(row.name == TRUTH for row in rows)
    return [figure for figure in FIGURES if knows_truth or not figure.needs_truth]


def columns_for(rows: Sequence[CompareRow]) -> tuple[Column, ...]:
    """Give the columns of the table; those that need the truth only where it is known.

    Parameters
    ----------
    rows : sequence of CompareRow
        All figures.

    Returns
    -------
    tuple of Column
        With a sentence each.
    """
    return tuple(Column(figure.title, figure.meaning) for figure in _figures(rows))


def table_rows(rows: Sequence[CompareRow]) -> tuple[ComparisonRow, ...]:
    """Write the figures of each row as people read them.

    Parameters
    ----------
    rows : sequence of CompareRow
        All figures.

    Returns
    -------
    tuple of ComparisonRow
        In their order.
    """
    figures = _figures(rows)
    return tuple(
        ComparisonRow(
            name=row.name,
            meaning=f"{MEANINGS[row.name]} Here: {row.note}." if row.note else MEANINGS[row.name],
            figures=tuple(figure.show(row) for figure in figures),
            is_ours=row.name in OURS,
        )
        for row in rows
    )


def tell_comparison(
    found: Comparison,
    recipe: Sequence[tuple[str, str]],
    *,
    next_steps: Sequence[tuple[str, str]] = (),
) -> ComparisonStory:
    """Make the story of a page from a comparison.

    Parameters
    ----------
    found : Comparison
        Stacks and figures.
    recipe : sequence of (str, str)
        How it was made.
    next_steps : sequence of (str, str)
        What to do now.

    Returns
    -------
    ComparisonStory
        For `solodark.report`.
    """
    n_ways = sum(row.name != TRUTH for row in found.rows)
    return ComparisonStory(
        title=f"{found.n_lights} lights, {n_ways} ways to get the dark",
        lead=lead_sentences(found.rows, found.n_lights),
        panels=found.panels,
        stretched_by=found.stretched_by,
        cfa_pattern=found.cfa_pattern,
        columns=columns_for(found.rows),
        rows=table_rows(found.rows),
        recipe=tuple(recipe),
        next_steps=tuple(next_steps),
    )


def lead_sentences(rows: Sequence[CompareRow], n_lights: int) -> tuple[str, ...]:
    """Say what came out, whoever is best.

    Parameters
    ----------
    rows : sequence of CompareRow
        All figures.
    n_lights : int
        Lights that were stacked.

    Returns
    -------
    tuple of str
        Paragraphs.
    """
    rivals = [row for row in rows if row.name != TRUTH]
    quiet = min(rivals, key=lambda row: row.noise_adu)
    clean = min(rivals, key=lambda row: row.trail_rms_sigma)
    result = (
        f"The same {n_lights} lights, stacked {len(rivals)} times, each time with another dark. "
        f"The least noise is left by “{quiet.name}” ({_number(quiet.noise_adu, 3)} ADU), the least "
        f"of hot pixels by “{clean.name}” ({_number(clean.trail_rms_sigma, 2)} sigma)."
    )
    fairness = (
        "All stacks share one registration, one flat and one way of stacking; only what is "
        "subtracted differs."
    )
    return result, " ".join(_beside_the_real(rivals)), fairness


def _beside_the_real(rows: Sequence[CompareRow]) -> Iterable[str]:
    """How ours stand beside the real master, in words."""
    named = {row.name: row for row in rows}
    real = named.get(REAL)
    for name in OURS:
        ours = named.get(name)
        if real is not None and ours is not None:
            hot = _number(ours.trail_rms_sigma, 2), _number(real.trail_rms_sigma, 2)
            yield (
                f"“{name[:1].upper()}{name[1:]}” leaves {_number(ours.noise_adu, 3)} ADU of noise "
                f"against {_number(real.noise_adu, 3)} by the real master, and of hot pixels "
                f"{f'{hot[0]} sigma against {hot[1]}' if hot[0] != hot[1] else 'just as much'}."
            )
