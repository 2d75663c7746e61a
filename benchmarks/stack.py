"""Time a night's calibration, registration and stacking: solodark and Siril on the same files.

34 lights of 24 megapixels that drift and turn, a master dark and a master flat. Both contestants
subtract the dark, divide by the flat, write the calibrated lights as 32-bit FITS, register by the
stars onto the first light, interpolate, normalise, reject winsorised and weigh by noise. They are
whole processes (solodark two, one after the other); wall and CPU seconds and peak memory are the
system's own accounting. Siril also writes its registered lights, since it works that way; solodark
also writes uncertainty and flags of every light, and a TIFF and a PNG of the stack. Both run once
uncounted, on few lights, so that compiled code lies on the disk.

    python benchmarks/stack.py --output benchmarks/results/stack.json
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from combine import Run, describe_versions, run
from machine import describe_machine
from solodark.frames.block_levels import difference_noise
from solodark.registration import find_stars
from solodark.synthetic import Pointing

NY, NX = 4000, 6000
N_STARS = 4000
BACKGROUND_ADU, SKY_ADU, NOISE_ADU = 500.0, 400.0, 12.0
STAR_SIGMA_PX = 1.25
TIME_BAR, PEAK_BAR_MIB = 1.0, 4096

SIRIL = """requires 1.0.0
set32bits
setext fits
cd {folder}
preprocess light_ -dark=dark -flat=flat
register pp_light_
stack r_pp_light_ rej w 3 3 -norm=addscale -weighted -out={result}
close
"""


class Night(NamedTuple):
    """What is the same in all lights."""

    star_y: np.ndarray
    star_x: np.ndarray
    star_adu: np.ndarray
    dark: np.ndarray
    flat: np.ndarray


def main() -> None:
    """Make the frames, time both, compare the stacks, write the figures."""
    options = parse_options()
    load = round(os.getloadavg()[0], 2)
    rounds = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as name, ProcessPoolExecutor(1) as other:
        frames = Path(name) / "frames"
        other.submit(make_frames, frames, options.lights, options.seed).result()
        warm_up(Path(name), other, options.seed)
        for number in range(options.rounds):
            rounds.append(
                one_round(Path(name) / f"round_{number}", frames, swapped=number % 2 == 1)
            )
            print(json.dumps(rounds[-1]["ratio"]), flush=True)
    figures = {
        "what": f"{options.lights} lights of {NX} x {NY} pixels calibrated, registered, stacked",
        "command": f"python {Path(__file__).parent.name}/{Path(__file__).name} "
        f"--lights {options.lights} --rounds {options.rounds}",
        "machine": {
            **describe_machine(),
            **describe_versions(),
            "load_before": load,
            "load_after": round(os.getloadavg()[0], 2),
        },
        "siril": SIRIL.strip().splitlines(),
        "rounds": rounds,
        "bars": judge(rounds),
    }
    print(json.dumps(figures["bars"], indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lights", type=int, default=34)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--scratch", type=Path, help="a folder with 0.6 GB of room for each light")
    parser.add_argument("--seed", type=int, default=34)
    return parser.parse_args()


def make_frames(folder: Path, n_lights: int, seed: int) -> None:
    """Write lights, master dark and master flat as 16-bit FITS."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    night = draw_night(rng)
    light_header = [("IMAGETYP", "Light Frame"), ("EXPTIME", 60.0)]
    dark_header = [("IMAGETYP", "Master Dark"), ("EXPTIME", 60.0)]
    flat_header = [("IMAGETYP", "Master Flat"), ("EXPTIME", 1.0)]
    write(folder / "dark.fits", night.dark + BACKGROUND_ADU, dark_header)
    write(folder / "flat.fits", 30_000.0 * night.flat, flat_header)
    for number in range(n_lights):
        drift = Pointing(
            dy_px=0.9 * number + float(rng.normal(0.0, 2.0)),
            dx_px=1.7 * number + float(rng.normal(0.0, 2.0)),
            rotation_rad=np.deg2rad(0.02 * number),
        )
        write(folder / f"light_{number + 1:05d}.fits", expose(rng, night, drift), light_header)


def draw_night(rng: np.random.Generator) -> Night:
    """Draw stars, dark current with hot pixels, vignetting."""
    dark = np.exp(rng.normal(0.0, 0.8, (NY, NX))).astype(np.float32)
    hot = rng.random((NY, NX)) < 1e-3
    dark[hot] *= 20.0 + 30.0 * rng.pareto(1.2, hot.sum()).astype(np.float32)
    y, x = np.ogrid[-1.0 : 1.0 : NY * 1j, -1.0 : 1.0 : NX * 1j]
    flat = (1.0 - 0.3 * (y**2 + x**2) / 2.0).astype(np.float32)
    return Night(
        rng.uniform(-200, NY + 200, N_STARS),
        rng.uniform(-200, NX + 200, N_STARS),
        10.0 ** rng.uniform(2.7, 5.3, N_STARS),
        np.minimum(dark, 30_000.0),
        flat,
    )


