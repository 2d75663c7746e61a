"""Light that fell on the sensor during a dark: a gradient, or more level and noise than peers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from solodark.frames import FrameKind
from solodark.library.dark_group import DarkGroup, DarkSeries
from solodark.library.findings import Finding, Severity
from solodark.library.records import FrameRecord
from solodark.library.robust import scatter, straight_line
from solodark.library.wording import exposure_text

__all__ = ["find_leaks"]

Values = NDArray[np.float64]

LEAST_GRADIENT = 0.4
"""In units of the noise; a camera's first frame, still settling, reaches 0.3."""
GRADIENTS = 4.0
"""A leak's gradient is this many times what the peers' residuals show."""
GLOW_SHARE = 0.1
"""Share of the glow by which a prediction at another amplitude may be off, before `GRADIENTS`."""
GROSS_GRADIENT = 2.0
LEAST_SKY = 1.5
FLAT_SKY = 30.0
"""In units of the noise: light, and light in such an amount that it was no leak."""
LEVEL_SIGMAS = 8.0
LEAST_NOISE_RISE = 0.03
PREDICTED_NOISE_RISE = 0.1
NOISE_SIGMAS = 6.0
FEWEST_IN_SERIES, FEWEST_SERIES = 3, 4


@dataclass(frozen=True, eq=False, slots=True)
class _Look:
    """A frame, or the median of a series, as far as light shows in it."""

    level_adu: float
    noise_adu: float
    blocks_adu: Values

    @classmethod
    def at(cls, frames: Sequence[FrameRecord]) -> "_Look":
        return cls(
            float(np.median([frame.statistics.mean_level_adu for frame in frames])),
            float(np.median([frame.statistics.mean_noise_adu for frame in frames])),
            np.median([_blocks(frame) for frame in frames], axis=0),
        )


@dataclass(frozen=True, eq=False, slots=True)
class _Peers:
    """What the peers make expect, and how far they differ from it themselves."""

    expected: _Look
    level_scatter_adu: float
    noise_rise: float
    gradient_adu: float
    name: str


def find_leaks(group: DarkGroup) -> list[Finding]:
    """Find darks on which light fell: a gradient, or a level and a noise above their peers'.

    A frame is compared with the rest of its series, and a series with what all the others predict
    for its dark signal, so that a leak all night long shows too.

    Parameters
    ----------
    group : DarkGroup
        Darks and biases of one sensor at one gain.

    Returns
    -------
    list of Finding
        Codes "light-leak", and "light-among-darks" where the sky is as bright as in a flat.
    """
    found = []
    for series in group.series:
        odd = _leaks_in_series(series) if series.n_frames >= FEWEST_IN_SERIES else []
        found += odd
        if not odd and group.has_pattern and series.key.kind is FrameKind.DARK:
            found += _leaking_series(series, group)
    return found


def _leaks_in_series(series: DarkSeries) -> list[Finding]:
    looks = [_Look.at([frame]) for frame in series.frames]
    usual = _Look.at(series.frames)
    gradients = np.array([_gradient(look.blocks_adu - usual.blocks_adu) for look in looks])
    levels = np.array([look.level_adu for look in looks])
    noises = np.array([look.noise_adu for look in looks])
    order = np.arange(levels.size, dtype=np.float64)
    slope, start = straight_line(order, levels)
    trend = start + slope * order
    noise_rise = max(LEAST_NOISE_RISE, NOISE_SIGMAS * scatter(noises) / max(usual.noise_adu, 1e-9))
    found = []
    for n, look in enumerate(looks):
        expected = _Look(float(trend[n]), usual.noise_adu, usual.blocks_adu)
        others = float(np.median(np.delete(gradients, n)))
        name = "the rest of its series"
        peers = _Peers(expected, scatter(levels - trend), noise_rise, others, name)
        found += _judge(look, peers, series.part([n]))
    return found


def _leaking_series(series: DarkSeries, group: DarkGroup) -> list[Finding]:
    """Compare the median of a series with what the others predict for its amplitude."""
    others = [one for one in group.series if one is not series]
    reach = max((one.amplitude for one in others), default=0.0)
    if len(others) < FEWEST_SERIES or series.amplitude > 2.0 * reach:
        return []
    return _judge(_Look.at(series.frames), _predict(series.amplitude, others), series)


