"""The library: list what it holds, and find what does not belong."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solodark.errors import FrameNotFoundError, SolodarkError
from solodark.formats import find_frame_paths
from solodark.frames import FrameKind, Progress, silent
from solodark.library import (
    Catalogue,
    CoverageTable,
    FileStamp,
    Finding,
    FrameHeader,
    Series,
    Severity,
    coverage_tables,
    find_bad,
    find_misfits,
    find_stale,
    find_vanished,
    group_series,
    merged,
)
from solodark.workflows.catalogue_adding import add_paths

__all__ = [
    "CheckReport",
    "LibraryListing",
    "SeriesRow",
    "check_frames",
    "forget_vanished",
    "library_dark_paths",
    "list_frames",
]

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One line of the list: frames that were taken alike.

    Attributes
    ----------
    camera, serial : str or None
        Which camera.
    size : tuple of int
        (nx, ny), as people say it.
    binning : tuple of int
        (x, y).
    cfa_pattern : str or None
        Colour filters.
    kind : str or None
        "light", "dark", "bias" or "flat".
    is_master : bool
        Whether these are combined frames.
    exposure_s : float or None
        Exposure time.
    gain_setting, iso, offset_setting : float, int, float or None
        The driver's numbers.
    setpoint_temperature_c : float or None
        The cooler's target.
    temperatures_c : tuple of float or None
        Coldest and warmest header temperature.
    night : str or None
        Date of the evening.
    n_frames : int
        How many.
    folder : Path
        Folder of the first.
    """

    camera: str | None
    serial: str | None
    size: tuple[int, int]
    binning: tuple[int, int]
    cfa_pattern: str | None
    kind: str | None
    is_master: bool
    exposure_s: float | None
    gain_setting: float | None
    iso: int | None
    offset_setting: float | None
    setpoint_temperature_c: float | None
    temperatures_c: tuple[float, float] | None
    night: str | None
    n_frames: int
    folder: Path

    @classmethod
    def of(cls, series: Series[FrameHeader]) -> "SeriesRow":
        """Describe a series.

        Parameters
        ----------
        series : Series
            As the library groups it.

        Returns
        -------
        SeriesRow
            Its line.
        """
        key, sensor = series.key, series.key.sensor
        return cls(
            camera=sensor.camera.model,
            serial=sensor.camera.serial,
            size=(sensor.shape[1], sensor.shape[0]),
            binning=sensor.binning,
            cfa_pattern=sensor.cfa_pattern,
            kind=None if key.kind is None else str(key.kind),
            is_master=key.is_master,
            exposure_s=key.exposure_s,
            gain_setting=key.gain_setting,
            iso=key.iso,
            offset_setting=key.offset_setting,
            setpoint_temperature_c=key.setpoint_temperature_c,
            temperatures_c=series.temperatures_c,
            night=None if key.night is None else key.night.isoformat(),
            n_frames=len(series.frames),
            folder=series.frames[0].path.parent,
        )


