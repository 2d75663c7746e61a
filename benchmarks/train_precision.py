"""What training in bf16 costs in accuracy: the same networks from the same dice, in 32 bits and 16.

Small networks on a small synthetic camera, some seeds of each; a seed is also another choice of the
nights that judge. The figures are subs on nights that had no part in the training::

    python benchmarks/train_precision.py --output benchmarks/results/train_precision.json
"""

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from machine import describe_machine
from solodark.dark_model import LearnSettings
from solodark.formats import write_frame
from solodark.pix2pix import PRESETS, TrainSettings
from solodark.pix2pix.training import Device
from solodark.synthetic import expose_library, make_camera
from solodark.workflows.learn import learn_files
from solodark.workflows.train import train_files

NETWORKS = {
    "pix2pix": replace(
        PRESETS["paper"],
        cfa_planes=False,
        width=32,
        depth=3,
        crop_px=64,
        batch_size=8,
        constant_epochs=20,
        decay_epochs=20,
        learning_rate=2e-3,
    ),
    "sensor": replace(PRESETS["sensor"], width=16, crop_px=64, constant_epochs=15, decay_epochs=15),
}
PRECISIONS = ("32-true", "bf16-mixed")
FEW = LearnSettings(ranks=(1, 2), n_random=6000, n_hot=1000, rounds=3)


def main() -> None:
    """Train all, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first, second = photograph(folder)
        learn_files(first, folder / "prior.solodark", settings=FEW)
        rows = [
            measure(name, seed, folder, second)
            for name in NETWORKS
            for seed in range(1, options.seeds + 1)
        ]
    result = {
        "command": "python benchmarks/train_precision.py "
        "--output benchmarks/results/train_precision.json",
        "machine": describe_machine() | {"torch": torch.__version__},
        "settings": {name: asdict(settings) for name, settings in NETWORKS.items()},
        "rows": rows,
    }
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n")


def photograph(folder: Path) -> tuple[list[Path], list[Path]]:
    """Take darks: nights that a dark model learns from, and nights that networks learn from."""
    rng = np.random.default_rng(6)
    camera = make_camera(rng, shape=(192, 256))
    paths: list[list[Path]] = []
    for session in expose_library(camera, rng, n_sessions=20, subs_per_session=5, isos=[800]):
        night = folder / f"{session.index:02d}"
        night.mkdir()
        for i, shot in enumerate((*session.darks, *session.biases)):
            write_frame(night / f"{i:02d}.fits", shot.frame, pixel_type="uint16")
        paths.append(sorted(night.iterdir()))
    return list(chain(*paths[::2])), list(chain(*paths[1::2]))


def measure(name: str, seed: int, folder: Path, darks: list[Path]) -> dict[str, object]:
    """Train one network in each precision."""
    settings: TrainSettings = replace(NETWORKS[name], seed=seed)
    row: dict[str, object] = {"network": name, "seed": seed}
    for precision in PRECISIONS:
        summary = train_files(
            darks,
            folder / f"{name}_{seed}_{precision}.solodark",
            settings=settings,
            prior=folder / "prior.solodark" if name == "sensor" else None,
            device=Device(accelerator="cpu", precision=precision),
        )
        row[precision] = {
            "validation_subs": round(summary.validation_subs, 3),
            "test_subs": round(summary.test_subs, 3),
            "seconds": round(summary.seconds, 1),
        }
        row["dark_model_test_subs"] = round(summary.start_subs, 3) if name == "sensor" else None
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
