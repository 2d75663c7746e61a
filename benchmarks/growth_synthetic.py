"""A model that grows night by night, beside one that has seen all frames at once.

The synthetic uncooled camera of `synthetic_library`, with telegraph pixels, births and three ISOs.
A model is learned from the earlier sessions and grows by the later ones: by all of them at once,
and in four steps. Both are judged on sessions that came after, against the truth, beside a model
learned from all frames. What counts is the ratio of equivalent subs, grown over all at once::

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

    def worth(model: DarkModel) -> dict[str, float]:  # numpydoc ignore=GL08
        judged = judge(camera, model, library, held_out, with_oracle=False)
        return judged["equivalent_subs"]["model"]

    first = learn(frames_of(library[:FIRST]), rng=np.random.default_rng(1))
    together = learn(frames_of(library), rng=np.random.default_rng(1))
    at_once = grow(first, frames_of(library[FIRST:]))
    stepwise = first
    for k in range(FIRST, len(library), LATER // STEPS):
        stepwise = grow(stepwise, frames_of(library[k : k + LATER // STEPS]))
    models = {"first": first, "in one step": at_once, "in four steps": stepwise, "all": together}
    subs = {name: worth(model) for name, model in models.items()}
    result = {
        "what": __doc__.splitlines()[0],
        "command": "python benchmarks/growth_synthetic.py",
        "machine": describe_machine(),
        "sessions": {"first": FIRST, "later": LATER, "held_out": HELD_OUT},
        "series": len(np.unique(together.library.series)),
        "means_kept": {name: len(model.pixels.residuals) for name, model in models.items()},
        "rank": {name: model.rank for name, model in models.items()},
        "equivalent_subs": subs,
        "over_all": {
            name: {k: round(v / subs["all"][k], 3) for k, v in subs[name].items()}
            for name in ("in one step", "in four steps")
        },
    }
    print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1))
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def frames_of(sessions: Sequence[SyntheticSession]) -> list[Frame]:
    """Give all darks and biases of some sessions."""
    return [shot.frame for s in sessions for shot in (*s.darks, *s.biases)]


if __name__ == "__main__":
    main()
