"""Series: exposures alike, taken one after the other."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.gain_settings import GainSetting
from solodark.frames import Acquisition, FrameKind, FrameSource

__all__ = ["BIAS_EXPOSURE_S", "by_series", "in_order", "is_bias", "series_index", "taken_as_bias"]

_GAP = timedelta(hours=3)
BIAS_EXPOSURE_S = 0.01
"""Exposures up to this hold no dark signal to speak of."""


def is_bias(source: FrameSource) -> bool:
    """Whether a frame holds no dark signal to speak of.

    Parameters
    ----------
    source : FrameSource
        A bias or a dark.

    Returns
    -------
    bool
        True for a bias by its kind, and for any exposure up to 10 ms.
    """
    return taken_as_bias(source.acquisition)


def taken_as_bias(acquisition: Acquisition) -> bool:
    """Whether what a header tells is that of a frame without a dark signal.

    Parameters
    ----------
    acquisition : Acquisition
        Of a bias or a dark.

    Returns
    -------
    bool
        As `is_bias` tells it of the frame.
    """
    exposure_s = acquisition.exposure_s
    return acquisition.kind is FrameKind.BIAS or (
        exposure_s is not None and exposure_s <= BIAS_EXPOSURE_S
    )


def series_index(sources: Sequence[FrameSource]) -> NDArray[np.intp]:
    """Give the number of the series that each frame belongs to.

    A series is a run of frames of one exposure, gain setting and cooler target; a pause of more
    than three hours begins a new one. Frames without a date are one series for each of these.

    Parameters
    ----------
    sources : sequence of FrameSource
        Darks and biases.

    Returns
    -------
    ndarray of int, shape (n,)
        Series numbers from 0.
    """
    keys = [_key(source) for source in sources]
    order = sorted(range(len(sources)), key=lambda i: (keys[i], _when(sources[i])))
    index = np.zeros(len(sources), dtype=np.intp)
    number = -1
    for place, i in enumerate(order):
        if place == 0 or _breaks(sources, keys, order[place - 1], i):
            number += 1
        index[i] = number
    return index


def in_order(sources: Sequence[FrameSource], series: NDArray[np.intp]) -> list[int]:
    """Places of the frames by series, and by time within each, however they were given.

    Parameters
    ----------
    sources : sequence of FrameSource
        Darks and biases.
    series : ndarray of int, shape (n,)
        As `series_index` gives it.

    Returns
    -------
    list of int
        Index into `sources`.
    """
    return sorted(
        range(len(sources)), key=lambda i: (series[i], _when(sources[i]), sources[i].name)
    )


def by_series(
    sources: Sequence[FrameSource], hashes: Sequence[str]
) -> tuple[list[FrameSource], NDArray[np.intp], list[str]]:
    """Sort frames by series, and by time within each.

    Parameters
    ----------
    sources : sequence of FrameSource
        Darks and biases.
    hashes : sequence of str
        SHA-256 of each source's file, or none at all.

    Returns
    -------
    sources : list of FrameSource
        The frames, sorted.
    series : ndarray of int, shape (n,)
        Series of each.
    hashes : list of str
        Hash of each, or "".
    """
    series = series_index(sources)
    order = in_order(sources, series)
    told = hashes or [""] * len(sources)
    return [sources[i] for i in order], series[order], [told[i] for i in order]


def _key(source: FrameSource) -> tuple[str, ...]:
    acquisition = source.acquisition
    exposure = "bias" if is_bias(source) else f"{acquisition.exposure_s or 0.0:.4g}"
    setpoint = acquisition.setpoint_temperature_c
    setting = GainSetting.of(acquisition)
    return exposure, "" if setpoint is None else f"{setpoint:.1f}", str(setting)


def _when(source: FrameSource) -> str:
    date = source.acquisition.date_obs
    return date.isoformat() if date else source.name


def _breaks(
    sources: Sequence[FrameSource], keys: Sequence[tuple[str, ...]], before: int, after: int
) -> bool:
    if keys[before] != keys[after]:
        return True
    earlier, later = sources[before].acquisition.date_obs, sources[after].acquisition.date_obs
    return earlier is not None and later is not None and later - earlier > _GAP
