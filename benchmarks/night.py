"""What each kind of dark does to a night that cools by 8 C: the paper's night, its truth known.

34 lights of 180 s of an uncooled camera, then 20 darks at the temperature that the night has
reached by then, flats and biases. The model has learned from 24 earlier nights of 12 darks.
Every seed is another camera, sky and night. All stacks share one registration; each is compared
with the stack after every light's true dark, telegraph pixels in their true levels::

    python benchmarks/night.py --seeds 10

Noise excess is ``sqrt(<noise^2 - noise of the true stack^2>)`` over the seeds: noises add as
squares. Beside it stands the noise of the difference of both stacks, which needs no subtraction of
large numbers but counts what a dark takes from the noise as well as what it adds. The residual of
hot pixels is their mean along their paths, less that in the true stack, in ADU; the root mean
square over single hot pixels stands beside it. The stars are of 5 sigma; their bias is measured
against the same stars in the true stack, so that the lights' own noise cancels.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from machine import describe_machine
from solodark.calibration import NormalisedFlat, normalised_flat
from solodark.comparison import channels_of, flatten_background, robust_noise
from solodark.comparison.contenders import Contender, each_with_its_own, one_for_all
from solodark.comparison.field import Field, flatten_sensor
from solodark.comparison.night import Compared, compare_contenders, prepare_night
from solodark.comparison.stacks import Stacked
from solodark.dark_model import LearnSettings, generate, learn
from solodark.frames import Frame, FrameKind, Master
from solodark.synthetic import (
    NightPlan,
    SyntheticCamera,
    SyntheticExposure,
    expose_library,
    expose_night,
    make_camera,
    make_scene,
)
from solodark.workflows.library_masters import combine_sources

RESULTS = Path(__file__).parent / "results" / "night.json"
SHAPE = (256, 384)
ISO = 800
SETTINGS = LearnSettings(ranks=(2, 3), n_random=12_000, n_hot=6_000)
TRUE, NONE, SUB, REAL = "true dark", "no dark", "one sub", "20 subs of the night's end"
GENERATED, EACH = "generated from one sub of the night's end", "generated for each light"

NOISE = ("excess_undithered_adu", "excess_dithered_adu")
DIFFERENCE = ("difference_undithered_adu", "difference_dithered_adu")
HOT = ("hot_mean_adu", "hot_rms_adu", "hot_median_abs_adu")
FIGURES = (*NOISE, *DIFFERENCE, *HOT)
BARS = (
    ("noise excess, for each light, over 20 subs", EACH, NOISE, 0.5),
    ("hot pixels' mean residual, for each light, over 20 subs", EACH, HOT[:1], 0.1),
    ("noise excess, from one sub, over 20 subs", GENERATED, NOISE, 1.0),
    ("hot pixels' residual, from one sub, over 20 subs", GENERATED, HOT[:2], 1.0),
)
BIAS_BAR_MAG = 0.005


@dataclass(frozen=True)
class Night:
    """A night of the camera, by kind of frame, and what is made of it."""

    camera: SyntheticCamera
    shots: dict[FrameKind, list[SyntheticExposure]]
    contenders: list[Contender]
    flat: NormalisedFlat


def main() -> None:
    """Run all seeds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="first seed; results are merged")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    old = json.loads(options.output.read_text()) if options.output.is_file() else {}
    nights = old.get("nights", {}) if options.first > 1 else {}
    for seed in range(options.first, options.first + options.seeds):
        nights[str(seed)] = run_night(seed)
        write(options.output, nights)


def write(output: Path, nights: dict[str, dict[str, dict[str, float]]]) -> None:
    """Pool the nights, judge, and write."""
    pooled = pool(list(nights.values()))
    result = {
        "what": __doc__.splitlines()[0],
        "command": f"python benchmarks/night.py --seeds {len(nights)}",
        "machine": describe_machine(),
        "sensor": f"{SHAPE[1]} x {SHAPE[0]} px, colour",
        "bars": judge(pooled),
        "pooled": pooled,
        "nights": nights,
    }
    output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result["bars"], indent=1), flush=True)


