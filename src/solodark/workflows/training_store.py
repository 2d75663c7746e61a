"""Darks decoded once, for training to cut from: plain arrays on a disk, mapped into memory."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from solodark.errors import OutputError, SettingError
from solodark.frames import FrameSource, Progress
from solodark.pix2pix.patches import SensorPairs, SubPairs
from solodark.pix2pix.scaling import Scaling, learn_scaling
from solodark.pix2pix.sensor_channels import PLANES, SensorView
from solodark.workflows.sensor_views import sensor_view
from solodark.workflows.training_priors import ShownDarks

__all__ = ["SensorStore", "SubStore", "fresh_folder", "write_sensor_store", "write_sub_store"]

_SCALED_SUBS = 20  # so many subs place the range of all


@dataclass(frozen=True, slots=True)
class SubStore:
    """Where subs lie that a network shall see alone; picklable, for other processes.

    Attributes
    ----------
    folder : Path
        ``subs.npy`` and ``totals.npy``.
    series : tuple of int
        Series of each sub.
    scaling : Scaling
        Range of the training subs.
    cfa_pattern : str or None
        Filters, row 0 at the top.
    cfa_planes : bool
        Whether filters become planes.
    """

    folder: Path
    series: tuple[int, ...]
    scaling: Scaling
    cfa_pattern: str | None
    cfa_planes: bool

    def open(self) -> SubPairs:
        """Map the store into memory.

        Returns
        -------
        SubPairs
            Read from the disk where it is cut.
        """
        return SubPairs(
            subs=_mapped(self.folder, "subs"),
            totals=_mapped(self.folder, "totals"),
            series=np.array(self.series),
            scaling=self.scaling,
            cfa_pattern=self.cfa_pattern,
            cfa_planes=self.cfa_planes,
        )


@dataclass(frozen=True, slots=True)
class SensorStore:
    """Where subs lie as a dark model sees them; picklable, for other processes.

    Attributes
    ----------
    folder : Path
        A file for each plane of the views, and ``totals.npy``.
    series : tuple of int
        Series of each sub.
    sigma_adu : tuple of float
        Noise of each sub.
    is_mosaic : bool
        Whether the sensor has colour filters.
    """

    folder: Path
    series: tuple[int, ...]
    sigma_adu: tuple[float, ...]
    is_mosaic: bool

    def open(self) -> SensorPairs:
        """Map the store into memory.

        Returns
        -------
        SensorPairs
            Read from the disk where it is cut.
        """
        planes = {name: _mapped(self.folder, name) for name in PLANES}
        views = [
            SensorView(
                **{name: plane[i] for name, plane in planes.items()},
                sigma_adu=sigma_adu,
                is_mosaic=self.is_mosaic,
            )
            for i, sigma_adu in enumerate(self.sigma_adu)
        ]
        return SensorPairs(views, _mapped(self.folder, "totals"), np.array(self.series))


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Make an empty folder and remove it in the end, with what an earlier run left in it.

    Parameters
    ----------
    folder : Path
        The folder; its parent must be there.

    Yields
    ------
    Path
        `folder`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_sub_store(
    sources: Sequence[FrameSource],
    series: Sequence[int],
    folder: Path,
    *,
    training: Sequence[int],
    cfa_planes: bool,
    progress: Progress,
) -> SubStore:
    """Decode subs: 2 bytes a pixel where files hold whole numbers, and the sum of each series.

    Parameters
    ----------
    sources : sequence of FrameSource
        Darks of one camera and size.
    series : sequence of int
        Series of each.
    folder : Path
        Where to write.
    training : sequence of int
        Those the range is learned from.
    cfa_planes : bool
        Whether filters become planes.
    progress : Progress
        Told of each dark.

    Returns
    -------
    SubStore
        The store.

    Raises
    ------
    SettingError
        A dark holds pixels without a value.
    OutputError
        The disk has no room.
    """
    shape, n_series = sources[0].shape, max(series) + 1
    whole = all(source.read_rows(0, 1).dtype == np.uint16 for source in sources)
    _require_room(folder, shape[0] * shape[1] * (len(sources) * 4 + n_series * 8))
    subs = _new(folder, "subs", (len(sources), *shape), np.uint16 if whole else np.float32)
    totals = _new(folder, "totals", (n_series, *shape), np.uint32 if whole else np.float64)
    decoding = progress(list(enumerate(sources)), "Decoding darks", len(sources))
    for i, source in decoding:
        pixels = source.read_rows(0, shape[0])
        _require_finite(source.name, pixels)
        subs[i] = pixels
        totals[series[i]] += pixels
    some = [training[i] for i in range(0, len(training), -(-len(training) // _SCALED_SUBS))]
    scaling = learn_scaling([subs[i] for i in some])
    pattern = sources[0].acquisition.cfa_pattern
    return SubStore(folder, tuple(series), scaling, pattern, cfa_planes)


def write_sensor_store(
    sources: Sequence[FrameSource],
    series: Sequence[int],
    folder: Path,
    shown: ShownDarks,
    *,
    progress: Progress,
) -> SensorStore:
    """Ask dark models about every sub, and keep their answers: 36 bytes for each pixel of each.

    Parameters
    ----------
    sources : sequence of FrameSource
        Darks.
    series : sequence of int
        Series of each.
    folder : Path
        Where to write.
    shown : iterable of (DarkModel, sequence of int)
        The models, each with the darks that it shows; together all of them.
    progress : Progress
        Told of each dark.

    Returns
    -------
    SensorStore
        The store.

    Raises
    ------
    WrongSubError
        A model does not know a dark's gain setting.
    OutputError
        The disk has no room.
    """
    shape, n_series = sources[0].shape, max(series) + 1
    n_planes = len(sources) * len(PLANES) + 2 * n_series
    _require_room(folder, 4 * shape[0] * shape[1] * n_planes)
    planes = {name: _new(folder, name, (len(sources), *shape), np.float32) for name in PLANES}
    totals = _new(folder, "totals", (n_series, *shape), np.float64)
    sigma_adu = np.zeros(len(sources))
    for model, subs in shown:
        for i in progress(subs, "Asking the dark model", len(subs)):
            view = sensor_view(model, sources[i])
            for name, plane in planes.items():
                plane[i] = getattr(view, name)
            totals[series[i]] += view.above
            sigma_adu[i] = view.sigma_adu
    is_mosaic = sources[0].acquisition.cfa_pattern is not None
    return SensorStore(folder, tuple(series), tuple(sigma_adu.tolist()), is_mosaic)


def _new(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
    try:
        array: NDArray[Any] = open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=dtype, shape=shape
        )
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return array


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    array: NDArray[Any] = open_memmap(folder / f"{name}.npy", mode="r")
    return array


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{folder} has {free / 1e9:.1f} GB free, decoded darks need {needed / 1e9:.1f} GB; "
            "choose another disk for the output, or give fewer darks"
        )


def _require_finite(name: str, pixels: NDArray[Any]) -> None:
    if pixels.dtype != np.uint16 and not np.isfinite(pixels).all():
        raise SettingError(
            f"{name} holds pixels without a value; expected a dark as the camera made it"
        )
