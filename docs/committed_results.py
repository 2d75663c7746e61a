"""The committed results of the benchmarks, and how pages show them."""

import json
from pathlib import Path
from textwrap import fill
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def load(name: str) -> dict[str, Any]:
    """Read a committed result."""
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return result


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Draw a table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def paragraph(text: str) -> str:
    """Break the lines of a paragraph anew."""
    return fill(" ".join(text.split()), 100, break_long_words=False) + "\n"


def machine(result: dict[str, Any]) -> str:
    """Name the processor that a result was measured on."""
    return str(result["machine"]["processor"])


def spread(values: list[float], digits: int = 2) -> str:
    """Show the least and the most of some figures."""
    least, most = (f"{bound(values):.{digits}f}" for bound in (min, max))
    return least if least == most else f"{least} to {most}"
