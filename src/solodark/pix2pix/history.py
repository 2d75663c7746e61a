"""What training leaves behind: a record of each epoch, and all that is needed to go on."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from solodark.errors import ModelFileError

__all__ = ["EpochRecord", "Judgement", "TrainingState"]

Tensors = dict[str, NDArray[Any]]

_BEST = "best"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a network is worth on nights it is not trained on, as it will be used.

    Attributes
    ----------
    equivalent_subs : float
        How many real subs its masters are worth.
    contrast : float
        Spread of a master it made over that of the mean of the other subs; near 0 it is flat grey.
    """

    equivalent_subs: float
    contrast: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch.

    Attributes
    ----------
    epoch : int
        From 0.
    learning_rate : float
        Step size.
    pixel_loss, adversarial_loss, discriminator_loss : float
        Means over the epoch, before their weights; 0 where there is no discriminator.
    seconds : float
        How long it took, without validation.
    validation_subs : float
        Equivalent subs on the validation nights.
    contrast : float
        As in `Judgement`.
    """

    epoch: int
    learning_rate: float
    pixel_loss: float
    adversarial_loss: float
    discriminator_loss: float
    seconds: float
    validation_subs: float = float("nan")
    contrast: float = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class TrainingState:
    """All that is needed to go on with a training.

    Attributes
    ----------
    seed : int
        Of all dice.
    epochs_done : int
        Epochs behind it.
    history : tuple of EpochRecord
        One for each.
    tensors : dict of str to ndarray
        Weights and optimizers of all players, by "<player>.<name>".
    best : dict of str to ndarray
        Weights of the generator that was best in validation; empty before the first epoch.
    best_epoch : int
        Number of epochs it had seen.
    best_validation_subs : float
        What it was worth.
    """

    seed: int
    epochs_done: int = 0
    history: tuple[EpochRecord, ...] = ()
    tensors: Tensors = field(default_factory=dict)
    best: Tensors = field(default_factory=dict)
    best_epoch: int = 0
    best_validation_subs: float = float("nan")

    def tensors_of(self, player: str) -> Tensors:
        """Pick one player's numbers.

        Parameters
        ----------
        player : str
            "generator" or "discriminator".

        Returns
        -------
        dict of str to ndarray
            By the player's own names.
        """
        prefix = f"{player}."
        own = {name: value for name, value in self.tensors.items() if name.startswith(prefix)}
        return {name.removeprefix(prefix): value for name, value in own.items()}

    def in_words(self, epochs: int) -> str:
        """Say how far training is, for people.

        Parameters
        ----------
        epochs : int
            How many there will be.

        Returns
        -------
        str
            Epoch, time left, and what the network is worth so far.

        Examples
        --------
        >>> TrainingState(seed=1).in_words(200)
        'epoch 1 of 200'
        """
        said = f"epoch {self.epochs_done + 1} of {epochs}"
        if not self.history:
            return said
        last = self.history[-1]
        minutes_left = (epochs - self.epochs_done) * last.seconds / 60.0
        return (
            f"{said}, {minutes_left:.0f} min left, pixel loss {last.pixel_loss:.4f}, "
            f"worth {last.validation_subs:.2f} subs"
        )

    def to_tensors(self) -> tuple[Tensors, dict[str, Any]]:
        """Take the state apart.

        Returns
        -------
        tensors : dict of str to ndarray
            Everything with a shape.
        description : dict
            Everything else, ready for JSON.
        """
        best = {f"{_BEST}.{name}": value for name, value in self.best.items()}
        description = {
            "seed": self.seed,
            "epochs_done": self.epochs_done,
            "history": [asdict(record) for record in self.history],
            "best_epoch": self.best_epoch,
            "best_validation_subs": self.best_validation_subs,
        }
        return self.tensors | best, description

    @classmethod
    def from_tensors(cls, tensors: Tensors, description: dict[str, Any], *, name: str) -> Self:
        """Put a state together.

        Parameters
        ----------
        tensors, description : dict
            As `to_tensors` gave them.
        name : str
            What messages call the file.

        Returns
        -------
        TrainingState
            The state.

        Raises
        ------
        ModelFileError
            Something is missing.
        """
        prefix = f"{_BEST}."
        own = {key: np.asarray(t) for key, t in tensors.items() if not key.startswith(prefix)}
        best = {
            key.removeprefix(prefix): np.asarray(tensors[key])
            for key in tensors.keys() - own.keys()
        }
        try:
            return cls(
                seed=int(description["seed"]),
                epochs_done=int(description["epochs_done"]),
                history=tuple(EpochRecord(**record) for record in description["history"]),
                tensors=own,
                best=best,
                best_epoch=int(description["best_epoch"]),
                best_validation_subs=float(description["best_validation_subs"]),
            )
        except (KeyError, TypeError) as error:
            raise ModelFileError(
                f"{name} lacks part of a training ({error}); start anew without --resume"
            ) from error
