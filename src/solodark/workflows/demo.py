"""The whole story on a synthetic camera: the same steps, files and commands as with a real one."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model import DarkModel, LearnSettings
from solodark.errors import OutputError
from solodark.evaluation import EvaluationTable, MeanOfSubs, measure_series, one_sub, tabulate
from solodark.evaluation.rivals import Method, NearestMaster, OneK, find_nearest_master
from solodark.evaluation.series import AnyEstimator
from solodark.formats import atomic_write, read_frame
from solodark.frames import Frame, Progress, silent
from solodark.library import Finding, Severity
from solodark.pix2pix import TrainSettings
from solodark.report import Estimate, Story, page_html, show_estimate, summary_png
from solodark.workflows.catalogue import check_frames
from solodark.workflows.catalogue_adding import add_frames
from solodark.workflows.combine import combine_files
from solodark.workflows.compare_rows import CompareRow
from solodark.workflows.demo_camera import DemoNight, DemoPlan, photograph
from solodark.workflows.demo_lights import compare_lights
from solodark.workflows.demo_network import NETWORK, train_a_network
from solodark.workflows.demo_story import (
    BEST_K,
    NEAREST,
    DemoResults,
    average_of,
    tell_story,
    worth,
)
from solodark.workflows.evaluate import model_rows
from solodark.workflows.generate import generate_file
from solodark.workflows.learn import LearnSummary, learn_files
from solodark.workflows.model_files import load_model

__all__ = ["DemoSummary", "run_demo"]

Tell = Callable[[str], None]

SEED = 20260101
SETTINGS = LearnSettings(ranks=(2, 3), n_random=12_000, n_hot=6_000)
"""A sample that a slow computer learns in a minute; the camera is small, so it is enough."""
FULL_DEMO = DemoPlan()
MARK, MODEL, MASTER = "ABOUT.txt", "camera.solodark", "master.fits"
ABOUT = """\
Written by `solodark demo` on a synthetic camera; everything in this folder may be deleted.

comparison.html  open this: a night's lights stacked with every kind of dark
report.html      the darks themselves: pictures, a blink between any two, the table of rivals
picture.png      the same in one picture
darks/           the photographer's darks and biases of many nights, a few mistakes among them
tonight/         darks of one warm night; only the first goes into the master
night/           lights of a night that cools by 8 C, and darks, flats and biases at its end
camera.solodark  the camera's dark model
master.fits      the master dark made from that one dark
masters/         classical masters of the earlier nights
network.solodark a small network that corrects the dark model; network.training/ tells how it went
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """What the demo made.

    Attributes
    ----------
    folder : Path
        Where everything lies.
    comparison : Path
        The page to open: a night's lights stacked with every kind of dark.
    report, picture : Path
        The page about the darks themselves, and its picture.
    stacks : tuple of CompareRow
        Figures of the stacks.
    equivalent_subs : Estimate
        What a master from one dark is worth, all pixels, with its 95 % interval.
    table : EvaluationTable
        All rivals.
    findings : tuple of str
        Sentences of the library's check about the mistakes among the darks.
    planted_found : int
        How many of the planted mistakes the check found.
    planted : int
        How many there were.
    seconds : float
        How long it took.
    """

    folder: Path
    comparison: Path
    report: Path
    picture: Path
    stacks: tuple[CompareRow, ...]
    equivalent_subs: Estimate
    table: EvaluationTable
    findings: tuple[str, ...]
    planted_found: int
    planted: int
    seconds: float

    @property
    def worth(self) -> str:
        """The headline in words."""
        return f"{show_estimate(self.equivalent_subs)} subs"


def _say_nothing(line: str) -> None:
    """Be silent."""


def run_demo(
    output_folder: Path | str,
    *,
    plan: DemoPlan = FULL_DEMO,
    settings: LearnSettings = SETTINGS,
    network: TrainSettings = NETWORK,
    tell: Tell | None = None,
    progress: Progress = silent,
) -> DemoSummary:
    """Tell the whole story: darks of many nights, a learned camera, one new dark, its master.

    Parameters
    ----------
    output_folder : path-like
        Where to write; made where it is missing.
    plan : DemoPlan
        How much is photographed; by default what takes a minute or two.
    settings : LearnSettings
        How to learn.
    network : TrainSettings
        How to train the network that takes part.
    tell : callable, optional
        Hears a line about each step when it is done.
    progress : Progress
        Who is told how far a step is.

    Returns
    -------
    DemoSummary
        Where to look, and how good the master is.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written to.
    """
    began = perf_counter()
    tell = tell or _say_nothing
    folder = _claim(Path(output_folder).absolute())
    night = photograph(folder, np.random.default_rng(SEED), plan, progress=progress)
    tell(f"A photographer's darks: {night.darks_folder}")
    findings = _check(folder, night, progress)
    bad = {path for finding in findings for path in finding.paths}
    tell(f"solodark library check: {len(bad)} files that do not belong, left out from here on")
    learned = _learn_and_generate(folder, night, bad, settings, tell, progress)
    rivals = _library_rivals(folder / "masters", night, bad, progress)
    network_row = train_a_network(
        folder,
        set(night.darks_folder.glob("*/*.fits")) - bad,
        folder / MODEL,
        settings=network,
        learn_settings=settings,
        tell=tell,
        progress=progress,
    )
    rows = _rows(load_model(folder / MODEL), rivals, plan.subs_averaged) | network_row
    table = _judge(rows, night, progress)
    tell(f"judged on {table.n_subs} darks of tonight, as solodark evaluate does")
    results = DemoResults(
        sub=night.tonight[0],
        darks=_shown_darks(folder, rivals, plan.subs_averaged, night),
        truth_adu=night.truth_adu,
        table=table,
        subs_averaged=plan.subs_averaged,
        learned=learned,
        n_findings=len(bad),
    )
    report, picture = _write_report(folder, tell_story(results))
    dice = np.random.default_rng(SEED + 1)
    compared = compare_lights(folder, night, plan, folder / MODEL, rng=dice, progress=progress)
    tell(f"solodark compare: {compared.n_lights} lights of a night that cools by 8 C")
    return DemoSummary(
        folder=folder,
        comparison=compared.report,
        report=report,
        picture=picture,
        stacks=compared.rows,
        equivalent_subs=worth(results.table, "solodark"),
        table=results.table,
        findings=tuple(finding.sentence for finding in findings),
        planted_found=len(bad & set(night.planted)),
        planted=len(night.planted),
        seconds=perf_counter() - began,
    )


