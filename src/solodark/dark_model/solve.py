"""What one sub tells of its exposure: the state of the sensor, its noise and its levels."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.learn_law import learn_law
from solodark.dark_model.levels import part_levels
from solodark.dark_model.model import DarkModel
from solodark.dark_model.sample_state import solve_sample
from solodark.dark_model.series import BIAS_EXPOSURE_S
from solodark.dark_model.state_law import StateLaw
from solodark.dark_model.survey import read_image
from solodark.frames import Acquisition, FrameSource

__all__ = ["Solved", "refined", "solve"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """What one sub tells of its exposure.

    Attributes
    ----------
    state : ndarray, shape (rank,)
        Strength of each dark map.
    covariance : ndarray, shape (rank, rank)
        Its covariance.
    frame_variance : float
        Variance of an ordinary pixel of the sub, ADU^2.
    levels : ndarray, shape (n_parts,)
        The sub's own levels, ADU.
    setting : int
        Its gain setting, an index into the model's `settings`.
    """

    state: Array
    covariance: Array
    frame_variance: float
    levels: Array
    setting: int = 0


def solve(model: DarkModel, sub: FrameSource, *, image: Image | None = None) -> Solved:
    """Solve the state of a sub from its pixels, and from what the library's states have in common.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One dark, as large as the model.
    image : ndarray of float32, shape (ny, nx), optional
        Its pixels, ADU, where they have been read already.

    Returns
    -------
    Solved
        State, noise and levels.

    Raises
    ------
    WrongSubError
        The model does not know the sub's gain setting.
    """
    setting = require_setting(model.settings, sub)
    image = read_image(sub) if image is None else image
    levels = part_levels(image, model.level_parts)
    y, x = model.sample.T
    above = image[y, x] - levels[model.level_parts.index(y, x)].astype(np.float32)
    solved = Solved(*solve_sample(model, above, setting), levels, setting)
    return refined(learn_law(model), solved, sub.acquisition)


def refined(law: StateLaw, solved: Solved, acquisition: Acquisition) -> Solved:
    """Hold a solved state to the mixture of maps that the library shows at its strength.

    Parameters
    ----------
    law : StateLaw
        What the library's states have in common.
    solved : Solved
        As the pixels tell it.
    acquisition : Acquisition
        Of the same frame; without an exposure, or of a bias, nothing is changed.

    Returns
    -------
    Solved
        With the state on which both agree.
    """
    exposure_s = acquisition.exposure_s or 0.0
    if exposure_s <= BIAS_EXPOSURE_S:
        return solved
    state, covariance = law.refine(
        solved.state, solved.covariance, exposure_s, setting=solved.setting
    )
    return replace(solved, state=state, covariance=covariance)
