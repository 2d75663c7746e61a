"""The published discriminator: a PatchGAN that judges overlapping patches of 70 x 70 pixels."""

import torch
from torch import Tensor, nn

__all__ = ["PatchDiscriminator"]


class PatchDiscriminator(nn.Module):
    """Tell real masters from generated ones, patch by patch, given the sub [Isola 2016].

    64-128-256-512-1 channels, 4 x 4 convolutions of stride 2, 2, 2, 1 and 1, batch norm except on
    the first and the last layer.

    Parameters
    ----------
    in_channels : int
        Planes of a sub and a master together.
    width : int
        Channels of the first layer.

    Examples
    --------
    >>> discriminator = PatchDiscriminator(6, width=8)
    >>> tuple(discriminator(torch.zeros(1, 3, 256, 256), torch.zeros(1, 3, 256, 256)).shape)
    (1, 1, 30, 30)
    """

    def __init__(self, in_channels: int, *, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for n_in, n_out, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            layers += [
                nn.Conv2d(n_in * width, n_out * width, 4, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(n_out * width),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, padding=1))

    def forward(self, subs: Tensor, masters: Tensor) -> Tensor:
        """Judge masters of subs.

        Parameters
        ----------
        subs, masters : Tensor, shape (n, channels, h, w)
            Scaled; together `in_channels`.

        Returns
        -------
        Tensor, shape (n, 1, h // 8 - 2, w // 8 - 2)
            One logit for each patch, above 0 for a master that looks real.
        """
        logits: Tensor = self.layers(torch.cat([subs, masters], dim=1))
        return logits
