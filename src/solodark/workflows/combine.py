"""Combine files: a folder of darks, biases or flats becomes a classical master."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameMismatchError, OutputError, SettingError, UnknownFormatError
from solodark.formats import file_sha256, find_frame_paths, open_frame, write_master
from solodark.frames import (
    Acquisition,
    FrameKind,
    FrameSource,
    InputRecord,
    Master,
    PixelFlags,
    Progress,
    Provenance,
    require_matching,
    series_acquisition,
    silent,
)
from solodark.workflows.garbage import without_garbage_collection

if TYPE_CHECKING:
    from solodark.combine import Combined

__all__ = ["CombineSummary", "combine_files"]

_FIELDS = ("shape", "camera", "gain_setting", "offset_setting", "iso", "binning", "cfa_pattern")
_FITS_SUFFIXES = (".fits", ".fit", ".fts")
_TEMPERATURE_RANGE_C = 2.0  # over 2 C dark current changes by a quarter
_FRAMES_FOR_REJECTION = 4

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CombineSummary:
    """What came of combining files.

    Attributes
    ----------
    master_path : Path
        The file that was written.
    n_frames : int
        How many went in.
    kind : FrameKind or None
        What the frames are.
    kind_source : str
        How that is known, "header IMAGETYP".
    method : str
        How they were combined.
    rejected_fraction_low, rejected_fraction_high : float
        Values left out, as fractions of all values.
    level_adu : float
        Median of the master.
    noise_adu : float
        Temporal noise of one frame; NaN for a single one.
    uncertainty_adu : float
        Median uncertainty of the master; NaN for a single frame.
    n_saturated, n_dead : int
        Pixels of the master that are not to be used.
    doubts : tuple of str
        One sentence for each reason to look twice.
    """

    master_path: Path
    n_frames: int
    kind: FrameKind | None
    kind_source: str
    method: str
    rejected_fraction_low: float
    rejected_fraction_high: float
    level_adu: float
    noise_adu: float
    uncertainty_adu: float
    n_saturated: int
    n_dead: int
    doubts: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it for people."""
        kind = f"{self.kind or 'frame'}{'s'[: self.n_frames != 1]}"
        if self.kind and self.kind_source:
            kind += f" (so says {self.kind_source})"
        return (
            f"Combined {self.n_frames} {kind}, {self.method}: level {self.level_adu:.1f} ADU, "
            f"noise of one frame {self.noise_adu:.2f} ADU, of the master "
            f"{self.uncertainty_adu:.2f} ADU; rejected {self.rejected_fraction_low:.2%} low and "
            f"{self.rejected_fraction_high:.2%} high; wrote {self.master_path}"
        )


def combine_files(
    paths: PathLike | Iterable[PathLike],
    output: PathLike,
    *,
    method: str = "winsorized",
    sigma: float = 3.0,
    kind: FrameKind | str | None = None,
    overwrite: bool = True,
    progress: Progress = silent,
) -> CombineSummary:
    """Combine the frames in files and folders into a master, and write it.

    Every frame found goes in; one that cannot, stops everything. The master is FITS, float32 ADU
    with the bias level in it, with uncertainty, mask and flags, the mean sensor temperature, and
    the inputs' hashes in its history.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders of frames of one series.
    output : path-like
        The master, a ``.fits`` file.
    method : {"mean", "median", "sigma", "winsorized"}
        See `solodark.combine.combine`.
    sigma : float
        Values so many sigma from the median are rejected.
    kind : FrameKind or str, optional
        What the frames are, whatever their headers say. Without it they must agree, and not be
        lights.
    overwrite : bool
        Whether a file at `output` may be replaced.
    progress : Progress
        Told about each file opened, each band combined and each file hashed.

    Returns
    -------
    CombineSummary
        What was combined, and how well.

    Raises
    ------
    FrameNotFoundError
        A path does not exist, or a folder holds no frame.
    FrameFormatError
        A file is damaged or no frame; it is named and nothing is written.
    FrameMismatchError
        Frames differ in size, camera, gain, offset, ISO, binning, colour filters, kind, or darks
        in exposure; or some are masters already, or lights.
    SettingError
        The method or sigma makes no sense.
    UnknownFormatError, OutputError
        The master cannot be written there.

    Examples
    --------
    >>> from solodark.formats import write_frame
    >>> from solodark.frames import Frame
    >>> folder = getfixture("tmp_path")
    >>> for i in range(3):
    ...     pixels = np.full((4, 6), 1000.0 + i)
    ...     write_frame(folder / f"dark_{i}.fits", Frame(pixels, Acquisition(exposure_s=60.0)))
    >>> summary = combine_files(folder, folder / "master.fits", method="median")
    >>> summary.n_frames, summary.kind.value, summary.level_adu
    (3, 'dark', 1001.0)
    """
    files = find_frame_paths(paths)
    master_path = _require_output(Path(output), files, overwrite=overwrite)
    with ExitStack() as held:
        hashes = held.enter_context(_hashing(files))
        held.enter_context(without_garbage_collection())
        from solodark.combine import combine  # takes half a second, in which files can be hashed

        sources = [
            held.enter_context(open_frame(file)) for file in progress(files, "opening", len(files))
        ]
        acquisition = _describe(sources, kind)
        combined = combine(
            sources,
            method=method,
            sigma_low=sigma,
            sigma_high=sigma,
            saturation_adu=acquisition.saturation_adu,
            progress=progress,
        )
        doubts = tuple(_doubts(sources, combined))
        summary = _summary(master_path, combined, acquisition, doubts)
        inputs = tuple(
            InputRecord(str(file), sha256)
            for file, sha256 in zip(files, progress(hashes, "hashing", len(files)), strict=True)
        )
    master = Master(
        data=combined.data,
        uncertainty=combined.uncertainty,
        flags=combined.flags,
        acquisition=acquisition,
        origin="combined",
        provenance=_provenance(inputs, method, sigma),
    )
    write_master(master_path, master)
    return summary


