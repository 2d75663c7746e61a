"""Train files: folders of darks become a network that makes a master dark from one sub."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from solodark.dark_model import DarkModel, LearnSettings
from solodark.errors import OutputError, SettingError
from solodark.frames import (
    Progress,
    series_acquisition,
    silent,
)
from solodark.pix2pix import PRESETS, NetworkSettings, TrainSettings
from solodark.pix2pix.history import TrainingState
from solodark.pix2pix.sensor_channels import CHANNELS
from solodark.pix2pix.sessions import Split, split_sessions
from solodark.workflows.learn import gather_darks, sort_out_darks
from solodark.workflows.model_files import load_model, open_frames, require_model_path
from solodark.workflows.network_judge import NetworkJudge
from solodark.workflows.networks import require_torch, save_network
from solodark.workflows.training_board import open_board
from solodark.workflows.training_darks import TrainingDarks, find_training_darks
from solodark.workflows.training_place import TrainingPlace
from solodark.workflows.training_priors import ShownDarks, who_shows
from solodark.workflows.training_report import write_report
from solodark.workflows.training_store import (
    SensorStore,
    SubStore,
    fresh_folder,
    write_sensor_store,
    write_sub_store,
)

if TYPE_CHECKING:
    from solodark.pix2pix.training import Device

__all__ = ["TrainSummary", "train_files"]

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSummary:
    """What was trained.

    Attributes
    ----------
    network_path : Path
        The file that was written.
    report_path : Path
        A page with the losses and samples.
    preset : str
        What kind of network.
    n_training, n_validation, n_test : int
        Darks that trained it, chose its best weights, and judged it.
    epochs, best_epoch : int
        Epochs that were trained, and after which it was best; 0 for a sensor network that did not
        become better than the dark model it began as.
    validation_subs, test_subs : float
        Winsorised equivalent subs on nights it was not trained on.
    start_subs : float
        What an untrained sensor network, which is the dark model, is worth on the test nights; NaN
        for the others.
    seconds : float
        How long it took.
    left_out : tuple of (Path, str)
        Files that were not used, and why; biases, which have nothing to teach here, are not listed.
    """

    network_path: Path
    report_path: Path
    preset: str
    n_training: int
    n_validation: int
    n_test: int
    epochs: int
    best_epoch: int
    validation_subs: float
    test_subs: float
    start_subs: float
    seconds: float
    left_out: tuple[tuple[Path, str], ...]


def train_files(  # noqa: PLR0913 - a training has that many sides, and all have a default
    paths: PathLike | Iterable[PathLike],
    output: PathLike,
    *,
    settings: TrainSettings | None = None,
    prior: PathLike | None = None,
    learn_settings: LearnSettings | None = None,
    library: PathLike | None = None,
    device: "Device | None" = None,
    resume: bool = False,
    tensorboard: PathLike | None = None,
    progress: Progress = silent,
) -> TrainSummary:
    """Train a network on darks, and write it.

    Whole nights are set aside for validation and test. Beside the network a folder of its name
    holds losses, pictures, a page, and a checkpoint from which a killed training goes on.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files and folders of darks of one camera, in series of two or more.
    output : path-like
        The network, a ``.solodark`` file.
    settings : TrainSettings, optional
        How to train; by default the published way, or with a prior the preset "sensor".
    prior : path-like, optional
        The camera's dark model, for the network that knows its place. Darks that it has learned
        from are left out. Without one the preset "sensor" learns models of its own, each without a
        part of the nights, which it then shows.
    learn_settings : LearnSettings, optional
        How to learn these.
    library : path-like, optional
        A catalogue whose darks are used too.
    device : Device, optional
        Where to train.
    resume : bool
        Go on where an earlier training of the same darks and settings ended.
    tensorboard : path-like, optional
        A folder where TensorBoard shall find curves and samples.
    progress : Progress
        Who is told.

    Returns
    -------
    TrainSummary
        What was trained, and how good it is.

    Raises
    ------
    NotEnoughFramesError
        Fewer than three nights or series of darks.
    FrameMismatchError
        Frames of several cameras, sizes or binnings.
    SettingError
        Settings that contradict each other or the darks, or PyTorch or a wanted TensorBoard is not
        installed.
    ModelFileError
        The prior or the checkpoint cannot be used.
    OutputError
        The network or the curves cannot be written there.
    """
    began = perf_counter()
    require_torch()
    board = open_board(tensorboard)
    output = require_model_path(Path(output))
    chosen = settings or PRESETS["paper" if prior is None else "sensor"]
    _require_prior(chosen, prior)
    model = None if prior is None else load_model(prior)
    files, left_out = sort_out_darks(gather_darks(paths, library), (), (), progress)
    darks, unfit = find_training_darks(files, model, progress)
    split = split_sessions(darks.sessions, darks.series, rng=np.random.default_rng(chosen.seed))
    shown = None
    if chosen.preset == "sensor":
        shown = who_shows(darks, files, model, chosen, learn_settings, progress)
    folder = _make_folder(output.with_suffix(".training"))
    with fresh_folder(folder / "darks") as place:
        store = _write_store(darks, split, shown, chosen, place, progress)
        work = _prepare(darks, split, store, chosen, folder, model)
        work = replace(work, board=board)
        state = _run(work, split, device, resume, progress)
        skipped = [*left_out, *unfit]
        return _finish(work, split, state, output, skipped, perf_counter() - began)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}, the folder for losses and checkpoint, cannot be made: "
            f"{error.strerror or error}"
        ) from error
    return folder


def _require_prior(settings: TrainSettings, prior: PathLike | None) -> None:
    if settings.preset == "paper" and prior is not None:
        raise SettingError(
            "found a dark model for the preset paper, which sees the sub alone; leave out --prior, "
            "or use --preset sensor"
        )
    if settings.preset == "sensor" and prior is None and settings.folds < 2:
        raise SettingError(
            f"found {settings.folds} as the number of parts of the nights, expected 2 or more; see "
            "--folds"
        )


def _write_store(
    darks: TrainingDarks,
    split: Split,
    shown: ShownDarks | None,
    settings: TrainSettings,
    place: Path,
    progress: Progress,
) -> SubStore | SensorStore:
    """Decode the darks."""
    with open_frames(darks.paths) as sources:
        if shown is not None:
            return write_sensor_store(sources, darks.series, place, shown, progress=progress)
        return write_sub_store(
            sources,
            darks.series,
            place,
            training=split.training,
            cfa_planes=settings.cfa_planes,
            progress=progress,
        )


def _prepare(
    darks: TrainingDarks,
    split: Split,
    store: SubStore | SensorStore,
    settings: TrainSettings,
    folder: Path,
    model: DarkModel | None,
) -> TrainingPlace:
    """Settle what the network looks like, and what will be told of it."""
    with open_frames(darks.paths) as sources:
        acquisition = series_acquisition(sources)
    parts = asdict(split).items()
    recipe: dict[str, object] = {
        "camera": acquisition.camera.model,
        "model_id": "" if model is None else model.model_id,
        "versions": {package: version(package) for package in ("torch", "lightning-fabric")},
        "darks": {part: [darks.hashes[i] for i in subs] for part, subs in parts},
    }
    network = _network_settings(settings, acquisition.cfa_pattern)
    return TrainingPlace(folder, network, settings, recipe, store, acquisition.cfa_pattern)


def _network_settings(settings: TrainSettings, cfa_pattern: str | None) -> NetworkSettings:
    if settings.preset == "sensor":
        return NetworkSettings(
            kind="corrector",
            in_channels=len(CHANNELS),
            out_channels=1,
            width=settings.width,
            depth=settings.depth,
        )
    n_planes = 4 if cfa_pattern is not None and settings.cfa_planes else 1
    return NetworkSettings(
        kind="unet",
        in_channels=n_planes,
        out_channels=n_planes,
        width=settings.width,
        depth=settings.depth,
    )


def _run(
    work: TrainingPlace,
    split: Split,
    device: "Device | None",
    resume: bool,
    progress: Progress,
) -> TrainingState:
    """Train; every epoch's state goes to disk, and the last one is read from there."""
    from solodark.pix2pix.training import TrainingJob, train

    job = TrainingJob(
        network=work.network,
        settings=work.settings,
        scaling=work.scaling,
        open_pairs=work.store.open,
        subs=split.training,
        seed=work.settings.seed,
        validate=work.judge(split.validation),
        on_epoch=work.save_epoch,
    )
    state = work.find_checkpoint() if resume else None
    if state is None or state.epochs_done < work.settings.epochs:
        train(job, device=device, resume=state, progress=progress)
    final = work.find_checkpoint()
    if final is None:
        raise SettingError("found 0 epochs to train, expected at least 1; see --epochs")
    return final


