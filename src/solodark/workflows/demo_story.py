"""The demo told: which darks are shown, what the table's rows and columns mean, and the recipe."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.evaluation import EvaluationTable, Row
from solodark.frames import Frame
from solodark.report import Column, Estimate, Panel, Rival, Story, show_digits
from solodark.workflows.learn import LearnSummary

__all__ = ["BEST_K", "NEAREST", "DemoResults", "average_of", "tell_story", "worth"]

HEADLINE = "winsorised"

COLUMNS = {
    "winsorised": Column(
        "all pixels",
        "The worth over every pixel, where a wild one counts as ten times the noise at most. This "
        "is the figure to compare.",
    ),
    "ordinary": Column(
        "ordinary pixels", "The worth on the dimmer 97 %: the background of your picture."
    ),
    "hot": Column(
        "hot pixels", "The worth on the brightest 3 %: the dots and holes that stacking leaves."
    ),
    "newborn": Column(
        "newborn hot pixels",
        "The worth on the few pixels that became hot in the two months since the library.",
    ),
    "telegraph": Column(
        "telegraph pixels",
        "The worth on pixels that hop between levels; no dark made beforehand can follow them.",
    ),
}

MEANINGS = {
    "one sub": "Subtract tonight's one dark as it is: right temperature, all of its noise.",
    "solodark": "The learned camera, brought to the state of tonight's one dark.",
    "nearest master": "The library's master whose exposure and temperature come closest.",
    "one k (PixInsight)": "That master scaled by one number, found as PixInsight finds it.",
    "one k (Siril)": "That master scaled by one number, found as Siril finds it.",
    "one k (best)": "That master scaled by the best single number there is.",
    "network, sensor": "What solodark makes, corrected pixel by pixel by a small network that was "
    "trained on the earlier nights. solodark does without it unless you ask.",
}
"""Rows of the table, and how each dark is made; the average of several says it by its name."""

AVERAGE_MEANING = (
    "The classical master: darks of the same night, averaged. Its cosmic rays and hopping pixels "
    "keep it below their number."
)
NEAREST, BEST_K = "nearest master", "one k (best)"

NEXT_STEPS = (
    (
        "See which darks you have and whether all of them belong; your files are only read.",
        "solodark library add ~/astro/darks",
    ),
    ("Learn your camera, once.", "solodark learn ~/astro/darks -o mycamera.solodark"),
    (
        "In the field take ONE dark with the exposure of your lights, and make its master.",
        "solodark generate dark_0001.fit -m mycamera.solodark -o master_dark.fits",
    ),
    (
        "Find out what it is worth on your camera: leave an exposure out of the learning first.",
        "solodark evaluate ~/astro/darks -m mycamera.solodark",
    ),
)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class DemoResults:
    """What the demo has to tell of.

    Attributes
    ----------
    sub : Frame
        The one new dark.
    darks : dict of str to ndarray of float32, shape (ny, nx)
        Rows of the table that are shown as pictures, ADU.
    truth_adu : ndarray of float32, shape (ny, nx)
        The new dark without any noise.
    table : EvaluationTable
        All rivals, judged on the new night.
    subs_averaged : int
        How many darks the classical master averages.
    learned : LearnSummary
        What the model rests on.
    n_findings : int
        Files that the check of the library found not to belong.
    """

    sub: Frame
    darks: dict[str, NDArray[np.float32]]
    truth_adu: NDArray[np.float32]
    table: EvaluationTable
    subs_averaged: int
    learned: LearnSummary
    n_findings: int


def tell_story(results: DemoResults) -> Story:
    """Make the story of a report from the demo's results.

    Parameters
    ----------
    results : DemoResults
        What was made and measured.

    Returns
    -------
    Story
        For `solodark.report`.
    """
    return Story(
        title=_title(results.table),
        lead=_lead(results),
        panels=tuple(
            _panel(name, title, caption, results) for name, title, caption in _pictures(results)
        ),
        truth=Panel("the truth", "without any noise", results.truth_adu),
        cfa_pattern=results.sub.acquisition.cfa_pattern,
        columns=tuple(COLUMNS.values()),
        rivals=tuple(_rival(row, results.table) for row in results.table.rows),
        recipe=_recipe(results),
        next_steps=NEXT_STEPS,
    )


def worth(table: EvaluationTable, name: str, stratum: str = HEADLINE) -> Estimate:
    """Look up a figure of a row.

    Parameters
    ----------
    table : EvaluationTable
        The table.
    name : str
        A row of it.
    stratum : str
        A column of it, by default the headline.

    Returns
    -------
    Estimate
        Equivalent subs with their 95 % interval; NaN where there are none.
    """
    cell = table.cell(name, stratum)
    if cell is None:
        return Estimate(float("nan"))
    return Estimate(cell.equivalent_subs, *cell.interval_95)


def _title(table: EvaluationTable) -> str:
    return f"One dark, worth {show_digits(worth(table, 'solodark').value)}"


def _lead(results: DemoResults) -> tuple[str, ...]:
    exposure_s = results.sub.acquisition.exposure_s or 0.0
    n = results.subs_averaged
    ours, average, nearest, scaled = (
        show_digits(worth(results.table, name).value)
        for name in ("solodark", average_of(n), NEAREST, BEST_K)
    )
    result = (
        f"From a single new dark of {exposure_s:g} s and the darks of earlier nights, solodark "
        f"made a master dark worth {ours} subs. The average of {n} darks of the same night is "
        f"worth {average}, and costs {n * exposure_s / 60:.0f} minutes of it."
    )
    rivals = (
        f"The nearest master of the library is worth {nearest} here, and scaled by the best single "
        f"number {scaled}: exposure and warmth change every pixel by its own factor."
    )
    honesty = (
        "The camera is a simulated one, so that the truth is known exactly; everything else went "
        "through files and commands as it will with yours."
    )
    return result, rivals, honesty


def average_of(n: int) -> str:
    """Name the row of the classical master.

    Parameters
    ----------
    n : int
        How many darks it averages.

    Returns
    -------
    str
        As in the table of `solodark.evaluation.standard_rivals`.
    """
    return f"mean of {n} subs"


def _pictures(results: DemoResults) -> tuple[tuple[str, str, str], ...]:
    """Rows that are shown as pictures, with title and caption."""
    n = results.subs_averaged
    minutes = n * (results.sub.acquisition.exposure_s or 0.0) / 60
    return (
        ("one sub", "your one dark", "the only new frame of this night"),
        ("solodark", "made by solodark", "from that one dark and the learned camera"),
        (average_of(n), f"average of {n} darks", f"the classical way, in {minutes:.0f} minutes"),
        (NEAREST, "nearest library master", "the closest exposure and temperature at hand"),
        (BEST_K, "nearest master, scaled", "by the best single number"),
    )


def _panel(name: str, title: str, caption: str, results: DemoResults) -> Panel:
    all_pixels, ordinary = (
        worth(results.table, name, stratum).value for stratum in (HEADLINE, "ordinary")
    )
    return Panel(title, caption, results.darks[name], all_pixels, ordinary)


def _rival(row: Row, table: EvaluationTable) -> Rival:
    meaning = MEANINGS.get(row.name, AVERAGE_MEANING)
    meaning += f" Here: {row.note}." if row.note else ""
    estimates = tuple(worth(table, row.name, stratum) for stratum in COLUMNS)
    return Rival(row.name, meaning, estimates, is_ours=row.name == "solodark")


def _recipe(results: DemoResults) -> tuple[tuple[str, str], ...]:
    return (
        ("camera", _camera(results.learned)),
        ("library", _library(results.learned)),
        ("left out", f"{results.n_findings} files that the check of the library found"),
        ("model", _model(results.learned)),
        ("new dark", _new_dark(results.sub)),
        ("judged by", _judges(results.table)),
    )


def _camera(learned: LearnSummary) -> str:
    ny, nx = learned.shape
    noise = learned.settings[0]
    return (
        f"{learned.camera}, {nx} × {ny} pixels; {noise.gain_e_per_adu:.2f} e-/ADU and read noise "
        f"{noise.read_noise_e:.1f} e-, both learned from the darks"
    )


def _library(learned: LearnSummary) -> str:
    darks = learned.n_frames - learned.n_biases
    coldest, warmest = learned.temperature_range_c or (float("nan"), float("nan"))
    return (
        f"{darks} darks and {learned.n_biases} biases in {learned.n_series} series, {coldest:g} to "
        f"{warmest:g} °C by their headers"
    )


def _model(learned: LearnSummary) -> str:
    return (
        f"the bias pattern and {learned.rank} dark maps, learned in {learned.seconds:.0f} s; "
        f"identity {learned.model_id}"
    )


def _new_dark(sub: Frame) -> str:
    taken = sub.acquisition
    return (
        f"{taken.exposure_s:g} s, {taken.sensor_temperature_c:g} °C by its header, which is off by "
        "about two degrees as headers are; the state was solved from the pixels"
    )


def _judges(table: EvaluationTable) -> str:
    return (
        f"{table.n_subs} darks of the new night that the model has never seen: each in turn was "
        "the one new dark and the others the truth; below each figure stands its 95 % interval"
    )
