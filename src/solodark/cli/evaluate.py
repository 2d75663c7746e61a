"""``solodark evaluate``: how good a model is on darks it has never seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson, ModelFile, NetworkFile
from solodark.cli.printing import print_json, print_left_out, print_lines, print_table
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.evaluation import EvaluationTable, Row
    from solodark.workflows.evaluate import EvaluationSummary

__all__ = ["evaluate", "print_evaluation_table", "print_leftovers"]

HEADLINE = "winsorised"

Darks = Annotated[
    list[Path],
    typer.Argument(
        metavar="DARKS",
        help="Files and folders; darks that the model has learned from are left out.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Dice of the intervals.")]


def evaluate(  # numpydoc ignore=PR01
    darks: Darks,
    model: ModelFile,
    network: NetworkFile = None,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Say how good a model is on YOUR camera, beside its rivals.

    Needs three or more darks of one exposure that the model has not seen: learn with
    --leave-out-exposure-s first. Each of them in turn plays the one new dark, the others judge.
    Figures are equivalent subs: 20 means as close to the truth as the average of 20 real darks.
    """
    from solodark.workflows.evaluate import evaluate_files

    with progress_on_terminal() as progress:
        summary = evaluate_files(darks, model, network=network, seed=seed, progress=progress)
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "EvaluationSummary") -> None:
    print_lines("Judged on " + "; ".join(summary.series) + ".")
    print_evaluation_table(summary.table)
    print_leftovers(summary.table)
    print_left_out(summary.left_out)


def print_evaluation_table(table: "EvaluationTable") -> None:
    """Print equivalent subs, a row for each way to get a dark and a column for each class.

    Parameters
    ----------
    table : EvaluationTable
        What to print; columns in which nobody has a figure are left out.
    """
    shown = [name for name in table.strata if any(row.cells[name] for row in table.rows)]
    rows = [[row.name, *(_figure(row, name) for name in shown)] for row in table.rows]
    print_table(["worth in subs", *shown], rows)
    notes: dict[str, list[str]] = {}
    for row in table.rows:
        notes.setdefault(row.note, []).append(row.name)
    print_lines(*(f"{', '.join(names)}: {note}" for note, names in notes.items() if note))


def _figure(row: "Row", stratum: str) -> str:
    """Write a figure, the headline with its interval."""
    from solodark.report import Estimate, show_estimate

    cell = row.cells[stratum]
    if cell is None:
        return "–"
    interval = cell.interval_95 if stratum == HEADLINE else ()
    return show_estimate(Estimate(cell.equivalent_subs, *interval))


def print_leftovers(table: "EvaluationTable") -> None:
    """Print what each dark leaves behind in a picture it is subtracted from.

    Parameters
    ----------
    table : EvaluationTable
        What to print; rows whose leftovers were not measured are left out.
    """
    measured = [(row.name, row.quality) for row in table.rows if row.quality]
    rows = [
        [
            name,
            f"{left.pattern_adu:.2f}",
            f"{left.warm_fraction * 1e4:.1f}",
            f"{left.holes_fraction * 1e4:.1f}",
            f"{left.row_adu:.2f}",
            f"{left.column_adu:.2f}",
        ]
        for name, left in measured
    ]
    if rows:
        columns = ["pattern, ADU", "hot / 10000", "holes / 10000", "rows, ADU", "columns, ADU"]
        print_table(["what it leaves behind", *columns], rows)
