"""Libraries that print from C are kept quiet about one file, and nothing else is lost."""

import os
from pathlib import Path

import pytest

from solodark.errors import FrameFormatError
from solodark.formats import read_frame
from solodark.formats.quiet_stderr import without_lines_about


def test_only_lines_about_the_file_are_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    with without_lines_about("/d/é.nef"):
        os.write(2, "\rprogress 50%/d/é.nef: data corrupted at 1378\n".encode())
        os.write(2, b"a warning of another thread\n")
    os.write(2, b"afterwards")
    assert capfd.readouterr().err == "\rprogress 50%a warning of another thread\nafterwards"


def write_and_fail() -> None:
    with without_lines_about("x.nef"):
        os.write(2, b"x.nef: Unexpected end of file\nother\n")
        raise ValueError


def test_stderr_is_given_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        write_and_fail()
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "other\nafterwards\n"


@pytest.mark.real_data
def test_a_raw_cut_in_its_pixels_is_told_once(
    real_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = (real_data / "raw-samples" / "RAW_KODAK_DC50_é.KDC").read_bytes()
    path = tmp_path / "é cut.kdc"
    path.write_bytes(content[: len(content) * 3 // 4])
    with pytest.raises(FrameFormatError, match=r"cut\.kdc"):
        read_frame(path)
    assert capfd.readouterr() == ("", "")
