"""How a command ends: one sentence and a number, in one place for all commands."""

import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from solodark.errors import SolodarkError, SolodarkWarning

__all__ = ["EXIT_BAD_INPUT", "EXIT_BUG", "EXIT_INTERRUPTED", "exit_code_of", "say"]

EXIT_BUG = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

INTERRUPTED = "interrupted; nothing half-written was left"
REPORT_REQUEST = (
    "this is a bug in solodark, not your mistake: please report it with the lines above"
)


def say(sentence: str) -> None:
    """Put one line on stderr.

    Parameters
    ----------
    sentence : str
        What to say; line breaks in it become spaces.
    """
    sys.stderr.write(f"solodark: {' '.join(sentence.split())}\n")


def exit_code_of(command: Callable[[], int | None]) -> int:
    """Run a command and tell how it ended.

    Parameters
    ----------
    command : callable
        What to run; gives its exit code, or None for success.

    Returns
    -------
    int
        0 or what the command gave; 2 after a `SolodarkError`, whose sentence goes to stderr; 130
        after Ctrl-C; 1 after a bug, with its traceback.
    """
    with _faces_of_the_command_line():
        try:
            code = _without_system_exit(command)
        except SolodarkError as error:
            say(str(error))
            return EXIT_BAD_INPUT
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED
        except Exception:  # noqa: BLE001 - the last resort: what arrives here is a bug, and called one
            traceback.print_exc()
            say(REPORT_REQUEST)
            return EXIT_BUG
        if code == EXIT_INTERRUPTED:
            say(INTERRUPTED)
        return code


def _without_system_exit(command: Callable[[], int | None]) -> int:
    """Run a command that may end by `SystemExit`, as typer's do, and give its code."""
    try:
        return command() or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


@contextmanager
def _faces_of_the_command_line() -> Iterator[None]:
    """Show warnings as one line each, and take a polite kill like Ctrl-C, until the body ends."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    with warnings.catch_warnings():
        warnings.simplefilter("always", SolodarkWarning)
        warnings.showwarning = _show_warning
        if in_main_thread:
            signal.signal(signal.SIGTERM, _end_as_ctrl_c_does)
        try:
            yield
        finally:
            if in_main_thread:
                signal.signal(signal.SIGTERM, before)


def _show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    """Show a warning as one line, without the line of code that raised it."""
    say(f"warning: {message}")


def _end_as_ctrl_c_does(*_signal: object) -> NoReturn:
    """Unwind on a polite kill too, so that half-written files are removed."""
    raise KeyboardInterrupt
