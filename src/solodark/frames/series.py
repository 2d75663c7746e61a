"""What a series of frames has in common: how a frame that stands for all of them was taken."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from solodark.frames.acquisition import Acquisition, Camera
from solodark.frames.matching import DescribedFrame

__all__ = ["series_acquisition"]

_SHARED = (
    "kind",
    "gain_setting",
    "offset_setting",
    "iso",
    "gain_e_per_adu",
    "cfa_pattern",
    "black_level_adu",
)


def series_acquisition(frames: Sequence[DescribedFrame]) -> Acquisition:
    """Describe the frame that stands for a series.

    What the frames share is taken from the first that knows it; exposure is their median,
    temperatures their means, full scale their lowest, the date their first. Frames that do not
    tell are left out of each.

    Parameters
    ----------
    frames : sequence of DescribedFrame
        At least one; see `require_matching`.

    Returns
    -------
    Acquisition
        `n_combined` is the number of frames, `row_order` that of their files if they agree;
        program and notes are empty.

    Examples
    --------
    >>> from solodark.frames import Frame
    >>> darks = [
    ...     Frame(np.zeros((4, 6)), Acquisition(exposure_s=60.0, sensor_temperature_c=celsius))
    ...     for celsius in (20.0, 21.0)
    ... ]
    >>> series = series_acquisition(darks)
    >>> series.exposure_s, series.sensor_temperature_c, series.n_combined
    (60.0, 20.5, 2)
    """
    acquisitions = [frame.acquisition for frame in frames]
    shared: dict[str, Any] = {
        field: next(iter(_known(acquisitions, field)), None) for field in _SHARED
    }
    row_orders = set(_known(acquisitions, "row_order"))
    return replace(
        acquisitions[0],
        **shared,
        kind_source=next((a.kind_source for a in acquisitions if a.kind), ""),
        camera=_camera([a.camera for a in acquisitions]),
        exposure_s=_mean_of(_known(acquisitions, "exposure_s"), np.median),
        sensor_temperature_c=_mean_of(_known(acquisitions, "sensor_temperature_c"), np.mean),
        setpoint_temperature_c=_mean_of(_known(acquisitions, "setpoint_temperature_c"), np.mean),
        saturation_adu=min(_known(acquisitions, "saturation_adu"), default=None),
        date_obs=min(_known(acquisitions, "date_obs"), default=None),
        row_order=row_orders.pop() if len(row_orders) == 1 else None,
        n_combined=len(frames),
        program=None,
        notes=(),
    )


def _known(acquisitions: Sequence[Acquisition], field: str) -> list[Any]:
    return [v for a in acquisitions if (v := getattr(a, field)) is not None]


def _camera(cameras: Sequence[Camera]) -> Camera:
    return Camera(
        next((c.model for c in cameras if c.model), None),
        next((c.serial for c in cameras if c.serial), None),
        next((c.pixel_size_um for c in cameras if c.pixel_size_um), None),
    )


def _mean_of(values: Sequence[float], mean: Any) -> float | None:
    return float(mean(values)) if values else None
