"""Frames and headers that the tests of this room share."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from solodark.frames import Acquisition, Camera, FrameKind


@pytest.fixture
def mosaic(rng: np.random.Generator) -> NDArray[np.uint16]:
    """A small dark: 34 x 46 pixels, odd in no direction, each of its own value."""
    return (1000 + rng.permutation(34 * 46)).reshape(34, 46).astype(np.uint16)


@pytest.fixture
def cooled_dark() -> Acquisition:
    """A dark of a cooled colour camera, with everything known about it."""
    return Acquisition(
        kind=FrameKind.DARK,
        camera=Camera("ZWO ASI294MC Pro", "1f2e3d", 4.63),
        exposure_s=180.0,
        sensor_temperature_c=-9.9,
        setpoint_temperature_c=-10.0,
        gain_setting=120.0,
        offset_setting=30.0,
        iso=800,
        gain_e_per_adu=0.95,
        binning=(2, 2),
        cfa_pattern="GRBG",
        black_level_adu=1920.0,
        saturation_adu=65535.0,
        date_obs=datetime(2024, 3, 9, 21, 14, 15, 926535, UTC),
    )


@pytest.fixture
def write_cards(tmp_path: Path) -> Callable[..., Path]:
    """Write a FITS file byte by byte, its cards as they are given, however broken."""

    def write(cards: list[str], pixels: NDArray[Any] | None = None, name: str = "x.fits") -> Path:
        stored = np.zeros((4, 6), ">i2") if pixels is None else pixels
        bitpix = stored.dtype.itemsize * (-8 if stored.dtype.kind == "f" else 8)
        begin = [
            "SIMPLE  =                    T",
            f"BITPIX  = {bitpix:20d}",
            f"NAXIS   = {stored.ndim:20d}",
            *(f"NAXIS{n + 1}  = {axis:20d}" for n, axis in enumerate(stored.shape[::-1])),
        ]
        header = b"".join(card.encode("latin-1").ljust(80)[:80] for card in (*begin, *cards, "END"))
        padded = header.ljust(-(-len(header) // 2880) * 2880)
        path = tmp_path / name
        path.write_bytes(padded + stored.tobytes())
        return path

    return write


@pytest.fixture
def write_fits(tmp_path: Path) -> Callable[..., Path]:
    """Write a FITS file with astropy, from pixels and keywords."""

    def write(pixels: NDArray[Any], name: str = "x.fits", **keywords: object) -> Path:
        header = fits.Header({key.replace("_", "-"): value for key, value in keywords.items()})
        path = tmp_path / name
        fits.PrimaryHDU(pixels, header).writeto(path)
        return path

    return write
