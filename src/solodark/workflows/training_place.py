"""Where a training lies while it runs: its checkpoint, its report, and what it will become."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from solodark.errors import SettingError
from solodark.formats.network_file import read_tensors, write_tensors
from solodark.pix2pix import NetworkSettings, TrainSettings
from solodark.pix2pix.history import TrainingState
from solodark.pix2pix.network import TrainedNetwork
from solodark.pix2pix.scaling import Scaling
from solodark.workflows.network_judge import NetworkJudge
from solodark.workflows.training_board import TrainingBoard
from solodark.workflows.training_report import write_report
from solodark.workflows.training_store import SensorStore, SubStore

__all__ = ["TrainingPlace"]

_CHECKPOINT = "checkpoint.safetensors"
_CONTENT = "checkpoint"


@dataclass(frozen=True, slots=True)
class TrainingPlace:
    """A training and its folder; picklable, for other processes.

    Attributes
    ----------
    folder : Path
        For the checkpoint and the report.
    network : NetworkSettings
        What is trained.
    settings : TrainSettings
        How.
    recipe : dict
        On what: camera, hashes of the darks, versions.
    store : SubStore or SensorStore
        The decoded darks.
    cfa_pattern : str or None
        Filters, row 0 at the top.
    board : TrainingBoard or None
        Where TensorBoard is told, too.
    """

    folder: Path
    network: NetworkSettings
    settings: TrainSettings
    recipe: dict[str, object]
    store: SubStore | SensorStore
    cfa_pattern: str | None
    board: TrainingBoard | None = None

    @property
    def scaling(self) -> Scaling | None:
        """The network's numbers; None for one that works in sigma of a sub."""
        return self.store.scaling if isinstance(self.store, SubStore) else None

    def judge(self, subs: tuple[int, ...], *, side_px: int = 512) -> NetworkJudge:
        """Give the judge that lets some of the darks speak.

        Parameters
        ----------
        subs : tuple of int
            Which.
        side_px : int
            Side of the central part that is judged.

        Returns
        -------
        NetworkJudge
            Gives equivalent subs.
        """
        return NetworkJudge(self.store, subs, self.cfa_pattern, side_px)

    def best(self, state: TrainingState) -> TrainedNetwork:
        """Give the best network so far.

        Parameters
        ----------
        state : TrainingState
            How far training is.

        Returns
        -------
        TrainedNetwork
            With its recipe.
        """
        figures = {
            "best_epoch": state.best_epoch,
            "validation_subs": state.best_validation_subs,
        }
        return TrainedNetwork(
            network=self.network,
            training=self.settings,
            scaling=self.scaling,
            weights=state.best,
            recipe=self.recipe | figures,
        )

    def find_checkpoint(self) -> TrainingState | None:
        """Read how far an earlier training came.

        Returns
        -------
        TrainingState or None
            None where there is no checkpoint.

        Raises
        ------
        SettingError
            The checkpoint is of other darks or settings.
        ModelFileError
            It is damaged.
        """
        path = self.folder / _CHECKPOINT
        if not path.is_file():
            return None
        tensors, description = read_tensors(path, content=_CONTENT)
        if description["job"] != self._job_in_json():
            raise SettingError(
                f"{path} is of other darks or settings; train with those, or anew without --resume"
            )
        return TrainingState.from_tensors(tensors, description["state"], name=str(path))

    def save_epoch(self, state: TrainingState, complete: Callable[[], TrainingState]) -> None:
        """Keep what a kill must not cost: the checkpoint and the losses.

        Parameters
        ----------
        state : TrainingState
            How far training is.
        complete : callable
            Gives the state with all that is needed to go on.
        """
        tensors, description = complete().to_tensors()
        described = {"job": self._job_in_json(), "state": description}
        write_tensors(self.folder / _CHECKPOINT, tensors, described, content=_CONTENT)
        lead = state.in_words(self.settings.epochs)
        write_report(self.folder, state.history, samples=None, lead=lead)
        if self.board is not None:
            self.board.show_epoch(state.history[-1])

    def _job_in_json(self) -> dict[str, object]:
        return {
            "network": asdict(self.network),
            "settings": asdict(self.settings),
            "darks": self.recipe["darks"],
        }
