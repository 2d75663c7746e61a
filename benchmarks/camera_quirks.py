"""What real cameras do beside the textbook, and what is left of the dark model and its verdict.

For each quirk a synthetic camera takes 18 to 24 darks of several exposures and temperatures, and
nine biases; a model is learned, and eight right subs of exposures and temperatures that it has not
seen are judged. Beside the verdicts and their sentences stands what the masters are worth, refused
ones forced: equivalent subs against the means of two halves of further darks, with the level of
each CFA plane and amplifier removed, and the error in units of UNCERT. It is a measurement, no
list of promises: what fails, fails in the table::

    python benchmarks/camera_quirks.py --output benchmarks/results/camera_quirks.json
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from machine import describe_machine
from quirky_cameras import QUIRKS, Quirk, Series, build_camera, take
from solodark.dark_model import DarkModel, LearnSettings, generate, learn
from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.master import MasterDark
from solodark.errors import SolodarkError, WrongSubError
from solodark.frames import Frame
from solodark.synthetic import SyntheticCamera

Array = NDArray[np.float64]

SHAPE = (256, 384)
SETTINGS = LearnSettings(ranks=(1, 2), n_random=8_000, n_hot=2_500, rounds=3)
DARKS, BIASES, JUDGED, TRUTH = 2, 3, 4, 24  # frames of a series
CLIP_SIGMA = 10.0
ORDINARY = 0.97
CALIBRATED = 0.9995  # of the pixels; a few rays in the truth would be all of it


def main() -> None:
    """Try every quirk and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="quirks whose name holds this text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    began = perf_counter()
    rows = {
        name: measure(name, quirk, options.seed)
        for name, quirk in QUIRKS.items()
        if options.only in name
    }
    result = {
        "what": __doc__.splitlines()[0],
        "command": f"python benchmarks/camera_quirks.py --seed {options.seed}",
        "machine": describe_machine(),
        "seconds": round(perf_counter() - began),
        "shape": SHAPE,
        "quirks": rows,
    }
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(name: str, quirk: Quirk, seed: int) -> dict[str, object]:
    """Learn the camera, and judge eight right subs of it."""
    camera = build_camera(quirk, SHAPE, seed)
    library = [frame for series in plan(quirk) for frame in take(quirk, camera, series, seed)]
    row: dict[str, object] = {"library": len(library)}
    try:
        model = learn(library, rng=np.random.default_rng(seed), settings=SETTINGS)
    except SolodarkError as error:
        row["not learned"] = str(error)
    else:
        row |= {"rank": model.rank} | judge(quirk, camera, model, seed)
    print(f"{name:42s} {json.dumps(row)}", flush=True)
    return row


def plan(quirk: Quirk) -> Iterator[Series]:
    """Give the library's series, one a week."""
    day = 0
    for temperature_c in quirk.temperatures_c:
        for exposure_s in (*quirk.exposures_s, None):
            n = DARKS if exposure_s else BIASES
            yield Series(exposure_s or 0.0, temperature_c, n, day, is_bias=exposure_s is None)
            day += 7


def judge(quirk: Quirk, camera: SyntheticCamera, model: DarkModel, seed: int) -> dict[str, object]:
    """Ask for the masters of all held-out subs."""
    outcomes: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    figures = []
    for k, (exposure_s, temperature_c) in enumerate(quirk.held_out):
        series = Series(exposure_s, temperature_c, JUDGED + TRUTH, 200 + 7 * k)
        frames = take(quirk, camera, series, seed)
        truth = Truth.of(frames[JUDGED:], quirk, camera.cfa_pattern)
        for sub in frames[:JUDGED]:
            outcome, said, master = ask(model, sub)
            outcomes[outcome] += 1
            sentences.update(said)
            if master is not None:
                figures.append(truth.figures(master))
    names = ("trusted", "doubted", "refused")
    return {
        **{name: outcomes[name] for name in names},
        "sentences": dict(sentences),
        "masters": len(figures),
        **{key: round(float(np.median([f[key] for f in figures])), 2) for key in _keys(figures)},
    }


