"""What a training leaves for people and machines: a table of losses, pictures, a page."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from solodark.formats.atomic import atomic_write
from solodark.pix2pix.history import EpochRecord
from solodark.report.training_page import curves_png, samples_png, training_html
from solodark.workflows.network_judge import Samples

__all__ = ["write_report"]

_NAMES = {
    "pixel_loss": "distance to the master, before its weight",
    "adversarial_loss": "generator against discriminator",
    "discriminator_loss": "discriminator",
    "validation_subs": "worth on other nights, in subs",
}
_SHOWN_PX = 192


def write_report(
    folder: Path, history: Sequence[EpochRecord], *, samples: Samples | None, lead: str
) -> Path:
    """Write ``losses.csv``, ``curves.png``, ``samples.png`` and ``index.html``.

    Parameters
    ----------
    folder : Path
        Where; it is there.
    history : sequence of EpochRecord
        All epochs so far.
    samples : Samples or None
        What the network makes of a sub; None while it is trained.
    lead : str
        How it stands, in one sentence.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        Something cannot be written.
    """
    pictures = {"What was measured in each epoch.": curves_png(_curves(history))}
    _write(folder / "losses.csv", _csv(history).encode())
    _write(folder / "curves.png", next(iter(pictures.values())))
    if samples is not None:
        shown = {
            "the sub": samples.sub,
            "what the network makes of it": samples.made,
            "the mean of the others": samples.truth,
        }
        drawn = samples_png({name: image[:_SHOWN_PX, :_SHOWN_PX] for name, image in shown.items()})
        _write(folder / "samples.png", drawn)
        pictures["A dark of a night that the network has never seen, at one stretch."] = drawn
    page = folder / "index.html"
    _write(page, training_html("A network in training", lead, pictures).encode())
    return page


def _curves(history: Sequence[EpochRecord]) -> dict[str, list[float]]:
    """Leave out what was not measured: a training without a discriminator has no such loss."""
    curves = {
        title: [float(getattr(record, name)) for record in history]
        for name, title in _NAMES.items()
    }
    return {
        title: values
        for title, values in curves.items()
        if any(value != 0.0 and math.isfinite(value) for value in values)
    }


def _csv(history: Sequence[EpochRecord]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(asdict(history[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in history)
    return table.getvalue()


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
