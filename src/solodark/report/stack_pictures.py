"""Every picture of a comparison: stacks at one stretch, fixed patterns and darks at another."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.errors import SettingError
from solodark.report.comparison_story import ComparisonStory, StackPanel
from solodark.report.figures import Crop, block_mean, colour, detail_crop
from solodark.report.stretch import (
    ResidualStretch,
    Stretch,
    autostretch,
    residual_stretch,
)

__all__ = ["ShownStack", "StackPictures", "StackStretch", "draw_stacks"]

Image = NDArray[np.float32]

DETAIL_HEIGHT, DETAIL_WIDTH = 160, 240
"""What is shown of a stack pixel by pixel, px; even, so that the colours of the sensor fit."""
WHOLE_WIDTH = 480
"""Columns of a picture of the whole field, px at most."""
FIXED_SIGMAS, DARK_SIGMAS = 4.0, 6.0


@dataclass(frozen=True, slots=True)
class StackStretch:
    """The stretch that all stacks share, one for each colour.

    Attributes
    ----------
    planes : tuple of Stretch
        One for mono; red, green and blue for colour.
    levels_adu : tuple of float
        Background that every stack is brought to first: a level is no pattern.
    """

    planes: tuple[Stretch, ...]
    levels_adu: tuple[float, ...]

    def apply(self, stack: Image) -> Image:
        """Brightness of a stack at this stretch.

        Parameters
        ----------
        stack : ndarray of float32, shape (ny, nx) or (3, ny, nx)
            ADU. Not changed.

        Returns
        -------
        ndarray of float32, shape (ny, nx) or (ny, nx, 3)
            0 (black) to 1 (white), NaN where the stack has no value.
        """
        planes = [
            stretch.apply(plane - np.nanmedian(plane) + level)
            for plane, stretch, level in zip(
                _planes(stack), self.planes, self.levels_adu, strict=True
            )
        ]
        return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


@dataclass(frozen=True, eq=False, slots=True)
class ShownStack:
    """The pictures of one panel.

    Attributes
    ----------
    panel : StackPanel
        What they show.
    detail, whole : dict of str to ndarray of float32
        Brightness of "picture" (the stack), "residual" (what stays fixed to the sensor) and "dark",
        as a close-up and as the whole field.
    """

    panel: StackPanel
    detail: Mapping[str, Image]
    whole: Mapping[str, Image]


@dataclass(frozen=True, eq=False, slots=True)
class StackPictures:
    """All panels of a comparison with the settings they share.

    Attributes
    ----------
    panels : tuple of ShownStack
        One per panel.
    stretch : StackStretch
        Of the stacks.
    fixed_stretch, dark_stretch : ResidualStretch
        Of what stays fixed to the sensor, and of the darks.
    crop : Crop
        Where the close-up was cut.
    """

    panels: tuple[ShownStack, ...]
    stretch: StackStretch
    fixed_stretch: ResidualStretch
    dark_stretch: ResidualStretch
    crop: Crop


def draw_stacks(story: ComparisonStory) -> StackPictures:
    """Stretch, cut and shrink every panel of a comparison by the same settings.

    Parameters
    ----------
    story : ComparisonStory
        What to show. Not changed.

    Returns
    -------
    StackPictures
        The pictures and their settings.

    Raises
    ------
    SettingError
        The panels are not of one shape.
    """
    _require_one_shape(story)
    stretch = find_stack_stretch(story.panels[story.stretched_by].stack)
    fixed = residual_stretch([panel.fixed for panel in story.panels], sigmas=FIXED_SIGMAS)
    darks = [panel.dark for panel in story.panels if panel.dark.any()]
    dark = residual_stretch(darks or [story.panels[0].dark], sigmas=DARK_SIGMAS)
    crop = detail_crop(
        _planes(story.panels[story.stretched_by].stack)[0],
        height=DETAIL_HEIGHT,
        width=DETAIL_WIDTH,
    )
    shown = (
        _draw(
            panel,
            stretch.apply(panel.stack),
            {
                "residual": colour(fixed.apply(panel.fixed), story.cfa_pattern),
                "dark": colour(dark.apply(panel.dark), story.cfa_pattern),
            },
            crop,
        )
        for panel in story.panels
    )
    return StackPictures(tuple(shown), stretch, fixed, dark, crop)


def find_stack_stretch(stack: Image) -> StackStretch:
    """Find the automatic stretch (STF) of a stack, each colour by itself.

    Parameters
    ----------
    stack : ndarray of float32, shape (ny, nx) or (3, ny, nx)
        ADU; NaN where there is no value.

    Returns
    -------
    StackStretch
        To be applied to every stack that is compared with this one.
    """
    planes, levels = [], []
    for plane in _planes(stack):
        level = float(np.nanmedian(plane))
        spread = 1.4826 * float(np.nanmedian(np.abs(plane - level)))
        # STF's black is never below 0, and a sky near 0 would be cut: it is lifted first.
        lifted = max(level, 10.0 * spread)
        planes.append(autostretch(plane - level + lifted, white_adu=_white(plane - level + lifted)))
        levels.append(lifted)
    return StackStretch(tuple(planes), tuple(levels))


def _white(plane: Image) -> float:
    """Brightest pixel but for the few that stars and hot pixels saturate."""
    return float(np.nanquantile(plane, 0.9995))


def _planes(stack: Image) -> Image:
    return stack[None] if stack.ndim == 2 else stack


def _require_one_shape(story: ComparisonStory) -> None:
    shapes = {panel.title: panel.stack.shape for panel in story.panels}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{title}: {shape}" for title, shape in shapes.items())
        raise SettingError(f"stacks to compare must have one size, and these have not: {found}")


def _draw(
    panel: StackPanel, stack: Image, of_sensor: Mapping[str, Image], crop: Crop
) -> ShownStack:
    """Cut and shrink; pictures of a colour sensor hold one pixel for four of the stack's."""
    ny = stack.shape[0]
    detail, whole = {"picture": crop.cut(stack)}, {"picture": _shrunk(stack)}
    for name, image in of_sensor.items():
        part = ny // image.shape[0]
        small = Crop(*(n // part for n in (crop.top, crop.left, crop.height, crop.width)))
        detail[name], whole[name] = small.cut(image), _shrunk(image)
    return ShownStack(panel, detail, whole)


def _shrunk(picture: Image) -> Image:
    return block_mean(picture, max(1, math.ceil(picture.shape[1] / WHOLE_WIDTH)))
