"""Reading ahead: the next frame or band is fetched while the present one is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_ahead(read: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Read one item after the other in a thread of its own, one more than was asked for.

    Parameters
    ----------
    read : callable
        Reads one item. It is never called twice at once.
    items : iterable
        What to read.

    Yields
    ------
    object
        What was read of each, in order. An error is raised where its item would come.

    Examples
    --------
    >>> list(read_ahead(str.upper, "dark"))
    ['D', 'A', 'R', 'K']
    """
    with ThreadPoolExecutor(1) as reader:
        upcoming: Future[Result] | None = None
        for item in items:
            present, upcoming = upcoming, reader.submit(read, item)
            if present is not None:
                yield present.result()
        if upcoming is not None:
            yield upcoming.result()
