"""Networks from their settings, and how far they see."""

import torch
from torch import nn

from solodark.pix2pix.corrector import Corrector
from solodark.pix2pix.generator import Unet, draw_weights
from solodark.pix2pix.settings import NetworkSettings

__all__ = ["alignment_px", "build_network", "reach_px"]


def build_network(settings: NetworkSettings, generator: torch.Generator | None = None) -> nn.Module:
    """Make the network that settings describe.

    Parameters
    ----------
    settings : NetworkSettings
        Its shape.
    generator : torch.Generator, optional
        The dice that draw its weights; without them the weights are of no use until some are
        loaded.

    Returns
    -------
    nn.Module
        In training mode.
    """
    network: nn.Module
    if settings.kind == "unet":
        network = Unet(
            settings.in_channels,
            settings.out_channels,
            width=settings.width,
            n_halvings=settings.depth,
        )
        if generator is not None:
            draw_weights(network, generator)
    else:
        network = Corrector(settings.in_channels, width=settings.width, depth=settings.depth)
        if generator is not None:
            _draw_hidden_layers(network, generator)
    return network


def alignment_px(settings: NetworkSettings) -> int:
    """Tell what the sides of an image must be multiples of.

    Parameters
    ----------
    settings : NetworkSettings
        Shape of the network.

    Returns
    -------
    int
        Two to the halvings; 1 for a corrector.
    """
    return 1 << settings.depth if settings.kind == "unet" else 1


def reach_px(settings: NetworkSettings) -> int:
    """Tell how far from a pixel a network looks, in the direction it looks farthest.

    Parameters
    ----------
    settings : NetworkSettings
        Shape of the network.

    Returns
    -------
    int
        Pixels on each side: a layer each for a corrector; for a U-Net of n halvings, whose layers
        read 2 pixels beyond their own at ever coarser steps and back, ``3 x 2**n - 3``.

    Examples
    --------
    >>> published = NetworkSettings(
    ...     kind="unet", in_channels=3, out_channels=3, width=64, depth=8
    ... )
    >>> reach_px(published)
    765
    """
    if settings.kind == "corrector":
        return settings.depth
    return (3 << settings.depth) - 3


def _draw_hidden_layers(network: nn.Module, generator: torch.Generator) -> None:
    """Draw He's normal weights for a corrector, except for its last layer, which stays zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.out_channels > 2:
            nn.init.kaiming_normal_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
