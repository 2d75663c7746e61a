"""Masters without riddles: every number can be checked by hand."""

import numpy as np
import pytest

from solodark.frames import Acquisition, Camera, Frame, FrameKind, Master

SHAPE = (40, 60)
TAKEN = Acquisition(
    kind=FrameKind.LIGHT,
    camera=Camera("Cam A"),
    exposure_s=120.0,
    sensor_temperature_c=10.0,
    gain_setting=100.0,
    gain_e_per_adu=0.5,
)


def master(data, uncertainty=0.0, **acquisition) -> Master:
    """A master of one kind with an even uncertainty and no flag."""
    from dataclasses import replace

    plane = np.broadcast_to(np.asarray(data, np.float32), SHAPE)
    return Master(
        data=plane.copy(),
        uncertainty=np.full(SHAPE, uncertainty, np.float32),
        flags=np.zeros(SHAPE, np.uint8),
        acquisition=replace(TAKEN, **{"kind": FrameKind.DARK, "n_combined": 20} | acquisition),
        origin="combined",
    )


@pytest.fixture
def light(rng) -> Frame:
    """Sky of 900 ADU over a dark of 500 ADU, with noise of 30 ADU."""
    return Frame(rng.normal(1400.0, 30.0, SHAPE), TAKEN, "light_1.fits")
