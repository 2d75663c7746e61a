"""Nights: what was taken in one shares its weather, and is held out or resampled together."""

from datetime import timedelta

from solodark.frames import FrameSource

__all__ = ["night_of"]


def night_of(source: FrameSource) -> str:
    """Name the night that a frame was taken in.

    Parameters
    ----------
    source : FrameSource
        The frame.

    Returns
    -------
    str
        Date of the evening, "2026-01-12"; empty where the header tells no date.
    """
    date = source.acquisition.date_obs
    return (date - timedelta(hours=12)).date().isoformat() if date else ""
