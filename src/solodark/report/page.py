"""The report as one HTML file that opens anywhere, without a network."""

import math
from html import escape

import numpy as np
from numpy.typing import NDArray

from solodark.report.figures import png_data_uri
from solodark.report.page_frame import Words, fill_page, viewer
from solodark.report.pictures import Pictures, PictureSet, draw_pictures
from solodark.report.story import Panel, Story, show_digits
from solodark.report.table import table_html

__all__ = ["page_html"]

STAGE_ZOOM = 6
"""The viewer shows a detail at this many screen pixels per picture pixel."""

WORDS = Words(
    look="Pick two darks and drag the divider, or let them blink. All are shown at one stretch. "
    "<b>What it leaves behind</b> shows what would stay in your picture after this dark is "
    "subtracted: even grey is perfect, a bright dot is a hot pixel that stays, a black dot is a "
    "hole.",
    side="Above the dark, below it what it leaves behind.",
    whole="The whole sensor",
    figures="What each dark is worth",
    worth="A dark's worth is counted in <b>subs</b>: one dark is worth 1, and averaging 20 darks "
    "that differ by nothing but noise makes it 20. Below 1 it is worse than a single dark.",
    steps="Now with your own darks",
)


def page_html(story: Story) -> str:
    """Write a story as one HTML page with everything in it: pictures, style and script.

    Parameters
    ----------
    story : Story
        What to tell. Not changed.

    Returns
    -------
    str
        The page; it refers to no other file and to no address.

    Raises
    ------
    SettingError
        The story's panels are not of one shape.
    """
    pictures = draw_pictures(story)
    height, width = pictures.panels[0].detail.shape[:2]
    return fill_page(
        story,
        WORDS,
        stage_width=width * STAGE_ZOOM,
        viewer=viewer(
            [drawn.panel.title for drawn in pictures.panels],
            f"{width} / {height}",
            what={"picture": "the dark", "residual": "what it leaves behind"},
            where={"detail": f"detail, {_zoom(story)}", "whole": "whole sensor"},
        ),
        gallery=_gallery(pictures, "detail"),
        whole_gallery=_gallery(pictures, "whole"),
        stretch_note=escape(_stretch_note(pictures)),
        table=table_html(story),
    )


def _zoom(story: Story) -> str:
    return "pixel by pixel" if story.cfa_pattern is None else "2 × 2 pixels are one"


def _gallery(pictures: PictureSet, where: str) -> str:
    return "\n".join(_figure(drawn, number, where) for number, drawn in enumerate(pictures.panels))


def _figure(drawn: Pictures, number: int, where: str) -> str:
    """One dark above what it leaves behind."""
    title, caption = escape(drawn.panel.title), escape(drawn.panel.caption)
    shown, left = (
        (drawn.detail, drawn.detail_residual)
        if where == "detail"
        else (drawn.whole, drawn.whole_residual)
    )
    worth = _worth(drawn.panel)
    return (
        f"<figure>{_image(shown, number, 'picture', where, title)}"
        f"{_image(left, number, 'residual', where, title)}"
        f"<figcaption><b>{title}{worth}</b>{caption}</figcaption></figure>"
    )


def _image(brightness: NDArray[np.float32], number: int, what: str, where: str, title: str) -> str:
    height, width = brightness.shape[:2]
    part = "a detail" if where == "detail" else "the whole sensor"
    said = f"{title}, {part}" if what == "picture" else f"what is left by: {title}, {part}"
    crisp = ' class="pixels"' if where == "detail" else ""
    return (
        f'<img{crisp} src="{png_data_uri(brightness)}" width="{width * 2}" height="{height * 2}" '
        f'alt="{said}" data-panel="{number}" data-what="{what}" data-where="{where}">'
    )


def _worth(panel: Panel) -> str:
    if math.isnan(panel.worth_subs):
        return ""
    ordinary = show_digits(panel.worth_ordinary_subs)
    return (
        f' <span class="worth">worth {show_digits(panel.worth_subs)} subs</span> '
        f'<span class="ordinary">{ordinary} on ordinary pixels</span>'
    )


def _stretch_note(pictures: PictureSet) -> str:
    """Say the settings that all pictures share."""
    stretch = pictures.stretch
    black = ", ".join(f"{value:.1f}" for value in stretch.black_adu)
    midtone = ", ".join(f"{value:.2g}" for value in stretch.midtone)
    reach = pictures.residual_stretch.half_range_adu
    crop = pictures.crop
    return (
        f"One stretch for all darks, the usual automatic one (STF), found on the first: black at "
        f"{black} ADU, midtone {midtone}, white at {stretch.white_adu:.0f} ADU. What is left "
        f"behind: grey is 0, white is +{reach:.1f} ADU, black is -{reach:.1f} ADU. The detail "
        f"begins at row {crop.top}, column {crop.left}."
    )
