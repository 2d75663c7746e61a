"""A master dark from one new sub."""

import numpy as np

from solodark.dark_model.content import require_content
from solodark.dark_model.gain_settings import require_setting
from solodark.dark_model.master import Estimate, describe, finish_master, full_scale_adu
from solodark.dark_model.model import DarkModel
from solodark.dark_model.predict import predict
from solodark.dark_model.solve import solve
from solodark.dark_model.survey import read_image
from solodark.dark_model.trust import judge, require_same_camera
from solodark.dark_model.update import update
from solodark.frames import FrameSource, InputRecord, MasterDark, Provenance

__all__ = ["generate"]


def generate(
    model: DarkModel, sub: FrameSource, *, force: bool = False, sub_sha256: str = ""
) -> MasterDark:
    """Make a master dark from one new sub.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    sub : FrameSource
        One new dark of the same camera and gain.
    force : bool
        Give a master even where the sub deserves doubt; a sub that is plainly not of this sensor,
        or not in this orientation, is refused all the same.
    sub_sha256 : str
        Hash of the sub's file, kept with the master.

    Returns
    -------
    MasterDark
        Level of the library, pattern of the sensor in the sub's state, one sigma for each pixel.

    Raises
    ------
    WrongSubError
        The model cannot explain the sub; says why.
    """
    require_same_camera(model, sub)
    image = read_image(sub)
    bias = model.pixels.maps[require_setting(model.settings, sub)]
    require_content(sub.name, image, sub.acquisition, bias)
    solved = solve(model, sub, image=image)
    prediction = predict(model, solved.state, solved.covariance, setting=solved.setting)
    verdict = judge(model, sub, image, solved=solved, prediction=prediction, force=force)
    pattern, variance, changed = update(model, sub, solved, prediction, image=image)
    del prediction  # its memory is for the master
    estimate = Estimate(
        state=solved.state,
        setting=solved.setting,
        pattern=pattern,
        variance=variance,
        frame_variance=solved.frame_variance,
        saturated=image >= full_scale_adu(model),
        dead=~np.isfinite(image),
        changed=changed,
    )
    return finish_master(
        model,
        estimate,
        acquisition=describe(sub.acquisition),
        provenance=Provenance("generate", (InputRecord(sub.name, sub_sha256),)),
        verdict=verdict,
    )
