"""How good the dark model is on real cameras: equivalent subs on darks it has never seen.

Each row learns a model without one series, then judges it on that series beside every rival::

    python benchmarks/real_darks.py ../shared/data

Every figure is an interval's centre; the floors are those of a 60-line prototype. The prototype
divided by the variance of one sub over all pixels, hot ones included, in the winsorised column too;
that figure stands beside the strict one, in which numerator and denominator are clipped alike.

Efficiency on ordinary pixels stands beside two bounds: the Cramer-Rao bound of the linear model as
it was learned (above 1 where the learned spread of the pixels is wider than the sensor's), and the
best linear estimate of ``benchmarks/linear_bound.py``, which takes from the sensor itself what no
model of few maps explains.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from linear_bound import best_linear_error, ordinary_pixels
from machine import describe_machine
from solodark.dark_model import DarkModel, solve
from solodark.formats import find_frame_paths, open_frame, read_acquisition
from solodark.workflows.evaluate import evaluate_files
from solodark.workflows.learn import learn_files
from solodark.workflows.model_files import load_model

RESULTS = Path(__file__).parent / "results" / "real_darks.json"
STRATA = ("all", "winsorised", "ordinary")


@dataclass(frozen=True)
class HeldOut:
    """One row: what is learned from, what is held out, and what a prototype reached."""

    name: str
    folders: tuple[str, ...]
    folder: str
    exposure_s: float
    floor: tuple[float, float, float]

    def files(self, data: Path) -> list[Path]:
        """Look up the frames that are held out."""
        paths = find_frame_paths([data / self.folder])
        return [path for path in paths if read_acquisition(path).exposure_s == self.exposure_s]


SBIG = tuple(f"sbig-stl1001e/{night}" for night in ("2017_-10C", "2017_-5C", "2019_+0C"))
ROWS = (
    HeldOut("asi178mc without 10 s", ("asi178mc",), "asi178mc", 10, (8.3, 9.8, 28)),
    HeldOut("asi178mc without 30 s", ("asi178mc",), "asi178mc", 30, (8.1, 9.2, 36)),
    HeldOut("asi178mc without 70 s", ("asi178mc",), "asi178mc", 70, (10.9, 12.3, 20)),
    HeldOut("asi178mc without 100 s", ("asi178mc",), "asi178mc", 100, (4.5, 5.3, 12)),
    HeldOut("sbig without 2019, 0 C, 30 s", SBIG, "sbig-stl1001e/2019_+0C", 30, (1.6, 30, 20)),
    HeldOut("sbig without 2017, -5 C, 60 s", SBIG, "sbig-stl1001e/2017_-5C", 60, (1.9, 23, 21)),
)


def main() -> None:
    """Run every row and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real frames")
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    arguments = parser.parse_args()
    rows = [measure(row, arguments.data) for row in ROWS if arguments.only in row.name]
    if not arguments.only:
        result = {"command": "python benchmarks/real_darks.py ../shared/data"}
        result |= {"machine": describe_machine(), "rows": rows}
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def measure(row: HeldOut, data: Path) -> dict[str, object]:
    """Learn without the held-out series, and judge on it."""
    held_out = row.files(data)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "camera.solodark"
        learned = learn_files([data / folder for folder in row.folders], model, leave_out=held_out)
        size_mib = model.stat().st_size / 2**20
        summary = evaluate_files(held_out, model)
        ours = {name: summary.table.cell("solodark", name) for name in STRATA}
        known = load_model(model)
        least = least_error(known, held_out[0])
        linear = best_linear_error(
            known,
            find_frame_paths([data / folder for folder in row.folders]),
            held_out,
            ordinary_pixels(known, design_of(known, held_out[0])),
        )
    reached = [ours[name].equivalent_subs for name in STRATA]
    bound, linear_bound = (ours["ordinary"].variance_adu2 / error for error in (least, linear))
    by_prototype = ours["all"].variance_adu2 / ours["winsorised"].error_adu2
    print(
        f"{row.name}: " + " / ".join(f"{value:.1f}" for value in reached)
        + f" (winsorised as the prototype counted {by_prototype:.1f}); floor "
        + " / ".join(f"{value:g}" for value in row.floor)
        + f"; {reached[2] / bound:.0%} of the bound on ordinary pixels"
        + f", {reached[2] / linear_bound:.0%} of the best linear estimate"
        + f"; rank {learned.rank}, {learned.seconds:.0f} s",
        flush=True,
    )  # fmt: skip
    return {
        "name": row.name,
        "floor": dict(zip(STRATA, row.floor, strict=True)),
        "reached": dict(zip(STRATA, reached, strict=True)),
        "winsorised_as_the_prototype_counted": by_prototype,
        "bound_on_ordinary_pixels": round(bound, 1),
        "efficiency_on_ordinary_pixels": round(reached[2] / bound, 3),
        "best_linear_on_ordinary_pixels": round(linear_bound, 1),
        "efficiency_over_the_best_linear": round(reached[2] / linear_bound, 3),
        "clears_the_floor": all(a >= b for a, b in zip(reached, row.floor, strict=True)),
        "library_frames": learned.n_frames,
        "rank": learned.rank,
        "settings": [asdict(setting) for setting in learned.settings],
        "learn_seconds": round(learned.seconds, 1),
        "model_mib": round(size_mib, 1),
        "table": summary.table.to_dict(),
    }


def design_of(model: DarkModel, sub: Path) -> np.ndarray:
    """Factors of the maps in a sub."""
    with open_frame(sub) as frame:
        solved = solve(model, frame)
    return model.design(solved.state, solved.setting)


def least_error(model: DarkModel, sub: Path) -> float:
    """Give the squared error, ADU^2, that no estimate from that library and that sub can beat.

    The Cramer-Rao bound of the linear model, its states and noise taken as known, under the learned
    spread of the pixels (van Trees 1968): a prediction errs by ``x (sum_f x_f x_f / v_f +
    precision)^-1 x``, a sub by its noise; averaged over the lower 97 % of the random sample.
    """
    with open_frame(sub) as frame:
        solved = solve(model, frame)
    library = model.library
    designs = [model.design(*pair) for pair in zip(library.states, library.setting, strict=True)]
    normal = sum(np.outer(x, x) / v for x, v in zip(designs, model.law.frame_variance, strict=True))
    x = model.design(solved.state, solved.setting)
    errors = np.array([x @ np.linalg.inv(normal + p) @ x for p in model.prior.precisions])
    places = model.sample[: model.sample_random].T
    level = np.einsum("d,dn->n", x, model.pixels.maps[:, *places])
    ordinary = level <= np.quantile(level, 0.97)
    error = errors[model.pixels.component[tuple(places)][ordinary]]
    return float(np.mean(1.0 / (1.0 / error + 1.0 / solved.frame_variance)))


if __name__ == "__main__":
    main()
