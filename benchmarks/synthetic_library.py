"""What the dark model is worth where the truth is known: years of darks at three ISOs.

A synthetic uncooled camera takes its darks for two years, each session at one of three ISOs and one
of five exposures; the model learns from the earlier sessions and is judged on subs of the last
ones, pixel by pixel, against what endlessly many darks of that night would show. One sub is worth 1
in every class by definition. Beside it stands an oracle, which is told what no one can know: the
true states, the true noise of every pixel, and of every telegraph pixel its levels, its dwell times
and where it stood in the sub. It knows of no births, so newborn pixels are left out beside it.

The truth of a telegraph pixel is what it showed on average over that night: the dark of the lights
that were taken then.

    python benchmarks/synthetic_library.py --output benchmarks/results/synthetic_library.json
"""

import argparse
import json
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from machine import describe_machine
from oracle import Oracle, circumstances
from solodark.dark_model import DarkModel, LearnSettings, generate, learn
from solodark.frames import cfa_planes
from solodark.synthetic import (
    SyntheticCamera,
    SyntheticExposure,
    SyntheticSession,
    expose_library,
    make_camera,
)

CLIP_SIGMA = 10.0


def main() -> None:
    """Take the darks, learn, judge, write."""
    options = parse_options()
    rng = np.random.default_rng(options.seed)
    camera = make_camera(rng, shape=tuple(options.shape))
    sessions = list(
        expose_library(
            camera, rng, n_sessions=options.sessions, subs_per_session=options.subs, years=2.0
        )
    )
    library, held_out = sessions[: -options.held_out], sessions[-options.held_out :]
    frames = [shot.frame for s in library for shot in (*s.darks, *s.biases)]
    began = time.perf_counter()
    model = learn(frames, rng=np.random.default_rng(1), settings=LearnSettings())
    learned_s = time.perf_counter() - began
    print(f"learned {len(frames)} frames, rank {model.rank}, {learned_s:.0f} s", flush=True)
    result = {
        "what": __doc__.splitlines()[0],
        "command": "python benchmarks/synthetic_library.py "
        f"--shape {options.shape[0]} {options.shape[1]} --sessions {options.sessions} "
        f"--subs {options.subs} --held-out {options.held_out} --seed {options.seed}",
        "machine": describe_machine(),
        "library": {
            "darks": sum(len(s.darks) for s in library),
            "biases": sum(len(s.biases) for s in library),
            "isos": [str(setting) for setting in model.settings],
            "rank": model.rank,
            "evidence": model.evidence,
            "learn_s": round(learned_s, 1),
            "gain_e_per_adu": np.round(model.gain_e_per_adu, 3).tolist(),
            "true_gain_e_per_adu": [
                camera.settings.mode(setting.iso).gain_e_per_adu for setting in model.settings
            ],
        },
        **judge(camera, model, library, held_out, options.oracle),
    }
    print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1))
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=2, default=(256, 384))
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--subs", type=int, default=18)
    parser.add_argument("--held-out", type=int, default=12)
    parser.add_argument("--subs-judged", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--oracle", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def judge(
    camera: SyntheticCamera,
    model: DarkModel,
    library: Sequence[SyntheticSession],
    held_out: Sequence[SyntheticSession],
    with_oracle: bool,
) -> dict[str, object]:
    """Compare model and oracle with the truth of every held-out session."""
    last = library[-1].darks[-1].frame.acquisition.date_obs
    classes = pixel_classes(camera)
    oracle = Oracle(camera, library, classes) if with_oracle else None
    sums = Sums(classes)
    newborn_seen = newborn_all = 0
    for session in held_out:
        hops = telegraph_of_night(camera, session)
        sigma = robust_sigma(session)
        for shot in session.darks[:: max(1, len(session.darks) // 3)]:
            truth = camera.expected_for(shot) + hops
            noise = own_noise(camera, shot)
            master = generate(model, shot.frame)
            error = above_truth(camera, master.data, truth, classes["ordinary"])
            sub_error = above_truth(camera, shot.frame.data, truth, classes["ordinary"])
            sums.add("one sub", sub_error, sigma)
            sums.add("model", error, sigma)
            sums.add_uncertainty(error / master.uncertainty)
            if oracle:
                estimate = oracle.estimate(shot, session.darks)
                sums.add("oracle", above_truth(camera, estimate, truth, classes["ordinary"]), sigma)
            born = classes["newborn"] & (truth - unborn(camera, shot, last) > 10.0 * noise)
            newborn_all += int(born.sum())
            newborn_seen += int((np.abs(error) < 3.0 * noise)[born].sum())
    return {
        **sums.result(),
        "newborn within 3 sigma of a sub": round(newborn_seen / max(1, newborn_all), 4),
        "newborn pixels judged": newborn_all,
    }


def pixel_classes(camera: SyntheticCamera) -> dict[str, np.ndarray]:
    """Give the true classes: telegraph, newborn since the library, hot, ordinary."""
    telegraph = np.zeros(camera.shape, bool)
    telegraph.flat[camera.telegraph_dark.index] = True
    telegraph.flat[camera.telegraph_read.index] = True
    newborn = np.zeros(camera.shape, bool)
    newborn.flat[camera.newborn.index] = True
    hot = camera.hot_mask & ~telegraph & ~newborn
    ordinary = ~(telegraph | newborn | hot | camera.offset_hot_mask)
    every = np.ones(camera.shape, bool)
    return {
        "all": every,
        "all but newborn": ~newborn,
        "ordinary": ordinary,
        "hot": hot,
        "telegraph": telegraph,
        "hot and telegraph": hot | telegraph,
        "newborn": newborn,
    }


def telegraph_of_night(camera: SyntheticCamera, session: SyntheticSession) -> np.ndarray:
    """Give what telegraph pixels showed on average that night beyond their long-run mean."""
    hops = [
        camera.expected_for(shot, frozen_telegraph=True) - camera.expected_for(shot)
        for shot in session.darks
    ]
    return np.mean(hops, axis=0, dtype=np.float64)


def unborn(camera: SyntheticCamera, shot: SyntheticExposure, last: datetime) -> np.ndarray:
    """Give the dark of a shot, had no hot pixel been born since the library, ADU."""
    return camera.expected_dark_adu(**circumstances(shot) | {"date": last})


def own_noise(camera: SyntheticCamera, shot: SyntheticExposure) -> np.ndarray:
    """Give the true noise of every pixel of a shot, ADU."""
    return np.sqrt(camera.noise_variance_adu(**circumstances(shot)))


def robust_sigma(session: SyntheticSession) -> float:
    """Give the noise of an ordinary pixel of one sub, ADU."""
    a, b = (shot.frame.data[::2, ::2].astype(np.float64) for shot in session.darks[:2])
    difference = a - b
    return float(1.4826 * np.median(np.abs(difference - np.median(difference))) / np.sqrt(2.0))


def above_truth(
    camera: SyntheticCamera, image: np.ndarray, truth: np.ndarray, ordinary: np.ndarray
) -> np.ndarray:
    """Give the error of an estimate with the level of each CFA plane removed."""
    error = image.astype(np.float64) - truth
    for plane in cfa_planes(camera.cfa_pattern):
        inside = error[plane][ordinary[plane]]
        bound = 5.0 * np.median(np.abs(inside - np.median(inside)))
        near = inside[np.abs(inside - np.median(inside)) <= max(bound, 1e-6)]
        error[plane] -= near.mean()
    return error


class Sums:
    """Squared errors by estimator and class."""

    def __init__(self, classes: dict[str, np.ndarray]) -> None:
        self._classes = classes
        self._squares: dict[str, dict[str, float]] = {}
        self._z2: dict[str, list[float]] = {name: [] for name in ("ordinary", "hot", "telegraph")}

    def add(self, name: str, error: np.ndarray, sigma: float) -> None:
        """Add an estimate's errors."""
        own = self._squares.setdefault(name, {})
        squares = error**2
        for stratum, where in self._classes.items():
            own[stratum] = own.get(stratum, 0.0) + float(squares[where].sum()) / sigma**2
        clipped = np.clip(error, -CLIP_SIGMA * sigma, CLIP_SIGMA * sigma) ** 2
        own["winsorised"] = own.get("winsorised", 0.0) + float(clipped.sum()) / sigma**2
        for stratum in ("all but newborn", "hot and telegraph"):
            label = f"{stratum}, winsorised"
            total = float(clipped[self._classes[stratum]].sum()) / sigma**2
            own[label] = own.get(label, 0.0) + total

    def add_uncertainty(self, z: np.ndarray) -> None:
        """Add errors in units of what the estimate says of itself."""
        for stratum, means in self._z2.items():
            values = z[self._classes[stratum]] ** 2
            means.append(float(values[values < 25.0].mean()))

    def result(self) -> dict[str, object]:
        """Give equivalent subs, efficiencies, and calibration."""
        one = self._squares["one sub"]
        worth = {
            name: {stratum: round(one[stratum] / own[stratum], 2) for stratum in own}
            for name, own in self._squares.items()
        }
        result: dict[str, object] = {
            "equivalent_subs": worth,
            "error over UNCERT, rms": {
                stratum: round(float(np.sqrt(np.mean(means))), 3)
                for stratum, means in self._z2.items()
            },
        }
        if "oracle" in worth:
            result["efficiency, model over oracle"] = {
                stratum: round(worth["model"][stratum] / value, 3)
                for stratum, value in worth["oracle"].items()
                if stratum not in ("all", "winsorised", "newborn")
            }
        return result


if __name__ == "__main__":
    main()
