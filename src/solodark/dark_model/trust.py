"""Whether a model can explain a sub: asked before anything is written."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.model import SAME_SENSOR, DarkModel
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.errors import FrameMismatchError, WrongSubError
from solodark.frames import FrameKind, FrameSource, Verdict
from solodark.frames.matching import require_matching

__all__ = ["judge", "require_same_camera"]

Image = NDArray[np.float32]

_HOT_SIGMA = 12.0  # predicted this bright, a pixel must show in the sub
_SEEN_SIGMA = 4.0
_ALIKE = float(np.log(3.0))  # exposures up to three times each other's tell of each other
_MIN_HOT = 12  # fewer bright pixels cannot tell a wrong sub from a cold one
_MIN_SEEN = 0.6  # births, deaths and telegraph pixels never hide so many as the rest
_NOISY = 1.6  # variance of the sub over the highest of the library
_STRONG = 1.15  # strength of the dark signal over the strongest of the library
_SHIFT = 6  # crops and binning differ by more; drivers shift by a few pixels at most


class _ModelAsFrame:
    """What a model must share with a sub, in the form that `require_matching` compares."""

    def __init__(self, model: DarkModel) -> None:
        self.name = "the model"
        self.acquisition = model.acquisition
        self.shape = model.shape


def require_same_camera(model: DarkModel, sub: FrameSource) -> None:
    """Raise unless the sub is a dark of the model's camera, size, gain and binning by its header.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        The new dark.

    Raises
    ------
    WrongSubError
        It is not; says what differs.
    """
    kind = sub.acquisition.kind
    if kind in (FrameKind.LIGHT, FrameKind.FLAT):
        raise WrongSubError(
            f"{sub.name} is a {kind}, says its {sub.acquisition.kind_source}; expected a dark"
        )
    try:
        require_matching([_ModelAsFrame(model), sub], SAME_SENSOR)
    except FrameMismatchError as error:
        raise WrongSubError(f"{sub.name} does not fit the model: {error}") from error


def judge(
    model: DarkModel,
    sub: FrameSource,
    above: Image,
    *,
    frame_variance: float,
    strength2: float,
    force: bool,
) -> Verdict:
    """Compare a sub with what the model expects of it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        The new dark.
    above : ndarray of float32, shape (ny, nx)
        The sub above its level, ADU.
    frame_variance : float
        Variance of an ordinary pixel of the sub, ADU^2.
    strength2 : float
        Squared strength of its dark signal, 1 for the strongest of the library.
    force : bool
        Turn the refusal of a noisy sub into a doubt; the wrong sensor is refused all the same.

    Returns
    -------
    Verdict
        Doubts, one sentence each.

    Raises
    ------
    WrongSubError
        The sub shows a pattern that is not this sensor's, or this sensor's turned or shifted; or
        so much noise that light must have fallen on it.
    """
    _require_pattern(model, sub, above, float(np.sqrt(frame_variance)))
    noisy = _too_noisy(model, sub, frame_variance, strength2)
    if noisy and not force:
        raise WrongSubError(f"{noisy}. If it is a dark all the same, force it")
    reasons = (noisy, _extrapolated(model, strength2))
    told = tuple(reason for reason in reasons if reason)
    return Verdict(trusted=not told, reasons=told)


def _require_pattern(model: DarkModel, sub: FrameSource, above: Image, sigma: float) -> None:
    y, x = _landmarks(model, sub.acquisition.exposure_s, sigma)
    if y.size < _MIN_HOT:
        return
    seen = _fraction_seen(above, y, x, sigma)
    if seen >= _MIN_SEEN:
        return
    for description, move in _moves(model.shape).items():
        moved_y, moved_x = move(y, x)
        inside = (moved_y >= 0) & (moved_y < model.shape[0])
        inside &= (moved_x >= 0) & (moved_x < model.shape[1])
        if _fraction_seen(above, moved_y[inside], moved_x[inside], sigma) >= _MIN_SEEN:
            raise WrongSubError(
                f"{sub.name} shows this sensor's hot pixels {description}; expected the "
                "orientation of the library's darks. Check ROWORDER, or the program that wrote it"
            )
    raise WrongSubError(
        f"{sub.name} shows {seen:.0%} of this sensor's brightest hot pixels, expected nearly all; "
        "it is of another camera, no dark, or a dark that the camera has subtracted already"
    )


def _landmarks(
    model: DarkModel, exposure_s: float | None, sigma: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixels that must stand out in an exposure of that length: the brightest of the sample.

    Their brightness is taken from the library, not from the sub's own state: a wrong sub would
    solve for a state in which nothing is bright, and pass.
    """
    y, x = model.sample.T
    bright = model.pixels.maps[len(model.settings) :, y, x].T @ _weak_state(model, exposure_s)
    steady = model.pixels.excess[y, x] < 3.0
    order = np.argsort(np.where(steady, bright, -np.inf))[::-1][:200]
    order = order[bright[order] > _HOT_SIGMA * sigma]
    return y[order], x[order]


