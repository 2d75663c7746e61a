"""Which subs train a network, which choose its best weights, and which judge it in the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solodark.errors import NotEnoughFramesError

__all__ = ["Split", "deal_sessions", "held_out_together", "split_sessions"]

_HELD_OUT = 0.15


@dataclass(frozen=True, slots=True)
class Split:
    """Subs by their part in training.

    Attributes
    ----------
    training, validation, test : tuple of int
        Indices of subs; whole sessions each.
    """

    training: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def split_sessions(
    sessions: Sequence[str], series: Sequence[int], *, rng: np.random.Generator
) -> Split:
    """Deal whole sessions out to training, validation and test.

    A network that has seen a night has seen its banding and its telegraph states; only other
    nights can judge it.

    Parameters
    ----------
    sessions : sequence of str
        Night of each sub.
    series : sequence of int
        Series of each sub.
    rng : numpy.random.Generator
        The dice.

    Returns
    -------
    Split
        15 % of the sessions each for validation and test, at least one; the others train. Those
        held out have a series of three subs, so that they can judge.

    Raises
    ------
    NotEnoughFramesError
        Fewer than three sessions or series, or too few of three subs.

    Examples
    --------
    >>> nights = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    >>> split = split_sessions(nights, [0] * 4 + [1] * 4 + [2] * 4, rng=np.random.default_rng(1))
    >>> [len(part) for part in (split.training, split.validation, split.test)]
    [4, 4, 4]
    """
    groups = held_out_together(sessions, series)
    names = sorted(set(groups))
    judges = [name for name in names if _can_judge(name, groups, series)]
    n_held_out = max(1, round(_HELD_OUT * len(names)))
    if len(judges) < 2 * n_held_out or len(names) < 2 * n_held_out + 1:
        raise NotEnoughFramesError(
            f"found {len(names)} sessions of darks, {len(judges)} with a series of three; expected "
            "three or more, for training, validation and test. Give darks of more nights"
        )
    drawn = [str(name) for name in rng.permutation(judges)]
    parts = drawn[:n_held_out], drawn[n_held_out : 2 * n_held_out]
    held_out = {*parts[0], *parts[1]}
    return Split(
        training=_members(groups, set(names) - held_out),
        validation=_members(groups, set(parts[0])),
        test=_members(groups, set(parts[1])),
    )


def held_out_together(sessions: Sequence[str], series: Sequence[int]) -> list[str]:
    """Name what each sub is held out with: its night, or its series where nights are too few.

    Parameters
    ----------
    sessions : sequence of str
        Night of each sub.
    series : sequence of int
        Series of each sub, which stand in for nights where there are fewer than three.

    Returns
    -------
    list of str
        A name for each sub.

    Examples
    --------
    >>> held_out_together(["monday", "monday"], [0, 1])
    ['series 0', 'series 1']
    """
    if len(set(sessions)) > 2:
        return list(sessions)
    return [f"series {number}" for number in series]


def deal_sessions(
    groups: Sequence[str], n_parts: int, *, rng: np.random.Generator
) -> tuple[int, ...]:
    """Deal whole sessions out to parts of equal size.

    Parameters
    ----------
    groups : sequence of str
        What each sub is held out with.
    n_parts : int
        How many parts; as many as there are groups where those are fewer.
    rng : numpy.random.Generator
        The dice.

    Returns
    -------
    tuple of int
        Part of each sub, from 0.

    Examples
    --------
    >>> parts = deal_sessions(["a", "a", "b", "c"], 2, rng=np.random.default_rng(1))
    >>> parts[0] == parts[1], sorted(set(parts))
    (True, [0, 1])
    """
    dealt = {
        str(name): place % n_parts
        for place, name in enumerate(rng.permutation(sorted(set(groups))))
    }
    return tuple(dealt[group] for group in groups)


def _can_judge(name: str, groups: Sequence[str], series: Sequence[int]) -> bool:
    own = [number for number, group in zip(series, groups, strict=True) if group == name]
    return max(own.count(number) for number in set(own)) >= 3


def _members(groups: Sequence[str], wanted: set[str]) -> tuple[int, ...]:
    return tuple(i for i, group in enumerate(groups) if group in wanted)