def _finish(
    work: TrainingPlace,
    split: Split,
    state: TrainingState,
    output: Path,
    left_out: Sequence[tuple[Path, str]],
    seconds: float,
) -> TrainSummary:
    """Judge the best network on the test nights, write it, and tell."""
    from solodark.pix2pix.estimate import NetworkEstimator

    trained = work.best(state)
    judge = work.judge(split.test, side_px=1024)
    estimator = NetworkEstimator.load(trained)
    worth, error_adu = judge.figures(estimator)
    figures = {"test": {"equivalent_subs": worth, "error_adu": error_adu}}
    trained = replace(trained, recipe=trained.recipe | figures)
    save_network(output, trained)
    lead = (
        f"Worth {worth:.2f} subs on {len(split.test)} darks of nights that it has never seen; best "
        f"after {state.best_epoch} of {state.epochs_done} epochs."
    )
    samples = judge.samples(estimator)
    page = write_report(work.folder, state.history, samples=samples, lead=lead)
    if work.board is not None:
        work.board.show_samples(page.with_name("samples.png"), state.epochs_done)
    return TrainSummary(
        network_path=output,
        report_path=page,
        preset=work.settings.preset,
        n_training=len(split.training),
        n_validation=len(split.validation),
        n_test=len(split.test),
        epochs=state.epochs_done,
        best_epoch=state.best_epoch,
        validation_subs=state.best_validation_subs,
        test_subs=worth,
        start_subs=_start_subs(work, judge),
        seconds=seconds,
        left_out=tuple(left_out),
    )


def _start_subs(work: TrainingPlace, judge: NetworkJudge) -> float:
    """Judge the dark model that a sensor network began as."""
    from solodark.pix2pix.build import build_network
    from solodark.pix2pix.estimate import NetworkEstimator

    if work.settings.preset != "sensor":
        return float("nan")
    untrained = build_network(work.network).eval()
    return judge.figures(NetworkEstimator(untrained, work.network, work.settings, None))[0]
