"""Masters: combined or generated frames with their uncertainty, flags and history."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from solodark.frames.acquisition import Acquisition

if TYPE_CHECKING:
    from astropy.nddata import CCDData

__all__ = ["InputRecord", "Master", "MasterDark", "PixelFlags", "Provenance", "Verdict"]


class PixelFlags(IntFlag):
    """Why a pixel of a master deserves attention; the values of the FLAGS plane."""

    GOOD = 0
    HOT = 1
    """Dark current far above the sensor's ordinary pixels."""
    TELEGRAPH = 2
    """Hops between levels; no dark can follow it, and its uncertainty says so."""
    CHANGED = 4
    """Unlike what the library knew: a newborn hot pixel, or one that healed."""
    SATURATED = 8
    """At full scale: its signal is a lower bound."""
    EXTRAPOLATED = 16
    """The exposure lies outside what the library covers here."""
    DEAD = 32
    """Does not respond, or holds no finite value."""

    UNUSABLE = SATURATED | DEAD
    """The flags that make a pixel bad in the MASK plane."""


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One input of a result.

    Attributes
    ----------
    name : str
        Path or label.
    sha256 : str
        Hash of the file's bytes, or "" for what was never a file.
    """

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a result was made: the recipe kept with the dish.

    Attributes
    ----------
    action : str
        What was done, "combine winsorized", "generate".
    inputs : tuple of InputRecord
        What went in.
    model_id : str
        Identity of the dark model, or "".
    versions : dict of str to str
        Program versions.
    settings : dict of str to str
        The settings used.
    """

    action: str = ""
    inputs: tuple[InputRecord, ...] = ()
    model_id: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Master:
    """A combined or generated frame.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx)
        ADU, the bias level still in it.
    uncertainty : ndarray of float32, shape (ny, nx)
        One sigma, ADU.
    flags : ndarray of uint8, shape (ny, nx)
        Bits of `PixelFlags`.
    acquisition : Acquisition
        What the frame stands for: kind, exposure, temperature, gain.
    origin : {"combined", "generated"}
        Whether it was made of real frames alone or by a model.
    provenance : Provenance
        Inputs, versions and settings.
    """

    data: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    flags: NDArray[np.uint8]
    acquisition: Acquisition
    origin: Literal["combined", "generated"]
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """True where the pixel must not be used, shape (ny, nx)."""
        unusable = self.flags & int(PixelFlags.UNUSABLE)
        mask: NDArray[np.bool_] = unusable.view(np.bool_)  # in place: fresh memory is slow
        np.not_equal(unusable, 0, out=mask)
        return mask

    def to_ccddata(self) -> CCDData:
        """Hand the master to astropy and ccdproc, with its uncertainty and mask.

        Returns
        -------
        astropy.nddata.CCDData
            In ADU, one sigma as `StdDevUncertainty`; exposure and temperature in `.meta`.

        Examples
        --------
        >>> plane, good = np.ones((2, 3), np.float32), np.zeros((2, 3), np.uint8)
        >>> taken = Acquisition(exposure_s=60)
        >>> master = Master(
        ...     data=1000 * plane, uncertainty=2 * plane, flags=good, acquisition=taken,
        ...     origin="combined",
        ... )
        >>> ccd = master.to_ccddata()
        >>> str(ccd.unit), ccd.meta["exptime"], float(ccd.uncertainty.array[0, 0])
        ('adu', 60, 2.0)
        """
        from astropy.nddata import CCDData, StdDevUncertainty

        told = {
            "exptime": self.acquisition.exposure_s,
            "ccd-temp": self.acquisition.sensor_temperature_c,
            "imagetyp": self.acquisition.kind and f"Master {self.acquisition.kind.capitalize()}",
        }
        return CCDData(
            self.data.copy(),
            unit="adu",
            uncertainty=StdDevUncertainty(self.uncertainty.copy()),
            mask=self.mask,
            meta={key: value for key, value in told.items() if value is not None},
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a result may be trusted, in words.

    Attributes
    ----------
    trusted : bool
        False where the result deserves doubt.
    reasons : tuple of str
        One sentence per cause of doubt; empty where there is none.
    """

    trusted: bool = True
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MasterDark(Master):
    """A master dark that a model generated.

    Attributes
    ----------
    equivalent_subs : float
        How many real subs it is worth on ordinary pixels, by its own uncertainty.
    verdict : Verdict
        Whether it may be trusted, and why not.
    """

    equivalent_subs: float
    verdict: Verdict = field(default_factory=Verdict)
