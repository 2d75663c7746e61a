"""A model that grows night by night, beside one that has seen all frames at once.

The synthetic uncooled camera of `synthetic_library`, with telegraph pixels, births and three ISOs.
A model is learned from the earlier sessions and grows by the later ones: by all of them at once,
and in four steps. Both are judged on sessions that came after, against the truth, beside a model
learned from all frames. What counts is the ratio of equivalent subs, grown over all at once.

A hundred telegraph pixels, found in one model and not in the other, decide it, and differ by
chance: hence more than one camera::

    python benchmarks/growth_synthetic.py --output benchmarks/results/growth_synthetic.json
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from machine import describe_machine
from solodark.dark_model import DarkModel, grow, learn
from solodark.frames import Frame
from solodark.synthetic import SyntheticSession, expose_library, make_camera
from synthetic_library import judge

FIRST, LATER, HELD_OUT, SUBS = 20, 12, 6, 18
STEPS = 4
GROWN = ("in one step", "in four steps")


def main() -> None:
    """Judge every camera, and write after each of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    cameras: list[dict[str, object]] = []
    for seed in options.seeds:
        cameras.append({"seed": seed} | one_camera(seed))
        seeds = " ".join(str(one["seed"]) for one in cameras)
        result = {
            "what": __doc__.splitlines()[0],
            "command": f"python benchmarks/growth_synthetic.py --seeds {seeds}",
            "machine": describe_machine(),
            "sessions": {"first": FIRST, "later": LATER, "held_out": HELD_OUT},
            "cameras": cameras,
        }
        print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1), flush=True)
        if options.output:
            options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def one_camera(seed: int) -> dict[str, object]:
    """Take the darks of a camera, learn, grow and judge."""
    rng = np.random.default_rng(seed)
    camera = make_camera(rng, shape=(256, 384))
    n_sessions = FIRST + LATER + HELD_OUT
    sessions = list(
        expose_library(camera, rng, n_sessions=n_sessions, subs_per_session=SUBS, years=2.0)
    )
    library, held_out = sessions[:-HELD_OUT], sessions[-HELD_OUT:]
    models = grown_models(library)
    subs = {
        name: judge(camera, model, library, held_out, with_oracle=False)["equivalent_subs"]["model"]
        for name, model in models.items()
    }
    return {
        "series": len(np.unique(models["all"].library.series)),
        "means_kept": {name: len(model.pixels.residuals) for name, model in models.items()},
        "rank": {name: model.rank for name, model in models.items()},
        "equivalent_subs": subs,
        "over_all": {
            name: {k: round(v / subs["all"][k], 3) for k, v in subs[name].items()} for name in GROWN
        },
    }


def grown_models(library: Sequence[SyntheticSession]) -> dict[str, DarkModel]:
    """Learn from the first sessions, grow by the later ones, and learn from all."""
    first = learn(frames_of(library[:FIRST]), rng=np.random.default_rng(1))
    stepwise = first
    for k in range(FIRST, len(library), LATER // STEPS):
        stepwise = grow(stepwise, frames_of(library[k : k + LATER // STEPS]))
    return {
        "first": first,
        "in one step": grow(first, frames_of(library[FIRST:])),
        "in four steps": stepwise,
        "all": learn(frames_of(library), rng=np.random.default_rng(1)),
    }


def frames_of(sessions: Sequence[SyntheticSession]) -> list[Frame]:
    """Give all darks and biases of some sessions."""
    return [shot.frame for s in sessions for shot in (*s.darks, *s.biases)]


if __name__ == "__main__":
    main()
