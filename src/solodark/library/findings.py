"""What a check says: which frames, how bad, what was found, what was expected, what helps."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from solodark.library.wording import names_of

__all__ = ["CODES", "Finding", "Severity", "merged"]

CODES = {
    "truncated": "the file ends before its pixels do",
    "unreadable": "the file is damaged, or of a kind that is no frame",
    "vanished": "the file is no longer where the library knows it",
    "moved": "the file is now somewhere else, where the library knows it too",
    "stale": "the file was changed since the library read it",
    "duplicate": "two files hold the same pixels",
    "other-camera": "another camera than that of all others in the folder",
    "other-size": "another size than that of all others in the folder",
    "other-setting": "another gain, ISO, offset or binning than that of all others in the folder",
    "other-sensor": "the camera's name fits, but the hot pixels are another sensor's",
    "two-sensors": "two cameras of one name",
    "flipped": "upside down or mirrored against the others",
    "empty": "every pixel holds the same value",
    "not-finite": "pixels that are no numbers",
    "saturated": "pixels at full scale where there should be none",
    "clipped-at-black": "the noise below the black level was cut off",
    "light-among-darks": "a light or a flat that calls itself a dark or a bias",
    "light-leak": "light fell on the sensor during a dark",
    "camera-side-subtraction": "the camera subtracted a dark of its own",
    "wrong-exposure": "the dark pattern contradicts the header's exposure",
    "wrong-temperature": "the dark pattern contradicts the header's temperature",
    "dark-among-biases": "a bias with the pattern of a dark",
    "master-among-subs": "far quieter than its peers, as only a combined frame is",
    "level-jump": "the level differs from that of the frames beside it",
    "first-sub-settling": "the first sub of a series, taken while the sensor was settling",
}
"""What each code means."""

MERGED_FROM = 3
APART = ("truncated", "unreadable", "duplicate", "moved", "two-sensors", "vanished")
"""Codes whose text differs from file to file."""
EVERYWHERE = Path()


class Severity(StrEnum):
    """How much a finding matters to somebody who wants to sleep."""

    ERROR = "error"
    """Leave the frame out: it spoils every master it goes into."""
    DOUBT = "doubt"
    """Look at the frame before it is used."""
    NOTE = "note"
    """Good to know; nothing must be done."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Frames that do not belong, and why.

    Attributes
    ----------
    code : str
        For programs, one of `CODES`.
    severity : Severity
        Error, doubt or note.
    paths : tuple of Path
        The frames in question; at least one.
    text : str
        What was found, what was expected, what helps.
    """

    code: str
    severity: Severity
    paths: tuple[Path, ...]
    text: str

    @property
    def sentence(self) -> str:
        """For people: the frames by folder and name, and the text."""
        return f"{names_of(self.paths)}: {self.text}"

    def to_dict(self) -> dict[str, object]:
        """Give the finding as JSON can hold it.

        Returns
        -------
        dict
            Code, severity, paths and sentence.

        Examples
        --------
        >>> Finding("unreadable", Severity.ERROR, (Path("/d/1.fit"),), "is empty").to_dict()
        {'code': 'unreadable', 'severity': 'error', 'paths': ['/d/1.fit'],
         'sentence': 'd/1.fit: is empty'}
        """
        return {
            "code": self.code,
            "severity": self.severity.value,
            "paths": [str(path) for path in self.paths],
            "sentence": self.sentence,
        }


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Say once what is said of many frames of one folder.

    Parameters
    ----------
    findings : sequence of Finding
        In any order.

    Returns
    -------
    list of Finding
        Errors first, then doubts, then notes; three or more findings of one code in one folder,
        and notes of one code wherever they are, become one, with the text of the first.
    """
    alike: dict[tuple[str, Severity, Path], list[Finding]] = {}
    for finding in findings:
        is_note = finding.severity is Severity.NOTE
        place = EVERYWHERE if is_note else finding.paths[0].parent
        alike.setdefault((finding.code, finding.severity, place), []).append(finding)
    told: list[Finding] = []
    for group in alike.values():
        told += group if len(group) < MERGED_FROM or group[0].code in APART else [_joined(group)]
    return sorted(told, key=lambda one: (list(Severity).index(one.severity), one.paths))


def _joined(group: list[Finding]) -> Finding:
    paths = tuple(path for finding in group for path in finding.paths)
    first = group[0]
    return Finding(first.code, first.severity, paths, f"{first.text} (the first; others alike)")
