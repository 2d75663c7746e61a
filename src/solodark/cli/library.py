"""``solodark library``: the catalogue of the user's own frames."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solodark.cli.options import AsJson, LibraryFile
from solodark.cli.printing import print_json, print_left_out, print_lines, print_table, span
from solodark.cli.progress import progress_on_terminal

if TYPE_CHECKING:
    from solodark.dark_model import Advice, ModelHealth
    from solodark.library import CoverageTable
    from solodark.workflows.catalogue import CheckReport, LibraryListing, SeriesRow

__all__ = ["add", "check", "list_series"]

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATHS", help="Files, and folders with all below them.")
]
PathsToCheck = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATHS",
        help="Check these files and folders by themselves; by default the whole catalogue.",
    ),
]

ModelToCheck = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Report this dark model's health: age, range, pixels, and which darks to shoot next.",
    ),
]


def default_library() -> Path:
    """Say where the catalogue lies when no option says it.

    Returns
    -------
    Path
        SOLODARK_LIBRARY of the environment, else a file in the user's folder for programs' data.
    """
    told = os.environ.get("SOLODARK_LIBRARY")
    return Path(told) if told else Path(typer.get_app_dir("solodark")) / "library.sqlite"


def add(  # numpydoc ignore=PR01
    paths: Paths, library: LibraryFile = None, as_json: AsJson = False
) -> None:
    """Read frames into the catalogue; your files are never changed.

    Files that have not changed since are not read again. A file that cannot be read is listed at
    the end and stops nothing.
    """
    from solodark.workflows.catalogue_adding import add_frames

    place = library or default_library()
    if library is None:
        # the user's folder may be new; a folder that was asked for must be there
        place.parent.mkdir(parents=True, exist_ok=True)
    with progress_on_terminal() as progress:
        summary = add_frames(place, paths, progress=progress)
    if as_json:
        print_json(summary)
        return
    print_lines(
        f"{summary.added} frames added, {summary.changed} read again because they changed, "
        f"{summary.unchanged} unchanged; catalogue {place}"
    )
    print_left_out(summary.failed, what="Could not read")


def list_series(  # numpydoc ignore=PR01
    library: LibraryFile = None, as_json: AsJson = False
) -> None:
    """List series of frames, and darks by exposure and temperature."""
    from solodark.workflows.catalogue import list_frames

    listing = list_frames(library or default_library())
    print_json(listing) if as_json else _print_listing(listing)


def check(  # numpydoc ignore=PR01
    paths: PathsToCheck = None,
    library: LibraryFile = None,
    model: ModelToCheck = None,
    as_json: AsJson = False,
) -> None:
    """Find the frames that do not belong, and say why.

    A light among the darks, a light leak, a wrong exposure in the header, a truncated file, the
    first dark of a series that is still warming up. With --model alone: the health of that model.
    """
    if model is not None:
        from solodark.workflows.health import check_model

        health = check_model(model)
        print_json(health) if as_json else _print_health(health)
        if not paths and library is None:
            return
    from solodark.workflows.catalogue import check_frames

    place = library or (None if paths else default_library())
    with progress_on_terminal() as progress:
        report = check_frames(place, paths or (), progress=progress)
    print_json(report) if as_json else _print_report(report)


def _print_listing(listing: "LibraryListing") -> None:
    print_lines(f"{listing.n_frames} frames in {len(listing.series)} series.")
    columns = ["camera", "night", "kind", "exposure", "gain", "temperature", "frames", "folder"]
    print_table(columns, [_series_cells(row) for row in listing.series])
    for table in listing.coverage:
        _print_coverage(table)
    print_left_out(listing.bad_files, what="Could not read")


def _series_cells(row: "SeriesRow") -> list[str]:
    kind = f"{'master ' if row.is_master else ''}{row.kind or 'unknown'}"
    return [
        row.camera or "unknown",
        row.night or "unknown",
        kind,
        _seconds(row.exposure_s),
        _gain(row),
        span(row.temperatures_c, "C"),
        str(row.n_frames),
        str(row.folder),
    ]


def _print_coverage(table: "CoverageTable") -> None:
    """Print how many darks there are of each exposure at each temperature."""
    camera = table.sensor.camera.model or "unknown camera"
    print_lines(f"Darks of {camera}, {_gain(table)}, exposure against temperature:")
    columns = ["exposure", *(_degrees(t) for t in table.temperatures_c)]
    rows = [
        [_seconds(exposure_s), *(str(n) if n else "." for n in counts)]
        for exposure_s, counts in zip(table.exposures_s, table.counts, strict=True)
    ]
    print_table(columns, rows)


def _seconds(exposure_s: float | None) -> str:
    return "unknown" if exposure_s is None else f"{exposure_s:.4g} s"


def _degrees(temperature_c: float | None) -> str:
    return "unknown" if temperature_c is None else f"{temperature_c:g} C"


def _gain(row: "SeriesRow | CoverageTable") -> str:
    if row.iso is not None:
        return f"ISO {row.iso}"
    return "unknown gain" if row.gain_setting is None else f"gain {row.gain_setting:g}"


def _print_report(report: "CheckReport") -> None:
    if not report.findings:
        print_lines(f"{report.n_frames} frames, and nothing speaks against any of them.")
        return
    counts = ", ".join(_counted(report, name) for name in ("error", "doubt", "note"))
    print_lines(f"{report.n_frames} frames; files with findings: {counts}.")
    for finding in report.findings:
        print_lines(f"{finding.severity.value:>5}  {finding.sentence}")


def _print_health(health: "ModelHealth") -> None:
    """Print how a model fares, and what to shoot next."""
    last = f"the last on {health.last_taken:%Y-%m-%d}" if health.last_taken else "undated"
    print_lines(
        f"Learned from {health.n_frames} darks and biases, {last}; it covers "
        f"{span(health.exposure_range_s, 's')} at {span(health.temperature_range_c, 'C')}.",
        f"One sub is worth {health.equivalent_subs:.0f} subs on ordinary pixels, on average over "
        "the exposures of the library.",
        f"{health.n_hot} hot pixels in a typical dark, {health.n_telegraph} telegraph pixels; some "
        f"{health.births_per_year:.0f} pixels turn hot in a year"
        + (f", {health.newborn:.0f} since the last dark." if health.newborn is not None else "."),
    )
    for piece in health.advice:
        print_lines(f"Next: {_advice(piece)}, worth {piece.equivalent_subs:.0f} subs then.")
    if not health.advice:
        print_lines("No single night more would gain 2 %.")
    for setting in health.unrepeated:
        print_lines(
            f"Hardly a dark{_at(setting)} was taken twice: a sub of another gain or a faint light "
            "leak may pass for a right one. Take two or more of each exposure."
        )


def _at(setting: str) -> str:
    """Name a gain setting, where headers tell of any."""
    from solodark.dark_model.gain_settings import GainSetting

    return "" if setting == str(GainSetting()) else f" at {setting}"


def _advice(piece: "Advice") -> str:
    at = _at(piece.setting)
    if piece.exposure_s is None:
        return f"{piece.n_frames} biases{at}"
    near = "" if piece.temperature_c is None else f", near {piece.temperature_c:.0f} C"
    return f"{piece.n_frames} darks of {piece.exposure_s:g} s{at}{near}"


def _counted(report: "CheckReport", severity: str) -> str:
    number = report.count(severity)
    return f"{number} {severity}{'s'[: number != 1]}"
