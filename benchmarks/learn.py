"""Time and memory of `solodark learn`, against frames and megapixels, beside bare reading.

Every figure is of a whole process. The frames are darks of three exposures and biases on two nights
of different temperature, with the two thermal signals and the amplifier glow of a common sensor, so
that models have as many maps as those of real cameras. Bare reading opens the same files with
solodark's reader and reads every frame once, whole, which is the fastest it can do, in one thread,
after the files have been read once before. No learning can do with less than what stands beside it
as necessary: to load the code, to hash the files, and to read them twice, since every pixel is
fitted with the states of all frames known.

    python benchmarks/learn.py --output benchmarks/results/learn.json
"""

import argparse
import json
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from combine import run
from machine import describe_machine
from solodark.workflows.model_files import load_model

PLAIN, RICE = "16-bit FITS", "FITS, Rice-compressed"
CASES = (
    (1000, 1000, 12, PLAIN),
    (1000, 1000, 24, PLAIN),
    (1000, 1000, 48, PLAIN),
    (2000, 1000, 24, PLAIN),
    (2000, 2000, 24, PLAIN),
    (2000, 2000, 24, RICE),
)
LARGE = (6000, 4000, 12, PLAIN)
EXPOSURES_S = (0.001, 60.0, 180.0, 300.0)

READING = """
import sys
from solodark.formats import open_frame
for path in sys.argv[1:]:
    with open_frame(path) as frame:
        frame.read_rows(0, frame.shape[0])
"""

NECESSARY = (
    """
import sys
from solodark.workflows.learn import learn_files
from solodark.formats import file_sha256
for path in sys.argv[1:]:
    file_sha256(path)
"""
    + READING * 2
)


@dataclass(frozen=True)
class Case:
    """One library and what learning it took."""

    nx: int
    ny: int
    n_frames: int
    stored: str
    learn_s: float
    learn_cpu_s: float
    peak_mib: float
    reading_s: float
    necessary_s: float
    times_reading: float
    times_necessary: float
    model_mib: float
    n_maps: int


def main() -> None:
    """Measure all cases and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--large", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    cases = [measure(*case) for case in (*CASES, *([LARGE] if options.large else []))]
    figures = {
        "command": "python benchmarks/learn.py " + " ".join(sys.argv[1:]),
        "machine": describe_machine(),
        "cases": [asdict(case) for case in cases],
    }
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(nx: int, ny: int, n_frames: int, stored: str) -> Case:
    """Make a library, learn it, read it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "darks"
        with ProcessPoolExecutor(1) as other:  # a child's peak memory counts from its parent's
            files = other.submit(make_frames, folder, nx, ny, n_frames, stored == RICE).result()
        model = Path(name) / "camera.solodark"
        solodark = str(Path(sys.executable).with_name("solodark"))
        run([sys.executable, "-c", READING, *files])
        read = run([sys.executable, "-c", READING, *files])
        necessary = run([sys.executable, "-c", NECESSARY, *files])
        learned = run([solodark, "learn", str(folder), "-o", str(model)])
        case = Case(
            nx,
            ny,
            n_frames,
            stored,
            round(learned.wall_s, 2),
            round(learned.cpu_s, 2),
            round(learned.peak_mib),
            round(read.wall_s, 2),
            round(necessary.wall_s, 2),
            round(learned.wall_s / read.wall_s, 1),
            round(learned.wall_s / necessary.wall_s, 1),
            round(model.stat().st_size / 2**20, 1),
            load_model(model).rank,
        )
    print(case, flush=True)
    return case


def make_frames(folder: Path, nx: int, ny: int, n_frames: int, compress: bool = False) -> list[str]:
    """Write darks and biases of two nights: dark current, hot pixels, glow, shot noise."""
    folder.mkdir()
    rng = np.random.default_rng(nx + ny + n_frames)
    rate = np.exp(rng.normal(-3.0, 0.8, (ny, nx))).astype(np.float32)
    hot = np.where(rng.random((ny, nx)) < 5e-3, 20.0 * rate, 0.0).astype(np.float32)
    glow = 0.3 * np.exp(-np.linspace(0.0, 9.0, nx, dtype=np.float32))
    bias = 500.0 + rng.normal(0.0, 2.0, (ny, nx)).astype(np.float32)
    names = []
    for i in range(n_frames):
        exposure_s, night = EXPOSURES_S[i % 4], i // 4 % 2
        signal = exposure_s * (rate * (1.0 + 0.4 * night) + hot * (1.0 + 0.2 * night) + glow)
        noise = rng.standard_normal((ny, nx), dtype=np.float32) * np.sqrt(9.0 + signal)
        pixels = np.clip(np.rint(bias + signal + noise), 0, 65535).astype(np.uint16)
        header = fits.Header()
        header["IMAGETYP"] = "Bias Frame" if exposure_s < 1.0 else "Dark Frame"
        header["EXPTIME"] = exposure_s
        header["CCD-TEMP"] = 20.0 + 3.0 * night
        header["INSTRUME"] = "benchmark"
        header["DATE-OBS"] = f"2026-0{1 + night}-10T{20 + i % 4:02d}:{i // 4 % 60:02d}:00"
        path = folder / f"frame_{i:04d}.fits"
        if compress:
            path = path.with_suffix(".fits.fz")
            fits.CompImageHDU(pixels, header, compression_type="RICE_1").writeto(path)
        else:
            fits.PrimaryHDU(pixels, header).writeto(path)
        names.append(str(path))
    return names


if __name__ == "__main__":
    main()
