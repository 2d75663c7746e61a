"""Silence for libraries that print to the terminal from C."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["without_lines_about"]

_STDERR = 2
_LOCK = threading.RLock()
"""The descriptor belongs to the whole process, so one thread at a time may turn it."""


@contextmanager
def without_lines_about(name: str) -> Iterator[None]:
    """Keep what is said about a file off stderr; all else is printed afterwards.

    LibRaw prints "NAME: data corrupted at 1378" on its own, beside the error it gives to us, and
    knows no switch for it.

    Parameters
    ----------
    name : str
        The file's name as it was given to the library.
    """
    with _LOCK, tempfile.TemporaryFile() as kept:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # a program without a terminal has no stderr to keep quiet
            yield
            return
        sys.stderr.flush()
        os.dup2(kept.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            _print_others(kept, os.fsencode(name))


def _print_others(kept: IO[bytes], name: bytes) -> None:
    kept.seek(0)
    others = re.sub(re.escape(name) + rb":[^\n]*\n?", b"", kept.read())
    if others:
        os.write(_STDERR, others)
