"""Faint stars after Siril's own calibration and stacking, beside solodark's, of the same lights.

The night of ``benchmarks/night.py`` with stars of 5 sigma in its raw lights. Siril calibrates,
registers and stacks them with the real master of 20 darks, and again with the master that solodark
generated from one of them; solodark stacks them with both, and with one dark for each light. The
stars are measured in all stacks by the same apertures; bright injected ones set the zero point::

    python benchmarks/night_siril.py --seeds 3
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits

import night as paper
from machine import describe_machine
from solodark.comparison import (
    channels_of,
    flatten_background,
    mask_stars,
    measure_aperture_fluxes,
    measure_stars,
    robust_noise,
    summarise_photometry,
)
from solodark.comparison.background import STAR_REACH
from solodark.comparison.contenders import Contender
from solodark.comparison.night import Night, prepare_night
from solodark.comparison.stacks import calibrate_lights, stack_calibrated
from solodark.comparison.starred_light import StarredLight
from solodark.formats import write_frame
from solodark.frames import Frame, FrameKind, FrameSource
from solodark.registration import find_stars, find_transform
from solodark.workflows.library_masters import combine_sources

RESULTS = Path(__file__).parent / "results" / "night_siril.json"
USED = (paper.REAL, paper.GENERATED, paper.EACH)
SIRIL = """requires 1.0.0
set32bits
setext fits
cd {folder}
preprocess light_ -dark=dark -flat=flat -cfa -debayer
register pp_light_
stack r_pp_light_ rej w 3 3 -norm=addscale -weighted -out={folder}/stack
close
"""


def main() -> None:
    """Run the seeds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if shutil.which("siril-cli") is None:
        parser.error("siril-cli is not installed; on Debian: apt install siril")
    nights = {str(seed): run_night(seed) for seed in range(1, options.seeds + 1)}
    names = next(iter(nights.values()))
    pooled = {
        name: paper.weighted([one[name] for one in nights.values()], "star_bias")
        | {"star_scatter_mag": mean_of(nights, name, "star_scatter_mag")}
        for name in names
    }
    result = {
        "what": __doc__.splitlines()[0],
        "command": f"python benchmarks/night_siril.py --seeds {options.seeds}",
        "machine": describe_machine(),
        "siril": siril_version(),
        "script": SIRIL.strip().splitlines(),
        "pooled": pooled,
        "nights": nights,
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(pooled, indent=1))


def mean_of(nights: dict[str, dict[str, dict[str, float]]], name: str, figure: str) -> float:
    """Give the mean of a figure over the nights."""
    return float(np.mean([night[name][figure] for night in nights.values()]))


def siril_version() -> str:
    """Give the first line that names the version."""
    done = subprocess.run(["siril-cli", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[0]


def run_night(seed: int) -> dict[str, dict[str, float]]:
    """Stack one night five ways, and measure its stars."""
    taken = paper.take_night(np.random.default_rng(seed))
    contenders = {one.name: one for one in taken.contenders}
    lights = [shot.frame for shot in taken.shots[FrameKind.LIGHT]]
    prepared = prepare_night(
        lights, contenders[paper.EACH], rng=np.random.default_rng(seed), flat=taken.flat
    )
    starred = [
        rounded(StarredLight(light, prepared.field.stars, transform, taken.flat.response))
        for light, transform in zip(prepared.lights, prepared.transforms, strict=True)
    ]
    found = {}
    for name in USED:
        calibrated = calibrate_lights(starred, contenders[name], flat=taken.flat)
        ours = stack_calibrated(calibrated, prepared.transforms).stack
        found[f"solodark, {name}"] = measure(ours, ours, prepared)
        if name != paper.EACH:
            theirs = siril_stack(starred, contenders[name], taken)
            found[f"siril, {name}"] = measure(theirs, ours, prepared)
    for name, figures in found.items():
        print(seed, name, figures, flush=True)
    return found


def rounded(light: FrameSource) -> Frame:
    """Store a light with stars as a camera does: in whole numbers, for both programs alike."""
    pixels = np.rint(light.read_rows(0, light.shape[0]))
    return Frame(pixels.astype(np.float32), light.acquisition, light.name)


def siril_stack(lights: Sequence[Frame], dark: Contender, taken: paper.Night) -> np.ndarray:
    """Let Siril calibrate, debayer, register and stack; gives its picture, (3, ny, nx)."""
    flats, biases = (
        [shot.frame for shot in taken.shots[kind]] for kind in (FrameKind.FLAT, FrameKind.BIAS)
    )
    flat = combine_sources(flats)
    flat_adu = flat.data - combine_sources(biases).data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, light in enumerate(lights, start=1):
            write_frame(folder / f"light_{number:05d}.fits", light, pixel_type="uint16")
        master = next(dark.offsets(lights))
        write_frame(folder / "dark.fits", Frame(master.data, master.acquisition))
        write_frame(folder / "flat.fits", Frame(flat_adu, flat.acquisition))
        script = folder / "night.ssf"
        script.write_text(SIRIL.format(folder=folder), encoding="utf-8")
        command = ["siril-cli", "-s", str(script)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not (folder / "stack.fits").is_file():
            raise SystemExit(done.stdout[-3000:] + done.stderr[-1000:])
        return fits.getdata(folder / "stack.fits").astype(np.float32) * np.float32(65535.0)


def measure(stack: np.ndarray, ours: np.ndarray, prepared: Night) -> dict[str, float]:
    """Measure the injected stars where the stack shows them: each program has its own reference."""
    light, reference = (np.nan_to_num(channels_of(one).mean(axis=0)) for one in (stack, ours))
    transform = find_transform(find_stars(light), find_stars(reference))
    stars = prepared.field.stars
    y, x = transform.inverse().apply(stars.y, stars.x)
    everywhere = np.zeros(light.shape, bool)
    rough = flatten_background(light, everywhere)
    found = measure_stars(rough, robust_noise(rough, everywhere))
    radius_px = stars.aperture_radius_px
    mask = mask_stars(
        light.shape, np.append(found.y, y), np.append(found.x, x), 2.0 * radius_px / STAR_REACH
    )
    fluxes = measure_aperture_fluxes(flatten_background(light, mask), y, x, radius_px)
    photometry = summarise_photometry(fluxes, stars)
    return {
        "star_bias_mag": photometry.bias_mag,
        "star_bias_error_mag": photometry.bias_error_mag,
        "star_scatter_mag": photometry.scatter_mag,
        "n_stars": photometry.n_stars,
        "beside_ours_px": transform.rms_px,
    }


if __name__ == "__main__":
    main()
