"""Stacked pictures written: FITS with every plane, and 16-bit TIFF for the darkroom."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError
from solodark.formats.fits_cards import Card, acquisition_cards
from solodark.formats.fits_planes import ADU_CARD, UNCERTAINTY_CARDS, require_fits
from solodark.formats.fits_writer import fits_header, write_hdus
from solodark.formats.tiff import write_tiff
from solodark.frames import Acquisition

__all__ = ["write_picture", "write_picture_tiff"]


def write_picture(
    path: str | os.PathLike[str],
    data: NDArray[np.float32],
    uncertainty: NDArray[np.float32],
    coverage: NDArray[Any],
    acquisition: Acquisition,
    *,
    history: Sequence[str] = (),
) -> None:
    """Write a stack as FITS: float32 ADU, with the HDUs UNCERT and COVERAGE.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    data, uncertainty : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        ADU, row 0 at the top; red, green and blue.
    coverage : ndarray of uint8 or uint16, shape of `data`
        Lights that hold a value there.
    acquisition : Acquisition
        How the lights were taken; `n_combined` is their number.
    history : sequence of str
        What was done, for the header.

    Raises
    ------
    UnknownFormatError
        The name is not that of a FITS file.
    OutputError
        The file cannot be written; nothing is left behind.
    """
    file = Path(path)
    require_fits(file, "a stack")
    cards = [*acquisition_cards(acquisition), ADU_CARD]
    if acquisition.exposure_s is not None and acquisition.n_combined is not None:
        total_s = acquisition.exposure_s * acquisition.n_combined
        cards.append(Card("LIVETIME", total_s, "[s] exposure time of all lights together"))
    lights = Card("BUNIT", "", "lights that hold a value here")
    write_hdus(
        file,
        [
            ("PRIMARY", data, fits_header(cards, history=history)),
            ("UNCERT", uncertainty, fits_header(UNCERTAINTY_CARDS)),
            ("COVERAGE", coverage, fits_header([lights])),
        ],
    )


def write_picture_tiff(
    path: str | os.PathLike[str], data: NDArray[np.float32], acquisition: Acquisition
) -> None:
    """Write a stack as 16-bit TIFF, grey or RGB, linear in ADU.

    The lowest value becomes 0 and the highest 65535, so that nothing is clipped; ADUZERO and
    ADUSTEP of the header in its description lead back. Pixels without a value become 0.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    data : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        ADU.
    acquisition : Acquisition
        How the lights were taken.

    Raises
    ------
    FrameFormatError
        No pixel holds a value.
    OutputError
        The file cannot be written; nothing is left behind.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "stack.tif"
    >>> write_picture_tiff(path, np.array([[-5.0, 10.0]], np.float32), Acquisition())
    >>> import tifffile
    >>> tifffile.imread(path).tolist()
    [[0, 65535]]
    """
    low, high = (float(end.reduce(data, axis=None)) for end in (np.fmin, np.fmax))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise FrameFormatError(f"{path}: the stack holds no pixel with a value; nothing to write")
    step = max(high - low, 1e-6) / 65535.0
    levels = np.empty(data.shape, np.uint16)
    for line, written in zip(
        data.reshape(-1, data.shape[-1]), levels.reshape(-1, data.shape[-1]), strict=True
    ):
        scaled = np.nan_to_num((line - np.float32(low)) / np.float32(step), nan=0.0)
        written[:] = np.rint(scaled).clip(0, 65535)
    cards = [
        *acquisition_cards(acquisition),
        Card("ADUZERO", low, "[ADU] of pixels that hold 0"),
        Card("ADUSTEP", step, "[ADU] from one whole number to the next"),
    ]
    write_tiff(Path(path), np.moveaxis(levels, 0, -1) if levels.ndim == 3 else levels, cards)