def _weak_state(model: DarkModel, exposure_s: float | None) -> NDArray[np.float64]:
    """State that a dark of that exposure reaches even on the coldest night of the library.

    Judged by the library's darks of like exposure: the state of a far shorter one is all noise.
    """
    states, exposures_s = model.library.states, model.library.exposure_s
    darks = np.flatnonzero(exposures_s > BIAS_EXPOSURE_S)
    if exposure_s is None or exposure_s <= BIAS_EXPOSURE_S or not darks.size:
        return np.asarray(np.median(states, axis=0))
    ratio = np.abs(np.log(exposures_s[darks] / exposure_s))
    darks = darks[ratio <= max(float(ratio.min()), _ALIKE)]
    strength2 = np.einsum("fr,rq,fq->f", states[darks], model.strength, states[darks])
    weakest = darks[np.argmin(np.sqrt(strength2) / exposures_s[darks])]
    weak: NDArray[np.float64] = states[weakest] * (exposure_s / exposures_s[weakest])
    return weak


def _fraction_seen(above: Image, y: NDArray[np.intp], x: NDArray[np.intp], sigma: float) -> float:
    return float(np.mean(above[y, x] > _SEEN_SIGMA * sigma)) if y.size else 0.0


Places = tuple[NDArray[np.intp], NDArray[np.intp]]


def _moves(shape: tuple[int, int]) -> dict[str, Callable[..., Places]]:
    ny, nx = shape
    moves: dict[str, Callable[..., Places]] = {
        "upside down (rows flipped)": lambda y, x: (ny - 1 - y, x),
        "mirrored (columns flipped)": lambda y, x: (y, nx - 1 - x),
        "turned by 180 degrees": lambda y, x: (ny - 1 - y, nx - 1 - x),
    }
    for dy in range(-_SHIFT, _SHIFT + 1):
        for dx in range(-_SHIFT, _SHIFT + 1):
            if dy or dx:
                moves[f"shifted by {dy} rows and {dx} columns"] = _shift(dy, dx)
    return moves


def _shift(dy: int, dx: int) -> Callable[..., Places]:
    return lambda y, x: (y + dy, x + dx)


def _too_noisy(model: DarkModel, sub: FrameSource, frame_variance: float, strength2: float) -> str:
    noisiest = float(model.law.frame_variance.max())
    # Diffusion current grows as the square of the depletion current that hot pixels are made of.
    if frame_variance <= _NOISY * noisiest * max(1.0, strength2):
        return ""
    return (
        f"{sub.name} has {np.sqrt(frame_variance / noisiest):.1f} times the noise of the library's "
        "noisiest dark; light has leaked in, or it is no dark"
    )


def _extrapolated(model: DarkModel, strength2: float) -> str:
    if strength2 <= _STRONG**2:
        return ""
    return (
        f"its dark signal is {np.sqrt(strength2):.2f} times the strongest of the library "
        f"({_range_of(model)}); the master is extrapolated"
    )


def _range_of(model: DarkModel) -> str:
    exposure_s, temperature_c = model.library.exposure_s, model.library.sensor_temperature_c
    parts = []
    if np.isfinite(exposure_s).any():
        parts.append(f"up to {np.nanmax(exposure_s):g} s")
    if np.isfinite(temperature_c).any():
        parts.append(f"{np.nanmin(temperature_c):.0f} to {np.nanmax(temperature_c):.0f} C")
    return ", ".join(parts) or "no exposure known"
