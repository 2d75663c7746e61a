"""``solodark compare``: the same lights, stacked with one kind of dark after the other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson, ModelFile, NetworkFile
from solodark.cli.printing import print_json, print_left_out, print_lines, print_table
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.workflows.compare import CompareSummary

__all__ = ["compare"]

Lights = Annotated[
    Path, typer.Option("--lights", metavar="FOLDER", help="Lights of one night, as shot.")
]
Darks = Annotated[
    Path,
    typer.Option("--darks", metavar="FOLDER", help="Real darks of the lights' exposure."),
]
Sub = Annotated[Path, typer.Option("--sub", metavar="FILE", help="The one new dark.")]
Flats = Annotated[
    Path | None, typer.Option("--flats", metavar="FOLDER", help="Flats, or a master flat.")
]
Biases = Annotated[
    Path | None,
    typer.Option(
        "--biases",
        metavar="FOLDER",
        help="Biases, or a master; by default the library's, or what the model learned.",
    ),
]
Page = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write, .html.")
]


def compare(  # noqa: PLR0913, PLR0917  # numpydoc ignore=PR01
    lights: Lights,
    darks: Darks,
    sub: Sub,
    model: ModelFile,
    flats: Flats = None,
    biases: Biases = None,
    network: NetworkFile = None,
    output: Page = Path("comparison.html"),
    as_json: AsJson = False,
) -> None:
    """Stack the same lights with every kind of dark, and compare.

    No dark, the one sub, the real master, the library's nearest master, that one scaled by a single
    k, the master generated from the sub, and one generated for each light: noise, hot pixels,
    walking noise and faint stars of each stack, and a page of pictures that needs no network.
    """
    from solodark.workflows.compare import compare_files

    with progress_on_terminal() as progress:
        summary = compare_files(
            lights,
            output,
            darks=darks,
            sub=sub,
            model=model,
            flats=flats,
            biases=biases,
            network=network,
            progress=progress,
        )
    print_json(summary) if as_json else _print_summary(summary)


def _print_summary(summary: "CompareSummary") -> None:
    from solodark.workflows.compare_story import columns_for, table_rows

    print_lines(
        f"{summary.n_lights} lights in register, residual {summary.registration_rms_px:.3f} px."
    )
    columns = ["how the dark was made", *(c.title for c in columns_for(summary.rows))]
    rows = table_rows(summary.rows)
    print_table(
        columns, [(row.name, *(f.replace("\n", ", ") for f in row.figures)) for row in rows]
    )
    print_left_out(summary.left_out)
    print_lines(f"Open this page:   {summary.report}")
