"""Short work without Python's collection of garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_garbage_collection"]


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Spare a quarter of a second: numba makes half a million objects when it is loaded.

    All of them stay, and short work makes none that would have to be collected.

    Yields
    ------
    None
        Nothing is needed.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
