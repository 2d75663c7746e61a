"""Time and memory of `solodark generate` at 24 megapixels.

Every figure is of a whole process, from its start to its exit: the model is read, the sub is
examined and solved, the master with its uncertainty, mask and flags is written. The model is
learned first, from the other frames of ``benchmarks/learn.py``, which is not timed. Before every
round another process takes and gives back as much memory: a virtual machine lends what is free to
its host, and to have it back may take longer than all of the work.

    python benchmarks/generate.py --output benchmarks/results/generate.json
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from combine import Run, run
from learn import make_frames
from machine import describe_machine
from solodark.workflows.model_files import load_model

NX, NY, N_FRAMES = 6000, 4000, 12
BAR_S, GOAL_S = 5.0, 3.0
CLAIM = "import numpy; numpy.empty(5 << 29, numpy.uint8)[::4096] = 1"


def main() -> None:
    """Learn a model, generate from its last frame several times, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, nargs=2, default=(NX, NY), metavar=("NX", "NY"))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory() as name:
        runs, model = measure(Path(name), *options.size, options.rounds)
    wall_s = round(statistics.median(r.wall_s for r in runs), 2)
    figures = {
        "what": f"solodark generate from one sub of {options.size[0]} x {options.size[1]} pixels",
        "command": "python benchmarks/generate.py " + " ".join(sys.argv[1:]),
        "machine": {**describe_machine(), "load_before": load},
        "model": model,
        "runs": [asdict(r) for r in runs],
        "median_wall_s": wall_s,
        "bars": {"at most, s": BAR_S, "goal, s": GOAL_S, "met": wall_s <= BAR_S},
    }
    print(json.dumps(figures["bars"]), wall_s)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(
    folder: Path, nx: int, ny: int, n_rounds: int
) -> tuple[list[Run], dict[str, float | int]]:
    """Time the rounds after one that is not counted; describe the model."""
    solodark = str(Path(sys.executable).with_name("solodark"))
    frames = make_frames(folder / "darks", nx, ny, N_FRAMES)
    model = folder / "camera.solodark"
    run([solodark, "learn", *frames[:-1], "-o", str(model)])
    command = [
        solodark,
        "generate",
        frames[-1],
        "-m",
        str(model),
        "-o",
        str(folder / "master.fits"),
    ]
    runs = []
    for _ in range(n_rounds + 1):
        run([sys.executable, "-c", CLAIM])
        runs.append(run(command))
    size_mib = round(model.stat().st_size / 2**20, 1)
    return runs[1:], {"n_maps": load_model(model).rank, "mib": size_mib}


if __name__ == "__main__":
    main()
