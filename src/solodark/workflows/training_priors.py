"""Dark models that show a network its darks; none has learned from what it shows.

On darks that it has learned from, a model is better than on any new one, and a network that is
trained on those trusts it too much. So the darks are new to the one model there is, or the library
is parted by nights, and each part is shown by a model of all the others: the network learns from
every dark, and what it learns holds for the model of all [Wolpert 1992, Neural Networks 5, 241].
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solodark.dark_model import DarkModel, LearnSettings, is_bias, learn
from solodark.dark_model.gain_settings import gain_settings
from solodark.errors import FrameMismatchError, NotEnoughFramesError
from solodark.frames import Progress
from solodark.pix2pix import TrainSettings
from solodark.pix2pix.sessions import deal_sessions, held_out_together
from solodark.workflows.model_files import open_frames
from solodark.workflows.nights import night_of
from solodark.workflows.training_darks import TrainingDarks

__all__ = ["Fold", "ShownDarks", "learn_folds", "plan_folds", "who_shows"]

ShownDarks = Iterable[tuple[DarkModel, Sequence[int]]]
"""Dark models, each with the darks that it has not learned from and shows."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One part of the nights.

    Attributes
    ----------
    name : str
        Which nights, or series where nights are too few.
    shown : tuple of int
        Darks of these nights, which the network shall see.
    others : tuple of Path
        Darks and biases of all other nights, which their model learns from.
    """

    name: str
    shown: tuple[int, ...]
    others: tuple[Path, ...]


def who_shows(
    darks: TrainingDarks,
    files: Sequence[Path],
    model: DarkModel | None,
    settings: TrainSettings,
    learn_settings: LearnSettings | None,
    progress: Progress,
) -> ShownDarks:
    """Choose the dark models that show a network its darks.

    Parameters
    ----------
    darks : TrainingDarks
        What it shall see.
    files : sequence of Path
        Darks and biases that models can be learned from.
    model : DarkModel or None
        One that has learned from none of the darks.
    settings : TrainSettings
        How many models to learn where there is none, and their dice.
    learn_settings : LearnSettings or None
        How to learn them.
    progress : Progress
        Who is told.

    Returns
    -------
    iterable of (DarkModel, sequence of int)
        That model with all darks, or a model for each part of the nights, learned in its turn.

    Raises
    ------
    NotEnoughFramesError
        As `plan_folds` does; when it is their turn, as `learn_folds` does.
    """
    if model is not None:
        return [(model, range(len(darks.paths)))]
    folds = plan_folds(files, darks, n_folds=settings.folds, seed=settings.seed)
    return learn_folds(folds, seed=settings.seed, settings=learn_settings, progress=progress)


def plan_folds(
    files: Sequence[Path], darks: TrainingDarks, *, n_folds: int, seed: int
) -> list[Fold]:
    """Part the nights.

    Parameters
    ----------
    files : sequence of Path
        Darks and biases to learn from.
    darks : TrainingDarks
        Those of them that the network shall see.
    n_folds : int
        Parts; fewer where there are fewer nights.
    seed : int
        The dice.

    Returns
    -------
    list of Fold
        Each dark is shown in one of them. Biases of a fold's nights are no others', unless there
        are no biases but those.

    Raises
    ------
    NotEnoughFramesError
        Darks are the only ones of their gain setting, so that no model of others knows it.
    """
    groups = held_out_together(darks.sessions, darks.series)
    parts = deal_sessions(groups, n_folds, rng=np.random.default_rng(seed))
    with open_frames(files) as sources:
        settings, index = gain_settings(sources)
        nights = [night_of(source) for source in sources]
        biases = {path for path, s in zip(files, sources, strict=True) if is_bias(s)}
    setting_of = {path: str(settings[i]) for path, i in zip(files, index, strict=True)}
    folds = []
    for part in range(max(parts) + 1):
        shown = tuple(i for i, own in enumerate(parts) if own == part)
        held_out = {groups[i] for i in shown}
        left_out = {path for path, night in zip(files, nights, strict=True) if night in held_out}
        left_out |= {darks.paths[i] for i in shown}
        left_out -= biases if biases <= left_out else set()
        others = tuple(path for path in files if path not in left_out)
        fold = Fold(", ".join(sorted(held_out)), shown, others)
        _require_settings(fold, darks, setting_of)
        folds.append(fold)
    return folds


def learn_folds(
    folds: Sequence[Fold], *, seed: int, settings: LearnSettings | None, progress: Progress
) -> Iterator[tuple[DarkModel, tuple[int, ...]]]:
    """Learn a dark model for each part of the nights from all others, when its turn comes.

    Parameters
    ----------
    folds : sequence of Fold
        The parts; each costs as long as `solodark learn`.
    seed : int
        The dice that choose the models' samples.
    settings : LearnSettings or None
        How to learn.
    progress : Progress
        Told of every step.

    Yields
    ------
    model : DarkModel
        Of the others.
    shown : tuple of int
        The darks that are new to it.

    Raises
    ------
    NotEnoughFramesError
        Without some nights there is too little left to learn from.
    """
    for fold in folds:
        with open_frames(fold.others) as sources:
            try:
                rng = np.random.default_rng(seed)
                model = learn(sources, rng=rng, settings=settings, progress=progress)
            except (NotEnoughFramesError, FrameMismatchError) as error:
                raise NotEnoughFramesError(
                    f"no dark model can be learned without the darks of {fold.name}: {error}. Give "
                    "darks of more nights, or a model of other darks with --prior"
                ) from error
        yield model, fold.shown


def _require_settings(fold: Fold, darks: TrainingDarks, setting_of: dict[Path, str]) -> None:
    shown = {setting_of[darks.paths[i]] for i in fold.shown}
    unknown = shown - {setting_of[path] for path in fold.others}
    if unknown:
        raise NotEnoughFramesError(
            f"found darks at {' and '.join(sorted(unknown))} in {fold.name} alone; expected some "
            "of other nights, too, for a dark model that has not learned from these. Leave them "
            "out, or raise --folds so that fewer nights are left out at once"
        )
