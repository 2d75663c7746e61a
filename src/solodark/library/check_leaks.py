"""Light that fell on the sensor during a dark: a gradient, or more level and noise than peers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
SHAPES = 3
"""Bias pattern, dark current and amplifier glow."""
DIRECTIONS = 24
GROSS_GRADIENT = 2.0
LEAST_SKY = 1.5
FLAT_SKY = 30.0
"""In units of the noise: light, and light in such an amount that it was no leak."""
LEVEL_SIGMAS = 8.0
LEAST_NOISE_RISE = 0.03
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
    """What the peers make expect, how far they differ from it, and whether one was warmer."""

    expected: _Look
    level_scatter_adu: float
    noise_rise: float
    gradient_adu: float
    warmer: bool


def find_leaks(group: DarkGroup) -> list[Finding]:
    """Find darks on which light fell: a gradient, or a level and a noise above their peers'.

    A frame is compared with the rest of its series; what a whole series has in common, with the
    shapes that dark signal takes in all the others, so that a leak all night long shows too.

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
        if series.n_frames >= FEWEST_IN_SERIES:
            found += _leaks_in_series(series)
    lit = {path for finding in found for path in finding.paths}
    return found + _leaking_series(
        [part for series in group.series for part in _parts(series, lit)]
    )


def _parts(series: DarkSeries, lit: set[Path]) -> list[DarkSeries]:
    """Leave out what is lit; frames of a series too short to judge itself stand alone."""
    dark = [n for n, path in enumerate(series.paths) if path not in lit]
    if len(dark) < FEWEST_IN_SERIES:
        return [series.part([n]) for n in dark]
    return [series.part(dark)]


def _leaks_in_series(series: DarkSeries) -> list[Finding]:
    looks = [_Look.at([frame]) for frame in series.frames]
    usual = _Look.at(series.frames)
    gradients = np.array([_gradient(look.blocks_adu - usual.blocks_adu) for look in looks])
    levels = np.array([look.level_adu for look in looks])
    noises = np.array([look.noise_adu for look in looks])
    order = np.arange(levels.size, dtype=np.float64)
    # Of three levels one that is off would bend the line.
    slope, start = straight_line(order, levels) if levels.size > 3 else (0.0, usual.level_adu)
    trend = start + slope * order
    noise_rise = max(LEAST_NOISE_RISE, NOISE_SIGMAS * scatter(noises) / max(usual.noise_adu, 1e-9))
    found = []
    for n, look in enumerate(looks):
        expected = _Look(float(trend[n]), usual.noise_adu, usual.blocks_adu)
        others = float(np.median(np.delete(gradients, n)))
        warmer = bool(series.warmth[n] > 0)
        peers = _Peers(expected, scatter(levels - trend), noise_rise, others, warmer)
        found += _judge(look, peers, series.part([n]))
    return found


def _leaking_series(series: Sequence[DarkSeries]) -> list[Finding]:
    """Find series with a shape that the others do not know.

    How bright the glow and the dark current are together depends on exposure and temperature in
    ways that no line follows; but the shapes are few, and light from outside is not among them.
    """
    if len(series) <= FEWEST_SERIES:
        return []
    looks = [_Look.at(one.frames) for one in series]
    maps = np.stack([look.blocks_adu / max(look.noise_adu, 1e-9) for look in looks])
    gradients = np.array([_gradient(one) for one in _unknown_shapes(maps)])
    found = []
    for n, (look, one) in enumerate(zip(looks, series, strict=True)):
        limit = max(LEAST_GRADIENT, GRADIENTS * float(np.median(np.delete(gradients, n))))
        if gradients[n] > limit and one.key.kind is FrameKind.DARK:
            found.append(_leak(gradients[n] * look.noise_adu, look, one))
    return found


def _unknown_shapes(maps: Values) -> list[Values]:
    """Take from each map what the main shapes of the others can make, in any strength."""
    flat = maps.reshape(len(maps), -1)
    # All maps live in their few strongest directions; leaving one out is cheap in there.
    strengths, directions = np.linalg.eigh(flat.T @ flat)
    strengths, directions = strengths[-DIRECTIONS:], directions[:, -DIRECTIONS:]
    known = min(SHAPES, len(maps) // 2, len(strengths) - 1)
    left = []
    for one in flat:
        inside = directions.T @ one
        turned = np.linalg.eigh(np.diag(strengths) - np.outer(inside, inside))[1]
        shapes = directions @ turned[:, turned.shape[1] - known :]
        left.append((one - shapes @ (shapes.T @ one)).reshape(maps.shape[1:]))
    return left


def _leak(gradient_adu: float, look: _Look, series: DarkSeries) -> Finding:
    gross = gradient_adu > GROSS_GRADIENT * look.noise_adu
    return Finding(
        "light-leak",
        Severity.ERROR if gross else Severity.DOUBT,
        series.paths,
        f"found a gradient of {gradient_adu:.1f} ADU (noise {look.noise_adu:.1f} ADU) of a shape "
        f"that no other series shows, after {exposure_text(series.key.exposure_s)}: light fell "
        "in; cover camera and viewfinder, and leave it out",
    )


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
    lit = brighter and not peers.warmer and look.noise_adu > (1.0 + peers.noise_rise) * noise
    if not leaking and not lit:
        return []
    evidence = (
        f"found a gradient of {gradient:.1f} ADU and a level {above:+.1f} ADU against the rest of "
        f"its series (noise {look.noise_adu:.1f} ADU, expected {noise:.1f})"
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
