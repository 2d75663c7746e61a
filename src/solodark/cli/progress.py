"""Progress bars on a terminal; nothing in a pipe."""

import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from solodark.frames import Progress

__all__ = ["progress_on_terminal"]

Item = TypeVar("Item")

COMPILING = "working (the very first run also compiles its fast loops, once)"
WORKING = "working"


@contextmanager
def progress_on_terminal() -> Iterator["Progress"]:
    """Draw a bar for each loop while the body runs, if somebody is looking.

    Yields
    ------
    Progress
        Draws on stderr where that is a terminal; otherwise does nothing.
    """
    if not sys.stderr.isatty():
        from solodark.frames import silent

        yield silent
        return
    with _bars() as bars:
        # A line that turns from the start, so that imports and compiling never look like a hang.
        bars.add_task(COMPILING if _is_first_run() else WORKING, total=None)
        yield _Drawn(bars)


class _Drawn:
    """Adds a bar when a loop begins and takes it away when it ends."""

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars

    def __call__(
        self, items: Iterable[Item], description: str, total: int | None = None
    ) -> Iterable[Item]:
        if total is None and isinstance(items, Sized):
            total = len(items)
        task = self._bars.add_task(description[:1].lower() + description[1:], total=total)
        try:
            for item in items:
                yield item
                self._bars.advance(task)
        finally:
            self._bars.remove_task(task)


def _bars() -> "Bars":
    """Make a display on stderr that vanishes when done, with a sign that always turns."""
    from rich import progress
    from rich.console import Console
    from rich.text import Text

    class Count(progress.ProgressColumn):
        """How many of how many, where that is known."""

        def render(self, task: progress.Task) -> Text:
            known = task.total is not None
            return Text(f"{task.completed:.0f} of {task.total:.0f}" if known else "")

    return progress.Progress(
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        Count(),
        progress.TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        # what is printed meanwhile goes around the bars, unless stdout is not this terminal
        redirect_stdout=sys.stdout.isatty(),
    )


def _is_first_run() -> bool:
    """Whether no compiled kernel lies beside the package yet (numba's cache ends in .nbi)."""
    return next(Path(__file__).parents[1].glob("*/__pycache__/*.nbi"), None) is None
