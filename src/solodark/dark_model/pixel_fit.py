"""The fit of every pixel's maps to the frames of a library, compiled.

For pixel i and frame f of series g, with the state ``x_f`` of the frame known::

    y_if = x_f . theta_i + d_ig + noise_if          theta_i - smooth_i ~ mixture prior of the sensor

``d_ig`` is what the model cannot explain in a whole series (a drift, a telegraph level that
lasted, a pixel that is not linear); its scale is unknown for each pixel and is carried as weights
on a grid. Robust weights lower single outliers such as cosmic rays. Saturated values are censored:
they pull the fit up where it falls short of them, and hold nothing where it does not.

A mean of frames may stand for these; what they told of a pixel's noise is then remembered
(`Memory`). The fit ends as it would have had they been there again.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.pixel_numbers import LibraryNumbers, Memory, PixelsFound
from solodark.dark_model.strip_fit import fit_strips

__all__ = ["fit_pixels"]


def fit_pixels(
    values: NDArray[np.float32],
    library: LibraryNumbers,
    memory: Memory,
    *,
    iterations: int,
    smooth: NDArray[np.float32] | None = None,
    room: PixelsFound | None = None,
) -> PixelsFound:
    """Fit all pixels of a block, strip by strip, on all cores.

    Parameters
    ----------
    values : ndarray of float32, shape (n_frames, n)
        ADU above level and rows, frames sorted by series.
    library : LibraryNumbers
        What holds for all pixels.
    memory : Memory
        Of frames seen before.
    iterations : int
        Reweighting rounds of each pixel.
    smooth : ndarray of float32, shape (d, n), optional
        Smooth part of the maps, beyond which the prior speaks; none without.
    room : PixelsFound, optional
        Of another block, no longer needed: what is found takes its place, if both are as large.
        Memory that has been used already is much faster than new.

    Returns
    -------
    PixelsFound
        What is found.
    """
    n = values.shape[1]
    if room is None or room.excess.size != n:
        found = _empty_room(n, library)
    else:
        found = PixelsFound(*(np.moveaxis(part, 0, -1) for part in room))
    if smooth is None:
        smooth = np.zeros((0, n), np.float32)
    n_threads = os.cpu_count() or 1
    with ThreadPoolExecutor(n_threads) as threads:
        work = partial(fit_strips, n_threads, values, library, memory, smooth, iterations, found)
        list(threads.map(work, range(n_threads)))
    return PixelsFound(*(np.moveaxis(part, -1, 0) for part in found))


def _empty_room(n: int, library: LibraryNumbers) -> PixelsFound:
    """Make room for n pixels, the pixels along the last axis."""
    d = library.design.shape[1]
    k, t = library.scatter_prior.shape
    return PixelsFound(
        maps=np.empty((d, n)),
        excess=np.empty(n),
        information=np.empty((d, d, n)),
        pulls=np.empty((d, n)),
        scatter=np.empty((t, n)),
        odds=np.empty((k, n)),
        evidence=np.empty(n),
        residuals=np.empty((library.kept_as.max(initial=-1) + 1, n)),
    )
