"""The report as one HTML file that opens anywhere, without a network."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

import numpy as np
from numpy.typing import NDArray

from solodark.report.figures import png_data_uri
from solodark.report.pictures import Pictures, PictureSet, draw_pictures
from solodark.report.story import Panel, Story, show_digits
from solodark.report.table import table_html
from solodark.version import __version__

__all__ = ["asset", "definitions", "lead", "next_steps", "page_html", "viewer"]

STAGE_ZOOM = 6
"""The viewer shows a detail at this many screen pixels per picture pixel."""


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
    return asset("page.html").substitute(
        title=escape(story.title),
        version=escape(__version__),
        style=asset("page.css").substitute(stage_width=f"{width * STAGE_ZOOM + 2}px"),
        script=asset("page.js").template,
        lead=lead(story.lead),
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
        meanings=definitions((column.title, column.meaning) for column in story.columns),
        recipe=definitions(story.recipe),
        next=next_steps(story.next_steps, "Now with your own darks"),
    )


def asset(name: str) -> Template:
    """Load a template that pages are made of.

    Parameters
    ----------
    name : str
        A file beside this one.

    Returns
    -------
    Template
        With ``$name`` where something is to be filled in.
    """
    return Template(files("solodark.report").joinpath("assets", name).read_text("utf-8"))


def lead(sentences: Sequence[str]) -> str:
    """Write the opening paragraphs, the first one larger.

    Parameters
    ----------
    sentences : sequence of str
        One per paragraph, at least one.

    Returns
    -------
    str
        HTML.
    """
    first, *others = sentences
    paragraphs = [f'<p class="lead">{escape(first)}</p>']
    return "\n".join(paragraphs + [f"<p>{escape(text)}</p>" for text in others])


def _options(titles: Sequence[str], chosen: int) -> str:
    return "".join(
        f'<option value="{n}"{" selected" if n == chosen else ""}>{escape(title)}</option>'
        for n, title in enumerate(titles)
    )


def viewer(
    titles: Sequence[str],
    aspect: str,
    *,
    what: Mapping[str, str],
    where: Mapping[str, str],
    right: int = 1,
) -> str:
    """Write the stage on which any two panels are compared, with its controls.

    Parameters
    ----------
    titles : sequence of str
        One per panel, in the order of their pictures' ``data-panel``.
    aspect : str
        Width and height of the stage, "240 / 160".
    what, where : mapping of str to str
        Values of the pictures' ``data-what`` and ``data-where``, and what they are called.
    right : int
        The panel that is shown at first beside panel 0.

    Returns
    -------
    str
        HTML.
    """
    return asset("viewer.html").substitute(
        left=_options(titles, 0),
        right=_options(titles, right),
        count=len(titles),
        aspect=aspect,
        what=_radios("what", what),
        where=_radios("where", where),
        what_key=escape(" or ".join(what.values())),
        where_key=escape(" or ".join(where.values())),
    )


def _radios(name: str, values: Mapping[str, str]) -> str:
    """Write one button for each value, the first of them pressed."""
    first = next(iter(values))
    return "\n".join(
        f'<label><input type="radio" name="{name}" value="{value}"'
        f"{' checked' if value == first else ''}> {escape(label)}</label>"
        for value, label in values.items()
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


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Write names with what they stand for.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Name and text.

    Returns
    -------
    str
        HTML, to be put into a ``<dl>``.
    """
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)


def next_steps(steps: Sequence[tuple[str, str]], heading: str) -> str:
    """Write what to do now.

    Parameters
    ----------
    steps : sequence of (str, str)
        A sentence and a command per step.
    heading : str
        What stands above them.

    Returns
    -------
    str
        HTML; empty where there is nothing to do.
    """
    if not steps:
        return ""
    items = "\n".join(
        f"<li>{escape(sentence)}<br><code>{escape(command)}</code></li>"
        for sentence, command in steps
    )
    return (
        '<section class="next" aria-labelledby="next-title">'
        f'<h2 id="next-title">{escape(heading)}</h2>\n<ol>\n{items}\n</ol></section>'
    )
