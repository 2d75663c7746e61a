"""One picture that tells the story: darks in a row, what each leaves behind below it."""

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solodark.report.pictures import Pictures, PictureSet, draw_pictures
from solodark.report.story import Panel, Story, show_digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["summary_png"]

ZOOM = 3
"""Picture pixels per detail pixel: whole, so that a hot pixel stays a square."""
ROWS, COLUMNS = 100, 126
"""What is shown of the middle of a detail, px, where it is larger."""
GAP = 24
TOP = 136
BOTTOM = 64
PAPER, INK, SOFT, ACCENT = "#0e1116", "#eef1f6", "#a3adbd", "#f0a45d"
DPI = 100


def summary_png(story: Story, *, count: int = 4) -> bytes:
    """Draw the first darks of a story and its truth, with what each leaves behind.

    Parameters
    ----------
    story : Story
        What to tell. Not changed.
    count : int
        Columns; the last is the truth.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    SettingError
        The story's panels are not of one shape.
    """
    from matplotlib.figure import Figure

    pictures = draw_pictures(story)
    shown = (*pictures.panels[: count - 1], pictures.panels[-1])
    height, width = (ZOOM * n for n in _middle(shown[0].detail).shape[:2])
    size = (GAP + len(shown) * (width + GAP), TOP + 2 * height + GAP + BOTTOM)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor=PAPER)
    for number, drawn in enumerate(shown):
        _draw_column(figure, drawn, left=GAP + number * (width + GAP), size=size)
    _write(figure, size, GAP, size[1] - BOTTOM + 22, _foot(pictures), 19, SOFT)
    encoded = BytesIO()
    figure.savefig(encoded, format="png", dpi=DPI, facecolor=PAPER)
    return encoded.getvalue()


def _draw_column(figure: "Figure", drawn: Pictures, *, left: int, size: tuple[int, int]) -> None:
    """One dark: title and worth, the detail, and what it leaves behind."""
    dark, residual = _middle(drawn.detail), _middle(drawn.detail_residual)
    _write(figure, size, left, 22, drawn.panel.title, 27, INK)
    worth, ordinary = _worth(drawn.panel)
    _write(figure, size, left, 64, worth, 24, ACCENT)
    _write(figure, size, left, 98, ordinary, 19, SOFT)
    _place(figure, size, left, TOP, dark)
    _place(figure, size, left, TOP + ZOOM * dark.shape[0] + GAP, residual)


def _middle(brightness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the middle of a detail, as much as one column holds."""
    top, left = (
        max(0, (n - m) // 2) for n, m in zip(brightness.shape, (ROWS, COLUMNS), strict=False)
    )
    return brightness[top : top + ROWS, left : left + COLUMNS]


def _worth(panel: Panel) -> tuple[str, str]:
    if math.isnan(panel.worth_subs):
        return panel.caption, ""
    ordinary = show_digits(panel.worth_ordinary_subs)
    return f"worth {show_digits(panel.worth_subs)} subs", f"{ordinary} on ordinary pixels"


def _foot(pictures: PictureSet) -> str:
    reach = pictures.residual_stretch.half_range_adu
    return (
        "above: the dark, all at one stretch (STF of the first).   below: what it leaves in your "
        f"picture; grey is nothing, white +{reach:.0f} ADU, black -{reach:.0f} ADU"
    )


def _write(
    figure: "Figure", size: tuple[int, int], x: int, y: int, text: str, pixels: int, ink: str
) -> None:
    """Write text whose top left corner lies at (x, y), counted from the top, `pixels` high."""
    figure.text(
        x / size[0],
        1 - y / size[1],
        text,
        color=ink,
        fontsize=pixels * 72 / DPI,
        va="top",
        parse_math=False,
    )


def _place(
    figure: "Figure", size: tuple[int, int], x: int, y: int, brightness: NDArray[np.float32]
) -> None:
    """Put pixels on the figure, each ZOOM pixels wide, nothing interpolated."""
    levels = np.rint(np.clip(brightness, 0, 1) * 255).astype(np.uint8)
    if levels.ndim == 2:
        levels = np.repeat(levels[..., np.newaxis], 3, axis=2)
    enlarged = levels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
    figure.figimage(enlarged, xo=x, yo=size[1] - y - enlarged.shape[0], origin="upper")
