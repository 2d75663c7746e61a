"""Frames that are strangers in their folder: another camera, another size, another setting."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from solodark.frames import Acquisition, FrameKind
from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord
from solodark.library.wording import counted

__all__ = ["find_strangers"]

STRANGERS_SHARE = 0.25
"""A folder that holds more than this of another camera is a mixed folder, and meant to be."""
CALIBRATION = (FrameKind.DARK, FrameKind.BIAS)

Trait = Callable[[FrameRecord], object]
_TRAITS: tuple[tuple[str, str, Trait], ...] = (
    ("other-camera", "camera", lambda frame: _camera_text(frame.acquisition)),
    ("other-size", "size", lambda frame: f"{frame.shape[1]} x {frame.shape[0]}"),
    ("other-setting", "binning", lambda frame: "x".join(map(str, frame.acquisition.binning))),
    ("other-setting", "filter pattern", lambda frame: frame.acquisition.cfa_pattern or "mono"),
    ("other-setting", "ISO", lambda frame: frame.acquisition.iso),
    ("other-setting", "gain", lambda frame: frame.acquisition.gain_setting),
    ("other-setting", "offset", lambda frame: frame.acquisition.offset_setting),
)


def _camera_text(taken: Acquisition) -> str | None:
    parts = [part for part in (taken.camera.model, taken.camera.serial) if part]
    return " ".join(parts) or None


def find_strangers(frames: Sequence[FrameRecord]) -> list[Finding]:
    """Find the few darks or biases of a folder that differ from all the others in it.

    Parameters
    ----------
    frames : sequence of FrameRecord
        Frames of any cameras.

    Returns
    -------
    list of Finding
        Codes "other-camera", "other-size" and "other-setting"; no frame is named twice.
    """
    folders: dict[tuple[Path, FrameKind], list[FrameRecord]] = {}
    for frame in frames:
        kind = frame.acquisition.kind
        if kind in CALIBRATION and not frame.is_master:
            folders.setdefault((frame.path.parent, kind), []).append(frame)
    return [finding for held in folders.values() for finding in _strangers_of(held)]


def _strangers_of(frames: list[FrameRecord]) -> list[Finding]:
    found = []
    for code, noun, trait in _TRAITS:
        values = Counter(trait(frame) for frame in frames)
        common, n_common = values.most_common(1)[0]
        odd = [frame for frame in frames if trait(frame) != common]
        # What a header does not say is no contradiction.
        odd = [frame for frame in odd if trait(frame) is not None and common is not None]
        if odd and n_common >= 3 and len(odd) <= STRANGERS_SHARE * len(frames):
            found.append(_finding(code, noun, odd, str(trait(odd[0])), f"{common}", n_common))
            frames = [frame for frame in frames if frame not in odd]
    return found


def _finding(
    code: str, noun: str, odd: list[FrameRecord], value: str, common: str, n_common: int
) -> Finding:
    paths = tuple(frame.path for frame in odd)
    kind = odd[0].acquisition.kind
    return Finding(
        code,
        Severity.DOUBT,
        paths,
        f"found {noun} {value}, where {counted(n_common, str(kind))} of this "
        f"folder have {common}; move what does not belong to a folder of its own",
    )
