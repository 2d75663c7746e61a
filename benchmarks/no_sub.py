"""What a master dark is worth that was made without any dark.

Two synthetic cameras and a real one. After the library come nights of ten lights and eight darks;
the darks judge what the lights, or exposure and header alone, foretold. Beside them stand bounds
for what is made without any frame: the camera's own truth with every telegraph pixel at its mean in
the long run, and that truth at a temperature as wrong as this camera's headers are. Lights may pass
them: they show where hot pixels stand tonight. What lights can tell is bounded by an oracle that is
told the light in each of them, all states and noise, the telegraph pixels' levels and how they
stood in the last light, and which pixels are newborn; all it has to find are the pixels.

The real lights are those of an STL-1001E; its model learns from two of five darks, the other three
judge. Of an ASI178MC each exposure in turn is foretold from the states of the others::

    python benchmarks/no_sub.py ../shared/data
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from machine import describe_machine
from oracle import Oracle
from solodark.dark_model import (
    DarkModel,
    LearnSettings,
    generate,
    generate_for_exposure,
    generate_for_lights,
    learn,
    predict,
    solve,
)
from solodark.dark_model.dark_signal import strongest_state
from solodark.dark_model.from_lights import find_thermometer, solve_light
from solodark.dark_model.learn_law import learn_law
from solodark.evaluation import SeriesSums, measure_series, tabulate
from solodark.formats import find_frame_paths, read_frame
from solodark.frames import Frame, FrameKind
from solodark.synthetic import (
    NightPlan,
    SyntheticCamera,
    SyntheticExposure,
    expose_bias,
    expose_library,
    expose_night,
    expose_series,
    make_camera,
    make_scene,
)
from solodark.synthetic.lights import light_electrons
from synthetic_library import pixel_classes

RESULTS = Path(__file__).parent / "results" / "no_sub.json"
SHAPE = (192, 288)
STRATA = ("all", "winsorised", "ordinary", "hot", "telegraph")
START = datetime(2024, 1, 10, 21, 0, tzinfo=UTC)
UNCOOLED_NIGHTS = ((180.0, 8.0), (60.0, 12.0), (300.0, 2.0), (120.0, 16.0))
COOLED_NIGHTS = ((180.0, -8.0), (300.0, -15.0), (60.0, -4.0))


@dataclass(frozen=True)
class Night:
    """Lights, then darks of the same exposure, and what light freed in the former."""

    lights: list[SyntheticExposure]
    darks: list[SyntheticExposure]
    photons_e: list[np.ndarray]


def main() -> None:
    """Run both cameras and the real lights, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of real frames")
    parser.add_argument("--sessions", type=int, default=24, help="of the uncooled camera's library")
    parser.add_argument("--subs", type=int, default=9, help="darks in each of them")
    parser.add_argument("--isos", type=int, nargs="+", default=[800])
    parser.add_argument("--only-uncooled", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    result = {
        "command": " ".join(["python", *sys.argv]),
        "machine": describe_machine(),
        "floors": {"10 lights, winsorised": 40, "exposure and temperature, winsorised": 15},
        "uncooled": uncooled(options.sessions, options.subs, options.isos),
    }
    if not options.only_uncooled:
        result["cooled, mono"] = cooled()
        if options.data:
            result["real lights"] = real_lights(options.data / "mit-luxembourg-2018-10-12")
            result["real law"] = real_law(options.data / "asi178mc")
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def uncooled(n_sessions: int, subs: int, isos: Sequence[int]) -> dict[str, object]:
    """Judge the uncooled colour camera: two years of sessions, then four nights."""
    rng = np.random.default_rng(3)
    camera = make_camera(rng, shape=SHAPE)
    sessions = list(
        expose_library(camera, rng, n_sessions=n_sessions, subs_per_session=subs, isos=list(isos))
    )
    library = [shot.frame for s in sessions for shot in (*s.darks, *s.biases[:3])]
    after = sessions[-1].darks[-1].frame.acquisition.date_obs
    nights = list(take_nights(camera, rng, UNCOOLED_NIGHTS, after))
    oracle = Oracle(camera, sessions, pixel_classes(camera))
    return judge("uncooled", camera, library, nights, oracle)


def cooled() -> dict[str, object]:
    """Judge the cooled mono camera: nine series at three setpoints, then three nights."""
    rng = np.random.default_rng(4)
    camera = make_camera(rng, shape=SHAPE, cfa_pattern=None, preset="cooled_ccd")
    library: list[Frame] = []
    for k, (setpoint_c, exposure_s) in enumerate(
        (c, s) for c in (-20.0, -10.0, 0.0) for s in (30.0, 120.0, 300.0)
    ):
        shots = expose_series(
            camera,
            rng,
            n=6,
            exposure_s=exposure_s,
            ambient_temperature_c=setpoint_c,
            start=START + timedelta(days=20 * k),
        )
        library += [shot.frame for shot in shots]
    library += [
        expose_bias(
            camera, rng, temperature_c=-10.0, date=START + timedelta(days=200, seconds=3 * k)
        ).frame
        for k in range(8)
    ]
    nights = list(take_nights(camera, rng, COOLED_NIGHTS, START + timedelta(days=201)))
    return judge("cooled, mono", camera, library, nights)


def take_nights(
    camera: SyntheticCamera,
    rng: np.random.Generator,
    nights: Sequence[tuple[float, float]],
    after: datetime,
) -> Iterator[Night]:
    """Take ten lights and eight darks each night, the air steady."""
    for k, (exposure_s, ambient_c) in enumerate(nights):
        plan = NightPlan(
            n_lights=10, n_darks=8, n_flats=0, n_biases=0, exposure_s=exposure_s, cooling_c=0.0,
            ambient_temperature_c=ambient_c, start=after + timedelta(days=3 + 7 * k),
        )  # fmt: skip
        scene = make_scene(rng, shape=SHAPE)
        shots = list(expose_night(camera, scene, rng, plan))
        lights, darks = (of_kind(shots, kind) for kind in (FrameKind.LIGHT, FrameKind.DARK))
        photons_e = [
            light_electrons(camera, scene, exposure_s=exposure_s, pointing=light.truth.pointing)
            for light in lights
        ]
        yield Night(lights, darks, photons_e)


def of_kind(shots: Sequence[SyntheticExposure], kind: FrameKind) -> list[SyntheticExposure]:
    """Pick the exposures of one kind."""
    return [shot for shot in shots if shot.frame.acquisition.kind is kind]


def judge(
    name: str,
    camera: SyntheticCamera,
    library: Sequence[Frame],
    nights: Sequence[Night],
    oracle: Oracle | None = None,
) -> dict[str, object]:
    """Learn, and judge every night."""
    began = time.perf_counter()
    settings = LearnSettings(n_random=16_000, n_hot=6_000)
    model = learn(library, rng=np.random.default_rng(1), settings=settings)
    seconds = time.perf_counter() - began
    sums, states = [], []
    for number, night in enumerate(nights):
        sums.append(judge_night(camera, model, night, str(number), oracle))
        states.append(compare_states(model, [s.frame for s in night.lights],
                                     [s.frame for s in night.darks]))  # fmt: skip
    table = show(name, sums)
    return {
        "library_frames": len(library),
        "rank": model.rank,
        "learn_seconds": round(seconds, 1),
        "equivalent_subs": table,
        "error over UNCERT, rms": calibration(camera, model, nights),
        "strength of the lights over that of the darks": states,
    }


def judge_night(
    camera: SyntheticCamera, model: DarkModel, night: Night, session: str, oracle: Oracle | None
) -> SeriesSums:
    """Measure all rows on the darks of one night."""
    first = night.darks[0]
    rows = {
        "10 lights": generate_for_lights(model, [shot.frame for shot in night.lights]).data,
        "exposure and temperature": partial(from_header, model),
        "one dark": lambda sub: generate(model, sub).data,
        "bound: truth, hops at their mean": camera.expected_for(first),
        "bound: that, off by the headers' error": header_bound(camera, first),
        "bound: truth, hops as at the first dark": camera.expected_for(
            first, frozen_telegraph=True
        ),
    }
    if oracle:
        rows["bound: 10 lights, all but the pixels known"] = oracle.estimate_from_lights(
            night.lights, night.photons_e, night.darks
        )
    return measure_series(
        [shot.frame for shot in night.darks],
        rows,
        level_map=predict(model, strongest_state(model)).pattern,
        masks={"telegraph": model.pixels.excess > 4.0},
        session=session,
        rng=None,
    )


def from_header(model: DarkModel, sub: Frame) -> np.ndarray:
    """Make the dark that a header foretells."""
    taken = sub.acquisition
    return generate_for_exposure(
        model,
        taken.exposure_s or 0.0,
        temperature_c=taken.sensor_temperature_c,
        iso=taken.iso,
        gain_setting=taken.gain_setting,
    ).data


def header_bound(camera: SyntheticCamera, shot: SyntheticExposure):
    """Give the truth at a temperature that is wrong as headers are: scatter and rounding."""
    dice, settings = np.random.default_rng(6), camera.settings
    taken = shot.frame.acquisition

    def bound(_sub: Frame) -> np.ndarray:
        error_c = settings.header_scatter_c * dice.standard_normal()
        error_c += settings.header_step_c * dice.uniform(-0.5, 0.5)
        return camera.expected_dark_adu(
            exposure_s=taken.exposure_s,
            temperature_c=shot.truth.temperature_c + error_c,
            iso=taken.iso if settings.photographic else None,
            date=taken.date_obs,
        )

    return bound


def calibration(
    camera: SyntheticCamera, model: DarkModel, nights: Sequence[Night]
) -> dict[str, dict[str, float]]:
    """Error of the master over its own uncertainty, against the truth; errors clipped at 10."""
    found: dict[str, dict[str, list[float]]] = {}
    ordinary = model.pixels.component == np.argmax(model.prior.weights)
    for night in nights:
        first = night.darks[0]
        taken, truth = first.frame.acquisition, camera.expected_for(first)
        lights = [shot.frame for shot in night.lights]
        masters = {
            "10 lights": generate_for_lights(model, lights),
            "exposure and temperature": generate_for_exposure(
                model, taken.exposure_s, temperature_c=taken.sensor_temperature_c,
                iso=taken.iso, gain_setting=taken.gain_setting,
            ),
        }  # fmt: skip
        for name, master in masters.items():
            z = (master.data - truth - np.median(master.data - truth)) / master.uncertainty
            cell = found.setdefault(name, {"ordinary": [], "others": []})
            cell["ordinary"].append(float(np.mean(np.clip(z[ordinary], -10, 10) ** 2)))
            cell["others"].append(float(np.mean(np.clip(z[~ordinary], -10, 10) ** 2)))
    return {
        name: {part: round(float(np.sqrt(np.mean(squares))), 3) for part, squares in cell.items()}
        for name, cell in found.items()
    }


def compare_states(
    model: DarkModel, lights: Sequence[Frame], darks: Sequence[Frame]
) -> dict[str, float]:
    """Ratio of the mean strengths, and the scatter of single lights."""

    def strength(state: np.ndarray) -> float:
        return float(np.sqrt(state @ model.strength @ state))

    setting = solve_light(model, lights[0]).setting
    thermometer = find_thermometer(model, setting)
    from_lights = [strength(solve_light(model, light, thermometer).state) for light in lights]
    from_darks = [strength(solve(model, dark).state) for dark in darks]
    middle = float(np.mean(from_darks))
    return {
        "ratio": round(float(np.mean(from_lights)) / middle, 5),
        "scatter of lights": round(float(np.std(from_lights)) / middle, 5),
        "scatter of darks": round(float(np.std(from_darks)) / middle, 5),
    }


def show(name: str, sums: Sequence[SeriesSums]) -> dict[str, dict[str, object]]:
    """Print the table of one camera, and give it."""
    table = tabulate(sums, rng=np.random.default_rng(1))
    print(f"{name}:", ", ".join(STRATA))
    result: dict[str, dict[str, object]] = {}
    for row in table.rows:
        cells = {stratum: row.cells[stratum] for stratum in STRATA if row.cells[stratum]}
        result[row.name] = {stratum: cell.to_dict() for stratum, cell in cells.items()}
        figures = (f"{cell.equivalent_subs:.1f}" for cell in cells.values())
        print(f"  {row.name}: {' / '.join(figures)}", flush=True)
    return result


def real_lights(folder: Path) -> dict[str, object]:
    """Judge sixteen real lights by three darks of their night."""
    darks = [read_frame(path) for path in find_frame_paths(folder / "darks")]
    biases = [read_frame(path) for path in find_frame_paths(folder / "biases")]
    lights = [read_frame(path) for path in find_frame_paths(folder / "lights")]
    learned, held_out = darks[:2], darks[2:]
    model = learn([*learned, *biases], rng=np.random.default_rng(1))
    master = generate_for_lights(model, lights)
    rows = {
        f"{len(lights)} lights": master.data,
        "mean of the two darks learned from": np.mean([dark.data for dark in learned], axis=0),
        "one dark": lambda sub: generate(model, sub).data,
    }
    sums = measure_series(
        held_out,
        rows,
        level_map=predict(model, strongest_state(model)).pattern,
        session="mit-luxembourg",
        rng=None,
    )
    states = compare_states(model, lights, held_out)
    print("real lights over held-out darks:", states)
    return {
        "equivalent_subs": show("real lights", [sums]),
        "strength of the lights over that of the held-out darks": states,
    }


def real_law(folder: Path) -> list[dict[str, float]]:
    """Foretell the states of each exposure of a real camera from those of the others."""
    frames = [read_frame(path) for path in find_frame_paths(folder)]
    model = learn(frames, rng=np.random.default_rng(1))
    exposures_s = model.library.exposure_s
    rows = []
    for exposure_s in np.unique(exposures_s[exposures_s >= 1.0]):
        law = learn_law(without_exposure(model, exposure_s))
        errors, spans = [], []
        for k in np.flatnonzero(exposures_s == exposure_s):
            told, covariance = law.state(exposure_s, model.library.sensor_temperature_c[k])
            ruler = model.strength @ told
            errors.append(float(ruler @ model.library.states[k] / (ruler @ told)) - 1.0)
            spans.append(float(np.sqrt(ruler @ covariance @ ruler) / (ruler @ told)))
        rows.append(
            {
                "held out, s": float(exposure_s),
                "error, rms": round(float(np.sqrt(np.mean(np.square(errors)))), 4),
                "interval, one sigma": round(float(np.mean(spans)), 4),
            }
        )
    print("real law:", *rows, sep="\n  ")
    return rows


def without_exposure(model: DarkModel, exposure_s: float) -> DarkModel:
    """Leave the darks of one exposure out of what the law is learned from."""
    known, kept = model.library, model.library.exposure_s != exposure_s
    columns = ("exposure_s", "sensor_temperature_c", "series", "setting", "states", "taken_s")
    names = tuple(name for name, keep in zip(known.names, kept, strict=True) if keep)
    library = replace(
        known, names=names, **{column: getattr(known, column)[kept] for column in columns}
    )
    return replace(model, library=library)


if __name__ == "__main__":
    main()
