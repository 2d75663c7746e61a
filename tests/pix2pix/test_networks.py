"""The networks are the published ones, layer by layer."""

import pytest
import torch

from solodark.pix2pix.discriminator import PatchDiscriminator
from solodark.pix2pix.generator import Unet, draw_weights


def n_parameters(network):
    return sum(p.numel() for p in network.parameters())


def counted_by_hand(n_in, n_out):
    """16 weights for each pair of channels, two for each channel of a norm, the last biases."""
    widths = [64, 128, 256, 512, 512, 512, 512, 512]
    down = sum(a * b for a, b in zip([n_in, *widths[:-1]], widths, strict=True))
    up = 512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64 + 128 * n_out
    norms = sum(widths[1:-1]) + sum(widths[:-1])
    return 16 * (down + up) + 2 * norms + n_out


def test_the_generator_has_as_many_parameters_as_the_published_one():
    # 54.414 M is what the reference code prints for 3 channels to 3 (unet_256, batch norm)
    with torch.device("meta"):
        assert n_parameters(Unet(3, 3)) == counted_by_hand(3, 3) == 54_413_955


def test_four_filters_cost_no_more_than_their_own_weights():
    with torch.device("meta"):
        assert n_parameters(Unet(4, 4)) == counted_by_hand(4, 4) == 54_413_955 + 16 * 192 + 1


def test_the_discriminator_has_as_many_parameters_as_the_published_one():
    # 2.769 M is what the reference code prints for a pair of 3-channel images
    with torch.device("meta"):
        assert n_parameters(PatchDiscriminator(6)) == 2_768_705
        assert n_parameters(PatchDiscriminator(8)) == 2_768_705 + 2 * 16 * 64


def test_the_discriminator_looks_at_patches_of_70_pixels():
    discriminator = PatchDiscriminator(2, width=4).eval()
    pair = torch.randn(1, 2, 128, 128, requires_grad=True)
    logits = discriminator(pair[:, :1], pair[:, 1:])
    logits[0, 0, 7, 7].backward()
    seen = pair.grad.abs().amax(dim=(0, 1)) > 0
    assert int(seen.any(dim=0).sum()) == 70
    assert int(seen.any(dim=1).sum()) == 70


def test_the_three_inner_blocks_throw_dice_only_while_training():
    network = Unet(1, 1, width=2)
    dropouts = [m for m in network.modules() if isinstance(m, torch.nn.Dropout)]
    assert len(dropouts) == 3
    image = torch.randn(1, 1, 256, 256)
    with torch.no_grad():
        assert not torch.equal(network(image), network(image))
        network.eval()
        assert torch.equal(network(image), network(image))


def test_nothing_bounds_the_output():
    network = Unet(1, 1, width=4, n_halvings=2).eval()
    draw_weights(network, torch.Generator().manual_seed(1))
    with torch.no_grad():
        image = torch.randn(1, 1, 8, 8)
        faint, bright = (network(scale * image).abs().max() for scale in (1.0, 1e8))
    assert bright > 1.0
    assert bright > 1e6 * faint


def test_weights_are_drawn_as_published():
    network = Unet(3, 3, width=16, n_halvings=5)
    draw_weights(network, torch.Generator().manual_seed(1))
    weights = network.downs[3][1].weight.detach()
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)
    norm = network.downs[3][2]
    assert float(norm.weight.detach().mean()) == pytest.approx(1.0, abs=0.01)
    assert float(norm.bias.detach().abs().max()) == 0.0
