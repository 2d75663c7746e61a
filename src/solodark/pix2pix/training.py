"""Training: epochs on one device or many, which can be stopped and taken up again."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from numpy.typing import NDArray
from torch import Tensor

from solodark.errors import SettingError, SolodarkWarning
from solodark.frames import Progress, silent
from solodark.pix2pix.build import alignment_px
from solodark.pix2pix.estimate import NetworkEstimator
from solodark.pix2pix.history import EpochRecord, Judgement, TrainingState
from solodark.pix2pix.patches import PairSource, Place, draw_places
from solodark.pix2pix.players import Players, layout_of, make_players, train_step
from solodark.pix2pix.scaling import Scaling
from solodark.pix2pix.settings import NetworkSettings, TrainSettings

__all__ = ["Device", "TrainingJob", "make_fabric", "train"]

_FLAT_CONTRAST = 0.02
_LEAST_JUDGED_PX = 24  # halved three times, it is as large as the discriminator's last kernels
_EPOCHS_TO_WAKE = 3  # a network that has just begun is flat, and no reason to worry

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where to train.

    Attributes
    ----------
    accelerator : str
        "auto", "cpu", "cuda" or "mps".
    devices, n_machines : int
        Devices of each machine, and machines; several share each batch.
    precision : {"auto", "32-true", "bf16-mixed"}
        "auto" takes bf16 on a device that computes in it, and 32 bits elsewhere.
    """

    accelerator: str = "auto"
    devices: int = 1
    n_machines: int = 1
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrainingJob:
    """What to train on. For several devices every part of it must be picklable.

    Attributes
    ----------
    network : NetworkSettings
        Shape of the generator.
    settings : TrainSettings
        How to train it.
    scaling : Scaling or None
        The network's numbers.
    open_pairs : callable
        Gives the pairs; called once in each process.
    subs : tuple of int
        The subs that train.
    seed : int
        All dice: the first weights, and each epoch's crops and dropout.
    validate : callable
        Judges the network by equivalent subs on nights it is not trained on; the best is kept.
    on_epoch : callable
        Told of each epoch by the first process: the state without the tensors needed to go on,
        and a function that gives it with them.
    """

    network: NetworkSettings
    settings: TrainSettings
    scaling: Scaling | None
    open_pairs: Callable[[], PairSource]
    subs: tuple[int, ...]
    seed: int
    validate: Callable[[NetworkEstimator], Judgement]
    on_epoch: Callable[[TrainingState, Callable[[], TrainingState]], None]


def train(
    job: TrainingJob,
    *,
    device: Device | None = None,
    resume: TrainingState | None = None,
    progress: Progress = silent,
) -> None:
    """Train a network; what came of it is handed to the job's `on_epoch`.

    The dice of an epoch depend on the seed and its number alone, so training that was killed and
    taken up again from any epoch's state ends with the same weights as one that was not.

    Parameters
    ----------
    job : TrainingJob
        What to train on.
    device : Device, optional
        Where; by default an accelerator if there is one.
    resume : TrainingState, optional
        Where an earlier run ended.
    progress : Progress
        Told of every step; by the first process of one device alone.

    Raises
    ------
    SettingError
        A batch cannot be shared evenly, or crops do not suit the sensor or the networks.
    """
    where = device or Device()
    n_processes = where.devices * where.n_machines
    if job.settings.batch_size % n_processes:
        raise SettingError(
            f"found batches of {job.settings.batch_size} for {n_processes} devices; expected a "
            "multiple, see --batch-size"
        )
    _require_crop(job)
    fabric = make_fabric(where)
    shown = progress if n_processes == 1 else silent
    with torch.random.fork_rng():
        work = partial(_train, job=job, resume=resume, progress=shown)
        fabric.launch(work)


def _require_crop(job: TrainingJob) -> None:
    """Refuse crops that a U-Net cannot halve, or in which the discriminator finds no patch."""
    grid = alignment_px(job.network)
    least = max(grid, _LEAST_JUDGED_PX if job.settings.adversarial_weight else 1)
    if job.settings.crop_px % grid or job.settings.crop_px < least:
        raise SettingError(
            f"found crops of {job.settings.crop_px} px, expected a multiple of {grid} px and at "
            f"least {least} px for these networks; see --crop-px and --depth"
        )


def make_fabric(where: Device) -> Fabric:
    """Set up devices and precision.

    Parameters
    ----------
    where : Device
        Which are wanted.

    Returns
    -------
    Fabric
        Not yet launched.
    """
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    precision = where.precision
    if precision == "auto":
        precision = "bf16-mixed" if _has_bf16(where.accelerator) else "32-true"
    several = DDPStrategy(start_method="popen" if where.n_machines > 1 else "spawn")
    return Fabric(
        accelerator=where.accelerator,
        devices=where.devices,
        num_nodes=where.n_machines,
        strategy=several if where.devices * where.n_machines > 1 else "auto",
        precision=precision,
    )