def _claim(folder: Path) -> Path:
    """Make the folder, or take one that an earlier demo made; never somebody else's."""
    mark = folder / MARK
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; the demo needs the name of a folder")
    if folder.is_dir() and not mark.exists() and any(folder.iterdir()):
        raise OutputError(
            f"{folder} holds files that the demo did not write; give --output another folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(ABOUT, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written to: {error.strerror}") from error
    return folder


def _check(folder: Path, night: DemoNight, progress: Progress) -> tuple[Finding, ...]:
    """Catalogue the darks and find those that spoil a master."""
    library = folder / "library.sqlite"
    add_frames(library, night.darks_folder, progress=progress)
    findings = check_frames(library, progress=progress).findings
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def _learn_and_generate(
    folder: Path,
    night: DemoNight,
    bad: Collection[Path],
    settings: LearnSettings,
    tell: Tell,
    progress: Progress,
) -> LearnSummary:
    """Learn the camera from its darks, and make the master of the one new dark."""
    learned = learn_files(
        night.darks_folder,
        folder / MODEL,
        leave_out=bad,
        settings=settings,
        progress=progress,
    )
    tell(f"solodark learn: {learned.n_frames} frames, {learned.rank} maps, {learned.seconds:.0f} s")
    generated = generate_file(night.sub_path, folder / MODEL, folder / MASTER, progress=progress)
    tell(f"solodark generate: {generated.output} from {night.sub_path.name} alone")
    return learned


def _shown_darks(
    folder: Path, rivals: "_LibraryRivals", n: int, night: DemoNight
) -> dict[str, NDArray[np.float32]]:
    """Give the darks that are shown as pictures, by their rows' names."""
    sub = night.tonight[0]
    return {
        "one sub": sub.data,
        "solodark": read_frame(folder / MASTER).data,
        average_of(n): MeanOfSubs(n).from_subs(night.tonight[:n]),
        NEAREST: rivals.nearest.master.data,
        BEST_K: rivals.scaled("best")(sub),
    }


@dataclass(frozen=True, eq=False, slots=True)
class _LibraryRivals:
    """What a photographer without solodark would use."""

    nearest: NearestMaster
    bias: Frame

    def scaled(self, method: Method) -> OneK:
        return OneK(self.nearest.master, self.bias.data, method, note=self.nearest.reason)


def _library_rivals(
    folder: Path, night: DemoNight, bad: Collection[Path], progress: Progress
) -> _LibraryRivals:
    """Combine a master of each night and a bias of all, and choose the nearest for tonight."""
    folder.mkdir(exist_ok=True)
    nights = sorted(path for path in night.darks_folder.iterdir() if path.is_dir())
    masters = [
        _combined(set(one.glob("dark*.fits")) - set(bad), folder / f"dark_{one.name}.fits")
        for one in progress(nights, "Combining a master of each night", len(nights))
    ]
    bias = _combined(night.darks_folder.glob("*/bias*.fits"), folder / "bias.fits")
    return _LibraryRivals(find_nearest_master(masters, night.tonight[0].acquisition), bias)


def _combined(files: Iterable[Path], output: Path) -> Frame:
    return read_frame(combine_files(sorted(files), output).master_path)


def _rows(model: DarkModel, rivals: _LibraryRivals, subs_averaged: int) -> dict[str, AnyEstimator]:
    """Give every way to get a dark that needs no training."""
    return {
        "one sub": one_sub,
        "solodark": model_rows(model)["solodark"],
        average_of(subs_averaged): MeanOfSubs(subs_averaged),
        NEAREST: replace(rivals.nearest.master, name=rivals.nearest.reason),
        "one k (PixInsight)": rivals.scaled("PixInsight"),
        "one k (Siril)": rivals.scaled("Siril"),
        BEST_K: rivals.scaled("best"),
    }


def _judge(
    rows: Mapping[str, AnyEstimator], night: DemoNight, progress: Progress
) -> EvaluationTable:
    """Let each of tonight's darks in turn be the one new dark, and the others judge."""
    measured = measure_series(
        night.tonight, rows, level_map=night.truth_adu, masks=night.masks, progress=progress
    )
    return tabulate([measured], rng=np.random.default_rng(SEED))


def _write_report(folder: Path, story: Story) -> tuple[Path, Path]:
    report, picture = folder / "report.html", folder / "picture.png"
    for path, content in ((report, page_html(story).encode()), (picture, summary_png(story))):
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
    return report, picture
