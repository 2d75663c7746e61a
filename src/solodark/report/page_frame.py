"""The frame that all pages with a viewer share: heading, viewer, galleries, table and recipe."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple

from solodark.report.story import Telling
from solodark.version import __version__

__all__ = ["Words", "fill_page", "viewer"]


class Words(NamedTuple):
    """What a page says between its pictures, as HTML.

    Attributes
    ----------
    look, side, whole : str
        How to use the viewer; what the gallery shows; heading of the second gallery.
    figures, worth : str
        Heading of the table, and how to read it.
    steps : str
        Heading of what to do next.
    """

    look: str
    side: str
    whole: str
    figures: str
    worth: str
    steps: str


def fill_page(story: Telling, words: Words, *, stage_width: int, **parts: str) -> str:
    """Fill a page with pictures, figures and words.

    Parameters
    ----------
    story : Telling
        What every page tells.
    words : Words
        What this kind of page says.
    stage_width : int
        Of the viewer's pictures, screen pixels.
    **parts : str
        HTML of the viewer, the galleries, the table and the note on the stretch.

    Returns
    -------
    str
        The page; it refers to no other file and to no address.
    """
    return _asset("page.html").substitute(
        words._asdict(),
        **parts,
        title=escape(story.title),
        version=escape(__version__),
        style=_asset("page.css").substitute(stage_width=f"{stage_width + 2}px"),
        script=_asset("page.js").template,
        lead=_lead(story.lead),
        meanings=_definitions((column.title, column.meaning) for column in story.columns),
        recipe=_definitions(story.recipe),
        next=_next_steps(story.next_steps, words.steps),
    )


def _asset(name: str) -> Template:
    """Load a template that pages are made of, with ``$name`` where something is filled in."""
    return Template(files("solodark.report").joinpath("assets", name).read_text("utf-8"))


def _lead(sentences: Sequence[str]) -> str:
    """Write the opening paragraphs, the first one larger."""
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
    return _asset("viewer.html").substitute(
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


def _definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Write names with what they stand for, to be put into a ``<dl>``."""
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)


def _next_steps(steps: Sequence[tuple[str, str]], heading: str) -> str:
    """Write what to do now; nothing where there is nothing to do."""
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
