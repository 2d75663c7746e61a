"""A sub as a dark model sees it: what the network that knows its place is given."""

import numpy as np

from solodark.dark_model import DarkModel, predict, solve, update
from solodark.dark_model.dark_signal import strongest_state
from solodark.dark_model.levels import part_levels, remove_levels
from solodark.dark_model.solve import Solved
from solodark.dark_model.survey import read_image
from solodark.frames import FrameSource
from solodark.pix2pix.sensor_channels import SensorView

__all__ = ["sensor_view"]


def sensor_view(model: DarkModel, sub: FrameSource, solved: Solved | None = None) -> SensorView:
    """Ask a dark model all it knows of a sub.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One dark, as large as the model.
    solved : Solved, optional
        Its state, where it is known.

    Returns
    -------
    SensorView
        Of the whole sensor; pixels without a value show what was predicted.

    Raises
    ------
    WrongSubError
        The model does not know the sub's gain setting.
    """
    cfa_pattern = model.acquisition.cfa_pattern
    solved = solved or solve(model, sub)
    prediction = predict(model, solved.state, solved.covariance, setting=solved.setting)
    pattern, variance, changed = update(model, sub, solved, prediction)
    image = read_image(sub)
    known = np.where(np.isfinite(image), image, prediction.pattern + np.median(solved.levels))
    residual = known - prediction.pattern
    residual = remove_levels(residual, part_levels(residual, model.level_parts), model.level_parts)
    strongest = strongest_state(model).astype(np.float32)
    return SensorView(
        above=residual + prediction.pattern,
        prediction=prediction.pattern,
        updated=pattern,
        doubt=np.sqrt(variance),
        uncertainty=np.sqrt(prediction.variance),
        changed=changed.astype(np.float32),
        bias_map=model.pixels.maps[solved.setting],
        dark_map=np.tensordot(strongest, model.pixels.maps[len(model.settings) :], axes=1),
        excess=model.pixels.excess,
        sigma_adu=float(np.sqrt(solved.frame_variance)),
        is_mosaic=cfa_pattern is not None,
    )
