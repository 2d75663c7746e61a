"""Generator and discriminator with their optimizers, and one step of training."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from solodark.pix2pix.build import build_network
from solodark.pix2pix.discriminator import PatchDiscriminator
from solodark.pix2pix.generator import draw_weights
from solodark.pix2pix.losses import adversarial_loss, discriminator_loss, pixel_loss
from solodark.pix2pix.settings import NetworkSettings, TrainSettings

__all__ = ["Player", "Players", "StepLosses", "layout_of", "make_players", "train_step"]

Tensors = dict[str, NDArray[Any]]
_BETA2 = 0.999


@dataclass(frozen=True, eq=False, slots=True)
class Player:
    """A network that learns.

    Attributes
    ----------
    module : nn.Module
        The network itself.
    wrapped : nn.Module
        The same, with precision and synchronisation of devices around it.
    optimizer : torch.optim.Optimizer
        Its Adam.
    """

    module: nn.Module
    wrapped: Any
    optimizer: torch.optim.Optimizer

    def state(self) -> Tensors:
        """Copy all numbers: weights, averages, and the optimizer's moments.

        Returns
        -------
        dict of str to ndarray
            By torch's names; moments as "adam.<parameter's number>.<name>".
        """
        tensors = {name: _copy(value) for name, value in self.module.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{key}": _copy(value) for key, value in moments.items()}
        return tensors

    def load(self, tensors: Tensors) -> None:
        """Go on from numbers that `state` gave.

        Parameters
        ----------
        tensors : dict of str to ndarray
            Of the same network.
        """
        weights = {k: torch.from_numpy(v) for k, v in tensors.items() if not k.startswith("adam.")}
        self.module.load_state_dict(weights)
        state = self.optimizer.state_dict()
        parameters = list(self.module.parameters())
        for name, value in tensors.items():
            if name.startswith("adam."):
                _, number, key = name.split(".")
                moments = state["state"].setdefault(int(number), {})
                # a moment lies in memory as its parameter does: the fused kernel relies on it
                like = parameters[int(number)] if value.ndim else torch.zeros(())
                moments[key] = torch.empty_like(like.detach()).copy_(torch.from_numpy(value))
        self.optimizer.load_state_dict(state)

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the step size.

        Parameters
        ----------
        learning_rate : float
            Of Adam.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate


@dataclass(frozen=True, eq=False, slots=True)
class Players:
    """Both sides of the game; a network that is trained without one has no discriminator."""

    generator: Player
    discriminator: Player | None

    @property
    def by_name(self) -> dict[str, Player]:
        """The players: "generator" and, where there is one, "discriminator"."""
        both = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: player for name, player in both.items() if player is not None}


@dataclass(frozen=True, eq=False, slots=True)
class StepLosses:
    """What a step measured, as tensors that stay on their device.

    Attributes
    ----------
    pixel, adversarial, discriminator : Tensor, shape ()
        The losses before their weights.
    """

    pixel: Tensor
    adversarial: Tensor
    discriminator: Tensor

    def stacked(self) -> Tensor:
        """Put them into one tensor.

        Returns
        -------
        Tensor, shape (3,)
            In the order of the attributes.
        """
        return torch.stack([self.pixel, self.adversarial, self.discriminator])


def make_players(
    fabric: Fabric, network: NetworkSettings, settings: TrainSettings, seed: int
) -> Players:
    """Draw both networks and hand them to the device.

    Parameters
    ----------
    fabric : Fabric
        Devices and precision.
    network : NetworkSettings
        Shape of the generator.
    settings : TrainSettings
        Optimizers, and whether there is a discriminator.
    seed : int
        Of the first weights.

    Returns
    -------
    Players
        Ready to train.
    """
    dice = torch.Generator().manual_seed(seed)
    generator = _player(fabric, build_network(network, dice), settings)
    if settings.adversarial_weight == 0.0:
        return Players(generator, None)
    judge = PatchDiscriminator(network.in_channels + network.out_channels, width=settings.width)
    draw_weights(judge, dice)
    return Players(generator, _player(fabric, judge, settings))


def train_step(
    fabric: Fabric,
    players: Players,
    inputs: Tensor,
    targets: Tensor,
    kind: str,
    settings: TrainSettings,
) -> StepLosses:
    """Learn from one batch: the discriminator first, then the generator, as published.

    The generator runs once for both. While it learns, the discriminator's own weights need no
    gradient, and it gets none.

    Parameters
    ----------
    fabric : Fabric
        Devices and precision.
    players : Players
        Changed.
    inputs, targets : Tensor, shape (n, channels, h, w)
        A batch, on the device.
    kind : {"unet", "corrector"}
        Of the generator.
    settings : TrainSettings
        Weights of the losses.

    Returns
    -------
    StepLosses
        Before the step.
    """
    made = players.generator.wrapped(inputs)
    pixel = pixel_loss(kind, made, targets)
    loss = settings.pixel_weight * pixel
    adversarial = judged = torch.zeros_like(pixel)
    if players.discriminator is not None:
        judged = _teach_discriminator(fabric, players.discriminator, inputs, targets, made.detach())
        adversarial = _adversarial(fabric, players.discriminator, inputs, made)
        loss = loss + settings.adversarial_weight * adversarial
    players.generator.optimizer.zero_grad()
    fabric.backward(loss)
    players.generator.optimizer.step()
    return StepLosses(pixel.detach(), adversarial.detach(), judged)


def _teach_discriminator(
    fabric: Fabric, player: Player, inputs: Tensor, targets: Tensor, made: Tensor
) -> Tensor:
    """Show it what was made, then what is real; each is learned from before the next is shown.

    That halves the memory, and lets devices share the averages of batch norms at each look.
    """
    player.optimizer.zero_grad()
    total = torch.zeros((), device=fabric.device)
    for masters, real in ((made, False), (targets, True)):
        loss = discriminator_loss(player.wrapped(inputs, masters), real=real)
        fabric.backward(loss)
        total += loss.detach()
    player.optimizer.step()
    return total


def _adversarial(fabric: Fabric, player: Player, inputs: Tensor, made: Tensor) -> Tensor:
    """Ask the discriminator without teaching it, and so without its devices' synchronisation."""
    player.module.requires_grad_(False)
    with fabric.autocast():
        logits = player.module(inputs, made)
    player.module.requires_grad_(True)
    return adversarial_loss(logits, real=True)


def layout_of(fabric: Fabric) -> torch.memory_format:
    """Choose how images and weights lie in memory.

    Parameters
    ----------
    fabric : Fabric
        The device.

    Returns
    -------
    torch.memory_format
        Channels last on a GPU, whose convolutions read it faster; on a CPU it costs a fifth.
    """
    return torch.channels_last if fabric.device.type == "cuda" else torch.contiguous_format


def _player(fabric: Fabric, module: nn.Module, settings: TrainSettings) -> Player:
    module = fabric.to_device(module)
    module.to(memory_format=layout_of(fabric))  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(
        module.parameters(),
        lr=settings.learning_rate,
        betas=(settings.beta1, _BETA2),
        fused=fabric.device.type in ("cpu", "cuda"),
    )
    wrapped, optimizer_wrapped = fabric.setup(module, optimizer)
    return Player(module, wrapped, optimizer_wrapped)


def _copy(value: Tensor) -> NDArray[Any]:
    copied: NDArray[Any] = np.array(value.detach().cpu().numpy(), order="C")
    return copied
