"""Any size, without seams: a tile shows what the whole image would."""

import numpy as np
import pytest
import torch

from solodark.errors import SettingError
from solodark.pix2pix import NetworkSettings
from solodark.pix2pix.build import build_network, reach_px
from solodark.pix2pix.inference import translate
from solodark.pix2pix.sensor_channels import DOUBT, RESIDUAL, UPDATE

UNET = NetworkSettings(kind="unet", in_channels=1, out_channels=1, width=4, depth=3)
CORRECTOR = NetworkSettings(kind="corrector", in_channels=12, out_channels=1, width=4, depth=3)
WHOLE = 1 << 20


def trained_looking(settings):
    """A network whose averages and weights are not those it was born with."""
    generator = torch.Generator().manual_seed(3)
    network = build_network(settings, generator)
    for parameter in network.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data += 0.1 * noise
    with torch.no_grad():
        for _ in range(5):
            network(torch.randn(1, settings.in_channels, 64, 64, generator=generator))
    return network.eval()


@pytest.mark.parametrize("settings", [UNET, CORRECTOR], ids=lambda settings: settings.kind)
@pytest.mark.parametrize("size", [(200, 304), (333, 150), (257, 391)])
def test_tiles_give_what_the_whole_image_gives(settings, size, rng):
    network = trained_looking(settings)
    planes = rng.normal(size=(settings.in_channels, *size)).astype(np.float32)
    whole = translate(network, settings, planes, tile_px=WHOLE)
    tiled = translate(network, settings, planes, tile_px=128)
    assert whole.shape == (1, *size)
    assert whole.std() > 0.01
    assert np.abs(tiled - whole).max() < 1e-4 * max(1.0, np.abs(whole).max())


@pytest.mark.parametrize("size", [(1500, 1000), (1023, 777), (1, 1), (3, 700)])
def test_sizes_that_the_paper_could_not_do(size, rng):
    network = trained_looking(UNET)
    made = translate(network, UNET, rng.normal(size=(1, *size)).astype(np.float32), tile_px=512)
    assert made.shape == (1, *size)
    assert np.isfinite(made).all()


def test_a_network_that_sees_beyond_its_tiles_leaves_no_seam(rng):
    deep = NetworkSettings(kind="unet", in_channels=1, out_channels=1, width=4, depth=5)
    network = trained_looking(deep)
    assert reach_px(deep) > 128 // 4
    planes = rng.normal(size=(1, 256, 512)).astype(np.float32)
    error = translate(network, deep, planes, tile_px=128)
    error = error - translate(network, deep, planes, tile_px=WHOLE)
    steps = np.abs(np.diff(error[0], axis=1)).mean(axis=0)
    assert steps.max() < 4.0 * np.median(steps[32:-32])


def test_one_sub_has_one_master(rng):
    deep = NetworkSettings(kind="unet", in_channels=1, out_channels=1, width=2, depth=6)
    network = trained_looking(deep)
    planes = rng.normal(size=(1, 64, 64)).astype(np.float32)
    first = translate(network, deep, planes)
    assert np.array_equal(first, translate(network, deep, planes))


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_reach_is_how_far_a_pixel_is_felt(depth):
    settings = NetworkSettings(kind="unet", in_channels=1, out_channels=1, width=4, depth=depth)
    network = trained_looking(settings)
    farthest = 0
    for pixel in range(256, 256 + 2**depth):
        image = torch.randn(1, 1, 32, 512, requires_grad=True)
        network(image)[0, 0, 16, pixel].backward()
        felt = torch.nonzero(image.grad.abs().amax(dim=(0, 1, 2)))
        farthest = max(farthest, pixel - int(felt.min()), int(felt.max()) - pixel)
    assert farthest == reach_px(settings)


def test_a_tile_too_small_for_the_network_is_refused():
    with pytest.raises(SettingError, match="at least 32 px"):
        translate(trained_looking(UNET), UNET, np.zeros((1, 8, 8), np.float32), tile_px=16)


def test_a_corrector_that_has_learned_nothing_is_the_dark_model(rng):
    network = build_network(CORRECTOR, torch.Generator().manual_seed(1)).eval()
    channels = rng.normal(size=(12, 20, 30)).astype(np.float32)
    assert np.array_equal(translate(network, CORRECTOR, channels)[0], channels[UPDATE])


def test_a_corrector_never_leaves_the_dark_model_by_more_than_three_of_its_own_sigma(rng):
    network = build_network(CORRECTOR, torch.Generator().manual_seed(1)).eval()
    torch.nn.init.normal_(network.last.weight, std=100.0)
    channels = np.abs(rng.normal(size=(12, 20, 30))).astype(np.float32)
    channels[RESIDUAL, 5, 5] = 1e5
    moved = np.abs(translate(network, CORRECTOR, channels)[0] - channels[UPDATE])
    assert (moved <= 3.0 * channels[DOUBT] + 1e-5).all()
    assert moved.max() > 2.9 * channels[DOUBT].min()
