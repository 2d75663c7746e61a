"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "LibraryFile", "ModelFile", "NetworkFile", "OutputFile"]

AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")]

LibraryFile = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="FILE",
        help="The catalogue; by default $SOLODARK_LIBRARY, or one in your user folder.",
    ),
]

ModelFile = Annotated[
    Path,
    typer.Option(
        "--model", "-m", metavar="FILE", help="The dark model, as `solodark learn` made it."
    ),
]

NetworkFile = Annotated[
    Path | None,
    typer.Option("--network", metavar="FILE", help="A network, as `solodark train` made it."),
]

OutputFile = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write the result."),
]
