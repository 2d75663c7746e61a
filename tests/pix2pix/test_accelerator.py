"""On an accelerator networks learn and give what they learn and give on a processor."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from solodark.pix2pix import PRESETS, NetworkSettings, Scaling
from solodark.pix2pix.build import build_network
from solodark.pix2pix.estimate import NetworkEstimator
from solodark.pix2pix.players import make_players, train_step
from solodark.pix2pix.training import Device, make_fabric

DEVICE = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]

UNET = NetworkSettings(kind="unet", in_channels=4, out_channels=4, width=16, depth=5)
CORRECTOR = NetworkSettings(kind="corrector", in_channels=12, out_channels=1, width=16, depth=3)
PRESET = {"unet": "paper", "corrector": "sensor"}


def losses(network, precision, *, steps=8, device=DEVICE):
    """What each step on the same batch measures, from the same first weights."""
    fabric = make_fabric(Device(accelerator=device, precision=precision))
    settings = replace(PRESETS[PRESET[network.kind]], width=network.width, learning_rate=2e-3)
    players = make_players(fabric, network, settings, seed=3)
    dice = torch.Generator().manual_seed(4)
    shape = (2, 1, 64, 64)
    target = torch.randn(shape, generator=dice).expand(-1, network.out_channels, -1, -1)
    inputs = target[:, :1].expand(-1, network.in_channels, -1, -1) + 0.3
    batch = [fabric.to_device(t.contiguous()) for t in (inputs, target)]
    torch.manual_seed(5)
    measured = [
        train_step(fabric, players, *batch, network.kind, settings).stacked() for _ in range(steps)
    ]
    return torch.stack(measured).float().cpu().numpy()


@pytest.mark.parametrize("network", [UNET, CORRECTOR], ids=lambda network: network.kind)
def test_sixteen_bits_learn_as_thirty_two_do(network):
    short, long = losses(network, "bf16-mixed"), losses(network, "32-true")
    assert np.isfinite(short).all()
    assert long[-1, 0] < 0.95 * long[0, 0]
    assert short[:, 0] == pytest.approx(long[:, 0], rel=0.05)


@pytest.mark.parametrize("network", [UNET, CORRECTOR], ids=lambda network: network.kind)
def test_a_first_step_is_that_of_a_processor(network):
    there = losses(network, "32-true", steps=1)
    here = losses(network, "32-true", steps=1, device="cpu")
    assert there == pytest.approx(here, rel=0.02)


def test_a_master_is_the_same_wherever_it_is_made():
    dice = torch.Generator().manual_seed(1)
    module = build_network(UNET, dice).eval()
    sub = np.random.default_rng(2).normal(1000.0, 20.0, (301, 277)).astype(np.float32)
    sub[100:110, 50] = 40_000.0
    made = {
        device: NetworkEstimator(
            module.to(device), UNET, PRESETS["paper"], Scaling(1000.0, 20.0)
        ).master(sub, "RGGB", tile_px=128)
        for device in ("cpu", DEVICE)
    }
    assert made[DEVICE] == pytest.approx(made["cpu"], abs=0.5)
