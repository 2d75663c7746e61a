"""Gain settings: each has a bias pattern and a noise of its own, all share the dark signal."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from solodark.errors import WrongSubError
from solodark.frames import Acquisition, FrameSource

__all__ = ["GainSetting", "gain_settings", "require_setting"]

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class GainSetting:
    """What the driver was told before it read the sensor out; None where a header is silent.

    Attributes
    ----------
    gain_setting, offset_setting : float or None
        The driver's numbers.
    iso : int or None
        Of a camera with ISOs.
    """

    gain_setting: float | None = None
    offset_setting: float | None = None
    iso: int | None = None

    @classmethod
    def of(cls, acquisition: Acquisition) -> "GainSetting":
        """Read the setting of a frame.

        Parameters
        ----------
        acquisition : Acquisition
            How it was taken.

        Returns
        -------
        GainSetting
            Its setting.
        """
        return cls(acquisition.gain_setting, acquisition.offset_setting, acquisition.iso)

    def fits(self, other: "GainSetting") -> bool:
        """Tell whether two settings may be the same: what one is silent on does not count.

        Parameters
        ----------
        other : GainSetting
            Another.

        Returns
        -------
        bool
            True unless both tell something different.
        """
        pairs = zip(astuple(self), astuple(other), strict=True)
        return all(a == b or a is None or b is None for a, b in pairs)

    def __str__(self) -> str:
        """Give the setting in words."""
        parts = [
            f"{label} {value:g}"
            for label, value in zip(("gain", "offset", "ISO"), astuple(self), strict=True)
            if value is not None
        ]
        return ", ".join(parts) or "no gain setting"


def gain_settings(
    sources: Sequence[FrameSource],
) -> tuple[tuple[GainSetting, ...], NDArray[np.intp]]:
    """Find the settings of a library, and which of them each frame was taken at.

    Parameters
    ----------
    sources : sequence of FrameSource
        The library. Where all headers that tell a number tell the same, silent ones mean it too.

    Returns
    -------
    settings : tuple of GainSetting
        In rising order.
    index : ndarray of int, shape (n,)
        Setting of each frame.
    """
    told = [GainSetting.of(source.acquisition) for source in sources]
    only = GainSetting(
        _only(setting.gain_setting for setting in told),
        _only(setting.offset_setting for setting in told),
        _only(setting.iso for setting in told),
    )
    completed = [_completed(setting, only) for setting in told]
    settings = sorted(set(completed), key=_rising)
    return tuple(settings), np.array([settings.index(s) for s in completed], dtype=np.intp)


def require_setting(known: Sequence[GainSetting], sub: FrameSource) -> int:
    """Find the setting that a frame was taken at, or refuse it.

    Parameters
    ----------
    known : sequence of GainSetting
        What the model knows.
    sub : FrameSource
        The frame.

    Returns
    -------
    int
        Index into `known`.

    Raises
    ------
    WrongSubError
        The model knows no such setting, or the header leaves several open.
    """
    own = GainSetting.of(sub.acquisition)
    fitting = [number for number, setting in enumerate(known) if setting.fits(own)]
    if len(fitting) == 1:
        return fitting[0]
    knows = " or ".join(str(setting) for setting in known)
    if not fitting:
        raise WrongSubError(
            f"{sub.name} does not fit the model: it was taken at {own}; the model knows {knows}. "
            "Take the sub at one of these, or add darks of that setting with `solodark learn`"
        )
    raise WrongSubError(
        f"{sub.name} does not tell its gain setting or ISO, and the model knows {knows}; "
        "expected a header that tells which"
    )


def _only(values: Iterable[Number | None]) -> Number | None:
    different = {value for value in values if value is not None}
    return different.pop() if len(different) == 1 else None


def _completed(setting: GainSetting, only: GainSetting) -> GainSetting:
    silent_on = [field.name for field in fields(setting) if getattr(setting, field.name) is None]
    return replace(setting, **{name: getattr(only, name) for name in silent_on})


def _rising(setting: GainSetting) -> tuple[float, ...]:
    return tuple(-1.0 if value is None else value for value in astuple(setting))