def _keys(figures: Sequence[dict[str, float]]) -> Sequence[str]:
    return list(figures[0]) if figures else []


def ask(model: DarkModel, sub: Frame) -> tuple[str, list[str], MasterDark | None]:
    """Give the outcome, its sentences without the sub's name and figures, and the master."""
    try:
        master = generate(model, sub)
    except WrongSubError as error:
        said = [_shape_of(str(error), sub.name)]
        try:
            return "refused", said, generate(model, sub, force=True)
        except WrongSubError:
            return "refused", said, None
    if master.verdict.trusted:
        return "trusted", [], master
    return "doubted", [_shape_of(reason, sub.name) for reason in master.verdict.reasons], master


def _shape_of(sentence: str, name: str) -> str:
    """Make sentences that differ in figures only one and the same."""
    first = sentence.replace(name, "the sub").split(". If it is")[0]
    return re.sub(r"\d+(\.\d+)?", "#", first)


@dataclass(frozen=True, eq=False)
class Truth:
    """Means of two halves of the darks that the master stands for, and their noise."""

    halves: tuple[Array, Array]
    difference: Array
    quirk: Quirk
    cfa: str | None

    @classmethod
    def of(cls, frames: Sequence[Frame], quirk: Quirk, cfa: str | None) -> "Truth":
        """Split darks in two."""
        images = [frame.data.astype(np.float64) for frame in frames]
        halves = (np.mean(images[::2], axis=0), np.mean(images[1::2], axis=0))
        return cls(halves, images[0] - images[1], quirk, cfa)

    def figures(self, master: MasterDark) -> dict[str, float]:
        """Give equivalent subs, and the ordinary pixels' error in units of UNCERT."""
        noise = self._above_level(self.difference) / np.sqrt(2.0)
        one, other = (self._above_level(master.data - half) for half in self.halves)
        level = self._above_level(np.mean(self.halves, axis=0))
        ordinary = level <= np.quantile(level, ORDINARY)
        bound = CLIP_SIGMA * max(1.4826 * float(np.median(np.abs(noise))), 0.1 * float(noise.std()))
        clipped, near, far = (np.clip(image, -bound, bound) for image in (noise, one, other))
        uncertainty = master.uncertainty.astype(np.float64)[self.quirk.judged]
        ratios = (one * other / uncertainty**2)[ordinary]
        usual = np.abs(ratios) <= np.quantile(np.abs(ratios), CALIBRATED)
        return {
            "equivalent subs, all": _ratio(noise**2, one * other),
            "equivalent subs, winsorised": _ratio(clipped**2, near * far),
            "equivalent subs, ordinary": _ratio(noise[ordinary] ** 2, (one * other)[ordinary]),
            "error over UNCERT, rms": float(np.sqrt(max(ratios[usual].mean(), 0.0))),
        }

    def _above_level(self, image: Array) -> Array:
        """Give the judged part of an image less the level of each plane and amplifier."""
        image = image.copy()
        for plane in LevelParts(self.cfa, self.quirk.seams).slices:
            kept = np.zeros(image.shape, bool)
            kept[plane] = True
            inside = np.zeros(image.shape, bool)
            inside[self.quirk.judged] = True
            image[plane] -= _level(image[kept & inside])
        return image[self.quirk.judged]


def _level(values: Array) -> float:
    """Mean of what lies within four sigma; a median would stick to coarse steps."""
    centre, sigma = float(np.median(values)), float(values.std())
    for _ in range(8):
        near = values[np.abs(values - centre) <= 4.0 * max(sigma, 1e-9)]
        centre, sigma = float(near.mean()), float(near.std())
    return centre


def _ratio(noise2: Array, error2: Array) -> float:
    return float(noise2.mean() / max(error2.mean(), 1e-12))


if __name__ == "__main__":
    main()
