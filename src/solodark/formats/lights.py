"""Calibrated lights written, with their uncertainty and flags beside them."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solodark.formats.fits_cards import acquisition_cards
from solodark.formats.fits_planes import (
    ADU_CARD,
    FLAG_CARDS,
    MASK_CARD,
    UNCERTAINTY_CARDS,
    require_fits,
)
from solodark.formats.fits_writer import fits_header, write_hdus
from solodark.frames import Frame, PixelFlags

__all__ = ["write_light"]


def write_light(
    path: str | os.PathLike[str],
    light: Frame,
    uncertainty: NDArray[np.float32],
    flags: NDArray[np.uint8],
    *,
    history: Sequence[str] = (),
) -> None:
    """Write a calibrated light as FITS, so that ``CCDData.read(path)`` gives all of it.

    The primary image is float32 ADU, row 0 at the top of the sensor; the HDUs UNCERT, MASK and
    FLAGS follow.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    light : Frame
        Pixels, and how they were taken.
    uncertainty : ndarray of float32, shape (ny, nx)
        One sigma, ADU.
    flags : ndarray of uint8, shape (ny, nx)
        Bits of `PixelFlags`; UNUSABLE ones are masked.
    history : sequence of str
        What was done, for the header.

    Raises
    ------
    UnknownFormatError
        The name is not that of a FITS file.
    OutputError
        The file cannot be written; nothing is left behind.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "pp_light.fits"
    >>> plane = np.ones((4, 6), np.float32)
    >>> write_light(path, Frame(100 * plane), plane, np.zeros((4, 6), np.uint8))
    >>> from astropy.nddata import CCDData
    >>> CCDData.read(path).uncertainty.array[0, 0].item()
    1.0
    """
    file = Path(path)
    require_fits(file, "a calibrated light")
    cards = [*acquisition_cards(light.acquisition), ADU_CARD]
    masked = (flags & int(PixelFlags.UNUSABLE) != 0).view(np.uint8)
    write_hdus(
        file,
        [
            ("PRIMARY", light.data, fits_header(cards, history=history)),
            ("UNCERT", uncertainty, fits_header(UNCERTAINTY_CARDS)),
            ("MASK", masked, fits_header([MASK_CARD])),
            ("FLAGS", flags, fits_header(FLAG_CARDS)),
        ],
    )