def run_night(seed: int) -> dict[str, dict[str, float]]:
    """Take a library and a night, and measure every contender."""
    night = take_night(np.random.default_rng(seed))
    lights = [shot.frame for shot in night.shots[FrameKind.LIGHT]]
    best = next(one for one in night.contenders if one.name == EACH)
    prepared = prepare_night(lights, best, rng=np.random.default_rng(seed), flat=night.flat)
    found, true = {}, None
    for one in compare_contenders(prepared, night.contenders, truth=TRUE):
        true = true or one
        found[one.name] = figures(one, true, prepared.field)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in found[one.name].items())
        print(f"{seed} {one.name}: {shown}", flush=True)
    return found


def take_night(rng: np.random.Generator) -> Night:
    """Learn a camera from its library, and take the paper's night three weeks later."""
    camera = make_camera(rng, shape=SHAPE)
    sessions = list(
        expose_library(
            camera, rng, n_sessions=24, subs_per_session=12, biases_per_session=4, isos=[ISO],
            exposures_s=(60.0, 120.0, 180.0, 300.0), years=1.5,
        )
    )  # fmt: skip
    library = [shot.frame for s in sessions for shot in (*s.darks, *s.biases)]
    model = learn(library, rng=np.random.default_rng(1), settings=SETTINGS)
    plan = NightPlan(iso=ISO, start=sessions[-1].plan.start + timedelta(days=21))
    scene = make_scene(rng, shape=SHAPE, nebula_e_per_s=0.05)
    shots: dict[FrameKind, list[SyntheticExposure]] = {kind: [] for kind in FrameKind}
    for shot in expose_night(camera, scene, rng, plan):
        shots[shot.frame.acquisition.kind].append(shot)
    darks, flats, biases = (
        [shot.frame for shot in shots[kind]]
        for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.BIAS)
    )
    real, bias = combine_sources(darks), combine_sources(biases)
    contenders = [
        Contender(TRUE, true_darks(camera, shots[FrameKind.LIGHT], real)),
        one_for_all(NONE, bias),
        one_for_all(SUB, combine_sources(darks[:1])),
        one_for_all(REAL, real),
        one_for_all(GENERATED, generate(model, darks[0])),
        each_with_its_own(EACH, model),
    ]
    flat = normalised_flat(combine_sources(flats), offset=bias)
    return Night(camera, shots, contenders, flat)


def true_darks(camera: SyntheticCamera, shots: Sequence[SyntheticExposure], like: Master):
    """Give every light the dark that it would have without any noise."""
    exact = replace(like, uncertainty=np.zeros(SHAPE, np.float32), flags=np.zeros(SHAPE, np.uint8))
    by_name = {shot.frame.name: shot for shot in shots}

    def offsets(lights: Sequence[Frame]) -> Iterator[Master]:
        for light in lights:
            yield replace(
                exact, data=camera.expected_for(by_name[light.name], frozen_telegraph=True)
            )

    return offsets


def figures(one: Compared, true: Compared, field: Field) -> dict[str, float]:
    """Give the figures of one stack beside the true one."""
    mine, theirs = one.measures, true.measures
    left = mine.trail_adu - theirs.trail_adu
    fluxes = one.beside_truth
    return {
        "excess_undithered_adu2": mine.noise_undithered_adu**2 - theirs.noise_undithered_adu**2,
        "excess_dithered_adu2": mine.noise_dithered_adu**2 - theirs.noise_dithered_adu**2,
        "noise_undithered_adu": mine.noise_undithered_adu,
        "noise_dithered_adu": mine.noise_dithered_adu,
        "difference_undithered_adu": sensor_difference(one.stacked, true.stacked, field),
        "difference_dithered_adu": stack_difference(one.stacked, true.stacked, field),
        "hot_mean_adu": float(np.nanmean(left)),
        "hot_rms_adu": float(np.sqrt(np.nanmean(left**2))),
        "hot_median_abs_adu": float(np.nanmedian(np.abs(left))),
        "trails": mine.trails.trails,
        "holes": mine.trails.holes,
        "walking_correlation": mine.walking_correlation,
        "star_bias_mag": fluxes.bias_mag,
        "star_bias_error_mag": fluxes.bias_error_mag,
        "star_scatter_mag": one.photometry.scatter_mag,
        "star_bias_to_input_mag": one.photometry.bias_mag,
        "star_bias_to_input_error_mag": one.photometry.bias_error_mag,
        "n_stars": float(fluxes.n_stars),
    }


