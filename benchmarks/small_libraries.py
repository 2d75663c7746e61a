"""Models of few frames: how good they are, and whether they take right darks for wrong ones.

Libraries of two to five series of darks, a few frames each, with or without biases, are drawn at
random from the frames of real cameras. Each is tried on darks of all series that it has not seen:
how many it refuses or doubts, and what a master is worth on a series of five frames or more. The
first few of each camera are tried on wrong subs, too::

    python benchmarks/small_libraries.py ../shared/data
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from growth import judge
from machine import describe_machine
from solodark.dark_model import DarkModel, generate, is_bias, learn
from solodark.dark_model.series import series_index
from solodark.errors import NotEnoughFramesError
from solodark.frames import Frame
from trust import summarise, try_subject
from trust_cameras import RealCamera, real_cameras
from wrong_subs import Subject

RESULTS = Path(__file__).parent / "results" / "small_libraries.json"
CAMERAS = ("asi178mc", "sbig")
LIBRARIES, SPOILT = 20, 3  # of each camera, and those that are tried on wrong subs
LEAST_S, LEAST_SUBS = 5.0, 5  # of a series that masters are judged on
Series = list[Frame]


def main() -> None:
    """Draw, learn, try, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real frames")
    parser.add_argument("--only", default="", help="cameras whose name holds this text")
    arguments = parser.parse_args()
    trials, libraries = [], []
    for camera in real_cameras(arguments.data, CAMERAS):
        if arguments.only in camera.name:
            tried, described = try_camera(camera)
            trials += tried
            libraries += described
    result = {"command": "python benchmarks/small_libraries.py ../shared/data"}
    result |= {"machine": describe_machine(), "libraries": libraries, "worth": worth(libraries)}
    result |= summarise(trials)
    print(json.dumps(result["worth"], indent=1))
    if not arguments.only:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def try_camera(camera: RealCamera) -> tuple[list[dict], list[dict]]:
    """Try the libraries of one camera; give the trials of subs, and what each library was."""
    rng, series = np.random.default_rng(1), by_series(camera.darks)
    reference = learn(camera.darks, rng=np.random.default_rng(1))
    trials, described = [], []
    while len(described) < LIBRARIES:
        known = draw(series, rng)
        try:
            model = learn([f for own in known for f in own], rng=np.random.default_rng(1))
        except NotEnoughFramesError:
            continue
        unseen = [own for own in series if not any(own[0] is one[0] for one in known)]
        darks = [own for own in unseen if not is_bias(own[0])]
        n = len(described)
        subject = Subject(
            f"{camera.name}, library {n + 1}",
            model,
            tuple(own[-1] for own in darks),
            strangers=camera.strangers,
            other_cameras=camera.others,
            lights=camera.lights,
            flats=camera.flats,
            spoilt=n < SPOILT,
        )
        trials += try_subject(subject, "")
        described.append(describe(subject.name, known, model) | value(model, darks, reference))
        print(described[-1], flush=True)
    return trials, described


def by_series(frames: Sequence[Frame]) -> list[Series]:
    """Sort frames by series."""
    series = series_index(frames)
    return [[frames[k] for k in np.flatnonzero(series == s)] for s in range(series.max() + 1)]


def draw(series: Sequence[Series], rng: np.random.Generator) -> list[Series]:
    """Draw a small library: a few frames each of a few series, and in six of ten some biases."""
    darks = [own for own in series if not is_bias(own[0])]
    biases = [own for own in series if is_bias(own[0])]
    chosen = [darks[k] for k in rng.choice(len(darks), int(rng.integers(2, 6)), replace=False)]
    if rng.random() < 0.6:
        chosen.append(biases[int(rng.integers(len(biases)))])
    most = int(rng.choice([1, 2, 3, 5]))
    return [own[:most] for own in chosen]


def describe(name: str, known: Sequence[Series], model: DarkModel) -> dict[str, object]:
    """Tell what a library holds."""
    taken = [(own[0].acquisition, len(own)) for own in known]
    return {
        "library": name,
        "series": [[t.exposure_s, t.sensor_temperature_c, n] for t, n in taken],
        "rank": model.rank,
    }


def value(model: DarkModel, darks: Sequence[Series], reference: DarkModel) -> dict[str, object]:
    """Judge masters on the first unseen series that is long enough; nothing where there is none."""
    for own in darks:
        if len(own) >= LEAST_SUBS and own[0].acquisition.exposure_s >= LEAST_S:
            subs = own[:LEAST_SUBS]
            return {
                "held_out_s": own[0].acquisition.exposure_s,
                "equivalent_subs": judge(subs, model, reference),
                "error_over_uncertainty": calibration(model, subs),
            }
    return {}


def calibration(model: DarkModel, subs: Sequence[Frame]) -> float:
    """Error of masters in units of what they say of it, rms over the surest 99 % of the pixels.

    The error is measured as the product of its two differences from the means of other subs, whose
    noises are independent.
    """
    squares = []
    for k, sub in enumerate(subs):
        others = [other.data.astype(np.float64) for i, other in enumerate(subs) if i != k]
        master = generate(model, sub, force=True)
        variance = master.uncertainty.astype(np.float64) ** 2
        sure = variance < np.quantile(variance, 0.99)
        errors = [master.data - np.mean(half, axis=0) for half in (others[::2], others[1::2])]
        one, other = (error - np.median(error[sure]) for error in errors)
        product = (one * other / variance)[sure]
        # A telegraph pixel that hopped since says nothing of all others.
        usual = np.abs(product) < np.quantile(np.abs(product), 0.9995)
        squares.append(product[usual].mean())
    return round(float(np.sqrt(max(np.mean(squares), 0.0))), 2)


def worth(libraries: Sequence[dict]) -> dict[str, object]:
    """Sum up what masters of small libraries are worth."""
    judged = [one for one in libraries if "equivalent_subs" in one]
    names = judged[0]["equivalent_subs"]
    spread = {
        name: np.percentile([one["equivalent_subs"][name] for one in judged], (0, 50, 100))
        for name in names
    }
    ratios = np.percentile([one["error_over_uncertainty"] for one in judged], (0, 50, 100))
    return {
        "judged": len(judged),
        "rank": dict(Counter(one["rank"] for one in judged)),
        "equivalent_subs, least, median, most": {k: v.round(2).tolist() for k, v in spread.items()},
        "error_over_uncertainty, least, median, most": ratios.round(2).tolist(),
    }


if __name__ == "__main__":
    main()
