"""The published generator: a U-Net [Isola 2016, arXiv 1611.07004, section 6.1 and its code].

Nothing bounds its output: the published Tanh would cut off hot pixels.
"""

import torch
from torch import Tensor, nn

__all__ = ["Unet", "draw_weights"]

_WIDEST = 8
_DROPOUT = 0.5
_BLOCKS_WITHOUT_DROPOUT = 5  # the innermost and the four outer ones


class Unet(nn.Module):
    """Halve an image some times, double it as often, and hand every size across.

    Convolutions of 4 x 4 pixels and stride 2; batch norm except on the first, the innermost and the
    last layer; dropout in the inner blocks on the way up, the only chance in it, while training.

    Parameters
    ----------
    in_channels, out_channels : int
        Planes that go in and come out.
    width : int
        Channels after the first halving; they double up to 8 times as many.
    n_halvings : int
        Sides of an image must be multiples of ``2 ** n_halvings``; at least 2.

    Examples
    --------
    >>> network = Unet(4, 4, width=8, n_halvings=3)
    >>> tuple(network(torch.zeros(1, 4, 16, 24)).shape)
    (1, 4, 16, 24)
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, width: int = 64, n_halvings: int = 8
    ) -> None:
        super().__init__()
        widths = [min(2**i, _WIDEST) * width for i in range(n_halvings)]
        into = [in_channels, *widths[:-1]]
        self.downs = nn.ModuleList(
            _down(into[i], widths[i], first=i == 0, last=i == n_halvings - 1)
            for i in range(n_halvings)
        )
        n_dropout = max(0, n_halvings - _BLOCKS_WITHOUT_DROPOUT)
        self.ups = nn.ModuleList(
            _up(widths[-1 - i] * (1 if i == 0 else 2), widths[-2 - i], 0 < i <= n_dropout)
            for i in range(n_halvings - 1)
        )
        self.last = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * widths[0], out_channels, 4, stride=2, padding=1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Translate images.

        Parameters
        ----------
        images : Tensor, shape (n, in_channels, h, w)
            Scaled.

        Returns
        -------
        Tensor, shape (n, out_channels, h, w)
            Scaled.
        """
        sizes = []
        for down in self.downs:
            images = down(images)
            sizes.append(images)
        images = sizes.pop()
        for up in self.ups:
            images = torch.cat([sizes.pop(), up(images)], dim=1)
        translated: Tensor = self.last(images)
        return translated


def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw a network's weights anew, as published: normal, of standard deviation 0.02.

    Parameters
    ----------
    network : nn.Module
        Changed: convolutions get weights about 0, batch norms about 1, all biases 0.
    generator : torch.Generator
        The dice.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            centre = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
            nn.init.normal_(module.weight, centre, 0.02, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _down(n_in: int, n_out: int, *, first: bool, last: bool) -> nn.Sequential:
    halve = nn.Conv2d(n_in, n_out, 4, stride=2, padding=1, bias=False)
    before = [] if first else [nn.LeakyReLU(0.2, inplace=True)]
    after = [] if first or last else [nn.BatchNorm2d(n_out)]
    return nn.Sequential(*before, halve, *after)


def _up(n_in: int, n_out: int, dropout: bool) -> nn.Sequential:
    double = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False)
    after = [nn.Dropout(_DROPOUT)] if dropout else []
    return nn.Sequential(nn.ReLU(inplace=True), double, nn.BatchNorm2d(n_out), *after)
