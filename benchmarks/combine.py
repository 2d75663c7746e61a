"""Time the winsorised mean of 20 darks of 24 megapixels: solodark, Siril and ccdproc in turn.

Every contestant is a whole process, from its start to its exit, that reads the same FITS files and
writes a master; wall and CPU seconds and peak memory are the system's own accounting of it. They
run in turn, several rounds, after one run of each that is not counted, so that all find the files
in the page cache and compiled code on the disk. The master is then compared with plain numpy in
every pixel. Siril must be installed (``siril-cli``), ccdproc too; bottleneck, if it is there, is
used by ccdproc and speeds it up.

    python benchmarks/combine.py --rounds 8 --output benchmarks/results/combine.json
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from astropy.io import fits

from machine import describe_machine
from plain_winsorized import plain_master

NX, NY, N_FRAMES = 6000, 4000, 20
SIGMA = 3.0
BAR = {"siril": 3.0, "ccdproc": 6.0}
PEAK_BAR_MIB = 2048
AGREEMENT_BAR_ADU = 1e-3
SQUARE = (0, 1, 3, 2)  # Williams's first row for four contestants

CCDPROC = """
import sys, warnings
import ccdproc, numpy as np
warnings.simplefilter("ignore")
ccdproc.combine(
    sys.argv[2:], output_file=sys.argv[1], unit="adu", method="average", dtype=np.float32,
    mem_limit={mem_limit}, sigma_clip=True, sigma_clip_low_thresh={sigma},
    sigma_clip_high_thresh={sigma}, sigma_clip_func="{centre}", sigma_clip_dev_func="std",
    overwrite_output=True,
)
"""

SIRIL = """requires 1.0.0
{bits}
setext fits
cd {folder}
stack dark_ rej w {sigma:g} {sigma:g} -nonorm -out={master}
close
"""

READING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from solodark.formats import open_frame
def read(path):
    with open_frame(path) as frame:
        for start in range(0, frame.shape[0], 200):
            frame.read_rows(start, start + 200)
with ThreadPoolExecutor(2) as threads:
    list(threads.map(read, sys.argv[1:]))
"""


@dataclass(frozen=True)
class Run:
    """What the system says of one finished process."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def main() -> None:
    """Make the frames, time the contestants, compare the results, write the figures."""
    options = parse_options()
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(dir=options.scratch) as name:
        scratch = Path(name)
        print("making frames", flush=True)
        with ProcessPoolExecutor(1) as other:  # a child's peak memory counts from its parent's
            frames = other.submit(make_frames, scratch / "frames", options.seed).result()
        contestants = make_contestants(scratch, frames, options)
        first = first_run(contestants["solodark"], scratch)
        rounds = time_in_turn(contestants, options.rounds)
        print("comparing with numpy", flush=True)
        figures = {
            "what": f"winsorised mean of {N_FRAMES} darks of {NX} x {NY} pixels, uint16 FITS",
            "command": "python benchmarks/combine.py " + " ".join(sys.argv[1:]),
            "machine": {**describe_machine(), **describe_versions(), "load_before": load},
            "contestants": describe_contestants(options),
            "seconds_and_memory": summarise(rounds),
            "first_run_with_compilation": asdict(first),
            "agreement_adu": compare(scratch, frames),
        }
    figures["bars"] = judge(figures)
    print(json.dumps(figures["bars"], indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--scratch", type=Path, help="a folder with 2 GB of room")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--ccdproc-mem-limit", type=float, default=16e9)
    parser.add_argument("--ccdproc-centre", default="mean", choices=["mean", "median"])
    parser.add_argument("--siril-bits", default="set16bits", choices=["set16bits", "set32bits"])
    return parser.parse_args()


def make_frames(folder: Path, seed: int) -> list[Path]:
    """Write darks: log-normal dark current, hot pixels, read and shot noise, cosmic rays."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    dark_signal = np.exp(rng.normal(0.0, 0.8, (NY, NX))).astype(np.float32)
    hot = rng.random((NY, NX)) < 1e-3
    dark_signal[hot] *= 20.0 + 30.0 * rng.pareto(1.2, hot.sum()).astype(np.float32)
    header = fits.Header([("IMAGETYP", "Dark Frame"), ("EXPTIME", 60.0)])
    paths = [folder / f"dark_{i:05d}.fits" for i in range(1, N_FRAMES + 1)]
    for path in paths:
        adu = 500.0 + dark_signal
        adu += rng.standard_normal((NY, NX), dtype=np.float32) * np.sqrt(25.0 + dark_signal)
        n_rays = NX * NY // 50_000
        rays = rng.integers(0, NX * NY, n_rays)
        adu.reshape(-1)[rays] += rng.exponential(2000.0, n_rays).astype(np.float32)
        pixels = np.clip(np.rint(adu), 0, 65535).astype(np.uint16)
        fits.PrimaryHDU(pixels, header).writeto(path)
    return paths


