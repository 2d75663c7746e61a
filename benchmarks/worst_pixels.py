"""How much of the error over all pixels sits in how few of them, on a real camera.

The mean squared error over all pixels is that of the few hottest. For the series of an STL-1001E
that are held out, each of its darks is taken as the one sub and judged by the mean of the others;
the pixels are sorted by what they add to the error, and the figure is given once more without the
worst one, three, ten and thirty. Beside it stands what the worst three showed in the series: a
pixel that hops halfway through it no estimate from one of its frames can foretell::

    python benchmarks/worst_pixels.py ../shared/data
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from machine import describe_machine
from real_darks import ROWS, HeldOut
from solodark.dark_model import generate
from solodark.formats import find_frame_paths, read_acquisition, read_frame
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
    held_out = [
        path
        for path in find_frame_paths([data / row.folder])
        if read_acquisition(path).exposure_s == row.exposure_s
    ]
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
    order = np.argsort(ours)[::-1]
    figures = {
        str(k): round(float(one_sub[order[k:]].sum() / ours[order[k:]].sum()), 2) for k in WITHOUT
    }
    shares = {str(k): round(float(ours[order[:k]].sum() / ours.sum()), 3) for k in WITHOUT if k}
    worst = [
        {
            "row, column": [int(place) for place in np.unravel_index(order[i], values.shape[1:])],
            "share of the error": round(float(ours[order[i]] / ours.sum()), 3),
            "held-out subs, ADU": values.reshape(n, -1)[:, order[i]].round().astype(int).tolist(),
        }
        for i in range(SHOWN)
    ]
    print(row.name, figures, shares, *worst, sep="\n  ", flush=True)
    return {
        "name": row.name,
        "pixels": values[0].size,
        "equivalent subs, all pixels but so many of the worst": figures,
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
