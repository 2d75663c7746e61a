"""A small camera whose dark signal is known, for frames that can be spoilt on purpose."""

import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from solodark.frames import Acquisition, Camera, Frame, FrameKind
from solodark.frames.statistics import measure_statistics
from solodark.library.records import FrameRecord

NY, NX = 200, 300
READ_NOISE_ADU = 8.0
LEVEL_ADU = 1000.0
DOUBLING_C = 6.5
START = datetime(2024, 1, 5, 20, 0, tzinfo=UTC)


def record(frame: Frame, path: str | Path) -> FrameRecord:
    return FrameRecord(Path(path), frame.acquisition, measure_statistics(frame))


def with_header(frame: FrameRecord, **changes) -> FrameRecord:
    return replace(frame, acquisition=replace(frame.acquisition, **changes))


def codes_of(findings) -> dict[Path, str]:
    """What is said of each file; a file that is named twice is a fault of its own."""
    said = [(path, finding.code) for finding in findings for path in finding.paths]
    assert len(said) == len(dict(said)), said
    return dict(said)


@dataclass
class DarkCamera:
    """Warm pixels, glow, read noise; one ADU is one electron."""

    rng: np.random.Generator
    model: str = "Kamera 1"
    cooled: bool = True
    rate: np.ndarray = field(init=False)
    glow: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape = (NY, NX)
        self.rate = 0.05 * np.exp(0.4 * self.rng.standard_normal(shape))
        hot = self.rng.random(shape) < 0.02
        self.rate[hot] += self.rng.exponential(3.0, int(hot.sum()))
        y, x = np.mgrid[:NY, :NX] / NX
        self.glow = 0.04 * np.exp(-(x**2 + y**2) / 0.05)

    def pixels(self, exposure_s: float, temperature_c: float = -10.0) -> np.ndarray:
        warmth = 2.0 ** ((temperature_c + 10.0) / DOUBLING_C)
        electrons = self.rng.poisson((self.rate * warmth + self.glow) * exposure_s)
        return LEVEL_ADU + electrons + self.rng.normal(0.0, READ_NOISE_ADU, (NY, NX))

    def frame(self, pixels, exposure_s, *, kind=FrameKind.DARK, temperature_c=-10.0, at=START):
        taken = Acquisition(
            kind=kind,
            kind_source="header IMAGETYP",
            camera=Camera(self.model),
            exposure_s=exposure_s,
            sensor_temperature_c=temperature_c,
            setpoint_temperature_c=-10.0 if self.cooled else None,
            gain_setting=100.0,
            date_obs=at,
        )
        return Frame(np.round(np.clip(pixels, 0, 65535)), taken)

    def dark(self, path, exposure_s, *, temperature_c=-10.0, at=START) -> FrameRecord:
        pixels = self.pixels(exposure_s, temperature_c)
        return record(self.frame(pixels, exposure_s, temperature_c=temperature_c, at=at), path)

    def series(self, exposure_s, n, *, at=START, temperature_c=-10.0, folder="/darks"):
        return [
            self.dark(
                f"{folder}/{exposure_s:g}s_{at:%d%H}_{k:02d}.fit",
                exposure_s,
                temperature_c=temperature_c,
                at=at + k * timedelta(seconds=exposure_s + 2),
            )
            for k in range(n)
        ]

    def biases(self, n, *, at=START - timedelta(minutes=10)):
        return [
            record(
                self.frame(self.pixels(0.0), 0.0, kind=FrameKind.BIAS, at=at + k * SECOND),
                f"/biases/{k}.fit",
            )
            for k in range(n)
        ]

    def library(self) -> list[FrameRecord]:
        """Biases and four series of one night."""
        darks = [
            frame
            for n, exposure_s in enumerate((30.0, 60.0, 120.0, 300.0))
            for frame in self.series(exposure_s, 6, at=START + n * timedelta(hours=1))
        ]
        return self.biases(6) + darks


SECOND = timedelta(seconds=1)


@pytest.fixture(scope="session")
def drawn() -> tuple[DarkCamera, tuple[FrameRecord, ...]]:
    """One camera and its sound library, drawn once."""
    camera = DarkCamera(np.random.default_rng(7))
    return camera, tuple(camera.library())


@pytest.fixture
def camera(drawn, rng) -> DarkCamera:
    """The camera, with dice of the test's own."""
    own = copy.copy(drawn[0])
    own.rng = rng
    return own


@pytest.fixture
def library(drawn) -> list[FrameRecord]:
    return list(drawn[1])
