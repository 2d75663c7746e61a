"""The network that knows its place: it weighs, pixel by pixel, what a dark model tells of a sub."""

import torch
from torch import Tensor, nn

from solodark.pix2pix.sensor_channels import RESIDUAL, UPDATE

__all__ = ["Corrector"]


class Corrector(nn.Module):
    """Correct a dark model's estimate with a gain for each pixel.

    A few layers of 3 x 3 pixels at full resolution give two numbers for each pixel, and

        signal above the prediction = update + gain * residual + correction,

    in sigma of one sub. Its last layer starts at zero: an untrained corrector is the dark model.

    Parameters
    ----------
    in_channels : int
        As `solodark.pix2pix.sensor_channels.CHANNELS`.
    width : int
        Channels of the hidden layers.
    depth : int
        Layers of 3 x 3 pixels; the network sees as many pixels around its own.

    Examples
    --------
    >>> channels = torch.ones(1, 11, 8, 8)
    >>> Corrector(11, width=4, depth=2)(channels).unique().tolist()
    [1.0]
    """

    def __init__(self, in_channels: int, *, width: int = 32, depth: int = 3) -> None:
        super().__init__()
        into = [in_channels] + [width] * (depth - 1)
        layers: list[nn.Module] = []
        for n_in in into:
            layers += [nn.Conv2d(n_in, width, 3, padding=1), nn.SiLU()]
        self.hidden = nn.Sequential(*layers, nn.Conv2d(width, width, 1), nn.SiLU())
        self.last = nn.Conv2d(width, 2, 1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, channels: Tensor) -> Tensor:
        """Weigh what is known.

        Parameters
        ----------
        channels : Tensor, shape (n, in_channels, h, w)
            In the order of `solodark.pix2pix.sensor_channels.CHANNELS`.

        Returns
        -------
        Tensor, shape (n, 1, h, w)
            Signal above the prediction, in sigma of one sub.
        """
        gain, correction = self.last(self.hidden(torch.asinh(channels))).split(1, dim=1)
        residual = channels[:, RESIDUAL : RESIDUAL + 1]
        signal: Tensor = channels[:, UPDATE : UPDATE + 1] + gain * residual + correction
        return signal
