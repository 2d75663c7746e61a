"""Images of any size through a network: overlapping tiles, blended, in bounded memory."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from solodark.errors import SettingError
from solodark.frames import Progress, silent
from solodark.pix2pix.build import alignment_px, reach_px
from solodark.pix2pix.settings import NetworkSettings

__all__ = ["translate"]

Planes = NDArray[np.float32]

TILE_PX = 1024


def translate(
    network: nn.Module,
    settings: NetworkSettings,
    planes: Planes,
    *,
    tile_px: int = TILE_PX,
    progress: Progress = silent,
) -> Planes:
    """Put planes through a network, tile by tile.

    Tiles lie on the network's own grid. Where a tile has room for it, pixels that the network's
    reach connects with the tile's edge are thrown away, and the result is that of the whole image;
    a deep U-Net sees farther than any tile, and its tiles are blended over half their overlap.
    Batch norms use the averages of training, where the reference code uses those of the image at
    hand, which would make every tile a law unto itself; dropout is off: one sub has one master. At
    the image's own edge the pixels are mirrored.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode, on any device.
    settings : NetworkSettings
        Its shape.
    planes : ndarray of float32, shape (in_channels, h, w)
        Of any size, in the network's numbers.
    tile_px : int
        Side of a tile; memory grows as its square.
    progress : Progress
        Told of every tile.

    Returns
    -------
    ndarray of float32, shape (out_channels, h, w)
        In the network's numbers.

    Raises
    ------
    SettingError
        A tile is too small for the network.
    """
    grid = alignment_px(settings)
    if tile_px < 4 * grid:
        raise SettingError(
            f"found tiles of {tile_px} px, expected at least {4 * grid} px for this network"
        )
    height, width = planes.shape[1:]
    padded = _pad(planes, grid)
    spans = [_spans(n, tile_px // grid * grid, settings) for n in padded.shape[1:]]
    total = np.zeros((settings.out_channels, *padded.shape[1:]), np.float32)
    weight = np.zeros(padded.shape[1:], np.float32)
    tiles = [(rows, columns) for rows in spans[0] for columns in spans[1]]
    for (rows, row_weight), (columns, column_weight) in progress(tiles, "translating", len(tiles)):
        share = np.outer(row_weight, column_weight)
        total[:, rows, columns] += share * _through(network, padded[:, rows, columns])
        weight[rows, columns] += share
    total /= weight
    return total[:, :height, :width]


def _through(network: nn.Module, tile: Planes) -> Planes:
    device = next(network.parameters()).device
    with torch.inference_mode():
        made = network(torch.from_numpy(np.ascontiguousarray(tile))[None].to(device))
    values: Planes = made[0].float().cpu().numpy()
    return values


def _pad(planes: Planes, grid: int) -> Planes:
    """Mirror the lower and right edge up to a multiple of the network's grid."""
    extra = [(0, 0), *((0, -n % grid) for n in planes.shape[1:])]
    return np.pad(planes, extra, mode="symmetric") if np.any(extra) else planes


def _spans(
    length: int, tile_px: int, settings: NetworkSettings
) -> list[tuple[slice, NDArray[np.float32]]]:
    """Where tiles lie along one axis, and the weight of each of their pixels."""
    grid, reach = alignment_px(settings), reach_px(settings)
    if length <= tile_px:
        return [(slice(0, length), np.ones(length, np.float32))]
    margin = -(-reach // grid) * grid  # rounded up to the grid
    dead = reach
    if 2 * margin >= tile_px // 2:  # no room: blend what cannot be exact
        margin = max(1, grid // 2) * max(1, tile_px // (4 * grid))  # an eighth of the tile
        dead = margin // 2
    weights = _ramps(tile_px, dead, 2 * margin - dead)
    starts = [*range(0, length - tile_px, tile_px - 2 * margin), length - tile_px]
    return [(slice(at, at + tile_px), _open(weights, at, length)) for at in starts]


def _ramps(tile_px: int, dead: int, full: int) -> NDArray[np.float32]:
    """Rise from `dead` to `full` px from either edge."""
    from_edge = np.minimum(np.arange(tile_px), np.arange(tile_px)[::-1]) + 0.5
    return np.clip((from_edge - dead) / max(1, full - dead), 0.0, 1.0).astype(np.float32)


def _open(weights: NDArray[np.float32], start: int, length: int) -> NDArray[np.float32]:
    """Count pixels fully towards the image's own edge."""
    opened, half = weights.copy(), len(weights) // 2
    if start == 0:
        opened[:half] = 1.0
    if start + len(weights) == length:
        opened[half:] = 1.0
    return opened
