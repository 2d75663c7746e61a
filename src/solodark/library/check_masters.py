"""Masters among single frames, whatever their headers say: a mean is quieter."""

import numpy as np

from solodark.library.dark_group import DarkGroup, DarkSeries
from solodark.library.findings import Finding, Severity
from solodark.library.robust import scatter

__all__ = ["find_masters"]

QUIETER = 0.85
"""A mean of two has 0.71 of the temporal noise; the fixed pattern that is counted with it stays."""
NOISE_SIGMAS = 6.0
FEWEST = 3


def find_masters(group: DarkGroup) -> list[Finding]:
    """Find frames that are far quieter than the rest of their series.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain, which call themselves single exposures.

    Returns
    -------
    list of Finding
        Code "master-among-subs".
    """
    return [
        finding
        for series in group.series
        if series.n_frames >= FEWEST
        for finding in _quiet_ones(series)
    ]


def _quiet_ones(series: DarkSeries) -> list[Finding]:
    noises = np.array([frame.statistics.mean_noise_adu for frame in series.frames])
    usual = float(np.median(noises))
    quiet = noises < min(QUIETER * usual, usual - NOISE_SIGMAS * scatter(noises))
    quiet &= series.warmth >= 0  # a colder sensor is quieter too
    return [
        Finding(
            "master-among-subs",
            Severity.DOUBT,
            (series.frames[n].path,),
            f"found a noise of {noises[n]:.1f} ADU, where the rest of its series has {usual:.1f}: "
            "it looks like a master or a smoothed frame; move it out of the single frames",
        )
        for n in np.flatnonzero(quiet).tolist()
    ]
