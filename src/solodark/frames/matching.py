"""Whether frames belong together, and which of them do not."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from solodark.errors import FrameMismatchError, SettingError
from solodark.frames.acquisition import Acquisition

__all__ = ["MATCHING_FIELDS", "DescribedFrame", "require_matching"]

_NAMES_SHOWN = 4
_GROUPS_SHOWN = 4
_EXPOSURE_TOLERANCE = 1e-3  # shutters report 30 s as 30.000 to 30.02 s


class DescribedFrame(Protocol):
    """Anything with a name, a size and an acquisition: a `Frame`, a `FrameSource`."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def acquisition(self) -> Acquisition:
        """How it was taken."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""


@dataclass(frozen=True, slots=True)
class _Characteristic:
    label: str
    value: Callable[[DescribedFrame], Any]
    show: Callable[[Any], str] = str


def _of_acquisition(field: str) -> Callable[[DescribedFrame], Any]:
    return lambda frame: getattr(frame.acquisition, field)


def _plain_text(text: str | None) -> str | None:
    """One spelling for "ZWO  asi178mc " and "ZWO ASI178MC"; None for an empty field."""
    return " ".join(text.upper().split()) or None if text else None


def _seconds(exposure_s: float) -> str:
    return f"{exposure_s:g} s"


_CHARACTERISTICS: Mapping[str, tuple[_Characteristic, ...]] = {
    "shape": (_Characteristic("size", lambda f: f.shape, lambda s: f"{s[1]} x {s[0]} pixels"),),
    "camera": (
        _Characteristic("camera", lambda f: _plain_text(f.acquisition.camera.model)),
        _Characteristic("serial number", lambda f: _plain_text(f.acquisition.camera.serial)),
    ),
    "kind": (_Characteristic("kind", _of_acquisition("kind")),),
    "gain_setting": (
        _Characteristic("gain setting", _of_acquisition("gain_setting"), "{:g}".format),
    ),
    "offset_setting": (
        _Characteristic("offset setting", _of_acquisition("offset_setting"), "{:g}".format),
    ),
    "iso": (_Characteristic("ISO", _of_acquisition("iso")),),
    "binning": (
        _Characteristic("binning", _of_acquisition("binning"), lambda b: f"{b[0]}x{b[1]}"),
    ),
    "cfa_pattern": (_Characteristic("colour filter pattern", _of_acquisition("cfa_pattern")),),
    "exposure_s": (_Characteristic("exposure", _of_acquisition("exposure_s"), _seconds),),
}

MATCHING_FIELDS = tuple(_CHARACTERISTICS)
"""What `require_matching` can compare."""


def require_matching(frames: Sequence[DescribedFrame], fields: Sequence[str]) -> None:
    """Raise unless all frames agree in the given fields.

    A field that a file does not tell (None) cannot contradict anything and agrees with all.
    Camera names agree whatever their case and spaces; exposures agree within 0.1 %. The error
    names, for each field in which frames differ, the groups from the rarest to the commonest and
    the files in them: the files that do not belong come first.

    Parameters
    ----------
    frames : sequence of DescribedFrame
        Frames or open files.
    fields : sequence of str
        Which to compare, of `MATCHING_FIELDS`. "camera" compares model and serial number.

    Raises
    ------
    FrameMismatchError
        Frames differ.
    SettingError
        A field is not one of `MATCHING_FIELDS`.

    Examples
    --------
    >>> import numpy as np
    >>> from solodark.frames import Acquisition, Frame
    >>> darks = [
    ...     Frame(np.zeros((4, 6)), Acquisition(exposure_s=exposure_s), f"dark_{i}.fit")
    ...     for i, exposure_s in enumerate((60.0, 60.0, 60.0, 30.0))
    ... ]
    >>> require_matching(darks, ["shape", "camera"])
    >>> require_matching(darks, ["exposure_s"])
    Traceback (most recent call last):
        ...
    solodark.errors.FrameMismatchError: the 4 frames do not belong together: exposure is 30 s in
    dark_3.fit, but 60 s in the other 3. Leave the odd ones out, or use each group by itself.
    """
    unknown = [field for field in fields if field not in _CHARACTERISTICS]
    if unknown:
        raise SettingError(
            f"frames cannot be compared by {', '.join(unknown)}; expected some of "
            f"{', '.join(MATCHING_FIELDS)}"
        )
    characteristics = [c for field in fields for c in _CHARACTERISTICS[field]]
    differences = [text for c in characteristics if (text := _difference(frames, c))]
    if differences:
        raise FrameMismatchError(
            f"the {len(frames)} frames do not belong together: {'; '.join(differences)}. "
            "Leave the odd ones out, or use each group by itself."
        )


def _difference(frames: Sequence[DescribedFrame], characteristic: _Characteristic) -> str:
    """Say in words how the frames differ, or nothing."""
    values = _canonical([characteristic.value(frame) for frame in frames])
    counts = Counter(value for value in values if value is not None)
    if len(counts) < 2:
        return ""
    (common, n_common), *rare = counts.most_common()
    rare = sorted(rare, key=lambda item: item[1])[:_GROUPS_SHOWN]
    groups = [
        f"{characteristic.show(value)} in {_names(frames, values, value)}" for value, _ in rare
    ]
    n_left = len(counts) - 1 - len(rare)
    if n_left:
        groups.append(f"{n_left} more values in other frames")
    rest = f"{characteristic.show(common)} in {_the_common(frames, values, common, n_common)}"
    return f"{characteristic.label} is {', '.join(groups)}, but {rest}"


def _canonical(values: Sequence[Hashable]) -> list[Hashable]:
    """Give nearly equal floats one common value; leave the rest as it is."""
    merged: dict[float, float] = {}
    for value in sorted({v for v in values if isinstance(v, float)}):
        start = next(reversed(merged.values()), None)
        near = start is not None and value - start <= _EXPOSURE_TOLERANCE * abs(start)
        merged[value] = start if near and start is not None else value
    return [merged[v] if isinstance(v, float) else v for v in values]


def _names(frames: Iterable[DescribedFrame], values: Iterable[Hashable], value: Hashable) -> str:
    names = [frame.name for frame, v in zip(frames, values, strict=True) if v == value]
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"


def _the_common(
    frames: Sequence[DescribedFrame],
    values: Sequence[Hashable],
    common: Hashable,
    n_common: int,
) -> str:
    """Name the commonest group's files where they are few, else count them."""
    if n_common <= 2:
        return _names(frames, values, common)
    known = sum(value is not None for value in values)
    odd = known - n_common
    return f"the other {n_common}" if odd + n_common == len(frames) else f"{n_common} others"
