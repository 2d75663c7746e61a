"""``solodark evaluate``: how good a model is on darks it has never seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson, ModelFile
from solodark.cli.printing import print_json, print_left_out, print_lines, print_table
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.evaluation import EvaluationTable
    from solodark.workflows.evaluate import EvaluationSummary

__all__ = ["evaluate", "print_evaluation_table"]

Darks = Annotated[
    list[Path],
    typer.Argument(
        metavar="DARKS",
        help="Files and folders; darks that the model has learned from are left out.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Dice of the intervals.")]


def evaluate(  # numpydoc ignore=PR01
    darks: Darks, model: ModelFile, seed: Seed = 1, as_json: AsJson = False
) -> None:
    """Say how good a model is on YOUR camera, beside its rivals.

    Needs three or more darks of one exposure that the model has not seen: learn with
    --leave-out-exposure-s first. Each of them in turn plays the one new dark, the others judge.
    Figures are equivalent subs: 20 means as close to the truth as the average of 20 real darks.
    """
    from solodark.workflows.evaluate import evaluate_files

    with progress_on_terminal() as progress:
        summary = evaluate_files(darks, model, seed=seed, progress=progress)
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "EvaluationSummary") -> None:
    print_lines("Judged on " + "; ".join(summary.series) + ".")
    print_evaluation_table(summary.table)
    print_left_out(summary.left_out)


def print_evaluation_table(table: "EvaluationTable") -> None:
    """Print equivalent subs, a row for each way to get a dark and a column for each class.

    Parameters
    ----------
    table : EvaluationTable
        What to print; columns in which nobody has a figure are left out.
    """
    from solodark.report import Estimate, show_estimate

    columns = [name for name in table.strata if any(row.cells[name] for row in table.rows)]
    rows = []
    for row in table.rows:
        cells = [row.cells[name] for name in columns]
        shown = [
            show_estimate(Estimate(cell.equivalent_subs, *cell.interval_95)) if cell else "-"
            for cell in cells
        ]
        rows.append([row.name, *shown])
    print_table(["equivalent subs (95 %)", *columns], rows)