@contextmanager
def _hashing(files: Sequence[Path]) -> Iterator[Iterator[str]]:
    """Hash files while others work; what is not needed any more is not begun."""
    threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1))  # one core is busy loading code
    try:
        hashes = threads.map(file_sha256, files)
        threads.submit(import_module, "astropy.io.fits")  # a quarter of a second, spared at the end
        yield hashes
    finally:
        threads.shutdown(cancel_futures=True)


def _require_output(output: Path, inputs: Iterable[Path], *, overwrite: bool) -> Path:
    """Raise before the work rather than after it."""
    if output.suffix.lower() not in _FITS_SUFFIXES:
        raise UnknownFormatError(
            f"{output}: a master is written as FITS; expected a name that ends in "
            f"{' or '.join(_FITS_SUFFIXES)}"
        )
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: there is no folder {output.parent}")
    if not output.exists():
        return output
    if not overwrite:
        raise OutputError(f"{output} is there already; choose another name, or allow to replace it")
    if any(output.samefile(path) for path in inputs):
        raise OutputError(f"{output} is one of the frames to combine; choose another name for it")
    return output


def _describe(sources: Sequence[FrameSource], kind: FrameKind | str | None) -> Acquisition:
    """Give the acquisition of the series that all frames belong to."""
    masters = [s.name for s in sources if s.acquisition.n_combined is not None]
    if masters:
        raise FrameMismatchError(
            f"{masters[0]} is a master of many frames"
            f"{f', and so are {len(masters) - 1} more' if masters[1:] else ''}; expected single "
            "frames. Leave masters out."
        )
    require_matching(sources, _FIELDS if kind else (*_FIELDS, "kind"))
    acquisition = series_acquisition(sources)
    if kind is not None:
        acquisition = replace(acquisition, kind=_known_kind(kind), kind_source="your word")
    elif acquisition.kind is FrameKind.LIGHT:
        raise FrameMismatchError(
            f"{sources[0].name} is a light, says its {acquisition.kind_source}; expected darks, "
            "biases or flats. If it is one of these, say which kind."
        )
    if acquisition.kind is FrameKind.DARK:
        require_matching(sources, ["exposure_s"])
    return acquisition


def _known_kind(kind: FrameKind | str) -> FrameKind:
    try:
        return FrameKind(kind)
    except ValueError as error:
        raise SettingError(
            f"found kind = {kind!r}, expected one of {', '.join(FrameKind)}"
        ) from error


def _doubts(sources: Sequence[FrameSource], combined: "Combined") -> Iterator[str]:
    temperatures_c = [
        s.acquisition.sensor_temperature_c
        for s in sources
        if s.acquisition.sensor_temperature_c is not None
    ]
    if temperatures_c and max(temperatures_c) - min(temperatures_c) > _TEMPERATURE_RANGE_C:
        yield (
            f"the sensor's temperature runs from {min(temperatures_c):g} to "
            f"{max(temperatures_c):g} C, and dark current doubles every 6 C or so"
        )
    if combined.method in ("sigma", "winsorized") and len(sources) < _FRAMES_FOR_REJECTION:
        yield (
            f"from {len(sources)} frame{'s'[: len(sources) != 1]} nothing can be rejected; cosmic "
            f"rays stay in. Take {_FRAMES_FOR_REJECTION} or more."
        )


def _provenance(inputs: tuple[InputRecord, ...], method: str, sigma: float) -> Provenance:
    return Provenance(
        action=f"combine {method}",
        inputs=inputs,
        versions={package: version(package) for package in ("numpy", "numba")},
        settings={"method": method, "sigma": f"{sigma:g}"},
    )


def _summary(
    master_path: Path, combined: "Combined", acquisition: Acquisition, doubts: tuple[str, ...]
) -> CombineSummary:
    return CombineSummary(
        master_path=master_path,
        n_frames=combined.n_frames,
        kind=acquisition.kind,
        kind_source=acquisition.kind_source,
        method=combined.method,
        rejected_fraction_low=combined.rejected_fraction_low,
        rejected_fraction_high=combined.rejected_fraction_high,
        level_adu=_median(combined.data),
        noise_adu=combined.noise_adu,
        uncertainty_adu=_median(combined.uncertainty),
        n_saturated=_count(combined, PixelFlags.SATURATED),
        n_dead=_count(combined, PixelFlags.DEAD),
        doubts=doubts,
    )


def _median(plane: NDArray[np.float32]) -> float:
    """Median of some 250 000 pixels that have a value; NaN where none has."""
    sample = plane[:: plane.size // 250_000 | 1]  # odd: both rows of a CFA cell
    known = sample[np.isfinite(sample)]
    return float(np.median(known)) if known.size else float("nan")


def _count(combined: "Combined", flag: PixelFlags) -> int:
    return int(np.count_nonzero(combined.flags & flag.value))
