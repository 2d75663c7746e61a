"""Subs as they go wrong in the field, made from right ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model import DarkModel
from solodark.frames import Acquisition, Frame, FrameKind

__all__ = ["WRONG_SUBS", "Attempt", "Subject", "WrongSub"]

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subject:
    """A camera on trial: its model, right subs that the model has not seen, and strangers."""

    name: str
    model: DarkModel
    right: tuple[Frame, ...]
    strangers: tuple[Frame, ...] = ()
    other_cameras: tuple[Frame, ...] = ()
    lights: tuple[Frame, ...] = ()
    flats: tuple[Frame, ...] = ()
    other_gains: tuple[Frame, ...] = ()
    spoilt: bool = True  # whether wrong subs are made of its right ones

    @property
    def noise_adu(self) -> float:
        """Noise of the quietest frames."""
        return float(np.sqrt(self.model.law.frame_variance.min()))

    @property
    def shot_slope_adu(self) -> float:
        """Growth of the variance with the signal, ADU^2 per ADU; a guess where nothing tells."""
        return float(self.model.law.slope[0]) or 1.25

    def twin(self, sub: Frame) -> Frame | None:
        """Find another right sub of the same exposure and temperature."""
        own = sub.acquisition
        for other in self.right:
            taken = other.acquisition
            near = abs((taken.sensor_temperature_c or 0) - (own.sensor_temperature_c or 0)) < 1.5
            if other is not sub and taken.exposure_s == own.exposure_s and near:
                return other
        return None


@dataclass(frozen=True, eq=False)
class Attempt:
    """What a wrong sub is made of: the camera, a right sub, a running number, and dice."""

    subject: Subject
    sub: Frame
    n: int
    rng: np.random.Generator


@dataclass(frozen=True)
class WrongSub:
    """One way to go wrong: how to make it, and words of which the sentence must hold one."""

    make: Callable[[Attempt], Frame | None]
    words: tuple[str, ...]


def _as_dark(sub: Frame, like: Frame) -> Frame:
    """Give pixels the header of a dark of this camera, the worst case: nothing tells."""
    taken = replace(like.acquisition, kind=FrameKind.DARK, kind_source="header")
    return Frame(sub.data, taken, sub.name)


def _with(sub: Frame, data: Image, **changes: object) -> Frame:
    acquisition: Acquisition = replace(sub.acquisition, **changes)  # type: ignore[arg-type]
    return Frame(np.ascontiguousarray(data, dtype=np.float32), acquisition, sub.name)


def _moved(turn: Callable[[Image], Image]) -> Callable[..., Frame | None]:
    def make(at: Attempt) -> Frame | None:
        return _with(at.sub, turn(at.sub.data))

    return make


def _quarter_turn(at: Attempt) -> Frame | None:
    return _with(at.sub, np.rot90(at.sub.data, 1 if at.n % 2 else -1))


def _phase(at: Attempt) -> Frame | None:
    if at.sub.acquisition.cfa_pattern is None:
        return None
    return _with(at.sub, np.roll(at.sub.data, 1, axis=at.n % 2))


def _other_crop(at: Attempt) -> Frame | None:
    shift = tuple(2 * int(s) for s in at.rng.integers(1, min(at.sub.shape) // 8, 2))
    return _with(at.sub, np.roll(at.sub.data, shift, (0, 1)))


def _filled(at: Attempt) -> Frame | None:
    """Crop, and fill the rest: with zeros, with the level, or with noise like the sub's own."""
    level = float(np.median(at.sub.data))
    noise = at.rng.normal(level, at.subject.noise_adu, at.sub.shape)
    fill = (np.zeros(at.sub.shape), np.full(at.sub.shape, level), np.rint(noise))[at.n % 3]
    data = fill.astype(np.float32)
    ny, nx = at.sub.shape
    data[ny // 8 : -ny // 4, nx // 4 : -nx // 8] = at.sub.data[
        ny // 8 : -ny // 4, nx // 4 : -nx // 8
    ]
    return _with(at.sub, data)


