"""A calibrated light: pixels without dark signal and vignetting, and how well each is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameFormatError
from solodark.frames import Acquisition, FrameKind, PixelFlags

if TYPE_CHECKING:
    from astropy.nddata import CCDData

__all__ = ["CalibratedLight"]

_META = {
    "exptime": "exposure_s",
    "ccd-temp": "sensor_temperature_c",
    "egain": "gain_e_per_adu",
    "bayerpat": "cfa_pattern",
}


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class CalibratedLight:
    """A light after calibration; a `solodark.frames.FrameSource` with flags.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx)
        ADU of the light, without bias and dark signal, over the sensor's response; noise takes
        values below zero, and they are kept.
    uncertainty : ndarray of float32, shape (ny, nx)
        One sigma, ADU; NaN where the pixel was repaired.
    flags : ndarray of uint8, shape (ny, nx)
        Bits of `PixelFlags`: those of the dark, SATURATED where the light itself is at full scale,
        DEAD where dark or flat cannot correct it.
    acquisition : Acquisition
        How the light was taken.
    name : str
        What messages call it.
    notes : tuple of str
        What was used, and why.
    doubts : tuple of str
        Reasons to look twice.
    """

    data: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    flags: NDArray[np.uint8]
    acquisition: Acquisition = field(default_factory=lambda: Acquisition(kind=FrameKind.LIGHT))
    name: str = "light"
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.data.shape[0], self.data.shape[1]

    def read_rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Give rows ``start:stop``, a view.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of float32, shape (stop - start, nx)
            ADU.
        """
        return self.data[start:stop]

    def read_flags(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Give the flags of rows ``start:stop``, a view.

        Parameters
        ----------
        start, stop : int
            First row and the one after the last.

        Returns
        -------
        ndarray of uint8, shape (stop - start, nx)
            Bits of `PixelFlags`.
        """
        return self.flags[start:stop]

    def to_ccddata(self) -> CCDData:
        """Hand the light to astropy and ccdproc, with its uncertainty and mask.

        Returns
        -------
        astropy.nddata.CCDData
            In ADU, one sigma as `StdDevUncertainty`, masked where dead or saturated.

        Examples
        --------
        >>> plane = np.ones((2, 3), np.float32)
        >>> light = CalibratedLight(data=plane, uncertainty=plane, flags=np.zeros((2, 3), np.uint8))
        >>> str(light.to_ccddata().unit), CalibratedLight.from_ccddata(light.to_ccddata()).shape
        ('adu', (2, 3))
        """
        from astropy.nddata import CCDData, StdDevUncertainty

        told = {key: getattr(self.acquisition, name) for key, name in _META.items()}
        return CCDData(
            self.data.copy(),
            unit="adu",
            uncertainty=StdDevUncertainty(self.uncertainty.copy()),
            mask=self.flags & int(PixelFlags.UNUSABLE) != 0,
            meta={key: value for key, value in told.items() if value is not None},
        )

    @classmethod
    def from_ccddata(
        cls, ccd: CCDData, *, acquisition: Acquisition | None = None, name: str = "light"
    ) -> CalibratedLight:
        """Take a light that astropy or ccdproc calibrated.

        Parameters
        ----------
        ccd : astropy.nddata.CCDData
            In ADU; its mask becomes the flag DEAD, a missing uncertainty NaN. Not changed.
        acquisition : Acquisition, optional
            How it was taken; by default what its header says of exposure, temperature, gain and
            colour filters.
        name : str
            What messages call it.

        Returns
        -------
        CalibratedLight
            Its own copy.

        Raises
        ------
        FrameFormatError
            The unit is not ADU, the pixels are no plane, or the uncertainty is no deviation.
        """
        if str(ccd.unit) != "adu" or np.ndim(ccd.data) != 2:
            raise FrameFormatError(
                f"{name}: found pixels of shape {np.shape(ccd.data)} in {ccd.unit}, expected one "
                "plane in adu"
            )
        data = np.array(ccd.data, np.float32)
        mask = np.zeros(data.shape, bool) if ccd.mask is None else np.asarray(ccd.mask, bool)
        return cls(
            data=data,
            uncertainty=_deviation(ccd, data.shape, name),
            flags=np.where(mask, np.uint8(PixelFlags.DEAD), np.uint8(0)),
            acquisition=acquisition or _told_by(ccd.meta),
            name=name,
        )


def _deviation(ccd: CCDData, shape: tuple[int, ...], name: str) -> NDArray[np.float32]:
    from astropy.nddata import StdDevUncertainty

    if ccd.uncertainty is None:
        return np.full(shape, np.nan, np.float32)
    try:
        deviation = ccd.uncertainty.represent_as(StdDevUncertainty)
    except TypeError as error:
        raise FrameFormatError(
            f"{name}: found an uncertainty of type {ccd.uncertainty.uncertainty_type!r}, expected "
            "a standard deviation, a variance or an inverse variance"
        ) from error
    return np.array(deviation.array, np.float32)


def _told_by(meta: Any) -> Acquisition:
    """Read what `to_ccddata` writes; numbers and texts of other types are left out."""
    lower = {str(key).lower(): value for key, value in meta.items()}
    known: dict[str, Any] = {}
    for key, name in _META.items():
        value = lower.get(key)
        wanted = str if key == "bayerpat" else (int, float)
        if isinstance(value, wanted):
            known[name] = value if isinstance(value, str) else float(value)
    return replace(Acquisition(kind=FrameKind.LIGHT), **known)
