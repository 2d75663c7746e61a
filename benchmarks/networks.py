"""What networks are worth beside the dark model, on darks that none of them has seen.

Each camera's darks are parted by series: some are held out and judge everybody, the others are the
library. All networks are small and trained for minutes on a CPU: the result tells how they compare
when they are given the same little, not what the published training would reach::

    python benchmarks/networks.py --data ../shared/data --output benchmarks/results/networks.json

Rows: one sub, pix2pix with darks cut to 8 bits of full scale as in the paper, pix2pix with all 16,
the network that corrects a dark model, that dark model, the mean of some subs. The corrector is
trained on darks that its prior has not learned from, and then corrects the model of all darks.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from machine import describe_machine
from solodark.dark_model import DarkModel, predict
from solodark.evaluation import MeanOfSubs, measure_series, one_sub, tabulate
from solodark.formats import find_frame_paths, read_acquisition, read_frame, write_frame
from solodark.frames import Frame, FrameKind
from solodark.pix2pix import PRESETS
from solodark.synthetic import expose_library, make_camera
from solodark.workflows.evaluate import model_rows
from solodark.workflows.learn import learn_files, load_model
from solodark.workflows.networks import load_network, network_rows
from solodark.workflows.sensor_views import strongest_state
from solodark.workflows.train import TrainSummary, train_files

PAPER = replace(
    PRESETS["paper"],
    width=8,
    depth=4,
    crop_px=64,
    constant_epochs=15,
    decay_epochs=15,
    learning_rate=1e-3,  # five times the published one, for a hundredth of its steps
)
SENSOR = replace(
    PRESETS["sensor"], width=16, crop_px=128, batch_size=4, constant_epochs=25, decay_epochs=25
)
STRATA = ("all", "winsorised", "ordinary", "hot", "newborn", "telegraph")
FULL_SCALE = 65_535


@dataclass(frozen=True)
class Darks:
    """A camera's frames: what may be learned from, in two halves, and what judges."""

    name: str
    first: list[Path]
    second: list[Path]
    judges: list[list[Path]]


def main() -> None:
    """Train and judge on each camera, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="real frames")
    parser.add_argument("--only", default="", help="cameras whose name holds this text")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    cameras = {"synthetic": synthetic_darks, "asi178mc": partial(real_darks, options.data)}
    results = []
    for name, make in cameras.items():
        if options.only in name:
            with tempfile.TemporaryDirectory() as folder:
                results.append(measure(make(Path(folder)), Path(folder)))
    result = {
        "command": "python benchmarks/networks.py --output benchmarks/results/networks.json",
        "machine": describe_machine(),
        "device": "the CPU; there was no GPU",
        "settings": {"pix2pix": asdict(PAPER), "sensor": asdict(SENSOR)},
        "cameras": results,
    }
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n")


def synthetic_darks(folder: Path) -> Darks:
    """Take two years of darks with a synthetic uncooled camera."""
    rng = np.random.default_rng(4)
    camera = make_camera(rng, shape=(256, 384))
    sessions = expose_library(camera, rng, n_sessions=15, subs_per_session=5, isos=[800], years=2.0)
    nights = []
    for number, session in enumerate(sessions):
        shots = [*session.darks, *session.biases]
        paths = [folder / f"{number:02d}_{i:02d}.fits" for i in range(len(shots))]
        for path, shot in zip(paths, shots, strict=True):
            write_frame(path, shot.frame, pixel_type="uint16")
        nights.append(paths)
    darks = [[p for p in night if read_acquisition(p).kind is FrameKind.DARK] for night in nights]
    first, second = (list(chain(*part)) for part in (nights[:6], nights[6:12]))
    return Darks("synthetic", first, second, darks[12:])


def real_darks(data: Path, _folder: Path) -> Darks:
    """Part the ASI178MC's darks by exposure; 30 and 70 s judge."""
    series: dict[float, list[Path]] = {}
    biases = []
    for path in find_frame_paths([data / "asi178mc"]):
        exposure_s = read_acquisition(path).exposure_s or 0.0
        (series.setdefault(exposure_s, []) if exposure_s > 0.01 else biases).append(path)
    judges = [series.pop(30.0), series.pop(70.0)]
    exposures = sorted(series)
    first, second = (list(chain(*(series[s] for s in exposures[i::2]))) for i in (0, 1))
    return Darks("asi178mc", first + biases, second, judges)


def measure(darks: Darks, folder: Path) -> dict[str, object]:
    """Learn, train and judge."""
    library = darks.first + darks.second
    learned = learn_files(library, folder / "all.solodark")
    learn_files(darks.first, folder / "prior.solodark")
    model = load_model(folder / "all.solodark")
    paper = train_files(library, folder / "paper.solodark", settings=PAPER)
    small = eight_bit_files(library, folder)
    coarse = train_files(small, folder / "coarse.solodark", settings=PAPER)
    sensor = train_files(
        library, folder / "sensor.solodark", settings=SENSOR, prior=folder / "prior.solodark"
    )
    (translate,) = network_rows(load_network(coarse.network_path), None).values()
    rows = {
        "one sub": one_sub,
        "pix2pix, 8 bits": lambda sub: eight_bits(
            translate(replace(sub, data=eight_bits(sub.data)))
        ),
        "pix2pix, 16 bits": network_rows(load_network(paper.network_path), None)[
            "network, pix2pix"
        ],
        "sensor": network_rows(load_network(sensor.network_path), model)["network, sensor"],
        "dark model": model_rows(model)["solodark"],
        "mean of 3 subs": MeanOfSubs(3),
    }
    trained = {"pix2pix, 8 bits": coarse, "pix2pix, 16 bits": paper, "sensor": sensor}
    result = judge(darks, model, rows, trained)
    result["learn_seconds"] = round(learned.seconds, 1)
    print(json.dumps(result, indent=1), flush=True)
    return result


def judge(
    darks: Darks, model: DarkModel, rows: Mapping[str, object], trained: Mapping[str, TrainSummary]
) -> dict[str, object]:
    """Play every held-out sub through every row."""
    sums = [
        measure_series(
            [read_frame(path) for path in files],
            rows,
            level_map=predict(model, strongest_state(model)).pattern,
            masks={"telegraph": model.pixels.excess > 4.0},
            session=str(number),
        )
        for number, files in enumerate(darks.judges)
    ]
    table = tabulate(sums, rng=np.random.default_rng(1))
    return {
        "camera": darks.name,
        "judged_on_subs": table.n_subs,
        "rows": [
            {
                "name": row.name,
                "equivalent_subs": {
                    name: round(cell.equivalent_subs, 2)
                    for name in STRATA
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


def eight_bits(image: np.ndarray) -> np.ndarray:
    """Keep the 256 levels that a picture of 8 bits has for the full scale of 16."""
    step = FULL_SCALE / 255
    return (np.rint(np.clip(image, 0, FULL_SCALE) / step) * step).astype(np.float32)


def eight_bit_files(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write the darks as the paper's step through 8-bit pictures leaves them."""
    target = folder / "eight_bits"
    target.mkdir()
    written = []
    for number, path in enumerate(paths):
        frame = read_frame(path)
        if frame.acquisition.kind is FrameKind.DARK:
            written.append(target / f"{number:03d}.fits")
            coarse = Frame(eight_bits(frame.data), frame.acquisition)
            write_frame(written[-1], coarse, pixel_type="uint16")
    return written


if __name__ == "__main__":
    main()