def stack_difference(one: Stacked, true: Stacked, field: Field) -> float:
    """Robust noise of the difference of two registered stacks."""
    planes = channels_of(one.stack - true.stack)
    noises = [robust_noise(flatten_background(p, field.star_mask), field.star_mask) for p in planes]
    return float(np.sqrt(np.mean(np.square(noises))))


def sensor_difference(one: Stacked, true: Stacked, field: Field) -> float:
    """Do the same as the sensor saw it."""
    difference = one.sensor_mean - true.sensor_mean
    return robust_noise(
        flatten_sensor(difference, field.sensor_mask, field.cfa_pattern), field.sensor_mask
    )


def pool(nights: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Pool all nights: variances as means, biases weighted by their errors."""
    return {name: pool_one([night[name] for night in nights]) for name in nights[0]}


def pool_one(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Pool one contender."""
    pooled = {
        "nights": len(rows),
        "hot_mean_adu": float(np.mean([row["hot_mean_adu"] for row in rows])),
        "hot_rms_adu": root_mean([row["hot_rms_adu"] ** 2 for row in rows]),
        "hot_median_abs_adu": float(np.mean([row["hot_median_abs_adu"] for row in rows])),
        "walking_correlation": float(np.mean([row["walking_correlation"] for row in rows])),
    }
    for where in ("undithered", "dithered"):
        pooled[f"noise_{where}_adu"] = root_mean([r[f"noise_{where}_adu"] ** 2 for r in rows])
        pooled[f"excess_{where}_adu"] = root_mean([r[f"excess_{where}_adu2"] for r in rows])
        squares = [r[f"difference_{where}_adu"] ** 2 for r in rows]
        pooled[f"difference_{where}_adu"] = root_mean(squares)
    for star in ("star_bias", "star_bias_to_input"):
        pooled |= weighted(rows, star)
    return pooled


def root_mean(squares: Sequence[float]) -> float:
    """Root of a mean of squares; a mean below zero keeps its sign."""
    mean = float(np.mean(squares))
    return float(np.sign(mean) * np.sqrt(abs(mean)))


def weighted(rows: Sequence[dict[str, float]], name: str) -> dict[str, float]:
    """Pool biases by their standard errors; the truth beside itself has none."""
    errors = np.array([row[f"{name}_error_mag"] for row in rows])
    biases = np.array([row[f"{name}_mag"] for row in rows])
    if not errors.all():
        return {f"{name}_mag": float(biases.mean()), f"{name}_error_mag": 0.0}
    weights = errors**-2.0
    return {
        f"{name}_mag": float(np.average(biases, weights=weights)),
        f"{name}_error_mag": float(weights.sum() ** -0.5),
    }


def judge(pooled: dict[str, dict[str, float]]) -> dict[str, object]:
    """Hold the pooled figures against the bars."""
    ratios = {
        f"{name} over 20 subs: {figure}": round(pooled[name][figure] / pooled[REAL][figure], 3)
        for name in (EACH, GENERATED)
        for figure in FIGURES
    }
    bars: dict[str, object] = {}
    for title, name, figures_judged, bar in BARS:
        reached = max(abs(pooled[name][f] / pooled[REAL][f]) for f in figures_judged)
        bars[title] = {"reached": round(reached, 3), "bar": bar, "holds": reached <= bar}
    for name in (EACH, GENERATED, REAL):
        bias, error = (pooled[name][f"star_bias{end}_mag"] for end in ("", "_error"))
        bars[f"star bias, {name}, mag"] = {
            "reached": round(bias, 4),
            "standard error": round(error, 4),
            "bar": BIAS_BAR_MAG,
            "holds": abs(bias) < BIAS_BAR_MAG,
        }
    return {"ratios": ratios} | bars


if __name__ == "__main__":
    main()
