"""Masters written: with everything known about them, or as another program wants them."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError, SolodarkWarning, UnknownFormatError
from solodark.formats.fits_cards import Card, acquisition_cards
from solodark.formats.fits_planes import (
    ADU_CARD,
    FITS_SUFFIXES,
    FLAG_CARDS,
    MASK_CARD,
    UNCERTAINTY_CARDS,
)
from solodark.formats.fits_writer import Plane, fits_header, write_hdus
from solodark.formats.foreign_errors import shown
from solodark.formats.integer_pixels import filled, to_uint16
from solodark.formats.readers import suffix_of
from solodark.formats.xisf import write_xisf
from solodark.frames import Acquisition, Master, MasterDark
from solodark.version import __version__

__all__ = ["TARGETS", "write_master"]

Target = Literal["siril", "pixinsight", "dss", "astap", "ccdproc"]
FULL_SCALEADU_CARD = 65535.0
SIRIL_TAKES_FORADU_CARD_ABOVE = 10.0
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
    one image: what that program expects of numbers, without NaN. Rows stand in the order that the
    files of the combined frames declared, since most programs subtract row by row.

    ========== =============================================================================
    ccdproc    the same as without a target
    siril      float32 ADU, which Siril divides by 65535 by itself as it does with lights; rows
               bottom-up for camera raws, as Siril converts them
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
        Or the program will change camera raws before it subtracts.

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
    row_order = _row_order(master.acquisition, target)
    TARGETS[target or "ccdproc"](_Job(file, master, cards, tuple(comments), row_order))


@dataclass(frozen=True, slots=True)
class _Job:
    """A master on its way to a file."""

    path: Path
    master: Master
    cards: list[Card]
    comments: tuple[str, ...]
    row_order: str

    def pixels(self) -> NDArray[np.float32]:
        """Give ADU without NaN, top row first."""
        cfa_pattern = self.master.acquisition.cfa_pattern
        return filled(self.master.data, cfa_pattern, self.path).astype(np.float32, copy=False)

    def plane(self, name: str, pixels: NDArray[Any], *cards: Card) -> Plane:
        """Give an HDU, its rows in the order of the frames that the master is for."""
        ordered = pixels[::-1] if self.row_order == "BOTTOM-UP" else pixels
        return name, ordered, fits_header(cards)

    def primary(self, pixels: NDArray[Any], *cards: Card) -> Plane:
        """Give the primary HDU, with all that is known of the master."""
        name, ordered, _ = self.plane("PRIMARY", pixels)
        order = Card("ROWORDER", self.row_order, "whether the first row is the sensor's top")
        history = _history(self.master)
        header = fits_header([*self.cards, order, *cards], history=history, comments=self.comments)
        return name, ordered, header


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
    """Tell how the master was made, one line a fact."""
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


def _row_order(acquisition: Acquisition, target: str | None) -> str:
    """Give the order of rows in the files that the master will be subtracted from.

    Siril and ccdproc subtract row by row, whatever ROWORDER says, and Siril turns camera raws
    upside down when it converts them (seen with Siril 1.0.6).
    """
    if acquisition.row_order is not None:
        return acquisition.row_order
    from_camera_raws = acquisition.iso is not None
    return "BOTTOM-UP" if target == "siril" and from_camera_raws else "TOP-DOWN"


def _write_complete(job: _Job) -> None:
    master = job.master
    write_hdus(
        job.path,
        [
            job.primary(master.data.astype(np.float32, copy=False), ADU_CARD),
            job.plane(
                "UNCERT", master.uncertainty.astype(np.float32, copy=False), *UNCERTAINTY_CARDS
            ),
            job.plane("MASK", master.mask.view(np.uint8), MASK_CARD),
            job.plane("FLAGS", master.flags.astype(np.uint8, copy=False), *FLAG_CARDS),
        ],
    )


def _write_adu(job: _Job) -> None:
    write_hdus(job.path, [job.primary(job.pixels(), ADU_CARD)])


def _write_fractions(job: _Job) -> None:
    fractions = job.pixels() / np.float32(FULL_SCALEADU_CARD)
    highest = Card("DATAMAX", float(fractions.max()), "pixels are fractions of full scale")
    if job.path.suffix.lower() == ".xisf":
        write_xisf(job.path, fractions, [*job.cards, highest], bounds="0:1")
    else:
        write_hdus(job.path, [job.primary(fractions, highest)])


def _write_for_siril(job: _Job) -> None:
    """Write ADU, unless they are so low that Siril would take them for fractions."""
    if job.pixels().max() > SIRIL_TAKES_FORADU_CARD_ABOVE:
        _write_adu(job)
    else:
        _write_fractions(job)


def _write_for_dss(job: _Job) -> None:
    if job.master.acquisition.iso is not None:
        warnings.warn(
            f"{shown(job.path)}: DeepSkyStacker balances and stretches camera raws before it "
            "subtracts a dark, so this one fits only lights that are CFA FITS files",
            SolodarkWarning,
            stacklevel=4,
        )
    write_hdus(job.path, [job.primary(to_uint16(job.pixels(), job.path), ADU_CARD)])


TARGETS: dict[str, Callable[[_Job], None]] = {
    "siril": _write_for_siril,
    "pixinsight": _write_fractions,
    "dss": _write_for_dss,
    "astap": _write_adu,
    "ccdproc": _write_complete,
}
"""Program to what writes a master for it."""
