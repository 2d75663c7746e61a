"""How far the verdict on a sub can be trusted: wrong ones let through, right ones refused.

Wrong subs of many kinds are made from darks that the model has not seen, each with the header of a
right one; right subs are all held-out darks and biases of the real cameras, and synthetic ones::

    python benchmarks/trust.py ../shared/data

A kind that a sub's own content cannot reveal, like the flip of a frame without any pattern, is
counted as doubted or let through, with how many sigmas the fingerprint could have shown.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np

from machine import describe_machine
from solodark.dark_model import generate
from solodark.errors import WrongSubError
from solodark.frames import Frame
from trust_cameras import real_subjects, synthetic_subjects
from wrong_subs import WRONG_SUBS, Attempt, Subject

RESULTS = Path(__file__).parent / "results" / "trust.json"
WRONG_PER_SUBJECT = 5


def main() -> None:
    """Try every camera and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real frames")
    parser.add_argument("--models", type=Path, help="keep the learned models here")
    parser.add_argument("--only", default="", help="cameras whose name holds this text")
    parser.add_argument("--kind", default="", help="wrong subs whose kind holds this text")
    arguments = parser.parse_args()
    began = perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        models = arguments.models or Path(scratch)
        trials = []
        subjects = chain(
            real_subjects(arguments.data, models, arguments.only),
            synthetic_subjects(models, arguments.only),
        )
        for subject in subjects:
            trials += try_subject(subject, arguments.kind)
    result = summarise(trials)
    if not arguments.only and not arguments.kind:
        head = {"command": "python benchmarks/trust.py ../shared/data"}
        head |= {"machine": describe_machine(), "seconds": round(perf_counter() - began)}
        head |= {"models_kept_from_an_earlier_run": arguments.models is not None}
        RESULTS.write_text(json.dumps(head | result, indent=1) + "\n")


def try_subject(subject: Subject, only: str) -> list[dict[str, object]]:
    """Try all right subs of a camera, and wrong ones made from some of them."""
    trials = []
    if not only:
        trials += [trial(subject, "right", sub, ()) for sub in subject.right]
    exposed = [sub for sub in subject.right if (sub.acquisition.exposure_s or 0.0) > 1.0]
    for kind, wrong in WRONG_SUBS.items() if subject.spoilt else ():
        if only not in kind:
            continue
        rng = np.random.default_rng(len(kind))
        for n in range(WRONG_PER_SUBJECT):
            sub = exposed[n * len(exposed) // WRONG_PER_SUBJECT]
            made = wrong.make(Attempt(subject, sub, n, rng))
            if made is not None:
                trials.append(trial(subject, kind, made, wrong.words))
    print(
        subject.name,
        dict(Counter((t["kind"] == "right", t["outcome"]) for t in trials)),
        flush=True,
    )
    return trials


def trial(subject: Subject, kind: str, sub: Frame, words: Iterable[str]) -> dict[str, object]:
    """Ask for a master, and note what comes back."""
    try:
        verdict = generate(subject.model, sub).verdict
        outcome, sentence = ("doubted", "; ".join(verdict.reasons))
        if verdict.trusted:
            outcome = "let through"
    except WrongSubError as error:
        outcome, sentence = "refused", str(error)
    named = any(word in sentence for word in words)
    if (kind == "right") == (outcome == "refused") or (kind != "right" and not named):
        print(
            f"  {kind}: {outcome}: {sub.name} ({sub.acquisition.exposure_s} s): {sentence}",
            flush=True,
        )
    return {
        "camera": subject.name,
        "kind": kind,
        "sub": sub.name,
        "exposure_s": sub.acquisition.exposure_s,
        "outcome": outcome,
        "names_the_cause": named,
        "sentence": sentence.replace(sub.name, "the sub"),
    }


def summarise(trials: list[dict[str, object]]) -> dict[str, object]:
    """Count outcomes for each kind, and show every sub that was not plainly refused or trusted."""
    kinds = {}
    for kind in dict.fromkeys(t["kind"] for t in trials):
        own = [t for t in trials if t["kind"] == kind]
        counts = Counter(t["outcome"] for t in own)
        kinds[kind] = {"tried": len(own)}
        kinds[kind] |= {name: counts[name] for name in ("refused", "doubted", "let through")}
        if kind != "right":
            kinds[kind]["cause named"] = sum(bool(t["names_the_cause"]) for t in own)
        print(f"{kind:45s} {kinds[kind]}", flush=True)
    odd = [t for t in trials if (t["kind"] == "right") == (t["outcome"] == "refused")]
    misnamed = [t for t in trials if t["kind"] != "right" and not t["names_the_cause"]]
    return {
        "kinds": kinds,
        "wrong_subs_let_through": sum(
            t["kind"] != "right" and t["outcome"] == "let through" for t in trials
        ),
        "right_subs_refused": sum(
            t["kind"] == "right" and t["outcome"] == "refused" for t in trials
        ),
        "against_the_rule": odd,
        "cause_not_named": [t for t in misnamed if t not in odd],
        "doubts_about_right_subs": [
            t for t in trials if t["kind"] == "right" and t["outcome"] == "doubted"
        ],
    }


if __name__ == "__main__":
    main()
