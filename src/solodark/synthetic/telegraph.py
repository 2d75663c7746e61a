"""Pixels that hop between levels, and their state from frame to frame."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

__all__ = ["DarkTelegraph", "ReadTelegraph", "TelegraphState"]


@dataclass(frozen=True, eq=False, slots=True)
class TelegraphState:
    """Which dark-type telegraph pixels are at their upper level, and when.

    Attributes
    ----------
    high : ndarray of bool, shape (n,)
        In the order of `DarkTelegraph.index`.
    date : datetime
        When this was so.
    """

    high: NDArray[np.bool_]
    date: datetime


@dataclass(frozen=True, eq=False, slots=True)
class DarkTelegraph:
    """Pixels whose dark current hops between two rates and dwells at each.

    Attributes
    ----------
    index : ndarray of int64, shape (n,)
        Positions in the flattened image.
    rise_e_per_s : ndarray of float32, shape (n,)
        Upper minus lower rate at the reference temperature.
    dwell_high_s, dwell_low_s : ndarray of float64, shape (n,)
        Mean time spent at each level before the next hop.
    """

    index: NDArray[np.int64]
    rise_e_per_s: NDArray[np.float32]
    dwell_high_s: NDArray[np.float64]
    dwell_low_s: NDArray[np.float64]

    @property
    def duty(self) -> NDArray[np.float64]:
        """Long-run fraction of time at the upper level, shape (n,)."""
        return self.dwell_high_s / (self.dwell_high_s + self.dwell_low_s)

    def start(self, rng: np.random.Generator, date: datetime) -> TelegraphState:
        """Draw a state from the long run.

        Parameters
        ----------
        rng : numpy.random.Generator
            The dice.
        date : datetime
            When.

        Returns
        -------
        TelegraphState
            Without any memory.
        """
        return TelegraphState(rng.random(self.index.size) < self.duty, date)

    def probability_high(self, state: TelegraphState, date: datetime) -> NDArray[np.float64]:
        """Chance of the upper level some time after a known state.

        Of a two-state Markov chain in continuous time,
        ``p(t) = duty + (p(0) - duty) exp(-t (1/dwell_high + 1/dwell_low))``.

        Parameters
        ----------
        state : TelegraphState
            What is known.
        date : datetime
            When it is asked; the same either way in time, as the chain is reversible.

        Returns
        -------
        ndarray of float64, shape (n,)
            Between 0 and 1.
        """
        elapsed_s = abs((date - state.date).total_seconds())
        memory = np.exp(-elapsed_s * (1.0 / self.dwell_high_s + 1.0 / self.dwell_low_s))
        probability: NDArray[np.float64] = self.duty + (state.high - self.duty) * memory
        return probability

    def evolve(
        self, rng: np.random.Generator, state: TelegraphState, date: datetime
    ) -> TelegraphState:
        """Draw the state at another time, given one.

        Parameters
        ----------
        rng : numpy.random.Generator
            The dice.
        state : TelegraphState
            What was.
        date : datetime
            When.

        Returns
        -------
        TelegraphState
            What is.
        """
        return TelegraphState(
            rng.random(self.index.size) < self.probability_high(state, date), date
        )


@dataclass(frozen=True, eq=False, slots=True)
class ReadTelegraph:
    """Pixels whose amplifier hops: three levels, new in each frame, whatever the exposure.

    With correlated double sampling a hop between the two samples shows as plus or minus its size,
    no hop (or two) as nothing.

    Attributes
    ----------
    index : ndarray of int64, shape (n,)
        Positions in the flattened image.
    hop_e : ndarray of float32, shape (n,)
        Size of the hop.
    probability : float
        Chance of a hop, up or down alike.
    """

    index: NDArray[np.int64]
    hop_e: NDArray[np.float32]
    probability: float

    @property
    def variance_e2(self) -> NDArray[np.float32]:
        """Variance that the hops add, shape (n,)."""
        variance: NDArray[np.float32] = np.float32(self.probability) * self.hop_e**2
        return variance

    def draw_e(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw the levels of one frame.

        Parameters
        ----------
        rng : numpy.random.Generator
            The dice.

        Returns
        -------
        ndarray of float32, shape (n,)
            Minus one, zero or plus one hop.
        """
        dice = rng.random(self.index.size, dtype=np.float32)
        half = np.float32(0.5 * self.probability)
        direction = (dice < half).astype(np.float32) - (dice > 1 - half)
        return direction * self.hop_e