def _predict(amplitude: float, others: Sequence[DarkSeries]) -> _Peers:
    """Carry the other series to an amplitude: level, variance and every block by a line."""
    x = np.array([one.amplitude for one in others])
    looks = [_Look.at(one.frames) for one in others]
    levels = np.array([look.level_adu for look in looks])
    noises = np.array([look.noise_adu for look in looks])
    level_slope, level_start = straight_line(x, levels)
    variance_slope, variance_start = straight_line(x, noises**2)
    variance = max(variance_start + variance_slope * amplitude, float(noises.min()) ** 2)
    glow, base = _line_per_block(x, np.stack([look.blocks_adu for look in looks]))
    left = [
        _gradient(look.blocks_adu - base - one * glow) for one, look in zip(x, looks, strict=True)
    ]
    carried = GLOW_SHARE * _gradient(float(np.median(np.abs(x - amplitude))) * glow)
    expected = _Look(
        level_start + level_slope * amplitude, float(np.sqrt(variance)), base + amplitude * glow
    )
    return _Peers(
        expected,
        scatter(levels - level_start - level_slope * x),
        PREDICTED_NOISE_RISE,
        max(float(np.median(left)), carried),
        "what the other darks predict",
    )


def _line_per_block(x: Values, y: Values) -> tuple[Values, Values]:
    """Slope and intercept of every block, the median over pairs as in `straight_line`."""
    first, second = np.triu_indices(x.size, k=1)
    step = x[second] - x[first]
    apart = np.abs(step) >= 0.1 * np.ptp(x)
    slopes = (y[second[apart]] - y[first[apart]]) / np.maximum(np.abs(step[apart]), 1e-9)[
        :, np.newaxis, np.newaxis
    ]
    slope: Values = np.median(slopes * np.sign(step[apart])[:, np.newaxis, np.newaxis], axis=0)
    start: Values = np.median(y - x[:, np.newaxis, np.newaxis] * slope, axis=0)
    return slope, start


def _blocks(frame: FrameRecord) -> Values:
    """Block levels less the level of their plane, mean of the planes."""
    blocks = frame.statistics.block_levels_adu.astype(np.float64)
    shape: Values = np.mean(blocks - np.median(blocks, axis=(1, 2), keepdims=True), axis=0)
    return shape


def _gradient(blocks: Values) -> float:
    """Span of a map after a mean over three by three blocks: a leak is wide, noise is not."""
    if min(blocks.shape) < 3:
        return float(np.ptp(blocks))
    return float(np.ptp(sliding_window_view(blocks, (3, 3)).mean(axis=(2, 3))))


def _judge(look: _Look, peers: _Peers, accused: DarkSeries) -> list[Finding]:
    """Accuse a series, or the one frame that a part of it holds; or nobody."""
    noise = peers.expected.noise_adu
    gradient = _gradient(look.blocks_adu - peers.expected.blocks_adu)
    above = look.level_adu - peers.expected.level_adu
    leaking = gradient > max(LEAST_GRADIENT * noise, GRADIENTS * peers.gradient_adu)
    brighter = above > max(LEAST_SKY * noise, LEVEL_SIGMAS * peers.level_scatter_adu)
    lit = brighter and look.noise_adu > (1.0 + peers.noise_rise) * noise
    if not leaking and not lit:
        return []
    evidence = (
        f"found a gradient of {gradient:.1f} ADU and a level {above:+.1f} ADU against {peers.name} "
        f"(noise {look.noise_adu:.1f} ADU, expected {noise:.1f})"
    )
    if lit and above > FLAT_SKY * noise:
        text = f"{evidence}: it is a light or a flat, move it out of the darks"
        return [Finding("light-among-darks", Severity.ERROR, accused.paths, text)]
    gross = lit or gradient > GROSS_GRADIENT * noise
    text = (
        f"{evidence}, after {exposure_text(accused.key.exposure_s)}: light fell in; cover camera "
        "and viewfinder, and leave it out"
    )
    return [Finding("light-leak", Severity.ERROR if gross else Severity.DOUBT, accused.paths, text)]
