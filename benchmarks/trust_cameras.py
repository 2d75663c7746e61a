"""Cameras on trial: real ones, learned in two halves so that every frame is held out once."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from solodark.dark_model import DarkModel, LearnSettings, is_bias, learn
from solodark.formats import find_frame_paths, open_frame
from solodark.frames import Camera, Frame, FrameKind
from solodark.synthetic import (
    PRESETS,
    SyntheticCamera,
    expose_dark,
    expose_flat,
    expose_library,
    expose_light,
    make_camera,
    make_scene,
)
from solodark.workflows.model_files import load_model, save_model
from wrong_subs import Subject

__all__ = ["RealCamera", "real_cameras", "real_subjects", "synthetic_subjects"]

REAL = {
    "asi178mc": "asi178mc",
    "sbig": "sbig-stl1001e",
    "mit-luxembourg": "mit-luxembourg-2018-10-12",
}
FADED = {  # a cold CMOS camera, as the makers wish it: hardly any pattern
    "bias_pixel_e": 0.05,
    "bias_pixel_adu": 0.03,
    "bias_column_e": 0.02,
    "bias_column_adu": 0.02,
    "diffusion_e_per_s": 5e-5,
    "depletion_e_per_s": 2e-4,
    "hot_fraction": 5e-4,
    "hot_e_per_s": 0.01,
    "offset_hot_fraction": 1e-5,
    "telegraph_dark_fraction": 1e-4,
    "birth_fraction_per_year": 1e-5,
    "glow_e_per_s": 1e-4,
}
SYNTHETIC = {
    "synthetic uncooled CMOS, 512 x 768": ("uncooled_cmos", (512, 768), {}),
    "synthetic uncooled CMOS, 192 x 192": ("uncooled_cmos", (192, 192), {}),
    "synthetic cooled CCD, 384 x 384": ("cooled_ccd", (384, 384), {}),
    "synthetic cold CMOS with hardly any pattern, 384 x 512": ("uncooled_cmos", (384, 512), FADED),
}
FEW = LearnSettings(ranks=(1, 2), n_random=20_000, n_hot=4_000, rounds=3)


@dataclass(frozen=True, eq=False)
class RealCamera:
    """All frames of a real camera, and what may be mistaken for its darks."""

    name: str
    darks: tuple[Frame, ...]
    strangers: tuple[Frame, ...]
    others: tuple[Frame, ...]
    lights: tuple[Frame, ...]
    flats: tuple[Frame, ...]


def real_cameras(data: Path, names: Collection[str]) -> Iterator[RealCamera]:
    """Read the frames of real cameras, one camera after the other."""
    other_unit = {"sbig": "mit-luxembourg", "mit-luxembourg": "sbig"}
    for name in names:
        darks = _darks(data / REAL[name])
        strangers = _darks(data / REAL[other_unit[name]]) if name in other_unit else []
        shown = name == "mit-luxembourg"
        yield RealCamera(
            name,
            tuple(darks),
            strangers=tuple(f for f in strangers if not is_bias(f)),
            others=_other_cameras(darks[0].shape, darks[0].acquisition.cfa_pattern),
            lights=tuple(_frames(data / REAL[name] / "lights") if shown else ()),
            flats=tuple(_flats(data) if name == "sbig" else ()),
        )


def real_subjects(data: Path, models: Path, only: str) -> Iterator[Subject]:
    """Give each real camera twice: learned from one half, tried on the other."""
    for camera in real_cameras(data, [name for name in REAL if only in f"{name}, half"]):
        halves = _halves(camera.darks)
        for half in (0, 1):
            known = [f for f, h in zip(camera.darks, halves, strict=True) if h == half]
            unseen = [f for f, h in zip(camera.darks, halves, strict=True) if h != half]
            yield Subject(
                f"{camera.name}, half {half + 1}",
                _model(models / f"{camera.name}-{half}.solodark", known, LearnSettings()),
                tuple(unseen),
                strangers=camera.strangers,
                other_cameras=camera.others,
                lights=camera.lights,
                flats=camera.flats,
                spoilt=half == 0,
            )


def _halves(darks: Sequence[Frame]) -> list[int]:
    """Every other exposure; every other frame of biases and of the only exposure there is."""
    exposures_s = sorted({f.acquisition.exposure_s or 0.0 for f in darks if not is_bias(f)})
    alone = len(exposures_s) == 1
    return [
        i % 2 if alone or is_bias(f) else exposures_s.index(f.acquisition.exposure_s or 0.0) % 2
        for i, f in enumerate(darks)
    ]


def _model(path: Path, frames: list[Frame], settings: LearnSettings) -> DarkModel:
    if not path.exists():
        save_model(path, learn(frames, rng=np.random.default_rng(1), settings=settings))
    return load_model(path)


def _frames(folder: Path) -> list[Frame]:
    frames = []
    for path in find_frame_paths([folder]):
        with open_frame(path) as source:
            frames.append(replace(Frame.from_source(source), name=path.name))
    return frames


def _darks(folder: Path) -> list[Frame]:
    kinds = (FrameKind.DARK, FrameKind.BIAS)
    return [frame for frame in _frames(folder) if frame.acquisition.kind in kinds]


def _flats(data: Path) -> list[Frame]:
    night = data / REAL["sbig"] / "2017_-5C"
    known = (FrameKind.DARK, FrameKind.BIAS)
    return [frame for frame in _frames(night) if frame.acquisition.kind not in known]


def _other_cameras(shape: tuple[int, int], cfa: str | None) -> tuple[Frame, ...]:
    """Darks of synthetic cameras, which are none of the real ones."""
    darks = []
    for seed, preset in enumerate(sorted(PRESETS) * 2):
        rng = np.random.default_rng(100 + seed)
        camera = make_camera(rng, shape=shape, cfa_pattern=cfa, preset=preset)
        darks.append(_dark(camera, rng, 120.0, 12.0).data)
    silent = Frame(darks[0])
    return tuple(
        replace(silent, data=data, name=f"another camera {n}") for n, data in enumerate(darks)
    )


def synthetic_subjects(models: Path, only: str) -> Iterator[Subject]:
    """Give synthetic cameras, small and larger, warm and cold, each with a year of darks."""
    for seed, (name, (preset, shape, changes)) in enumerate(SYNTHETIC.items()):
        if only in name:
            path = models / f"synthetic-{seed}.solodark"
            yield _synthetic(name, preset, shape, changes, 10 + seed, path)


def _synthetic(
    name: str, preset: str, shape: tuple[int, int], changes: dict, seed: int, path: Path
) -> Subject:
    rng = np.random.default_rng(seed)
    cfa = "RGGB" if preset == "uncooled_cmos" else None
    camera, other = (
        make_camera(rng, shape=shape, cfa_pattern=cfa, preset=preset, **changes) for _ in range(2)
    )
    iso = camera.settings.modes[0].setting
    sessions = list(
        expose_library(
            camera, rng, n_sessions=14, subs_per_session=5, biases_per_session=3, isos=[iso],
            exposures_s=(30.0, 60.0, 120.0, 180.0, 300.0), years=1.0,
        )
    )  # fmt: skip
    known = [s.frame for session in sessions[::2] for s in (*session.darks, *session.biases)]
    unseen = [s.frame for session in sessions[1::2] for s in (*session.darks, *session.biases)]
    other_preset = "cooled_ccd" if preset == "uncooled_cmos" else "uncooled_cmos"
    third = make_camera(rng, shape=shape, cfa_pattern=cfa, preset=other_preset)
    scene = make_scene(rng, shape=shape)
    modes = [mode.setting for mode in camera.settings.modes[1:]]
    return Subject(
        name,
        _model(path, known, FEW),
        tuple(replace(frame, name=f"unseen {n}") for n, frame in enumerate(unseen)),
        strangers=tuple(_nameless(_dark(other, rng, t, 12.0)) for t in (60.0, 120.0, 300.0)),
        other_cameras=tuple(_dark(third, rng, t, 5.0) for t in (60.0, 300.0)),
        lights=tuple(_light(camera, scene, rng, t) for t in (60.0, 180.0, 300.0)),
        flats=tuple(_flat(camera, rng, filling) for filling in (0.1, 0.3, 0.5)),
        other_gains=tuple(_dark(camera, rng, t, 12.0, iso) for t in (60.0, 300.0) for iso in modes),
    )


def _dark(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    exposure_s: float,
    temperature_c: float,
    iso: int | None = None,
) -> Frame:
    from datetime import UTC, datetime

    date = datetime(2025, 2, 1, tzinfo=UTC)
    return expose_dark(
        camera, rng, exposure_s=exposure_s, temperature_c=temperature_c, date=date, iso=iso
    ).frame


def _nameless(frame: Frame) -> Frame:
    """Without its serial number, as most files are."""
    camera = Camera(frame.acquisition.camera.model, None, None)
    return replace(frame, acquisition=replace(frame.acquisition, camera=camera))


def _light(camera: SyntheticCamera, scene, rng: np.random.Generator, exposure_s: float) -> Frame:  # type: ignore[no-untyped-def]
    from datetime import UTC, datetime

    return expose_light(
        camera, scene, rng, exposure_s=exposure_s, temperature_c=12.0,
        date=datetime(2025, 2, 1, tzinfo=UTC),
    ).frame  # fmt: skip


def _flat(camera: SyntheticCamera, rng: np.random.Generator, filling: float) -> Frame:
    from datetime import UTC, datetime

    return expose_flat(
        camera, rng, temperature_c=12.0, date=datetime(2025, 2, 1, tzinfo=UTC), filling=filling
    ).frame
