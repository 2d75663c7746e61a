"""The demo's night under the stars: lights while the air cools by 8 C, then darks at its end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.comparison.contenders import Contender
from solodark.frames import (
    FrameKind,
    FrameSource,
    Master,
    Progress,
    silent,
)
from solodark.synthetic import NightPlan, expose_night, make_scene
from solodark.workflows.compare import CompareSummary, compare_night
from solodark.workflows.compare_masters import CompareInputs
from solodark.workflows.compare_rows import TRUTH
from solodark.workflows.demo_camera import (
    ISO,
    WARM_NIGHT_C,
    DemoNight,
    DemoPlan,
    write_exposure,
)

__all__ = ["compare_lights"]

EXPOSURE_S = 180.0
COOLING_C = 8.0
DRIFT_PX = (0.5, 1.3)
"""From light to light, y and x: fewer lights than the paper's, so larger steps."""
N_FLATS, N_BIASES = 8, 8
NIGHTS_LATER = timedelta(days=3)
FOLDERS = {
    FrameKind.LIGHT: "lights",
    FrameKind.DARK: "darks",
    FrameKind.FLAT: "flats",
    FrameKind.BIAS: "biases",
}


def compare_lights(
    folder: Path,
    night: DemoNight,
    plan: DemoPlan,
    model: Path,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> CompareSummary:
    """Photograph a night that cools, and stack it with every kind of dark.

    Parameters
    ----------
    folder : Path
        Where ``night/`` and the page are made.
    night : DemoNight
        Whose camera, and when its last darks were taken.
    plan : DemoPlan
        How many lights and darks.
    model : Path
        The camera's model.
    rng : numpy.random.Generator
        The dice.
    progress : Progress
        Who is told.

    Returns
    -------
    CompareSummary
        Figures, and where the page is.
    """
    truths = _photograph(folder / "night", night, plan, rng, progress)
    inputs = CompareInputs(
        lights=folder / "night" / "lights",
        darks=folder / "night" / "darks",
        sub=min((folder / "night" / "darks").iterdir()),
        model=model,
        flats=folder / "night" / "flats",
        biases=folder / "night" / "biases",
    )
    truth = Contender(TRUTH, partial(_true_darks, truths))
    return compare_night(inputs, folder / "comparison.html", truth=truth, progress=progress)


def _photograph(
    folder: Path, night: DemoNight, plan: DemoPlan, rng: np.random.Generator, progress: Progress
) -> dict[str, NDArray[np.float32]]:
    """Write all frames, and give the true dark of each light by its file's name."""
    camera = night.camera
    scene = make_scene(rng, shape=plan.shape, stars_per_megapixel=plan.stars_per_megapixel)
    shots = expose_night(camera, scene, rng, _night_plan(night, plan))
    n = plan.n_lights + plan.n_night_darks + N_FLATS + N_BIASES
    truths = {}
    for number, shot in enumerate(progress(shots, "Photographing the night", n)):
        kind = shot.frame.acquisition.kind or FrameKind.LIGHT
        path = write_exposure(folder / FOLDERS[kind], shot.frame, f"{kind}_{number:04d}")
        if kind is FrameKind.LIGHT:
            truths[str(path)] = camera.expected_for(shot, frozen_telegraph=True)
    return truths


def _night_plan(night: DemoNight, plan: DemoPlan) -> NightPlan:
    """Plan a night some days after the warm one, as warm at its beginning."""
    return NightPlan(
        start=night.last_date + NIGHTS_LATER,
        n_lights=plan.n_lights,
        n_darks=plan.n_night_darks,
        n_flats=N_FLATS,
        n_biases=N_BIASES,
        exposure_s=EXPOSURE_S,
        iso=ISO,
        ambient_temperature_c=WARM_NIGHT_C,
        cooling_c=COOLING_C,
        drift_y_px=DRIFT_PX[0],
        drift_x_px=DRIFT_PX[1],
    )


def _true_darks(
    truths: Mapping[str, NDArray[np.float32]], lights: Sequence[FrameSource]
) -> Iterator[Master]:
    """Give each light the dark that it would have without any noise."""
    for light in lights:
        data = truths[light.name]
        taken = light.acquisition
        yield Master(
            data=data,
            uncertainty=np.zeros(data.shape, np.float32),
            flags=np.zeros(data.shape, np.uint8),
            acquisition=replace(taken, kind=FrameKind.DARK, kind_source="the simulated camera"),
            origin="generated",
        )
