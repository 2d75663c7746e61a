"""What a check says, and how often."""

from pathlib import Path

import pytest
from tests.library.conftest import record

from solodark.frames import Frame
from solodark.library import CODES, Finding, Severity, find_vanished, merged
from solodark.library.wording import exposure_text, names_of


def finding(path, code="light-leak", severity=Severity.DOUBT, text="light fell in") -> Finding:
    return Finding(code, severity, (Path(path),), text)


def test_errors_come_before_doubts_and_doubts_before_notes():
    found = [finding("/d/1", severity=s) for s in (Severity.NOTE, Severity.ERROR, Severity.DOUBT)]
    assert [one.severity for one in merged(found)] == ["error", "doubt", "note"]


def test_what_is_said_of_many_frames_of_a_folder_is_said_once():
    (one,) = merged([finding(f"/d/{n}") for n in range(20)])
    assert len(one.paths) == 20
    assert one.sentence == "d/0, d/1, d/2 and 17 more: light fell in (the first; others alike)"


def test_findings_of_two_folders_stay_two():
    found = [finding(f"/{folder}/{n}") for folder in "ab" for n in range(5)]
    assert [len(one.paths) for one in merged(found)] == [5, 5]


def test_notes_of_many_nights_are_one():
    code, note = "first-sub-settling", Severity.NOTE
    (one,) = merged([finding(f"/{night}/1", code=code, severity=note) for night in range(9)])
    assert len(one.paths) == 9


def test_each_damaged_file_keeps_its_own_sentence():
    found = [finding(f"/d/{n}", code="truncated", text=f"{n} bytes are missing") for n in range(5)]
    assert merged(found) == found


def test_every_code_is_explained():
    assert all(text and text[0].islower() for text in CODES.values())


@pytest.mark.parametrize(("exposure_s", "text"), [(300.0, "300 s"), (0.0, "0 s"), (90.4, "90.4 s")])
def test_exposures_read_as_people_write_them(exposure_s, text):
    assert exposure_text(exposure_s) == text


def test_names_hold_the_folder_because_camera_names_repeat():
    assert names_of([Path("/a/b/night1/IMG_1.CR2")]) == "night1/IMG_1.CR2"


def test_a_vanished_frame_whose_pixels_are_elsewhere_has_moved(tmp_path, rng):
    pixels = Frame(rng.normal(1000, 8, (40, 50)))
    gone, found = record(pixels, tmp_path / "old" / "1.fit"), record(pixels, tmp_path / "1.fit")
    (one,) = find_vanished([gone], [found])
    assert (one.code, one.paths) == ("moved", (gone.path,))


def test_lost_files_of_one_lost_folder_are_one_finding(tmp_path, rng):
    lost = [
        record(Frame(rng.normal(1000, 8, (40, 50))), tmp_path / "disk" / folder / f"{n}.fit")
        for folder in ("a", "b")
        for n in range(3)
    ]
    (one,) = find_vanished(lost, [])
    assert (one.code, len(one.paths)) == ("vanished", 6)
    assert str(tmp_path / "disk") in one.sentence
