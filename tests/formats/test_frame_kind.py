"""What a frame is comes from its header, else from its folder and name, else from its pixels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from solodark.formats import open_frame, read_acquisition
from solodark.formats.frame_kind import kind_from_path, kind_from_pixels
from solodark.frames import Acquisition, Frame, FrameKind

SHAPE = (256, 256)


@pytest.fixture
def noise(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(0.0, 8.0, SHAPE)


def judged(
    pixels: NDArray[np.float64], exposure_s: float | None = 60.0, pattern: str | None = None
) -> FrameKind | None:
    frame = Frame(np.rint(pixels), Acquisition(exposure_s=exposure_s, cfa_pattern=pattern))
    return kind_from_pixels(frame).kind


def with_hot_pixels(noise: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    dark = 1000 + noise
    hot = rng.random(SHAPE) < 0.01
    return dark + hot * rng.exponential(2000.0, SHAPE)


def with_stars(noise: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sky = 1400 + noise
    for y0, x0, peak in zip(
        rng.uniform(0, 256, 150), rng.uniform(0, 256, 150), rng.uniform(300, 9000, 150), strict=True
    ):
        sky += peak * np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / (2 * 1.3**2))
    return sky


def test_single_bright_pixels_make_a_dark(
    noise: NDArray[np.float64], rng: np.random.Generator
) -> None:
    assert judged(with_hot_pixels(noise, rng)) is FrameKind.DARK


@pytest.mark.parametrize("pattern", [None, "RGGB"])
def test_groups_of_bright_pixels_are_stars_and_make_a_light(
    noise: NDArray[np.float64], rng: np.random.Generator, pattern: str | None
) -> None:
    assert judged(with_stars(noise, rng), pattern=pattern) is FrameKind.LIGHT


def test_the_shortest_exposure_is_a_bias(noise: NDArray[np.float64]) -> None:
    assert judged(1000 + noise, exposure_s=1 / 4000) is FrameKind.BIAS


def test_a_bright_even_frame_is_a_flat_however_short(noise: NDArray[np.float64]) -> None:
    assert judged(30000 + 10 * noise, exposure_s=1 / 4000) is FrameKind.FLAT


def test_the_colours_of_a_flat_do_not_make_it_uneven(noise: NDArray[np.float64]) -> None:
    coloured = 20000 + noise
    coloured[::2, ::2] *= 0.4
    coloured[1::2, 1::2] *= 0.6
    assert judged(coloured, pattern="RGGB") is FrameKind.FLAT


def test_without_exposure_a_dark_cannot_be_told(noise: NDArray[np.float64]) -> None:
    assert judged(1000 + noise, exposure_s=None) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 3)])
def test_a_frame_too_small_to_judge_is_not_judged(shape: tuple[int, int]) -> None:
    assert kind_from_pixels(Frame(np.ones(shape), Acquisition(exposure_s=0.0))).kind is None


def test_a_frame_without_values_is_not_judged() -> None:
    frame = Frame(np.full(SHAPE, np.nan), Acquisition(exposure_s=60.0))
    assert kind_from_pixels(frame).kind is None


@pytest.mark.parametrize(
    ("path", "kind", "source"),
    [
        ("darks/IMG_0001.CR2", FrameKind.DARK, "folder darks"),
        ("M31/2024 Dark Library/300s/IMG_1.fit", FrameKind.DARK, "folder 2024 Dark Library"),
        ("lights/M31_001.fit", FrameKind.LIGHT, "folder lights"),
        ("x/Bias_ASIImg_frame0001.fit", FrameKind.BIAS, "file name"),
        ("flat-darks/x.fit", FrameKind.DARK, "folder flat-darks"),
        ("x/DARK_120s_G120_O30_T-10C_bin1.fit", FrameKind.DARK, "file name"),
        ("x/M31_001.fit", None, ""),
    ],
)
def test_folder_and_name_tell_the_kind(path: str, kind: FrameKind | None, source: str) -> None:
    acquisition = kind_from_path(Acquisition(), Path("/data") / path)
    assert (acquisition.kind, acquisition.kind_source) == (kind, source)


def test_the_folders_word_counts_where_the_name_says_otherwise() -> None:
    acquisition = kind_from_path(Acquisition(), Path("/data/lights/dark_1.fit"))
    assert acquisition.kind is FrameKind.LIGHT
    assert acquisition.notes == (
        "its folder lights says light, its file name dark; took the folder's word",
    )


def test_the_headers_word_counts_before_all_and_the_contradiction_is_told() -> None:
    said = Acquisition(kind=FrameKind.LIGHT, kind_source="header IMAGETYP")
    acquisition = kind_from_path(said, Path("/data/flats/flat_1.fit"))
    assert acquisition.kind is FrameKind.LIGHT
    assert acquisition.notes[0].startswith("its header IMAGETYP says light, its folder flats flat")


def test_the_program_says_which_it_used(
    write_fits: Callable[..., Path], rng: np.random.Generator, noise: NDArray[np.float64]
) -> None:
    dark = with_hot_pixels(noise, rng).astype(np.uint16)
    told = write_fits(dark, "a.fits", IMAGETYP="Dark Frame", EXPTIME=60.0)
    named = write_fits(dark, "dark.fits", EXPTIME=60.0)
    mute = write_fits(dark, "c.fits", EXPTIME=60.0)
    sources = [read_acquisition(path).kind_source for path in (told, named, mute)]
    assert sources == ["header IMAGETYP", "file name", "exposure and statistics"]
    assert read_acquisition(mute, look_at_pixels=False).kind is None
    with open_frame(mute) as frame:
        assert frame.acquisition.kind is FrameKind.DARK
