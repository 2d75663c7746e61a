"""How a command ends: what a script sees, and what a person reads."""

import os
import signal
import warnings

import pytest

from solodark.cli.outcome import exit_code_of
from solodark.errors import FrameFormatError, SolodarkWarning


def fail_with(error: BaseException):
    def command() -> None:
        raise error

    return command


def test_success_is_silent(capsys):
    assert exit_code_of(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


def test_a_mistake_in_the_input_is_one_line_on_stderr_and_exit_2(capsys):
    error = FrameFormatError("dark_1.fit: found text,\n expected pixels")
    assert exit_code_of(fail_with(error)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "solodark: dark_1.fit: found text, expected pixels\n"


def test_a_bug_shows_its_traceback_and_asks_for_a_report(capsys):
    assert exit_code_of(fail_with(ZeroDivisionError("a slip"))) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "ZeroDivisionError: a slip" in said
    assert "please report it" in said.splitlines()[-1]


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(130)])
def test_ctrl_c_is_exit_130_without_a_traceback(ending, capsys):
    assert exit_code_of(fail_with(ending)) == 130
    assert capsys.readouterr().err == "solodark: interrupted; nothing half-written was left\n"


def test_a_polite_kill_unwinds_like_ctrl_c():
    unwound = []

    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            unwound.append("cleaned up")

    def somebody_elses(*_: object) -> None: ...

    before = signal.signal(signal.SIGTERM, somebody_elses)
    try:
        assert exit_code_of(command) == 130
        assert unwound == ["cleaned up"]
        assert signal.getsignal(signal.SIGTERM) is somebody_elses
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_ending_by_the_parser_keeps_its_number():
    assert exit_code_of(fail_with(SystemExit(2))) == 2
    assert exit_code_of(fail_with(SystemExit(None))) == 0


def test_a_warning_is_one_line_without_source_code(capsys):
    def command() -> None:
        warnings.warn("outside the library's range", SolodarkWarning, stacklevel=1)

    assert exit_code_of(command) == 0
    assert capsys.readouterr().err == "solodark: warning: outside the library's range\n"