@dataclass(frozen=True, slots=True)
class LibraryListing:
    """What a library holds.

    Attributes
    ----------
    series : tuple of SeriesRow
        By camera, night, kind and exposure.
    coverage : tuple of CoverageTable
        Darks by exposure and temperature, one table per sensor and gain.
    n_frames : int
        All frames.
    bad_files : tuple of (Path, str)
        Files that could not be read, with their sentences.
    """

    series: tuple[SeriesRow, ...]
    coverage: tuple[CoverageTable, ...]
    n_frames: int
    bad_files: tuple[tuple[Path, str], ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What does not belong.

    Attributes
    ----------
    findings : tuple of Finding
        Errors first, then doubts, then notes.
    n_frames : int
        How many frames were looked at.
    """

    findings: tuple[Finding, ...]
    n_frames: int

    def count(self, severity: Severity | str) -> int:
        """Count the files under findings of one severity.

        Parameters
        ----------
        severity : Severity or str
            "error", "doubt" or "note".

        Returns
        -------
        int
            Files, each once.
        """
        chosen = [finding for finding in self.findings if finding.severity == severity]
        return len({path for finding in chosen for path in finding.paths})

    def to_dict(self) -> dict[str, object]:
        """Give the report as JSON can hold it.

        Returns
        -------
        dict
            Findings, with their sentences, and the number of frames.
        """
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "n_frames": self.n_frames,
        }


def list_frames(library_path: PathLike) -> LibraryListing:
    """List what a library holds: series, and the coverage of exposure against temperature.

    Parameters
    ----------
    library_path : path-like
        An existing library.

    Returns
    -------
    LibraryListing
        Rows and tables.

    Raises
    ------
    LibraryError
        There is no library here, or it cannot be used.
    """
    with Catalogue(library_path, create=False) as catalogue:
        headers = catalogue.headers()
        bad = tuple((one.path, one.sentence) for one in catalogue.bad_files())
    series = group_series(headers)
    return LibraryListing(
        series=tuple(SeriesRow.of(one) for one in series),
        coverage=tuple(coverage_tables(series)),
        n_frames=len(headers),
        bad_files=bad,
    )


def check_frames(
    library_path: PathLike | None,
    paths: PathLike | Iterable[PathLike] = (),
    *,
    progress: Progress = silent,
) -> CheckReport:
    """Find the frames that do not belong, and say why.

    Parameters
    ----------
    library_path : path-like or None
        An existing library, whose frames are not read again; None checks `paths` by themselves, in
        a catalogue that lives in memory.
    paths : path-like or iterable of path-like, optional
        Files and folders. With a library: what to report on, still compared with all of it.
    progress : Progress, optional
        Told of every file that is read.

    Returns
    -------
    CheckReport
        Findings, errors first.

    Raises
    ------
    FrameNotFoundError
        A path does not exist or holds no frame, or nothing of it is in the library.
    LibraryError
        The library cannot be used.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if library_path is None:
        with Catalogue() as catalogue:
            add_paths(catalogue, find_frame_paths(given), progress)
            return _check(catalogue)
    with Catalogue(library_path, create=False) as catalogue:
        report = _check(catalogue)
        return _only_below(report, given, catalogue) if given else report


def _check(catalogue: Catalogue) -> CheckReport:
    frames = list(catalogue.frames())
    stamps = catalogue.stamps()
    now = {path: _stamp_now(path) for path in stamps}
    present = [frame for frame in frames if now[frame.path] is not None]
    gone = [frame for frame in frames if now[frame.path] is None]
    stale = [frame.path for frame in present if now[frame.path] != stamps[frame.path]]
    # A bad file that is gone has been dealt with.
    bad = [one for one in catalogue.bad_files() if now[one.path] is not None]
    findings = find_bad(bad) + find_vanished(gone, present) + find_stale(stale)
    return CheckReport(tuple(merged(findings + find_misfits(present))), len(frames))


def _stamp_now(path: Path) -> FileStamp | None:
    try:
        return FileStamp.of(path)
    except SolodarkError:
        return None


def _only_below(
    report: CheckReport, given: Sequence[PathLike], catalogue: Catalogue
) -> CheckReport:
    """Keep the findings about some files and folders."""
    places = [Path(os.path.abspath(place)) for place in given]  # noqa: PTH100
    known = catalogue.stamps()
    for place in places:
        if not any(path.is_relative_to(place) for path in known):
            raise FrameNotFoundError(
                f"{place}: the library knows no frame here; add it with `solodark library add`"
            )
    findings = tuple(
        finding
        for finding in report.findings
        if any(path.is_relative_to(place) for path in finding.paths for place in places)
    )
    n_frames = sum(any(path.is_relative_to(place) for place in places) for path in known)
    return CheckReport(findings, n_frames)


def library_dark_paths(library_path: PathLike) -> list[Path]:
    """List the darks and biases of a library, for `learn`.

    Parameters
    ----------
    library_path : path-like
        An existing library.

    Returns
    -------
    list of Path
        Single darks and biases, by path; masters and bad files are left out.

    Raises
    ------
    LibraryError
        There is no library here, or it cannot be used.
    """
    with Catalogue(library_path, create=False) as catalogue:
        return [
            frame.path
            for frame in catalogue.headers()
            if frame.acquisition.kind in (FrameKind.DARK, FrameKind.BIAS)
            and frame.acquisition.n_combined is None
        ]


def forget_vanished(library_path: PathLike) -> list[Path]:
    """Strike the files off a library that are no longer where they were.

    Parameters
    ----------
    library_path : path-like
        An existing library.

    Returns
    -------
    list of Path
        What was forgotten.

    Raises
    ------
    LibraryError
        There is no library here, or it cannot be used.
    """
    with Catalogue(library_path, create=False) as catalogue:
        gone = [path for path in catalogue.stamps() if _stamp_now(path) is None]
        catalogue.forget(gone)
    return gone
