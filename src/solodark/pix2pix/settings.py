"""What a network is and how it is trained, as plain values that are kept with its weights."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PRESETS", "NetworkSettings", "TrainSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The shape of a network.

    Attributes
    ----------
    kind : {"unet", "corrector"}
        The published U-Net, or the network that corrects a dark model pixel by pixel.
    in_channels, out_channels : int
        Planes that go in and come out.
    width : int
        Channels of the first layer; a U-Net's deeper layers have up to 8 times as many.
    depth : int
        Halvings of a U-Net; layers of 3 x 3 pixels of a corrector.
    """

    kind: Literal["unet", "corrector"]
    in_channels: int
    out_channels: int
    width: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How a network is trained. The defaults are the published ones.

    Attributes
    ----------
    preset : {"paper", "sensor"}
        What is learned: a master from a sub's values alone, or a correction of the dark model.
    cfa_planes : bool
        Whether a mosaic goes in as four planes of half the resolution, or as one plane.
    width, depth : int
        As in `NetworkSettings`.
    crop_px : int
        Side of a training crop in the network's own pixels.
    batch_size : int
        Crops in one step, over all devices.
    constant_epochs, decay_epochs : int
        Epochs at the full learning rate, and epochs in which it falls linearly to zero. In one
        epoch one crop of every sub is seen.
    learning_rate, beta1 : float
        Of Adam.
    pixel_weight : float
        Weight of the distance to the master, lambda.
    adversarial_weight : float
        Weight of the discriminator's word; 0 trains without one.
    flips : bool
        Whether crops are mirrored at random; a mosaic keeps its CFA phase.
    folds : int
        Parts of the nights, for a sensor network that is given no dark model: each part is shown by
        a model of the others.
    seed : int
        All dice: which nights are held out, the first weights, and each epoch's crops.
    """

    preset: Literal["paper", "sensor"] = "paper"
    cfa_planes: bool = True
    width: int = 64
    depth: int = 8
    crop_px: int = 256
    batch_size: int = 1
    constant_epochs: int = 100
    decay_epochs: int = 100
    learning_rate: float = 2e-4
    beta1: float = 0.5
    pixel_weight: float = 100.0
    adversarial_weight: float = 1.0
    flips: bool = True
    folds: int = 5
    seed: int = 1

    @property
    def epochs(self) -> int:
        """All epochs."""
        return self.constant_epochs + self.decay_epochs

    def learning_rate_at(self, epoch: int) -> float:
        """Learning rate of an epoch: constant at first, then falling linearly to zero.

        Parameters
        ----------
        epoch : int
            From 0.

        Returns
        -------
        float
            Step size of Adam.

        Examples
        --------
        >>> [round(1e4 * TrainSettings().learning_rate_at(epoch), 2) for epoch in (0, 100, 199)]
        [2.0, 1.98, 0.02]
        """
        late = max(0, epoch + 1 - self.constant_epochs)
        return self.learning_rate * (1.0 - late / (self.decay_epochs + 1))


PRESETS = {
    "paper": TrainSettings(),
    "sensor": TrainSettings(
        preset="sensor",
        cfa_planes=False,
        width=32,
        depth=3,
        crop_px=128,
        batch_size=8,
        constant_epochs=20,
        decay_epochs=20,
        learning_rate=1e-3,
        beta1=0.9,
        pixel_weight=1.0,
        adversarial_weight=0.0,
    ),
}
"""Settings to start from: the publication's, and those of the network that knows its place."""