def expose(rng: np.random.Generator, night: Night, pointing: Pointing) -> np.ndarray:
    """Draw one light: sky and stars through the optics, dark signal, noise, cosmic rays."""
    adu = np.full((NY, NX), SKY_ADU, np.float32)
    offsets = np.arange(-8, 9)
    places = zip(*pointing.to_sensor(night.star_y, night.star_x, (NY, NX)), strict=True)
    for (star_y, star_x), light_adu in zip(places, night.star_adu, strict=True):
        y, x = round(star_y), round(star_x)
        if 8 <= y < NY - 8 and 8 <= x < NX - 8:
            rows, columns = (
                np.exp(-0.5 * ((offsets + near - place) / STAR_SIGMA_PX) ** 2)
                for near, place in ((y, star_y), (x, star_x))
            )
            peak = light_adu / (2.0 * np.pi * STAR_SIGMA_PX**2)
            adu[y - 8 : y + 9, x - 8 : x + 9] += peak * np.outer(rows, columns)
    adu = adu * night.flat + night.dark + BACKGROUND_ADU
    adu += NOISE_ADU * rng.standard_normal((NY, NX), dtype=np.float32)
    rays = rng.integers(0, NY * NX, NY * NX // 50_000)
    adu.reshape(-1)[rays] += rng.exponential(2000.0, rays.size).astype(np.float32)
    return adu


def write(path: Path, adu: np.ndarray, header: list[tuple[str, object]]) -> None:
    """Round to 16 bits and write."""
    pixels = np.clip(np.rint(adu), 0, 65535).astype(np.uint16)
    fits.PrimaryHDU(pixels, fits.Header(header)).writeto(path)


def warm_up(scratch: Path, other: ProcessPoolExecutor, seed: int) -> None:
    """Run both on three lights, uncounted."""
    other.submit(make_frames, scratch / "few", 3, seed).result()
    one_round(scratch / "warm_up", scratch / "few", swapped=False)


def one_round(scratch: Path, frames: Path, *, swapped: bool) -> dict[str, object]:
    """Run both, in one order or the other, and measure what they made."""
    scratch.mkdir()
    runs = {"solodark": run_solodark, "siril": run_siril}
    done = {}
    for name in sorted(runs, reverse=not swapped):
        with tempfile.TemporaryDirectory(dir=scratch) as own:
            done[name] = runs[name](Path(own), frames)
            print(name, json.dumps(done[name]), flush=True)
    ratio = done["solodark"]["wall_s"] / done["siril"]["wall_s"]
    return {**done, "ratio": round(ratio, 3)}


def run_solodark(scratch: Path, frames: Path) -> dict[str, object]:
    """Calibrate and stack, two processes."""
    program = str(Path(sys.executable).with_name("solodark"))
    lights = [str(path) for path in sorted(frames.glob("light_*.fits"))]
    process = scratch / "process"
    masters = ["--dark", str(frames / "dark.fits"), "--flat", str(frames / "flat.fits")]
    calibrated = run([program, "calibrate", *lights, "-o", str(process), *masters])
    first = str(process / "pp_light_00001.fits")
    picture = scratch / "stack.fits"
    stacked = run([program, "stack", str(process), "-o", str(picture), "--reference", first])
    return {
        **together(calibrated, stacked),
        "calibrate": asdict(calibrated),
        "stack": asdict(stacked),
        "picture": describe_picture(fits.getdata(picture)),
    }


def run_siril(scratch: Path, frames: Path) -> dict[str, object]:
    """Do the same in one process, on links to the same files."""
    for path in frames.iterdir():
        (scratch / path.name).symlink_to(path)
    script = scratch / "night.ssf"
    script.write_text(SIRIL.format(folder=scratch, result=scratch / "stack"), encoding="utf-8")
    done = run(["siril-cli", "-s", str(script)])
    picture = fits.getdata(scratch / "stack.fits")
    return {**together(done), "picture": describe_picture(picture * 65535.0)}


def together(*runs: Run) -> dict[str, float]:
    """Add up times, and take the highest peak."""
    return {
        "wall_s": round(sum(r.wall_s for r in runs), 2),
        "cpu_s": round(sum(r.cpu_s for r in runs), 2),
        "peak_mib": round(max(r.peak_mib for r in runs), 1),
    }


def describe_picture(picture: np.ndarray) -> dict[str, float]:
    """Measure a stack's middle: noise, width and number of stars, so that the work is alike."""
    middle = np.asarray(picture[NY // 4 : 3 * NY // 4, NX // 4 : 3 * NX // 4], np.float32)
    stars = find_stars(middle, most=2000)
    return {
        "noise_adu": round(difference_noise(middle), 3),
        "stars": len(stars),
        "fwhm_px": round(float(np.median(stars.fwhm_px)), 3),
        "star_adu": round(float(np.median(stars.flux_adu[:200])), 1),
    }


def judge(rounds: list[dict[str, object]]) -> dict[str, object]:
    """Set the figures beside what they have to be."""
    ratio = statistics.median(one["ratio"] for one in rounds)
    peak = max(one["solodark"]["peak_mib"] for one in rounds)
    return {
        "time over Siril's": {"is": round(ratio, 3), "at most": TIME_BAR, "met": ratio <= TIME_BAR},
        "peak memory, MiB": {"is": peak, "below": PEAK_BAR_MIB, "met": peak < PEAK_BAR_MIB},
    }


if __name__ == "__main__":
    main()
