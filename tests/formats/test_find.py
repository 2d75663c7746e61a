"""Frames are found among what a person gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from solodark.errors import FrameNotFoundError, SolodarkWarning
from solodark.formats import find_frame_paths, is_frame_path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize(
    "name",
    ["a.fit", "a.FITS", "a.fts", "a.fits.fz", "a.fit.gz", "a.CR2", "a.nef", "é.KDC", "a.xisf"],
)
def test_frames_are_known_by_their_suffix_in_any_case(name: str) -> None:
    assert is_frame_path(name)


@pytest.mark.parametrize(
    "name", ["a.jpg", "notes.txt", ".fits", "._a.fits", ".hidden.fit", "fits", "a.gz"]
)
def test_other_files_and_hidden_ones_are_no_frames(name: str) -> None:
    assert not is_frame_path(name)


def test_folders_are_searched_with_all_below_them_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.fit", "b/1.fit", "a/deep/er/é 1.CR2", "c.fit", "notes.txt", "b/._1.fit")
    touch(tmp_path, ".trash/9.fit")
    assert names(find_frame_paths(tmp_path), tmp_path) == [
        "a/deep/er/é 1.CR2", "b/1.fit", "b/2.fit", "c.fit",
    ]  # fmt: skip


def test_a_file_named_outright_is_taken_and_none_twice(tmp_path: Path) -> None:
    touch(tmp_path, "a.fit", "odd.dat")
    given = [tmp_path / "a.fit", tmp_path, str(tmp_path / "odd.dat")]
    assert names(find_frame_paths(given), tmp_path) == ["a.fit", "odd.dat"]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path, "darks/1.fit")
    (tmp_path / "darks" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert names(find_frame_paths(tmp_path), tmp_path) == ["darks/1.fit"]


def test_a_folder_that_may_not_be_read_is_named_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "1.fit", "locked/2.fit")
    listed = Path.iterdir

    def guarded(folder: Path) -> Iterator[Path]:
        if folder.name == "locked":
            raise PermissionError
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.warns(SolodarkWarning, match="locked: may not be read"):
        assert names(find_frame_paths(tmp_path), tmp_path) == ["1.fit"]


def test_a_missing_path_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FrameNotFoundError, match="nowhere: there is no such file"):
        find_frame_paths(tmp_path / "nowhere")
    with pytest.raises(FrameNotFoundError, match="holds no frame"):
        find_frame_paths([tmp_path])
