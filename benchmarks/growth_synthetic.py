"""A model that grows night by night, beside one that has seen all frames at once.

The synthetic uncooled camera of `synthetic_library`, with telegraph pixels, births and three ISOs.
A model is learned from the earlier sessions and grows by the later ones: by all of them at once,
and in four steps. Both are judged on sessions that came after, against the truth, beside a model
learned from all frames. What counts is the ratio of equivalent subs, grown over all at once. A
model learned at once depends a little on which pixels its sample holds, and a grown one holds those
of its first frames; so all are learned at once three times, with other samples::

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
SAMPLES = (1, 2, 3)


def main() -> None:
    """Take the darks, learn, grow, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    camera = make_camera(rng, shape=(256, 384))
    n_sessions = FIRST + LATER + HELD_OUT
    sessions = list(
        expose_library(camera, rng, n_sessions=n_sessions, subs_per_session=SUBS, years=2.0)
    )
    library, held_out = sessions[:-HELD_OUT], sessions[-HELD_OUT:]
    models = {**grown_models(library), **models_of_all(library)}
    judged = {
        name: judge(camera, model, library, held_out, with_oracle=False)
        for name, model in models.items()
    }
    subs = {name: told["equivalent_subs"]["model"] for name, told in judged.items()}
    result = {
        "what": __doc__.splitlines()[0],
        "command": "python benchmarks/growth_synthetic.py",
        "machine": describe_machine(),
        "sessions": {"first": FIRST, "later": LATER, "held_out": HELD_OUT},
        "means_kept": {name: len(model.pixels.residuals) for name, model in models.items()},
        "rank": {name: model.rank for name, model in models.items()},
        "equivalent_subs": subs,
        "over_mean_of_all": over_mean_of_all(subs),
    }
    print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1))
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def grown_models(library: Sequence[SyntheticSession]) -> dict[str, DarkModel]:
    """Learn the first sessions, and let the model grow by the later ones, at once and in steps."""
    first = learn(frames_of(library[:FIRST]), rng=np.random.default_rng(1))
    stepwise = first
    for k in range(FIRST, len(library), LATER // STEPS):
        stepwise = grow(stepwise, frames_of(library[k : k + LATER // STEPS]))
    at_once = grow(first, frames_of(library[FIRST:]))
    return {"first": first, "in one step": at_once, "in four steps": stepwise}


def models_of_all(library: Sequence[SyntheticSession]) -> dict[str, DarkModel]:
    """Learn all sessions at once, with several samples of the pixels."""
    frames = frames_of(library)
    return {
        f"all, sample {sample}": learn(frames, rng=np.random.default_rng(sample))
        for sample in SAMPLES
    }


def over_mean_of_all(subs: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Compare what each model is worth with the mean of those that learned all at once."""
    of_all = [worths for name, worths in subs.items() if name.startswith("all")]
    mean = {stratum: np.mean([worths[stratum] for worths in of_all]) for stratum in of_all[0]}
    return {
        name: {stratum: round(float(v / mean[stratum]), 3) for stratum, v in worths.items()}
        for name, worths in subs.items()
    }


def frames_of(sessions: Sequence[SyntheticSession]) -> list[Frame]:
    """Give all darks and biases of some sessions."""
    return [shot.frame for s in sessions for shot in (*s.darks, *s.biases)]


if __name__ == "__main__":
    main()
