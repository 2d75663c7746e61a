"""A training as TensorBoard shows it: a curve for each figure of its epochs, and samples."""

import os
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from solodark.errors import OutputError, SettingError
from solodark.pix2pix.history import EpochRecord

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TrainingBoard", "open_board"]

_TAGS = {
    "pixel_loss": "loss/pixel",
    "adversarial_loss": "loss/adversarial",
    "discriminator_loss": "loss/discriminator",
    "learning_rate": "learning rate",
    "validation_subs": "worth on other nights, subs",
    "contrast": "contrast over a master's",
}


@dataclass(eq=False, slots=True)
class TrainingBoard:
    """Writes for TensorBoard; picklable until it has written, for other processes.

    Attributes
    ----------
    folder : Path
        Where TensorBoard looks: ``tensorboard --logdir FOLDER``.
    """

    folder: Path
    _writer: "SummaryWriter | None" = field(default=None, init=False, repr=False)

    def show_epoch(self, record: EpochRecord) -> None:
        """Add an epoch to all curves; what an interrupted training wrote from there on is dropped.

        Parameters
        ----------
        record : EpochRecord
            The epoch; figures that were not measured are left out.
        """
        writer = self._open(record.epoch)
        for name, tag in _TAGS.items():
            value = float(getattr(record, name))
            if isfinite(value):
                writer.add_scalar(tag, value, record.epoch)
        writer.flush()

    def show_samples(self, picture: Path, epoch: int) -> None:
        """Add the panel of samples, and close.

        Parameters
        ----------
        picture : Path
            A PNG file.
        epoch : int
            After which it was made.
        """
        from PIL import Image

        with Image.open(picture) as panel:
            pixels = np.asarray(panel.convert("RGB"))
        writer = self._open(None)
        writer.add_image("samples", pixels, epoch, dataformats="HWC")
        writer.close()
        self._writer = None

    def _open(self, purge_from: int | None) -> "SummaryWriter":
        """Open on first use: that may be in another process."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=purge_from)
        return self._writer


def open_board(folder: str | os.PathLike[str] | None) -> TrainingBoard | None:
    """Prepare to write for TensorBoard, before the work rather than after it.

    Parameters
    ----------
    folder : path-like or None
        Where to write; made where it is missing. None writes nothing.

    Returns
    -------
    TrainingBoard or None
        Nothing is written yet.

    Raises
    ------
    SettingError
        TensorBoard is not installed.
    OutputError
        The folder cannot be made.
    """
    if folder is None:
        return None
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise SettingError(
            "curves for TensorBoard were asked for, and it is not installed; run: "
            "pip install 'solodark[tensorboard]', or leave out --tensorboard"
        ) from error
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}, the folder for TensorBoard, cannot be made: {error.strerror or error}"
        ) from error
    return TrainingBoard(Path(folder))
