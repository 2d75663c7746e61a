"""Whether a model can explain a sub: asked before anything is written."""

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.causes import Cause, Weight
from solodark.dark_model.dark_signal import range_in_words
from solodark.dark_model.examination import Examination, examine
from solodark.dark_model.gain_signs import find_gain, power_of_two
from solodark.dark_model.identity import find_identity, is_missing, is_seen
from solodark.dark_model.light_signs import find_light
from solodark.dark_model.master import STRONG
from solodark.dark_model.model import SAME_SENSOR, DarkModel
from solodark.dark_model.predict import Prediction
from solodark.dark_model.solve import Solved
from solodark.errors import FrameMismatchError, WrongSubError
from solodark.frames import FrameKind, FrameSource, Verdict
from solodark.frames.matching import require_matching

__all__ = ["find_causes", "judge", "require_same_camera"]

Image = NDArray[np.float32]

_BINNINGS = (2, 3, 4)
_CUT_OFF = 0.1  # of the pixels; a level three sigma above 0 leaves a thousandth there


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
        require_matching([model, sub], SAME_SENSOR)
    except FrameMismatchError as error:
        likely = _why_another_size(model.shape, sub.shape)
        raise WrongSubError(f"{sub.name} does not fit the model: {error}{likely}") from error


def _why_another_size(expected: tuple[int, int], found: tuple[int, int]) -> str:
    """Guess what made the size another one; nothing where it is the same."""
    if found == expected:
        return ""
    if found == expected[::-1]:
        return " It is turned by 90 or 270 degrees: use the file as the camera wrote it."
    for factor in _BINNINGS:
        if all(abs(f * factor - e) < factor for f, e in zip(found, expected, strict=True)):
            return f" It is binned {factor} x {factor}: take it at the library's binning."
        if all(abs(e * factor - f) < factor for f, e in zip(found, expected, strict=True)):
            return f" The library is binned {factor} x {factor}: take the sub at that binning."
    smaller = all(f <= e for f, e in zip(found, expected, strict=True))
    other = "a crop of the library's frame" if smaller else "another region of a sensor"
    return f" It is {other}: take it at the library's region of interest."


def judge(
    model: DarkModel,
    sub: FrameSource,
    image: Image,
    *,
    solved: Solved,
    prediction: Prediction,
    force: bool,
) -> Verdict:
    """Compare a sub with what the model expects of it.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        The new dark.
    image : ndarray of float32, shape (ny, nx)
        Its pixels, ADU.
    solved : Solved
        Its state, noise and levels.
    prediction : Prediction
        The model's word on that state.
    force : bool
        Turn the refusal of what may be a dark into a doubt; another sensor, or this one in another
        geometry, is refused all the same.

    Returns
    -------
    Verdict
        Doubts, one sentence each.

    Raises
    ------
    WrongSubError
        The model cannot explain the sub; says why.
    """
    causes = find_causes(examine(model, sub, image, solved, prediction))
    worst = max(causes, key=lambda cause: cause.weight, default=None)
    if worst is not None and worst.weight is Weight.WRONG:
        raise WrongSubError(f"{sub.name} {worst.sentence}")
    if worst is not None and worst.weight is Weight.REFUSED and not force:
        raise WrongSubError(f"{sub.name} {worst.sentence}. If it is a dark all the same, force it")
    return Verdict(
        trusted=not causes, reasons=tuple(f"{sub.name} {cause.sentence}" for cause in causes)
    )


def find_causes(exam: Examination) -> list[Cause]:
    """Find everything that speaks against a sub.

    Parameters
    ----------
    exam : Examination
        The sub beside what is expected of it.

    Returns
    -------
    list of Cause
        Empty where nothing does.
    """
    cut_off = _cut_off(exam)
    if cut_off is not None:  # signs of light, gain and scale are read off the noise
        return [*find_identity(exam, lit=False, scaled=False), cut_off]
    factor = power_of_two(exam)
    # Larger numbers would show this sensor's dark signal all the more.
    scaled = factor < 1.0 or (factor > 1.0 and not (is_missing(exam) and not is_seen(exam)))
    light = [] if scaled else find_light(exam)
    lit = any(cause.weight is Weight.REFUSED for cause in light)
    identity = find_identity(exam, lit=lit, scaled=scaled)
    gain = [] if lit else find_gain(exam)
    return identity + light + gain + _extrapolated(exam)


def _cut_off(exam: Examination) -> Cause | None:
    """Noise that a camera cuts off at 0, in this dark as in its library's."""
    share = float(np.mean(exam.image[exam.rows] <= 0.0))
    if share < _CUT_OFF or exam.resting_adu > exam.sigma:
        return None
    return Cause(
        f"has {share:.0%} of its pixels at 0, as the library's darks have: the camera cuts off "
        "what lies below its level, and noise is larger than it looks; raise the camera's offset, "
        "and learn from darks that are whole",
        Weight.DOUBT,
    )


def _extrapolated(exam: Examination) -> list[Cause]:
    if exam.amplitude <= STRONG:
        return []
    sentence = (
        f"has a dark signal {exam.amplitude:.2f} times the strongest of the library "
        f"({range_in_words(exam.model)}); the master is extrapolated"
    )
    return [Cause(sentence, Weight.DOUBT)]
