"""A model that grows, beside one that has seen all frames at once: equivalent subs of both.

Each row learns a model from all darks but one held-out series, then from a part of them, and lets
that one grow by the rest. All three are judged on the held-out series, and on the same pixels:
which are hot and which hop is told by the model of all darks. What counts is the ratio of
equivalent subs, grown over all at once. A model learned at once depends a little on which pixels
its sample holds, and a grown one holds those of its first frames; so all are learned at once three
times, with other samples, and their spread stands beside. A row with a rank learns the part with so
many dark maps, instead of those that the part's own frames are found worth::

    python benchmarks/growth.py ../shared/data
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from machine import describe_machine
from real_darks import ROWS, STRATA
from solodark.dark_model import DarkModel, LearnSettings, generate, learn, predict
from solodark.dark_model.dark_signal import strongest_state
from solodark.dark_model.master import TELEGRAPH_EXCESS
from solodark.evaluation import measure_series, tabulate
from solodark.formats import find_frame_paths, read_acquisition, read_frame
from solodark.frames import Frame, silent
from solodark.workflows.learn import learn_files, sort_out_darks
from solodark.workflows.model_files import load_model, open_frames

RESULTS = Path(__file__).parent / "results" / "growth.json"
OTHER_SAMPLES = (2, 3)


@dataclass(frozen=True)
class Growth:
    """A row of `real_darks`, and the exposures whose darks come later, and the rank before them."""

    row: str
    later_s: tuple[float, ...]
    rank: int | None = None

    @property
    def settings(self) -> LearnSettings | None:
        """How the part is learned."""
        return None if self.rank is None else LearnSettings(ranks=(self.rank,))


CASES = (
    Growth("asi178mc without 30 s", (50.0, 85.0)),
    Growth("asi178mc without 30 s", (1.0, 10.0, 85.0)),
    Growth("asi178mc without 70 s", (50.0, 85.0)),
    Growth("asi178mc without 70 s", (50.0, 85.0), rank=4),
    Growth("asi178mc without 10 s", (5.0, 30.0, 70.0)),
    Growth("sbig without 2019, 0 C, 30 s", (60.0,)),
)


def main() -> None:
    """Run every case and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real frames")
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    arguments = parser.parse_args()
    cases = [measure(case, arguments.data) for case in CASES if arguments.only in case.row]
    if not arguments.only:
        result = {"command": "python benchmarks/growth.py ../shared/data"}
        result |= {"machine": describe_machine(), "cases": cases}
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def measure(case: Growth, data: Path) -> dict[str, object]:
    """Learn all at once, a part, and the rest on top of it; judge each."""
    row = next(row for row in ROWS if row.name == case.row)
    held_out = row.files(data)
    files = [
        path
        for path in find_frame_paths([data / folder for folder in row.folders])
        if path not in held_out
    ]
    later = [path for path in files if exposure_s(path) in case.later_s]
    first = [path for path in files if path not in later]
    with tempfile.TemporaryDirectory() as name:
        models = [Path(name) / f"{i}.solodark" for i in range(3)]
        learned = learn_files(files, models[0])
        begun = learn_files(first, models[1], settings=case.settings)
        grown = learn_files(later, models[2], model=models[1])
        loaded = [load_model(model) for model in models]
    subs = [read_frame(path) for path in held_out]
    together, before, after = (judge(subs, model, loaded[0]) for model in loaded)
    others = [judge(subs, learn_with(files, seed), loaded[0]) for seed in OTHER_SAMPLES]
    every = {name: [one[name] for one in (together, *others)] for name in STRATA}
    result = {
        "row": case.row,
        "frames": {"first": len(first), "later": len(later)},
        "later_exposures_s": case.later_s,
        "rank": {"first": begun.rank, "grown": grown.rank, "all": learned.rank},
        "equivalent_subs": {"first": before, "grown": after, "all": together},
        "all_with_three_samples": every,
        "grown_over_all": {name: round(after[name] / together[name], 3) for name in STRATA},
        "grown_over_mean_of_all": {
            name: round(after[name] / float(np.mean(every[name])), 3) for name in STRATA
        },
        "seconds": {"all": round(learned.seconds, 1), "growing": round(grown.seconds, 1)},
    }
    print(json.dumps(result), flush=True)
    return result


def learn_with(files: Sequence[Path], seed: int) -> DarkModel:
    """Learn all darks at once, with another choice of sampled pixels."""
    darks, _ = sort_out_darks(files, (), (), silent)
    with open_frames(darks) as frames:
        return learn(frames, rng=np.random.default_rng(seed))


def exposure_s(path: Path) -> float | None:
    """Tell how long a frame was exposed."""
    return read_acquisition(path).exposure_s


def judge(subs: Sequence[Frame], model: DarkModel, reference: DarkModel) -> dict[str, float]:
    """Give the equivalent subs of each stratum, as the reference divides the pixels."""
    sums = measure_series(
        subs,
        {"solodark": lambda sub: generate(model, sub).data},
        level_map=predict(reference, strongest_state(reference)).pattern,
        masks={"telegraph": reference.pixels.excess > TELEGRAPH_EXCESS},
        session="held out",
        rng=None,
    )
    table = tabulate([sums], rng=np.random.default_rng(1))
    return {name: round(table.cell("solodark", name).equivalent_subs, 2) for name in STRATA}


if __name__ == "__main__":
    main()
