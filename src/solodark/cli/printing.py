"""What commands print on stdout: tables for people, JSON for programs."""

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path

__all__ = [
    "as_json_value",
    "print_json",
    "print_left_out",
    "print_lines",
    "print_table",
    "span",
]


def print_json(summary: object) -> None:
    """Print a summary as one JSON object.

    Parameters
    ----------
    summary : object
        A dataclass, or what `as_json_value` takes.
    """
    sys.stdout.write(json.dumps(as_json_value(summary), indent=2, ensure_ascii=False) + "\n")


def as_json_value(value: object) -> object:
    """Turn dataclasses, paths, dates, enums and numpy scalars into what JSON knows.

    Parameters
    ----------
    value : object
        What to turn; an object with a `to_dict` knows best itself. Numbers that are not finite
        become null, as JSON has no word for them.

    Returns
    -------
    object
        Nested dict, list, str, int, float, bool and None.

    Raises
    ------
    TypeError
        The value is of a kind that JSON cannot hold.

    Examples
    --------
    >>> as_json_value({"master": Path("m.fits"), "subs": (1.5, float("nan"))})
    {'master': 'm.fits', 'subs': [1.5, None]}
    """
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(as_json_value(k)): as_json_value(v) for k, v in value.items()}
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, Iterable):
        return [as_json_value(v) for v in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    """JSON's form of a single value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_lines(*lines: str) -> None:
    """Print lines of text.

    Parameters
    ----------
    *lines : str
        What to print.
    """
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; columns of figures are set to the right.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str
        One text per column.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        are_figures = all(_is_figure(row[number]) for row in rows)
        table.add_column(column, justify="right" if are_figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table)


def _is_figure(cell: str) -> bool:
    return (
        cell[:1].isdigit()
        or cell[:1] in {"", ".", "–", "-", "∞", "<"}
        or cell.startswith("more than")
    )


def print_left_out(left_out: Sequence[tuple[Path, str]], *, what: str = "Left out") -> None:
    """List files that did not serve, each with its reason.

    Parameters
    ----------
    left_out : sequence of (Path, str)
        File and reason.
    what : str
        How the list begins.
    """
    if left_out:
        files = "file" if len(left_out) == 1 else "files"
        print_lines(f"{what} {len(left_out)} {files}:")
    for path, reason in left_out:
        print_lines(f"  {reason}" if str(path) in reason else f"  {path}: {reason}")


def span(ends: tuple[float, float] | None, unit: str) -> str:
    """Write a range of numbers with their unit.

    Parameters
    ----------
    ends : tuple of float or None
        Smallest and largest; None where they are not known.
    unit : str
        What stands behind them.

    Returns
    -------
    str
        The range in words.

    Examples
    --------
    >>> span((0.1, 300.0), "s"), span((-5.0, -5.0), "C"), span(None, "C")
    ('0.1 to 300 s', '-5 C', 'unknown C')
    """
    if ends is None:
        return f"unknown {unit}"
    low, high = ends
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}"
