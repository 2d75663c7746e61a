"""Whether what is given as lights is that, of this camera: asked of the headers."""

from collections.abc import Sequence

from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.model import SAME_SENSOR, DarkModel
from solodark.errors import FrameMismatchError, WrongSubError
from solodark.frames import FrameKind, FrameSource
from solodark.frames.matching import require_matching

__all__ = ["require_lights"]


def require_lights(model: DarkModel, lights: Sequence[FrameSource]) -> None:
    """Raise unless the frames are single lights of the model's camera by their headers.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    lights : sequence of FrameSource
        What was given as lights.

    Raises
    ------
    WrongSubError
        One of them is not; says which and why.
    """
    for light in lights:
        _require_single_light(light)
        _require_fitting(model, light)


def _require_fitting(model: DarkModel, light: FrameSource) -> None:
    try:
        require_matching([model, light], SAME_SENSOR)
    except FrameMismatchError as error:
        raise WrongSubError(f"{light.name} does not fit the model: {error}") from error
    require_setting(model.settings, light)


def _require_single_light(light: FrameSource) -> None:
    kind, source = light.acquisition.kind, light.acquisition.kind_source
    if kind not in (None, FrameKind.LIGHT):
        raise WrongSubError(
            f"{light.name} is a {kind}, says its {source}; expected a light. "
            "One dark is given by its name alone, without --lights"
        )
    if light.acquisition.n_combined is not None:
        raise WrongSubError(
            f"{light.name} is a stack of {light.acquisition.n_combined} frames; expected single "
            "lights as the camera wrote them, in which every pixel is still in its place"
        )
