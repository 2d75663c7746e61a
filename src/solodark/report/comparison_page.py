"""The report of a comparison as one HTML file that opens anywhere, without a network."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from solodark.report.comparison_story import ComparisonRow, ComparisonStory
from solodark.report.figures import png_data_uri
from solodark.report.page_frame import Words, fill_page, viewer
from solodark.report.stack_pictures import ShownStack, StackPictures, draw_stacks

__all__ = ["comparison_html"]

STAGE_ZOOM = 5
"""The viewer shows a close-up at this many screen pixels per picture pixel."""
WHAT = {
    "picture": "the stack",
    "residual": "what stays fixed to the sensor",
    "dark": "the dark, amplified",
}

WORDS = Words(
    look="Pick two darks and drag the divider, or let them blink: the same lights, calibrated with "
    "each dark and stacked in the same way, at one stretch. <b>What stays fixed to the sensor</b> "
    "is the mean of the calibrated lights before they are brought into register: even grey is "
    "perfect, a bright dot is a hot pixel that stays, a black dot is a hole, and a smear is a star "
    "that drifted.",
    side="Above a close-up of the stack, below it what stays fixed to the sensor there, and the "
    "dark itself, amplified.",
    whole="The whole field",
    figures="What each dark does to the picture",
    worth="Every row is a stack of the same lights, in the same register; only the dark differs.",
    steps="Now with your own lights",
)


def comparison_html(story: ComparisonStory) -> str:
    """Write a comparison as one HTML page with everything in it: pictures, style and script.

    Parameters
    ----------
    story : ComparisonStory
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
    pictures = draw_stacks(story)
    height, width = pictures.panels[0].detail["picture"].shape[:2]
    return fill_page(
        story,
        WORDS,
        stage_width=width * STAGE_ZOOM,
        viewer=viewer(
            [panel.title for panel in story.panels],
            f"{width} / {height}",
            what=WHAT,
            where={"detail": "close-up", "whole": "whole field"},
            right=story.stretched_by,
        ),
        gallery=_gallery(pictures, "detail"),
        whole_gallery=_gallery(pictures, "whole"),
        stretch_note=escape(_stretch_note(pictures, story)),
        table=_table(story),
    )


def _gallery(pictures: StackPictures, where: str) -> str:
    return "\n".join(_figure(shown, number, where) for number, shown in enumerate(pictures.panels))


def _figure(shown: ShownStack, number: int, where: str) -> str:
    """One stack, what stays fixed to the sensor in it, and the dark that was subtracted."""
    drawn = shown.detail if where == "detail" else shown.whole
    images = "".join(
        _image(image, number, what, where, shown.panel.title) for what, image in drawn.items()
    )
    title, caption = escape(shown.panel.title), escape(shown.panel.caption)
    return f"<figure>{images}<figcaption><b>{title}</b>{caption}</figcaption></figure>"


def _image(brightness: NDArray[np.float32], number: int, what: str, where: str, title: str) -> str:
    height, width = brightness.shape[:2]
    part = "a close-up" if where == "detail" else "the whole field"
    crisp = ' class="pixels"' if where == "detail" else ""
    return (
        f'<img{crisp} src="{png_data_uri(brightness)}" width="{width}" height="{height}" '
        f'alt="{escape(title)}: {WHAT[what]}, {part}" data-panel="{number}" data-what="{what}" '
        f'data-where="{where}">'
    )


def _table(story: ComparisonStory) -> str:
    headings = "".join(f'<th scope="col">{escape(c.title)}</th>' for c in story.columns)
    rows = "\n".join(_row(row) for row in story.rows)
    return (
        f'<table>\n<thead><tr><th scope="col">how the dark was made</th>{headings}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _row(row: ComparisonRow) -> str:
    ours = ' class="ours"' if row.is_ours else ""
    cells = "".join(_cell(figure) for figure in row.figures)
    name = f"{escape(row.name)}<span>{escape(row.meaning)}</span>"
    return f'<tr{ours}><th scope="row">{name}</th>{cells}</tr>'


def _cell(figure: str) -> str:
    """Write a figure, and below it, smaller, what follows in further lines."""
    first, *others = figure.split("\n")
    below = "".join(f"<span>{escape(line)}</span>" for line in others)
    return f'<td class="figure">{escape(first)}{below}</td>'


def _stretch_note(pictures: StackPictures, story: ComparisonStory) -> str:
    """Say the settings that all pictures share."""
    fixed, dark = (
        stretch.half_range_adu for stretch in (pictures.fixed_stretch, pictures.dark_stretch)
    )
    crop, like = pictures.crop, story.panels[story.stretched_by].title
    return (
        f"One stretch for all stacks, the usual automatic one (STF), found on “{like}”; each stack "
        f"is first brought to that one's background. What stays fixed to the sensor: grey is 0, "
        f"white is +{fixed:.2f} ADU, black is -{fixed:.2f} ADU. The darks, their level removed: "
        f"white is +{dark:.1f} ADU, black is -{dark:.1f} ADU. The close-up begins at row "
        f"{crop.top}, column {crop.left}."
    )
