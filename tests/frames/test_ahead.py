"""Reading ahead."""

import threading

import pytest

from solodark.frames import read_ahead


def test_the_next_item_is_read_while_the_present_one_is_worked_on():
    begun = {name: threading.Event() for name in "abc"}

    def read(name):
        begun[name].set()
        return name

    bands = read_ahead(read, "abc")
    assert next(bands) == "a"
    assert begun["b"].wait(timeout=10.0)
    assert not begun["c"].is_set()
    assert list(bands) == ["b", "c"]


def test_nothing_is_read_of_nothing():
    assert list(read_ahead(pytest.fail, [])) == []


def test_an_error_comes_where_its_item_would():
    def read(number):
        if number == 2:
            raise OSError("the disk is gone")
        return number

    bands = read_ahead(read, [1, 2, 3])
    assert next(bands) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(bands)
