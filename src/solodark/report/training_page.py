"""How a training went: loss curves and samples as pictures, and one page that holds both."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from io import BytesIO
from string import Template
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solodark.report.stretch import autostretch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves_png", "samples_png", "training_html"]

_DOTS_PER_INCH = 110
_INK, _ACCENT, _QUIET = "#1c2330", "#b4530f", "#6a7486"


def curves_png(curves: Mapping[str, Sequence[float]]) -> bytes:
    """Draw what was measured in each epoch, one above the other.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        A name and a value for each epoch.

    Returns
    -------
    bytes
        A PNG file's content.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 1.7 * len(curves)), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(curves), 1, sharex=True))
    for axis, (name, values) in zip(axes, curves.items(), strict=True):
        epochs = np.arange(1, len(values) + 1)
        axis.plot(epochs, values, color=_ACCENT, marker="o", markersize=3, linewidth=1.2)
        axis.set_title(name, loc="left", fontsize=10, color=_INK)
        axis.grid(color="#e4e7ec", linewidth=0.6)
        axis.tick_params(colors=_QUIET, labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("epoch", fontsize=9, color=_QUIET)
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    return _png(figure)


def samples_png(samples: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Draw darks side by side at one stretch, found on the first.

    Parameters
    ----------
    samples : mapping of str to ndarray of float32, shape (h, w)
        A name and an image, ADU, with the level in it or above it; all of one size.

    Returns
    -------
    bytes
        A PNG file's content.
    """
    from matplotlib.figure import Figure

    darkest = min(float(image.min()) for image in samples.values())
    lifted = {name: image - min(0.0, darkest) for name, image in samples.items()}
    stretch = autostretch(next(iter(lifted.values())))  # which takes all below zero for black
    height, width = next(iter(samples.values())).shape
    side = 3.4  # inches
    size = side * len(samples), side * height / width + 0.3
    figure = Figure(figsize=size, layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(samples)))
    for axis, (name, image) in zip(axes, lifted.items(), strict=True):
        axis.imshow(stretch.apply(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(name, fontsize=10, color=_INK)
        axis.set_axis_off()
    return _png(figure)


def training_html(title: str, lead: str, pictures: Mapping[str, bytes]) -> str:
    """Write a page with everything in it.

    Parameters
    ----------
    title : str
        Heading.
    lead : str
        The result in one sentence.
    pictures : mapping of str to bytes
        A caption and a PNG file's content for each picture.

    Returns
    -------
    str
        The page; it refers to no other file and to no address.
    """
    template = files("solodark.report").joinpath("assets", "training.html").read_text("utf-8")
    figures = "\n".join(
        f'<figure><img alt="{escape(caption)}" '
        f'src="data:image/png;base64,{base64.b64encode(picture).decode("ascii")}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, picture in pictures.items()
    )
    return Template(template).substitute(title=escape(title), lead=escape(lead), figures=figures)


def _png(figure: "Figure") -> bytes:
    content = BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH)
    return content.getvalue()
