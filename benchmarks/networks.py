"""What networks are worth beside the dark model, on darks that none of them has seen.

Some series of each camera are held out and judge everybody, all others are the library. Networks
are small and trained for minutes on a CPU: the result tells how they compare when they are given
the same little, not what the published training would reach::

    python benchmarks/networks.py --data ../shared/data --output benchmarks/results/networks.json

Rows: one sub, a frame without any pattern, pix2pix with darks cut to 8 bits of the camera's full
scale as in the paper, pix2pix with all of them, the network that corrects a dark model, that dark
model, the mean of some subs. On the synthetic camera newborn and telegraph pixels are the true
ones; on a real one telegraph pixels are those whose noise in the library is twice their class's,
and newborn ones, where six subs judge, those that two subs find that judge nobody.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from machine import describe_machine
from solodark.dark_model import DarkModel, predict
from solodark.dark_model.dark_signal import strongest_state
from solodark.evaluation import MeanOfSubs, measure_series, one_sub, tabulate
from solodark.evaluation.series import AnyEstimator
from solodark.evaluation.strata import STRATA
from solodark.formats import find_frame_paths, read_acquisition, read_frame, write_frame
from solodark.frames import Frame, FrameKind
from solodark.pix2pix import PRESETS
from solodark.pix2pix.training import Device, make_fabric
from solodark.synthetic import expose_library, make_camera
from solodark.workflows.evaluate import model_rows
from solodark.workflows.learn import learn_files
from solodark.workflows.model_files import load_model
from solodark.workflows.networks import load_network, network_rows
from solodark.workflows.train import TrainSummary, train_files

PAPER = replace(
    PRESETS["paper"],
    cfa_planes=False,
    width=32,
    depth=3,
    crop_px=128,
    batch_size=4,
    constant_epochs=30,
    decay_epochs=30,
    learning_rate=2e-3,
)
"""What learned most in some minutes: ten times the published rate, for a hundredth of its steps."""
SENSOR = replace(
    PRESETS["sensor"], width=16, batch_size=4, constant_epochs=30, decay_epochs=30, folds=4
)
SHOWN = ("all", "winsorised", "ordinary", "hot", "newborn", "telegraph")
YEARS = 2.0


@dataclass(frozen=True)
class Series:
    """Darks that judge, and what is known of their pixels."""

    darks: list[Path]
    masks: dict[str, np.ndarray]


@dataclass(frozen=True)
class Camera:
    """A camera's frames: what may be learned from, and what judges."""

    name: str
    library: list[Path]
    judges: list[Series]
    full_scale_adu: float


def main() -> None:
    """Train and judge on each camera, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="real frames")
    parser.add_argument(
        "--only",
        default="",
        help="cameras whose name holds this text; the output keeps what it told of others",
    )
    parser.add_argument("--note", default="", help="what a reader of the times should know")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    cameras = {"synthetic": synthetic_darks, "asi178mc": partial(real_darks, options.data)}
    result: dict[str, object] = {
        "command": "python benchmarks/networks.py --output benchmarks/results/networks.json",
        "machine": describe_machine() | {"torch": torch.__version__},
        "device": "the CPU; there was no GPU",
        "note": options.note,
        "precision": make_fabric(Device(accelerator="cpu")).strategy.precision.precision,
        "settings": {"pix2pix": asdict(PAPER), "sensor": asdict(SENSOR)},
        "cameras": [],
    }
    told = {}
    if options.output and options.output.exists():
        told = {row["camera"]: row for row in json.loads(options.output.read_text())["cameras"]}
    for name, make in cameras.items():
        if options.only in name:
            with tempfile.TemporaryDirectory() as folder:
                told[name] = measure(make(Path(folder)), Path(folder))
        result["cameras"] = [told[known] for known in cameras if known in told]
        if options.output:  # a second camera that fails must not cost the first
            options.output.write_text(json.dumps(result, indent=1) + "\n")


def synthetic_darks(folder: Path) -> Camera:
    """Take two years of darks with a synthetic uncooled camera; the last three nights judge."""
    rng = np.random.default_rng(4)
    camera = make_camera(rng, shape=(256, 384))
    taken = expose_library(camera, rng, n_sessions=15, subs_per_session=6, isos=[800], years=YEARS)
    sessions = list(taken)
    for session in sessions:
        for i, shot in enumerate((*session.darks, *session.biases)):
            path = folder / f"{session.index:02d}_{i:02d}.fits"
            write_frame(path, shot.frame, pixel_type="uint16")
    last = sessions[11].plan.start
    telegraph = camera.telegraph_dark_mask | camera.telegraph_read_mask
    judges = [
        Series(
            darks=sorted(folder.glob(f"{late.index:02d}_*"))[: len(late.darks)],
            masks={"telegraph": telegraph, "newborn": camera.newborn_mask(last, late.plan.start)},
        )
        for late in sessions[12:]
    ]
    library = [path for early in sessions[:12] for path in folder.glob(f"{early.index:02d}_*")]
    return Camera("synthetic", sorted(library), judges, camera.settings.full_scale_adu)


def real_darks(data: Path, _folder: Path) -> Camera:
    """Part the ASI178MC's darks by exposure; 30 and 70 s judge. Its 14 bits fill 16."""
    library, judges = [], {30.0: [], 70.0: []}
    for path in find_frame_paths([data / "asi178mc"]):
        judges.get(read_acquisition(path).exposure_s, library).append(path)
    series = [Series(darks, masks={}) for darks in judges.values()]
    return Camera("asi178mc", library, series, 65_535)


