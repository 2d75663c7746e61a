"""Masters from networks: the sub alone, or the sub as a dark model sees it."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from solodark.errors import ModelFileError
from solodark.frames import Progress, silent
from solodark.pix2pix.build import build_network
from solodark.pix2pix.inference import TILE_PX, translate
from solodark.pix2pix.network import TrainedNetwork
from solodark.pix2pix.planes import from_planes, to_planes
from solodark.pix2pix.scaling import Scaling
from solodark.pix2pix.sensor_channels import SensorView, corrected_pattern, sensor_channels
from solodark.pix2pix.settings import NetworkSettings, TrainSettings

__all__ = ["NetworkEstimator"]

Image = NDArray[np.float32]


class NetworkEstimator:
    """Makes masters with a network.

    Parameters
    ----------
    module : nn.Module
        The network, on any device; used in evaluation mode.
    network : NetworkSettings
        Its shape.
    training : TrainSettings
        How it was trained.
    scaling : Scaling or None
        Its numbers.
    """

    def __init__(
        self,
        module: nn.Module,
        network: NetworkSettings,
        training: TrainSettings,
        scaling: Scaling | None,
    ) -> None:
        self._module = module
        self._network = network
        self._training = training
        self._scaling = scaling

    @classmethod
    def load(cls, trained: TrainedNetwork, *, name: str = "the network") -> Self:
        """Wake a trained network, on an accelerator where there is one.

        Parameters
        ----------
        trained : TrainedNetwork
            Weights and settings.
        name : str
            What messages call it.

        Returns
        -------
        NetworkEstimator
            Ready.

        Raises
        ------
        ModelFileError
            The weights do not fit the settings.
        """
        module = build_network(trained.network)
        weights = {key: torch.from_numpy(np.array(w)) for key, w in trained.weights.items()}
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelFileError(
                f"{name} holds weights that do not fit its settings; train it anew with "
                "`solodark train`"
            ) from error
        device = "cuda" if torch.cuda.is_available() else "cpu"
        module.to(device).eval()
        return cls(module, trained.network, trained.training, trained.scaling)

    @property
    def preset(self) -> str:
        """The preset, "paper" or "sensor"."""
        return self._training.preset

    def master(
        self,
        sub: Image,
        cfa_pattern: str | None,
        *,
        tile_px: int = TILE_PX,
        progress: Progress = silent,
    ) -> Image:
        """Make a master from the sub alone.

        Parameters
        ----------
        sub : ndarray of float32, shape (ny, nx)
            One dark, ADU.
        cfa_pattern : str or None
            Its filters, row 0 at the top.
        tile_px : int
            Side of a tile.
        progress : Progress
            Told of every tile.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU, the level in it.

        Raises
        ------
        ModelFileError
            The network was trained for another number of filters, or needs a dark model.
        """
        layout = cfa_pattern if self._training.cfa_planes else None
        planes = to_planes(sub, layout)
        if self._scaling is None or len(planes) != self._network.in_channels:
            raise ModelFileError(
                f"the network wants {self._network.in_channels} planes, the sub gives "
                f"{len(planes)}; use one that was trained on this camera, with -m if it was "
                "trained with --prior"
            )
        scaled = self._scaling.scale(planes)
        made = translate(self._module, self._network, scaled, tile_px=tile_px, progress=progress)
        return from_planes(self._scaling.unscale(made), (sub.shape[0], sub.shape[1]))

    def pattern(
        self, view: SensorView, *, tile_px: int = TILE_PX, progress: Progress = silent
    ) -> Image:
        """Make a pattern from the sub as a dark model sees it.

        Parameters
        ----------
        view : SensorView
            What the model says of the sub.
        tile_px : int
            Side of a tile.
        progress : Progress
            Told of every tile.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU above the level.
        """
        channels = sensor_channels(view)
        signal = translate(
            self._module, self._network, channels, tile_px=tile_px, progress=progress
        )
        return corrected_pattern(view, signal[0])
