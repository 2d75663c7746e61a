"""Progress: something moves on a terminal, nothing is said in a pipe."""

import io
import sys

from solodark.cli.progress import progress_on_terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_hears_nothing(capsys):
    with progress_on_terminal() as progress:
        assert list(progress(range(3), "reading darks")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_what_is_being_done(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_on_terminal() as progress:
        items = list(progress((n for n in range(3)), "reading [darks]", 3))
    assert items == [0, 1, 2]
    assert "reading [darks]" in terminal.getvalue()


def test_a_loop_that_breaks_off_takes_its_bar_away(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_on_terminal() as progress:
        for _ in progress([1, 2], "reading"):
            break
        terminal.truncate(0)
        assert list(progress([1], "stacking")) == [1]
    assert "reading" not in terminal.getvalue()
