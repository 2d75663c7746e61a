"""How much of the error sits in how few pixels, on a real camera.

The mean squared error over all pixels is that of the few hottest; over the ordinary ones, that of
a few which cosmic rays hit or which were not ordinary for long. Of each series of an STL-1001E that
is held out, every dark is taken as the one sub and judged by the mean of the others; the pixels are
sorted by what they add to the error, and the figure is given once more without the worst one,
three, ten and thirty. Beside it stands what the worst three showed in the series: a pixel that hops
halfway through it no estimate from one of its frames can foretell::

    python benchmarks/worst_pixels.py ../shared/data
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from linear_bound import ordinary_pixels
from machine import describe_machine
from real_darks import ROWS, HeldOut, design_of
from solodark.dark_model import generate
from solodark.formats import read_frame
from solodark.workflows.learn import learn_files
from solodark.workflows.model_files import load_model

RESULTS = Path(__file__).parent / "results" / "worst_pixels.json"
WITHOUT = (0, 1, 3, 10, 30)
SHOWN = 3


def main() -> None:
    """Judge both held-out series of the SBIG camera and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real frames")
    arguments = parser.parse_args()
    rows = [measure(row, arguments.data) for row in ROWS if row.name.startswith("sbig")]
    result = {"command": "python benchmarks/worst_pixels.py ../shared/data"}
    result |= {"machine": describe_machine(), "rows": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(row: HeldOut, data: Path) -> dict[str, object]:
    """Learn without the held-out series, and sum up the error of each pixel over its subs."""
    held_out = row.files(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "camera.solodark"
        learn_files([data / folder for folder in row.folders], path, leave_out=held_out)
        model = load_model(path)
        subs = [read_frame(path) for path in held_out]
        masters = [above_level(generate(model, sub).data) for sub in subs]
    values = np.array([above_level(sub.data) for sub in subs])
    total, n = values.sum(axis=0), len(values)
    others = [(total - sub) / (n - 1) for sub in values]
    noise = values.var(axis=0, ddof=1).ravel()
    # The mean of the others is noisy itself; its variance is no error of the estimate.
    ours = squares(masters, others) - noise / (n - 1)
    one_sub = squares(values, others) - noise / (n - 1)
    ordinary = ordinary_pixels(model, design_of(model, held_out[0])).ravel()
    result: dict[str, object] = {"name": row.name}
    for name, chosen in (("all", np.ones_like(ordinary)), ("ordinary", ordinary)):
        result[name] = concentrated(ours, one_sub, values, np.flatnonzero(chosen))
    print(json.dumps(result, indent=1), flush=True)
    return result


def concentrated(
    ours: np.ndarray, one_sub: np.ndarray, values: np.ndarray, chosen: np.ndarray
) -> dict[str, object]:
    """Tell how few of some pixels hold the error, and what the worst of them showed."""
    order = chosen[np.argsort(ours[chosen])[::-1]]
    whole = ours[chosen].sum()
    figures = {
        str(k): round(float(one_sub[order[k:]].sum() / ours[order[k:]].sum()), 2) for k in WITHOUT
    }
    shares = {str(k): round(float(ours[order[:k]].sum() / whole), 3) for k in WITHOUT if k}
    series = values.reshape(len(values), -1)
    worst = [
        {
            "row, column": [int(place) for place in np.unravel_index(at, values.shape[1:])],
            "share of the error": round(float(ours[at] / whole), 3),
            "held-out subs, ADU": series[:, at].round().astype(int).tolist(),
        }
        for at in order[:SHOWN]
    ]
    return {
        "pixels": chosen.size,
        "equivalent subs, all but so many of the worst": figures,
        "share of the error in so many of the worst": shares,
        "worst": worst,
    }


def above_level(image: np.ndarray) -> np.ndarray:
    """Give an image less its median."""
    return image - np.median(image)


def squares(images: list[np.ndarray] | np.ndarray, truths: list[np.ndarray]) -> np.ndarray:
    """Give the mean squared error of each pixel."""
    pairs = zip(images, truths, strict=True)
    return np.mean(
        [(image - truth) ** 2 for image, truth in pairs], axis=0, dtype=np.float64
    ).ravel()


if __name__ == "__main__":
    main()
