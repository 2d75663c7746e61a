"""The network that knows its place: it weighs, pixel by pixel, what a dark model tells of a sub."""

import torch
from torch import Tensor, nn

from solodark.pix2pix.sensor_channels import DOUBT, RESIDUAL, UPDATE

__all__ = ["Corrector"]

_FARTHEST_SIGMA = 3.0
_LARGE_SIGMA = 5.0


class Corrector(nn.Module):
    """Correct a dark model's estimate with a gain for each pixel.

    A few layers of 3 x 3 pixels at full resolution give two numbers for each pixel, and

        signal above the prediction = update + doubt * bounded(correction + gain * surprise),

    in sigma of one sub: `doubt` is the model's own one sigma of its update, `surprise` is what the
    update leaves of the sub, which counts less from 5 sigma on, and `bounded` never exceeds 3. Were
    the answer not measured by the model's doubt, a few pixels of 200 sigma would be at the mercy of
    what suits the crowd below 1. The last layer starts at zero: an untrained corrector is the dark
    model.

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
    >>> channels = torch.ones(1, 12, 8, 8)
    >>> Corrector(12, width=4, depth=2)(channels).unique().tolist()
    [1.0]
    """

    def __init__(self, in_channels: int, *, width: int = 32, depth: int = 3) -> None:
        super().__init__()
        into = [in_channels + 1] + [width] * (depth - 1)
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
        residual, update, doubt = (channels[:, i : i + 1] for i in (RESIDUAL, UPDATE, DOUBT))
        left = residual - update
        known = torch.asinh(torch.cat([channels, left], dim=1))
        gain, correction = self.last(self.hidden(known)).split(1, dim=1)
        surprise = left / torch.sqrt(1.0 + (left / _LARGE_SIGMA) ** 2)
        step = _FARTHEST_SIGMA * torch.tanh((correction + gain * surprise) / _FARTHEST_SIGMA)
        signal: Tensor = update + doubt * step
        return signal
