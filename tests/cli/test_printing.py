"""What programs and people read on stdout."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from solodark.cli.printing import as_json_value, print_json, print_table
from solodark.frames import Camera, FrameKind


@dataclass
class Summary:
    output: Path
    worth: float
    kinds: tuple[FrameKind, ...]
    when: datetime
    counts: dict[str, np.int64]


def test_a_summary_becomes_json_that_reads_back(capsys):
    when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    print_json(Summary(Path("m.fits"), np.float32(2.5), (FrameKind.DARK,), when, {"hot": 3}))
    assert json.loads(capsys.readouterr().out) == {
        "output": "m.fits",
        "worth": 2.5,
        "kinds": ["dark"],
        "when": "2026-01-02T03:04:00+00:00",
        "counts": {"hot": 3},
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan")])
def test_what_json_has_no_word_for_becomes_null(value):
    assert as_json_value([value]) == [None]


def test_truth_values_stay_truth_values():
    assert as_json_value({"trusted": np.bool_(True), "forced": False}) == {
        "trusted": True,
        "forced": False,
    }


def test_nested_objects_keep_their_names():
    assert as_json_value(Camera(model="A")) == {
        "model": "A",
        "serial": None,
        "pixel_size_um": None,
    }


def test_an_object_that_knows_its_json_form_is_asked():
    class Endless:
        def to_dict(self) -> dict[str, object]:
            return {"worth": "inf"}

    assert as_json_value([Endless()]) == [{"worth": "inf"}]


def test_an_object_without_a_json_form_is_a_bug_not_a_string():
    with pytest.raises(TypeError, match="JSON"):
        as_json_value(object())


def test_a_table_shows_file_names_with_brackets_as_they_are(capsys):
    print_table(["file", "why"], [["dark [1].fit", "a [red]light[/red]"]])
    printed = capsys.readouterr().out
    assert "dark [1].fit" in printed
    assert "a [red]light[/red]" in printed


def test_no_cell_is_cut_short_in_a_pipe(capsys):
    long_name = "night/" * 30 + "dark.fit"
    print_table(["file", "why"], [[long_name, "truncated"]])
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert "".join(printed.split()).count("night/") == 30
