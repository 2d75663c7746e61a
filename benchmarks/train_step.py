"""What a step of training takes, beside a straightforward implementation of the same networks.

The plain one follows the reference code step by step: 32 bits, torch's default layout of memory and
its default Adam. Ours is `solodark.pix2pix.players.train_step` in 32 bits and in bf16; the result
tells which of the two `solodark train` takes on this machine. All have the published networks for
four filters, and the same crops; their steps alternate, so that all see the same machine::

    python benchmarks/train_step.py --output benchmarks/results/train_step.json

With --compile the plain one takes part a second time, through torch.compile.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from machine import describe_machine
from solodark.pix2pix import PRESETS, NetworkSettings
from solodark.pix2pix.discriminator import PatchDiscriminator
from solodark.pix2pix.generator import Unet, draw_weights
from solodark.pix2pix.players import layout_of, make_players, train_step
from solodark.pix2pix.training import Device, make_fabric

NETWORK = NetworkSettings(kind="unet", in_channels=4, out_channels=4, width=64, depth=8)
PAPER_STEPS = 200 * 1100
PAPER_HOURS = 16.0
LARGEST_ON_A_CPU = 16 * 256**2
WHY_LEFT_OUT = "a step of this size takes minutes and some 20 GiB on a CPU; nobody would wait"


class PlainPlayer:
    """The reference code's training step, written down plainly."""

    def __init__(self, device: str, *, compiled: bool = False) -> None:
        dice = torch.Generator().manual_seed(1)
        self.generator, self.discriminator = Unet(4, 4), PatchDiscriminator(8)
        for network in (self.generator, self.discriminator):
            draw_weights(network, dice)
            network.to(device)
            if compiled:
                network.compile()
        settings = {"lr": 2e-4, "betas": (0.5, 0.999)}
        self.adam_g = torch.optim.Adam(self.generator.parameters(), **settings)
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), **settings)
        self.cross_entropy, self.l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()

    def step(self, subs: Tensor, masters: Tensor) -> None:
        """Learn from one batch."""
        made = self.generator(subs)
        self.discriminator.requires_grad_(True)
        self.adam_d.zero_grad()
        on_made = self.discriminator(subs, made.detach())
        on_real = self.discriminator(subs, masters)
        loss = self.cross_entropy(on_made, torch.zeros_like(on_made))
        loss = 0.5 * (loss + self.cross_entropy(on_real, torch.ones_like(on_real)))
        loss.backward()
        self.adam_d.step()
        self.discriminator.requires_grad_(False)
        self.adam_g.zero_grad()
        word = self.discriminator(subs, made)
        loss = self.cross_entropy(word, torch.ones_like(word)) + 100.0 * self.l1(made, masters)
        loss.backward()
        self.adam_g.step()


def ours(precision: str, device: str) -> Callable[[Tensor, Tensor], object]:
    """Give solodark's step on its own networks."""
    fabric = make_fabric(Device(accelerator=device, precision=precision))
    settings = PRESETS["paper"]
    players = make_players(fabric, NETWORK, settings, seed=1)

    def step(subs: Tensor, masters: Tensor) -> object:
        batch = [t.contiguous(memory_format=layout_of(fabric)) for t in (subs, masters)]
        return train_step(fabric, players, *batch, "unet", settings)

    return step


def main() -> None:
    """Time all that fit into the machine, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each size")
    parser.add_argument("--sizes", nargs="*", default=["1x256", "16x256", "1x1024", "16x1024"])
    parser.add_argument("--compile", action="store_true", help="and the plain one compiled")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    steps = {
        "plain, 32 bits": PlainPlayer(device).step,
        "solodark, 32 bits": ours("32-true", device),
        "solodark, bf16": ours("bf16-mixed", device),
    }
    if arguments.compile:
        steps["plain, compiled"] = PlainPlayer(device, compiled=True).step
    rows = []
    for size in arguments.sizes:
        batch, side = map(int, size.split("x"))
        if device == "cpu" and batch * side**2 > LARGEST_ON_A_CPU:
            rows.append({"batch": batch, "side_px": side, "left_out": WHY_LEFT_OUT})
        else:
            rows.append(measure(steps, batch, side, device, arguments.seconds))
    name = torch.cuda.get_device_name() if device == "cuda" else "the CPU; there was no GPU"
    result = {
        "command": "python benchmarks/train_step.py " + " ".join(sys.argv[1:]),
        "machine": describe_machine() | {"torch": torch.__version__, "device": name},
        "threads": torch.get_num_threads(),
        "taken_by_default": make_fabric(Device(accelerator=device)).strategy.precision.precision,
        "paper": f"{PAPER_HOURS:g} h for {PAPER_STEPS} steps of one 1024 x 1024 image, GTX 3070",
        "rows": rows,
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")


def measure(
    steps: dict[str, Callable[[Tensor, Tensor], object]],
    batch: int,
    side: int,
    device: str,
    seconds: float,
) -> dict[str, object]:
    """Time steps of all kinds in turn, after one of each to warm up; the best time counts."""
    dice = torch.Generator().manual_seed(2)
    subs, masters = (torch.randn(batch, 4, side, side, generator=dice).to(device) for _ in range(2))
    best = dict.fromkeys(steps, math.inf)
    for step in steps.values():
        step(subs, masters)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or math.inf in best.values():
        for name, step in steps.items():
            best[name] = min(best[name], timed(step, subs, masters))
    plain = best["plain, 32 bits"]
    row: dict[str, object] = {"batch": batch, "side_px": side}
    for name, took in best.items():
        row[name] = {
            "step_s": round(took, 4),
            "images_per_s": round(batch / took, 3),
            "times_as_fast": round(plain / took, 2),
        }
        if side == 1024:
            row[name]["hours_for_the_papers_200_epochs"] = round(
                PAPER_STEPS * took / batch / 3600, 2
            )
    print(json.dumps(row), flush=True)
    return row


def timed(step: Callable[[Tensor, Tensor], object], subs: Tensor, masters: Tensor) -> float:
    """Time one step, to its end on the device."""
    began = time.perf_counter()
    step(subs, masters)
    if subs.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
