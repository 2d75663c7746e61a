"""How to learn a dark model."""

from dataclasses import dataclass

__all__ = ["LearnSettings"]


@dataclass(frozen=True, slots=True)
class LearnSettings:
    """How to learn.

    Attributes
    ----------
    ranks : tuple of int
        Ranks to try; the evidence of left-out series chooses.
    n_random, n_hot : int
        Size of the sample, pixels.
    n_components : int
        Components of the prior over pixels.
    rounds : int
        Rounds between pixels, prior, noise and states on the sample.
    iterations : int
        Reweighting rounds of each pixel.
    memory_mib : int
        Memory for one band of rows of all frames.
    """

    ranks: tuple[int, ...] = (1, 2, 3, 4)
    n_random: int = 40_000
    n_hot: int = 16_000
    n_components: int = 8
    rounds: int = 6
    iterations: int = 3
    memory_mib: int = 256