def _resampled(at: Attempt) -> Frame | None:
    """Bin 2 x 2 and enlarge again, or enlarge the middle, or debayer to grey."""
    ny, nx = at.sub.shape
    even = at.sub.data[: ny // 2 * 2, : nx // 2 * 2]
    small = even.reshape(ny // 2, 2, nx // 2, 2).mean(axis=(1, 3))
    middle = at.sub.data[ny // 4 : ny // 4 + ny // 2, nx // 4 : nx // 4 + nx // 2]
    smooth = (at.sub.data + np.roll(at.sub.data, 1, 0) + np.roll(at.sub.data, 1, 1)) / 3
    if at.n % 3 == 2:
        return _with(at.sub, smooth)
    large = np.kron((small, middle)[at.n % 3], np.ones((2, 2)))
    return _with(at.sub, np.resize(large, at.sub.shape) if large.shape != at.sub.shape else large)


def _other_size(at: Attempt) -> Frame | None:
    ny, nx = (length // 2 * 2 for length in at.sub.shape)
    binned = at.sub.data[:ny, :nx].reshape(ny // 2, 2, nx // 2, 2).sum(axis=(1, 3))
    return _with(at.sub, (binned, at.sub.data[8:-8, 4:-4], at.sub.data[:, :-2])[at.n % 3])


def _scaled(at: Attempt) -> Frame | None:
    return _with(at.sub, np.rint(at.sub.data * (4, 0.25, 16, 2, 0.0625)[at.n % 5]))


def _stored(pool: str) -> Callable[..., Frame | None]:
    def make(at: Attempt) -> Frame | None:
        frames: tuple[Frame, ...] = getattr(at.subject, pool)
        return _as_dark(frames[at.n % len(frames)], at.sub) if frames else None

    return make


def _stranger(at: Attempt) -> Frame | None:
    """Another unit, with its own header: camera names agree."""
    return at.subject.strangers[at.n % len(at.subject.strangers)] if at.subject.strangers else None


def _other_gain(at: Attempt) -> Frame | None:
    """Gain doubled behind a header that is silent or lies: signal and noise double, not black."""
    if at.subject.other_gains:
        return _as_dark(at.subject.other_gains[at.n % len(at.subject.other_gains)], at.sub)
    level = float(np.median(at.sub.data))
    return _with(at.sub, np.rint(level + (2.0 if at.n % 2 else 0.5) * (at.sub.data - level)))


def _lit(subject: Subject, sub: Frame, light_adu: Image, rng: np.random.Generator) -> Frame:
    noise = rng.normal(0.0, 1.0, sub.shape) * np.sqrt(subject.shot_slope_adu * light_adu)
    return _with(sub, np.rint(sub.data + light_adu + noise))


def _even_leak(at: Attempt) -> Frame | None:
    """Light whose shot noise is 1 to 3 times the sub's own noise, as a variance."""
    own = float(np.percentile(np.abs(at.sub.data - np.median(at.sub.data)), 68)) ** 2
    return _lit(
        at.subject,
        at.sub,
        np.full(at.sub.shape, (1 + at.n % 3) * own / at.subject.shot_slope_adu),
        at.rng,
    )


def _sloping_leak(at: Attempt) -> Frame | None:
    """Light that falls from one side to nothing; 4 to 12 times the noise at the bright side."""
    ramp = np.linspace(0.0, (4 + 4 * (at.n % 3)) * at.subject.noise_adu, at.sub.shape[at.n % 2])
    return _lit(
        at.subject,
        at.sub,
        np.broadcast_to(ramp[:, None] if at.n % 2 == 0 else ramp, at.sub.shape),
        at.rng,
    )


def _corner_leak(at: Attempt) -> Frame | None:
    """Light around one corner, where amplifiers glow; 10 to 30 times the noise at its brightest."""
    y, x = np.mgrid[0 : 1 : complex(at.sub.shape[0]), 0 : 1 : complex(at.sub.shape[1])]
    glow = np.exp(-(y**2 + x**2) / (2 * 0.35**2)) * (10 + 10 * (at.n % 3)) * at.subject.noise_adu
    return _lit(at.subject, at.sub, glow, at.rng)


def _subtracted(at: Attempt) -> Frame | None:
    """Long-exposure noise reduction: a second dark is taken and subtracted."""
    twin = at.subject.twin(at.sub)
    if twin is None or (at.sub.acquisition.exposure_s or 0) < 1:
        return None
    black = float(at.subject.model.level_maps[:, 0].mean())
    return _with(at.sub, np.maximum(at.sub.data - twin.data + np.rint(black), 0.0))


def _blank(at: Attempt) -> Frame | None:
    full = 65_535.0
    bright = np.minimum(at.sub.data + at.rng.normal(full - 300, 300, at.sub.shape), full)
    holes = np.full(at.sub.shape, np.nan)
    flat = [np.full(at.sub.shape, value) for value in (0.0, full, 1000.0)]
    return _with(at.sub, np.rint((*flat, bright, holes)[at.n % 5]))


WRONG_SUBS = {
    "another unit of the same camera model": WrongSub(_stranger, ("another unit",)),
    "another camera, header silent": WrongSub(
        _stored("other_cameras"), ("another unit", "another camera")
    ),
    "rows flipped": WrongSub(_moved(np.flipud), ("rows flipped",)),
    "columns flipped": WrongSub(_moved(np.fliplr), ("columns flipped",)),
    "turned by 180 degrees": WrongSub(_moved(lambda d: d[::-1, ::-1]), ("by 180 degrees",)),
    "turned by 90 or 270 degrees": WrongSub(_quarter_turn, ("by 90", "by 270")),
    "CFA phase shifted": WrongSub(_phase, ("phase of its colour filters",)),
    "another crop of the same size": WrongSub(_other_crop, ("another crop",)),
    "a crop filled up to size": WrongSub(_filled, ("filled up",)),
    "binned or resampled to size": WrongSub(_resampled, ("binned, debayered or resampled",)),
    "another size": WrongSub(_other_size, ("size is",)),
    "another bit depth (x4, /4, x16, x2, /16)": WrongSub(_scaled, ("bit depth",)),
    "another gain, header silent": WrongSub(_other_gain, ("another gain",)),
    "even light leak": WrongSub(_even_leak, ("light",)),
    "light leak from one side": WrongSub(_sloping_leak, ("light has leaked",)),
    "light leak in a corner": WrongSub(_corner_leak, ("light has leaked",)),
    "a light that says dark": WrongSub(_stored("lights"), ("a light",)),
    "a flat that says dark": WrongSub(_stored("flats"), ("a flat",)),
    "camera-side dark subtraction": WrongSub(_subtracted, ("has subtracted",)),
    "empty, saturated or constant": WrongSub(_blank, ("empty", "saturated")),
}  # fmt: skip
"""Ways to go wrong; every one keeps the header of a right sub unless it says otherwise."""