def measure(camera: Camera, folder: Path) -> dict[str, object]:
    """Learn, train and judge."""
    learned = learn_files(camera.library, folder / "camera.solodark")
    model = load_model(learned.model_path)
    coarse = partial(eight_bits, full_scale_adu=camera.full_scale_adu)
    small = coarse_files(camera.library, folder / "eight_bits", coarse)
    trained = {
        "pix2pix, 8 bits": train_files(small, folder / "coarse.solodark", settings=PAPER),
        "pix2pix, 16 bits": train_files(camera.library, folder / "p.solodark", settings=PAPER),
        "sensor": train_files(camera.library, folder / "sensor.solodark", settings=SENSOR),
    }
    made = {name: row_of(summary, model) for name, summary in trained.items()}
    rows = {
        "one sub": one_sub,
        "no pattern": lambda sub: np.full_like(sub.data, np.median(sub.data)),
        **made,
        "pix2pix, 8 bits": lambda sub: coarse(
            made["pix2pix, 8 bits"](replace(sub, data=coarse(sub.data)))
        ),
        "dark model": model_rows(model)["solodark"],
        "mean of 3 subs": MeanOfSubs(3),
    }
    result = judge(camera, model, rows, trained)
    result["learn_seconds"] = round(learned.seconds, 1)
    print(json.dumps(result, indent=1), flush=True)
    return result


def row_of(summary: TrainSummary, model: DarkModel) -> AnyEstimator:
    """Wake a network."""
    (row,) = network_rows(load_network(summary.network_path), model).values()
    return row


def judge(
    camera: Camera,
    model: DarkModel,
    rows: Mapping[str, AnyEstimator],
    trained: Mapping[str, TrainSummary],
) -> dict[str, object]:
    """Play every held-out sub through every row."""
    sums = [
        measure_series(
            [read_frame(path) for path in series.darks],
            rows,
            level_map=predict(model, strongest_state(model)).pattern,
            masks={"telegraph": model.pixels.excess > 4.0} | series.masks,
            session=str(number),
        )
        for number, series in enumerate(camera.judges)
    ]
    table = tabulate(sums, rng=np.random.default_rng(1))
    return {
        "camera": camera.name,
        "library_frames": len(camera.library),
        "judged_on_subs": table.n_subs,
        "pixels": {
            name: sum(int(measured.n_pixels[i]) for measured in sums)
            for i, name in enumerate(stratum.name for stratum in STRATA)
            if name in SHOWN
        },
        "rows": [
            {
                "name": row.name,
                "equivalent_subs": {
                    name: round(cell.equivalent_subs, 2)
                    for name in SHOWN
                    if (cell := row.cells[name]) is not None
                },
                "interval_95_winsorised": np.round(row.cells["winsorised"].interval_95, 2).tolist(),
                **training_of(trained.get(row.name)),
            }
            for row in table.rows
        ],
    }


def training_of(summary: TrainSummary | None) -> dict[str, object]:
    """Say what a row's training took."""
    if summary is None:
        return {}
    return {
        "train_seconds": round(summary.seconds, 1),
        "darks": summary.n_training,
        "epochs": summary.epochs,
        "best_epoch": summary.best_epoch,
    }


def eight_bits(image: np.ndarray, *, full_scale_adu: float) -> np.ndarray:
    """Keep the 256 levels that a picture of 8 bits has for a camera's full scale."""
    step = full_scale_adu / 255
    return (np.rint(np.clip(image, 0, full_scale_adu) / step) * step).astype(np.float32)


def coarse_files(
    paths: Sequence[Path], folder: Path, coarse: Callable[[np.ndarray], np.ndarray]
) -> list[Path]:
    """Write the darks as the paper's step through 8-bit pictures leaves them."""
    folder.mkdir()
    written = []
    for number, path in enumerate(paths):
        frame = read_frame(path)
        if frame.acquisition.kind is FrameKind.DARK:
            written.append(folder / f"{number:03d}.fits")
            write_frame(
                written[-1], Frame(coarse(frame.data), frame.acquisition), pixel_type="uint16"
            )
    return written


if __name__ == "__main__":
    main()