def _has_bf16(accelerator: str) -> bool:
    """Whether the device computes in bf16 itself; where it is emulated it only costs time."""
    if accelerator in ("auto", "cuda") and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if accelerator == "mps" or (accelerator == "auto" and torch.backends.mps.is_available()):
        return False
    tell = getattr(torch.cpu, "get_capabilities", None)  # an older torch does not
    instructions: Mapping[str, Any] = tell() if tell else {}
    return any(instructions.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def _train(
    fabric: Fabric, job: TrainingJob, resume: TrainingState | None, progress: Progress
) -> None:
    """Run one process of the training.

    Nothing is returned: a process that hands more than a few bytes back would wait forever for a
    parent that waits for its end.
    """
    pairs = job.open_pairs()
    players = make_players(fabric, job.network, job.settings, job.seed)
    state = resume or _first_state(fabric, job, players)
    if resume:
        for name, player in players.by_name.items():
            player.load(resume.tensors_of(name))
    for epoch in range(state.epochs_done, job.settings.epochs):
        described = state.in_words(job.settings.epochs)
        record = _run_epoch(fabric, job, players, pairs, epoch, described, progress)
        if fabric.global_rank == 0:
            state = _judge(job, players, state, record)
            job.on_epoch(state, partial(_with_tensors, state, players))
        fabric.barrier()


def _first_state(fabric: Fabric, job: TrainingJob, players: Players) -> TrainingState:
    """Start; an untrained corrector is the dark model, and only a better one may replace it."""
    state = TrainingState(job.seed)
    if job.network.kind == "corrector" and fabric.global_rank == 0:
        worth = job.validate(_estimator(job, players)).equivalent_subs
        state = replace(state, best=_weights(players), best_validation_subs=worth)
    return state


def _run_epoch(
    fabric: Fabric,
    job: TrainingJob,
    players: Players,
    pairs: PairSource,
    epoch: int,
    described: str,
    progress: Progress,
) -> EpochRecord:
    """Train on one crop of every sub."""
    began = time.perf_counter()
    torch.manual_seed(_seed(job.seed, epoch, fabric.global_rank))
    learning_rate = job.settings.learning_rate_at(epoch)
    for player in players.by_name.values():
        player.module.train()
        player.set_learning_rate(learning_rate)
    batches = _shares(fabric, job, pairs, epoch)
    sums = torch.zeros(3, device=fabric.device)
    loaded = _loaded(pairs, batches)
    for inputs, targets in progress(loaded, described, len(batches)):
        batch = _to_device(fabric, inputs), _to_device(fabric, targets)
        sums += train_step(fabric, players, *batch, job.network.kind, job.settings).stacked()
    means = fabric.all_reduce(sums / len(batches), reduce_op="mean")
    pixel, adversarial, discriminator = (float(value) for value in means)
    return EpochRecord(
        epoch=epoch,
        learning_rate=learning_rate,
        pixel_loss=pixel,
        adversarial_loss=adversarial,
        discriminator_loss=discriminator,
        seconds=time.perf_counter() - began,
    )


def _judge(
    job: TrainingJob, players: Players, state: TrainingState, record: EpochRecord
) -> TrainingState:
    """Judge an epoch's network on other nights, and keep it unless an earlier one was better.

    Nights without any noise, of darks that were cut to 8 bits, cannot tell: the latest is kept.
    """
    found = job.validate(_estimator(job, players))
    worth = found.equivalent_subs
    record = replace(record, validation_subs=worth, contrast=found.contrast)
    if record.epoch >= _EPOCHS_TO_WAKE - 1 and record.contrast < _FLAT_CONTRAST:
        warnings.warn(
            f"epoch {record.epoch + 1}: the network makes flat grey frames, with "
            f"{record.contrast:.1%} of a master's contrast; if that stays so, stop, and train with "
            "a smaller learning rate or on more darks",
            SolodarkWarning,
            stacklevel=2,
        )
    state = replace(state, epochs_done=record.epoch + 1, history=(*state.history, record))
    if not (state.best and worth <= state.best_validation_subs):
        state = replace(
            state,
            best=_weights(players),
            best_epoch=record.epoch + 1,
            best_validation_subs=worth,
        )
    return state


def _estimator(job: TrainingJob, players: Players) -> NetworkEstimator:
    module = players.generator.module.eval()
    return NetworkEstimator(module, job.network, job.settings, job.scaling)


def _weights(players: Players) -> Tensors:
    return {
        name: value.detach().cpu().numpy().copy(order="C")
        for name, value in players.generator.module.state_dict().items()
    }


def _with_tensors(state: TrainingState, players: Players) -> TrainingState:
    tensors = {
        f"{name}.{key}": value
        for name, player in players.by_name.items()
        for key, value in player.state().items()
    }
    return replace(state, tensors=tensors)


def _shares(
    fabric: Fabric, job: TrainingJob, pairs: PairSource, epoch: int
) -> list[Sequence[Place]]:
    """Give this process its share of every batch of an epoch; all draw the same epoch."""
    settings = job.settings
    rng = np.random.default_rng([job.seed, epoch])
    places = list(
        draw_places(pairs, job.subs, crop_px=settings.crop_px, flips=settings.flips, rng=rng)
    )
    missing = -len(places) % settings.batch_size
    places += [places[i % len(places)] for i in range(missing)]  # the last batch is full, too
    batches = (
        places[i : i + settings.batch_size] for i in range(0, len(places), settings.batch_size)
    )
    return [batch[fabric.global_rank :: fabric.world_size] for batch in batches]


def _loaded(
    pairs: PairSource, batches: Sequence[Sequence[Place]]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Cut each batch while the one before is learned from."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(_cut, pairs, batches[0])
        for following in batches[1:]:
            ready = coming.result()
            coming = thread.submit(_cut, pairs, following)
            yield ready
        yield coming.result()


def _cut(
    pairs: PairSource, places: Sequence[Place]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    inputs, targets = zip(*(pairs.cut(place) for place in places), strict=True)
    return np.stack(inputs), np.stack(targets)


def _to_device(fabric: Fabric, batch: NDArray[np.float32]) -> Tensor:
    tensor: Tensor = fabric.to_device(torch.from_numpy(batch))
    return tensor.contiguous(memory_format=layout_of(fabric))


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
