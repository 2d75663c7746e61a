"""HCOMPRESS tiles, unpacked in a process of their own.

The decoder that astropy and cfitsio share writes outside its memory when the data are damaged,
which kills the process. So that one bad file stops nothing else, it runs in a child, whose death is
only another sentence. Amateur programs rarely use HCOMPRESS: Rice and gzip are read in place.
"""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np

from solodark.errors import FrameFormatError
from solodark.formats.foreign_errors import errors_naming, shown
from solodark.formats.stored_pixels import (
    Pixels,
    StoredPixels,
)

__all__ = ["unpack_hcompress"]

LONGEST_S = 300.0
"""Ten times what the largest sensor takes; a child that needs longer is caught in a loop."""


def unpack_hcompress(path: Path, hdu_number: int, shape: tuple[int, int]) -> Pixels:
    """Unpack a whole HCOMPRESS image.

    Parameters
    ----------
    path : Path
        A tile-compressed FITS file.
    hdu_number : int
        The HDU of the image.
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    ndarray of uint16 or float32, shape (ny, nx)
        ADU.

    Raises
    ------
    FrameFormatError
        The data are damaged.
    """
    with errors_naming(path, "HCOMPRESS data"):
        child = subprocess.run(  # noqa: S603 - our own module, run by our own interpreter
            [sys.executable, "-m", __name__, str(path), str(hdu_number)],
            capture_output=True,
            check=False,
            timeout=LONGEST_S,
        )
    if child.returncode:
        raise FrameFormatError(
            f"{shown(path)}: its HCOMPRESS data cannot be unpacked; the file is damaged"
        )
    with errors_naming(path, "HCOMPRESS data"):
        adu = np.load(io.BytesIO(child.stdout), allow_pickle=False).reshape(shape)
        return StoredPixels(adu.dtype).decode(adu)


def _main(path: str, hdu_number: str) -> None:
    """Unpack in the child, and hand the pixels over as .npy."""
    from astropy.io import fits

    with fits.open(path, memmap=False) as hdus:
        packed = io.BytesIO()
        np.save(packed, np.asarray(hdus[int(hdu_number)].data), allow_pickle=False)
    sys.stdout.buffer.write(packed.getbuffer())


if __name__ == "__main__":
    _main(*sys.argv[1:])
