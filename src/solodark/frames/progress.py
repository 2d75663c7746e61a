"""Progress: how long work tells that it moves, without knowing who listens."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

__all__ = ["Progress", "silent"]

Item = TypeVar("Item")


class Progress(Protocol):
    """Wraps the items of a loop; a command draws a bar, a test draws nothing."""

    def __call__(
        self, items: Iterable[Item], description: str, total: int | None = None
    ) -> Iterable[Item]:
        """Give the same items, one by one, and tell somebody."""


def silent(items: Iterable[Item], description: str, total: int | None = None) -> Iterable[Item]:  # noqa: ARG001
    """Tell nobody.

    Parameters
    ----------
    items : iterable
        What the loop runs over.
    description : str
        What is being done, for those who listen.
    total : int, optional
        How many items there will be.

    Returns
    -------
    iterable
        `items`.
    """
    return items
