"""What learning costs beyond reading its files, and what the cost buys: the same with less of each.

The issue asks that learning takes at most three times the bare reading of its files. What cannot be
left out stands in `learn.json` as necessary. Here the rest is cut down, step by step: fewer dark
maps to try, fewer rounds, a smaller sample. Each is timed as a whole process on Rice-compressed
frames of four megapixels, which take the longest to read, and judged on two held-out series of a
real camera::

    python benchmarks/learn_ablation.py ../shared/data
"""

import argparse
import json
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from combine import run
from growth import judge
from learn import READING, make_frames
from machine import describe_machine
from real_darks import ROWS
from solodark.dark_model import LearnSettings
from solodark.formats import find_frame_paths, read_frame
from solodark.workflows.learn import learn_files
from solodark.workflows.model_files import load_model

RESULTS = Path(__file__).parent / "results" / "learn_ablation.json"
JUDGED = ("asi178mc without 10 s", "asi178mc without 30 s")
AS_IT_IS = LearnSettings()
CUTS = {
    "as it is": AS_IT_IS,
    "half the sample": LearnSettings(n_random=20_000, n_hot=8_000),
    "two rounds on the sample": LearnSettings(rounds=2),
    "two iterations of each pixel": LearnSettings(iterations=2),
    "two dark maps at most": LearnSettings(ranks=(1, 2)),
    "one dark map": LearnSettings(ranks=(1,)),
    "all of these": LearnSettings(ranks=(1,), n_random=20_000, n_hot=8_000, rounds=2, iterations=2),
}
LEARNING = """
import sys
from solodark.dark_model import LearnSettings
from solodark.workflows.learn import learn_files
learn_files(sys.argv[2:], sys.argv[1], settings={settings})
"""


def main() -> None:
    """Measure every cut and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real frames")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "darks"
        with ProcessPoolExecutor(1) as other:
            files = other.submit(make_frames, folder, 2000, 2000, 24, True).result()
        model = str(Path(name) / "camera.solodark")
        run([sys.executable, "-c", READING, *files])
        reading_s = run([sys.executable, "-c", READING, *files]).wall_s
        cases = []
        for cut, settings in CUTS.items():
            command = [
                sys.executable,
                "-c",
                LEARNING.format(settings=repr(settings)),
                model,
                *files,
            ]
            seconds = min(run(command).wall_s for _ in range(2))
            case = {"cut": cut, "settings": repr(settings), "learn_s": round(seconds, 2)}
            case |= {"times_reading": round(seconds / reading_s, 2)}
            case |= {"equivalent_subs": worth(settings, options.data)}
            print(json.dumps(case), flush=True)
            cases.append(case)
    result = {
        "what": __doc__.splitlines()[0],
        "command": "python benchmarks/learn_ablation.py ../shared/data",
        "machine": describe_machine(),
        "reading_s": round(reading_s, 2),
        "cases": cases,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def worth(settings: LearnSettings, data: Path) -> dict[str, dict[str, float]]:
    """Give the equivalent subs of real held-out series."""
    found = {}
    for row in (row for row in ROWS if row.name in JUDGED):
        held_out = row.files(data)
        every = find_frame_paths([data / folder for folder in row.folders])
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "camera.solodark"
            learn_files([file for file in every if file not in held_out], path, settings=settings)
            model = load_model(path)
        found[row.name] = judge([read_frame(file) for file in held_out], model, model)
    return found


if __name__ == "__main__":
    main()
