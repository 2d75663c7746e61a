"""Masters written: with everything known about them, or as another program wants them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError, UnknownFormatError
from solodark.formats.fits_cards import Card, acquisition_cards
from solodark.formats.fits_writer import fits_header, write_hdus
from solodark.formats.foreign_errors import shown
from solodark.formats.integer_pixels import filled, to_uint16
from solodark.formats.readers import suffix_of
from solodark.formats.xisf import write_xisf
from solodark.frames import Acquisition, Master, MasterDark, PixelFlags
from solodark.version import __version__

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["TARGETS", "write_master"]

Target = Literal["siril", "pixinsight", "dss", "astap", "ccdproc"]
FITS_SUFFIXES = (".fits", ".fit", ".fts")
FULL_SCALE_ADU = 65535.0
SIRIL_TAKES_FOR_ADU_ABOVE = 10.0
"""Siril divides a float image by 65535 when its maximum is above this, and not when it is below."""


def write_master(
    path: str | os.PathLike[str],
    master: Master,
    *,
    target: Target | None = None,
    comments: Sequence[str] = (),
) -> None:
    """Write a master as FITS, with its uncertainty, mask and flags, or as a program wants it.

    Without a target the primary image is float32 ADU with the bias level in it, and the HDUs UNCERT
    (one sigma, ADU), MASK (0 = good) and FLAGS (bits of `PixelFlags`) follow, so that
    ``astropy.nddata.CCDData.read(path)`` gives data, uncertainty and mask. With a target there is
    one image: what that program expects of numbers, without NaN.

    ========== =============================================================================
    ccdproc    the same as without a target
    siril      float32; ADU, which Siril divides by 65535 by itself as it does with lights
    pixinsight float32 from 0 to 1, as PixInsight scales 16-bit lights; FITS or XISF
    dss        16-bit whole numbers
    astap      float32 ADU
    ========== =============================================================================

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    master : Master
        What to write; `n_combined` of its acquisition counts real frames only.
    target : {"siril", "pixinsight", "dss", "astap", "ccdproc"}, optional
        The program it is for.
    comments : sequence of str, optional
        Lines for the header's COMMENT.

    Raises
    ------
    UnknownFormatError
        The suffix is not one that the target reads.
    SettingError
        The target is unknown.
    OutputError
        The file cannot be written; nothing is left behind.

    Warns
    -----
    SolodarkWarning
        Values were clipped to 16 bits, or pixels without a value filled; the message counts them.

    Examples
    --------
    >>> from solodark.frames import Acquisition
    >>> path = getfixture("tmp_path") / "master.fits"
    >>> plane = np.full((4, 6), 1000.0, np.float32)
    >>> master = Master(data=plane, uncertainty=plane / 1000, flags=plane.astype(np.uint8) * 0,
    ...     acquisition=Acquisition(exposure_s=60.0), origin="combined")
    >>> write_master(path, master)
    >>> from astropy.nddata import CCDData
    >>> CCDData.read(path).unit
    Unit("adu")
    """
    file = Path(path)
    _require_suffix(file, target)
    cards = [*acquisition_cards(_described(master), master=True), *_own_cards(master)]
    TARGETS[target or "ccdproc"](_Job(file, master, cards, tuple(comments)))


@dataclass(frozen=True, slots=True)
class _Job:
    """A master on its way to a file."""

    path: Path
    master: Master
    cards: list[Card]
    comments: tuple[str, ...]

    def finite(self) -> NDArray[Any]:
        return filled(self.master.data, self.master.acquisition.cfa_pattern, self.path)

    def header(self, *more: Card) -> "fits.Header":
        history = _history(self.master)
        return fits_header([*self.cards, *more], history=history, comments=self.comments)


def _require_suffix(path: Path, target: str | None) -> None:
    if target is not None and target not in TARGETS:
        raise SettingError(
            f"the target {target!r} is not known; expected one of {', '.join(TARGETS)}"
        )
    suffixes = (*FITS_SUFFIXES, ".xisf") if target == "pixinsight" else FITS_SUFFIXES
    if suffix_of(path, suffixes) is None:
        raise UnknownFormatError(
            f"{shown(path)}: a master{f' for {target}' if target else ''} cannot be written there; "
            f"expected a name that ends in {' or '.join(suffixes)}"
        )


def _described(master: Master) -> Acquisition:
    """Give the acquisition, with a count of frames only where real frames were combined."""
    if master.origin == "combined":
        return master.acquisition
    return replace(master.acquisition, n_combined=None)


def _own_cards(master: Master) -> list[Card]:
    cards = [
        Card("SD_ORIG", master.origin, "combined from frames, or generated by a model"),
        Card("SD_BIAS", True, "whether the bias level is in the pixels"),
    ]
    if isinstance(master, MasterDark):
        cards += [
            Card("SD_EQSUB", float(master.equivalent_subs), "real subs this dark is worth"),
            Card("SD_TRUST", master.verdict.trusted, "whether the dark may be trusted"),
        ]
    if master.provenance.model_id:
        cards.append(Card("SD_MODEL", master.provenance.model_id, "identity of the dark model"))
    return cards


def _history(master: Master) -> list[str]:
    """How the master was made, one line a fact."""
    provenance = master.provenance
    versions = {"solodark": __version__, **provenance.versions}
    lines = [f"solodark {provenance.action}"] if provenance.action else []
    lines += [f"model {provenance.model_id}"] if provenance.model_id else []
    lines += [f"version {name} {version}" for name, version in versions.items()]
    lines += [f"setting {name} = {value}" for name, value in provenance.settings.items()]
    lines += [f"input {Path(i.name).name} sha256 {i.sha256 or '-'}" for i in provenance.inputs]
    if isinstance(master, MasterDark):
        lines += [f"doubt: {reason}" for reason in master.verdict.reasons]
    return lines


_ADU = Card("BUNIT", "adu", "unit of the pixels")


def _write_complete(job: _Job) -> None:
    master = job.master
    utype = Card("UTYPE", "StdDevUncertainty", "one sigma")
    mask_meaning = ["0: good; 1: not to be used"]
    flag_meanings = [f"{flag.value}: {flag.name}" for flag in PixelFlags]
    write_hdus(
        job.path,
        [
            ("PRIMARY", _float32(master.data), job.header(_ADU)),
            ("UNCERT", _float32(master.uncertainty), fits_header([utype, _ADU])),
            ("MASK", master.mask.astype(np.uint8), fits_header([], comments=mask_meaning)),
            ("FLAGS", master.flags.astype(np.uint8), fits_header([], comments=flag_meanings)),
        ],
    )


def _float32(pixels: NDArray[Any]) -> NDArray[np.float32]:
    return pixels.astype(np.float32, copy=False)


def _write_float(job: _Job) -> None:
    write_hdus(job.path, [("PRIMARY", _float32(job.finite()), job.header(_ADU))])


def _write_for_siril(job: _Job) -> None:
    """Float ADU, unless the maximum is so low that Siril would take it for fractions."""
    data = _float32(job.finite())
    if data.max() > SIRIL_TAKES_FOR_ADU_ABOVE:
        write_hdus(job.path, [("PRIMARY", data, job.header(_ADU))])
    else:
        write_hdus(job.path, [("PRIMARY", data / np.float32(FULL_SCALE_ADU), job.header())])


def _write_for_pixinsight(job: _Job) -> None:
    fractions = _float32(job.finite()) / np.float32(FULL_SCALE_ADU)
    if job.path.suffix.lower() == ".xisf":
        write_xisf(job.path, fractions, job.cards, bounds="0:1")
    else:
        write_hdus(job.path, [("PRIMARY", fractions, job.header())])


def _write_whole_numbers(job: _Job) -> None:
    write_hdus(job.path, [("PRIMARY", to_uint16(job.finite(), job.path), job.header(_ADU))])


TARGETS: dict[str, Callable[[_Job], None]] = {
    "siril": _write_for_siril,
    "pixinsight": _write_for_pixinsight,
    "dss": _write_whole_numbers,
    "astap": _write_float,
    "ccdproc": _write_complete,
}
"""Program to what writes a master for it."""