def make_contestants(
    scratch: Path, frames: Sequence[Path], options: argparse.Namespace
) -> dict[str, list[str]]:
    """Give the command line of each contestant."""
    names = [str(frame) for frame in frames]
    solodark = str(Path(sys.executable).with_name("solodark"))
    ccdproc = CCDPROC.format(
        mem_limit=options.ccdproc_mem_limit, sigma=SIGMA, centre=options.ccdproc_centre
    )
    script = scratch / "siril.ssf"
    script.write_text(
        SIRIL.format(
            bits=options.siril_bits,
            folder=frames[0].parent,
            sigma=SIGMA,
            master=scratch / "siril_master",
        ),
        encoding="utf-8",
    )
    return {
        "solodark": [solodark, "combine", *names, "-o", str(scratch / "solodark_master.fits")],
        "siril": ["siril-cli", "-s", str(script)],
        "ccdproc": [sys.executable, "-c", ccdproc, str(scratch / "ccdproc_master.fits"), *names],
        "reading": [sys.executable, "-c", READING, *names],
    }


def first_run(command: Sequence[str], scratch: Path) -> Run:
    """Run once with an empty cache of compiled code, as after installation."""
    return run(command, {**os.environ, "NUMBA_CACHE_DIR": str(scratch / "numba")})


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Run:
    """Run a process to its end and ask the system what it took."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{command[0]} failed:\n{output.read().decode(errors='replace')[-2000:]}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def time_in_turn(contestants: dict[str, list[str]], n_rounds: int) -> dict[str, list[Run]]:
    """Run all contestants once uncounted, then in turn.

    In every four rounds each contestant runs once in each place and once behind each of the
    others, since one that fills the memory slows the one behind it (a balanced Latin square,
    E. J. Williams 1949).
    """
    names = list(contestants)
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for number in range(n_rounds + 1):
        for place in SQUARE:
            name = names[(place + number) % len(names)]
            result = run(contestants[name])
            print(f"round {number} {name:9s} {result.wall_s:7.2f} s", flush=True)
            if number > 0:
                runs[name].append(result)
    return runs


def summarise(runs: dict[str, list[Run]]) -> dict[str, object]:
    """Give every round's figures, their medians, and the ratios to solodark round by round."""
    ours = runs["solodark"]
    return {
        name: {
            "wall_s": [round(r.wall_s, 3) for r in results],
            "median_wall_s": round(statistics.median(r.wall_s for r in results), 3),
            "median_cpu_s": round(statistics.median(r.cpu_s for r in results), 3),
            "peak_mib": round(max(r.peak_mib for r in results), 1),
            "times_solodark": {
                "median": round(statistics.median(ratios(results, ours)), 2),
                "least": round(min(ratios(results, ours)), 2),
            },
        }
        for name, results in runs.items()
    }


def ratios(theirs: Sequence[Run], ours: Sequence[Run]) -> list[float]:
    """Their time over ours, round by round."""
    return [a.wall_s / b.wall_s for a, b in zip(theirs, ours, strict=True)]


def judge(figures: dict[str, object]) -> dict[str, object]:
    """Set the figures beside what they have to be."""
    timed = figures["seconds_and_memory"]
    bars: dict[str, object] = {
        f"times faster than {name}": {
            "is": timed[name]["times_solodark"]["median"],
            "at least": bar,
            "met": timed[name]["times_solodark"]["median"] >= bar,
        }
        for name, bar in BAR.items()
    }
    peak = timed["solodark"]["peak_mib"]
    worst = figures["agreement_adu"]["solodark and numpy"]["largest"]
    bars["peak memory, MiB"] = {"is": peak, "below": PEAK_BAR_MIB, "met": peak < PEAK_BAR_MIB}
    bars["largest difference from numpy, ADU"] = {
        "is": worst,
        "at most": AGREEMENT_BAR_ADU,
        "met": worst <= AGREEMENT_BAR_ADU,
    }
    return bars


def describe_versions() -> dict[str, str]:
    """Give the versions of what `describe_machine` does not know."""
    siril = subprocess.run(["siril-cli", "--version"], capture_output=True, text=True, check=True)
    versions = {"siril": siril.stdout.split()[-1]}
    with suppress(PackageNotFoundError):
        versions["bottleneck"] = version("bottleneck")
    return versions


def describe_contestants(options: argparse.Namespace) -> dict[str, str]:
    """Say what each does."""
    return {
        "solodark": "solodark combine: winsorised mean; master, uncertainty, mask, flags, hashes",
        "siril": f"stack rej w {SIGMA:g} {SIGMA:g} -nonorm, {options.siril_bits}, no conversion",
        "ccdproc": f"combine, sigma clipping about the {options.ccdproc_centre} (it does not "
        f"winsorise), float32, mem_limit {options.ccdproc_mem_limit:g}",
        "reading": "reads the files with solodark's reader in two threads, and does no more",
    }


def compare(scratch: Path, frames: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Compare solodark's master with plain numpy, and with the rivals', in all pixels."""
    ours = fits.getdata(scratch / "solodark_master.fits").astype(np.float64)
    siril = fits.getdata(scratch / "siril_master.fits").astype(np.float64)
    rivals = {
        "numpy": plain_master(frames, SIGMA),
        "siril": siril * 65535.0 if siril.max() <= 1.0 else siril,
        "ccdproc": fits.getdata(scratch / "ccdproc_master.fits").astype(np.float64),
    }
    return {f"solodark and {name}": differences(ours, theirs) for name, theirs in rivals.items()}


def differences(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """Give the largest and the median difference, and how many pixels differ by more."""
    difference = np.abs(ours - theirs)
    return {
        "largest": float(difference.max()),
        "median": float(np.median(difference)),
        "pixels that differ by more than the bar": int((difference > AGREEMENT_BAR_ADU).sum()),
    }


if __name__ == "__main__":
    main()
