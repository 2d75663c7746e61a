"""Every picture of a story, at one stretch, ready to be encoded."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.frames import cfa_planes
from solodark.report.figures import Crop, block_mean, colour, detail_crop
from solodark.report.story import Panel, Story
from solodark.report.stretch import ResidualStretch, Stretch, autostretch, residual_stretch

__all__ = ["PictureSet", "Pictures", "draw_pictures"]

DETAIL_HEIGHT = 128
"""Rows of a detail as shown, px; a colour detail is cut from twice as many."""
DETAIL_WIDTH = 192
WHOLE_WIDTH = 420
"""Columns of a picture of the whole sensor, px at most."""


@dataclass(frozen=True, eq=False, slots=True)
class Pictures:
    """The pictures of one panel.

    Attributes
    ----------
    panel : Panel
        What they show.
    detail, detail_residual : ndarray of float32
        Brightness of the detail, pixel for pixel: the dark, and what it leaves behind.
    whole, whole_residual : ndarray of float32
        The same of the whole sensor, shrunk by block means.
    """

    panel: Panel
    detail: NDArray[np.float32]
    detail_residual: NDArray[np.float32]
    whole: NDArray[np.float32]
    whole_residual: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class PictureSet:
    """All panels of a story with the settings they share.

    Attributes
    ----------
    panels : tuple of Pictures
        One per panel, the truth last.
    stretch : Stretch
        Of the darks, found on the first panel.
    residual_stretch : ResidualStretch
        Of what they leave behind.
    crop : Crop
        Where the detail was cut.
    """

    panels: tuple[Pictures, ...]
    stretch: Stretch
    residual_stretch: ResidualStretch
    crop: Crop


def draw_pictures(story: Story) -> PictureSet:
    """Stretch, cut and shrink every panel of a story by the same settings.

    What a dark leaves behind is ``truth - dark``, as it would stay in a light: positive where a hot
    pixel remains, negative where a hole is cut. The level of each CFA plane is removed first: a
    level is no pattern.

    Parameters
    ----------
    story : Story
        What to show. Not changed.

    Returns
    -------
    PictureSet
        The pictures and their settings.

    Raises
    ------
    SettingError
        The panels are not of one shape.
    """
    _require_one_shape(story)
    panels = (*story.panels, story.truth)
    left_behind = [_pattern(story.truth.data - p.data, story.cfa_pattern) for p in panels]
    stretch = autostretch(panels[0].data, story.cfa_pattern)
    residuals = residual_stretch(left_behind, sigmas=3.0)
    crop = _detail(story.truth.data, story.cfa_pattern)
    drawn = (
        _draw(panel, stretch.apply(panel.data), residuals.apply(left), crop, story.cfa_pattern)
        for panel, left in zip(panels, left_behind, strict=True)
    )
    return PictureSet(tuple(drawn), stretch, residuals, crop)


def _require_one_shape(story: Story) -> None:
    shapes = {panel.title: panel.data.shape for panel in (*story.panels, story.truth)}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{title}: {shape}" for title, shape in shapes.items())
        raise SettingError(f"pictures to compare must have one size, and these have not: {found}")


def _pattern(residual: NDArray[np.float32], cfa_pattern: str | None) -> NDArray[np.float32]:
    """Take the level of each plane off a residual."""
    levelled = residual.copy()
    for plane in cfa_planes(cfa_pattern):
        levelled[plane] -= np.nanmedian(residual[plane])
    return levelled


def _detail(truth: NDArray[np.float32], cfa_pattern: str | None) -> Crop:
    """Choose the detail; colour pixels are cut from twice as many rows and columns."""
    step = 1 if cfa_pattern is None else 2
    return detail_crop(truth, height=step * DETAIL_HEIGHT, width=step * DETAIL_WIDTH)


def _draw(
    panel: Panel,
    shown: NDArray[np.float32],
    left: NDArray[np.float32],
    crop: Crop,
    cfa_pattern: str | None,
) -> Pictures:
    """Make the four pictures of one panel from its brightness and what it leaves behind."""
    return Pictures(
        panel,
        colour(crop.cut(shown), cfa_pattern),
        colour(crop.cut(left), cfa_pattern),
        _shrunk(colour(shown, cfa_pattern)),
        _shrunk(colour(left, cfa_pattern)),
    )


def _shrunk(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink a picture of the whole sensor until it is small enough for a page."""
    return block_mean(picture, max(1, math.ceil(picture.shape[1] / WHOLE_WIDTH)))
