"""What a whole sensor through the published network takes: time and peak memory.

The generator has the published size and random weights; the frame is 6000 x 4000, as the paper's
camera makes it, a mosaic that goes in as four planes::

    python benchmarks/network_inference.py --output benchmarks/results/network_inference.json
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import torch

from machine import describe_machine
from solodark.pix2pix import PRESETS, NetworkSettings, Scaling
from solodark.pix2pix.build import build_network
from solodark.pix2pix.estimate import NetworkEstimator
from solodark.pix2pix.inference import TILE_PX

NETWORK = NetworkSettings(kind="unet", in_channels=4, out_channels=4, width=64, depth=8)


def main() -> None:
    """Make one master, and write what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=2, default=(4000, 6000))
    parser.add_argument("--tile-px", type=int, default=TILE_PX)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    sub = np.random.default_rng(1).normal(2048.0, 20.0, options.shape).astype(np.float32)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    module = build_network(NETWORK, torch.Generator().manual_seed(1)).to(device).eval()
    before = peak_gib()
    estimator = NetworkEstimator(module, NETWORK, PRESETS["paper"], Scaling(2048.0, 20.0))
    began = time.perf_counter()
    master = estimator.master(sub, "RGGB", tile_px=options.tile_px)
    took = time.perf_counter() - began
    result = {
        "command": "python benchmarks/network_inference.py "
        "--output benchmarks/results/network_inference.json",
        "machine": describe_machine() | {"torch": torch.__version__},
        "device": torch.cuda.get_device_name() if device == "cuda" else "the CPU; there was no GPU",
        "shape": list(master.shape),
        "tile_px": options.tile_px,
        "seconds": round(took, 1),
        "peak_gib": round(peak_gib(), 2),
        "peak_gib_before_the_frame_went_in": round(before, 2),
    }
    print(json.dumps(result, indent=1))
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n")


def peak_gib() -> float:
    """Give the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
