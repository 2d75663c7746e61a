"""The noise of one light, from its own pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.frames import FrameSource, cfa_planes
from solodark.frames.block_levels import difference_noise

__all__ = ["LightNoise", "measure_noise"]

_BANDS, _BAND_ROWS = 16, 16

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class LightNoise:
    """Variance of a light's pixels as a function of their value.

    Attributes
    ----------
    level_adu : ndarray of float32, shape (2, 2) or (1, 1)
        Background of each CFA plane, bias and dark signal in it.
    variance_adu2 : ndarray of float32, shape (2, 2) or (1, 1)
        Of the background's pixels: read noise, and the photon noise of sky and dark signal.
    gain_e_per_adu : float
        Conversion gain; infinite where it is not known, and then what is brighter than the
        background adds no noise.
    """

    level_adu: Image
    variance_adu2: Image
    gain_e_per_adu: float

    def variance(self, adu: Image) -> Image:
        """Give the variance of pixels.

        Parameters
        ----------
        adu : ndarray of float32, shape (rows, nx)
            The light as the camera wrote it, from an even row on.

        Returns
        -------
        ndarray of float32, shape (rows, nx)
            ``V + max(adu - level, 0) / gain``, ADU^2: stars and hot pixels have the photon noise
            of their own electrons.
        """
        level, variance = (
            _tiled(plane, adu.shape) for plane in (self.level_adu, self.variance_adu2)
        )
        above: Image = np.maximum(adu - level, np.float32(0.0))
        above /= np.float32(self.gain_e_per_adu)
        above += variance
        return above


def measure_noise(
    light: FrameSource,
    dark: Image | None,
    dark_variance: Image | None,
    *,
    gain_e_per_adu: float | None,
) -> LightNoise:
    """Measure background and noise in bands of rows all over a light.

    The noise is that of neighbours' differences, so gradients and nebulae do not count, with the
    dark subtracted, so that the sensor's pattern does not either; what the dark's own noise adds is
    taken off again.

    Parameters
    ----------
    light : FrameSource
        As the camera wrote it.
    dark, dark_variance : ndarray of float32, shape (ny, nx), or None
        What is subtracted, ADU, and its variance, ADU^2.
    gain_e_per_adu : float or None
        Conversion gain, where it is known.

    Returns
    -------
    LightNoise
        For the pixels of this light.
    """
    rows = _sample_rows(light.shape[0])
    raw = np.concatenate([light.read_rows(a, b) for a, b in rows]).astype(np.float32)
    level, variance = [], []
    clean = raw if dark is None else raw - np.concatenate([dark[a:b] for a, b in rows])
    pattern = light.acquisition.cfa_pattern
    own = None if dark_variance is None else np.concatenate([dark_variance[a:b] for a, b in rows])
    for plane in cfa_planes(pattern):
        level.append(float(np.nanmedian(raw[plane])))
        noise = difference_noise(np.nan_to_num(clean[plane], nan=level[-1]))
        from_dark = 0.0 if own is None else float(np.median(own[plane]))
        variance.append(max(noise**2 - from_dark, 0.0))
    shape = (1, 1) if pattern is None else (2, 2)
    return LightNoise(
        np.reshape(level, shape).astype(np.float32),
        np.reshape(variance, shape).astype(np.float32),
        gain_e_per_adu or float("inf"),
    )


def _sample_rows(ny: int) -> list[tuple[int, int]]:
    """Bands of even starts and lengths all over the frame; a small frame whole."""
    if ny <= _BANDS * _BAND_ROWS:
        return [(0, ny)]
    starts = np.linspace(0, ny - _BAND_ROWS, _BANDS).astype(int) // 2 * 2
    return [(int(start), int(start) + _BAND_ROWS) for start in starts]


def _tiled(cell: Image, shape: tuple[int, ...]) -> Image:
    """Repeat a CFA cell over a band."""
    if cell.size == 1:
        return cell
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)
    return np.tile(cell, (rows, columns))[: shape[0], : shape[1]]
