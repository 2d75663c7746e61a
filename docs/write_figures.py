"""Write docs/figures.md from the committed results: ``python docs/write_figures.py``."""

import sys
from pathlib import Path
from typing import Any

from committed_results import load, machine, paragraph, spread, table
from missed_bars import missed

PAGE = Path(__file__).with_name("figures.md")
STRATA = ("all", "winsorised", "ordinary")

HEAD = """\
# What the dark model reaches

Before the dark model was built, a bar was set for each of its figures. Here is every bar, what is
reached, and where a bar is missed, the bound that says why. One set of settings serves all cameras.
Figures are [equivalent subs](judging-a-dark.md) unless another unit is named; each is in the file
of `benchmarks/results` that bears its script's name, with the command and the machine.

This page is written by `python docs/write_figures.py`; do not edit it by hand.
"""

# all, winsorised and ordinary, in the order of `real_darks`
BARS = (
    (9, 11, 28),
    (9, 11, 34),
    (11.5, 13.5, 20),
    (5.5, 6.5, 12),
    (2, 31, 21),
    (2.5, 24, 21),
)


def figures_page() -> str:
    """Give the whole page."""
    parts = (real_cameras, known_truth, no_dark, verdict, growing, time_and_memory, missed)
    return "\n".join((HEAD, *(part() for part in parts)))


def three(values: dict[str, float]) -> str:
    """Give a figure of each stratum."""
    return " / ".join(f"{values[name]:.1f}" for name in STRATA)


def real_cameras() -> str:
    """Tell of the series of real cameras that the model had not seen."""
    rows: list[tuple[object, ...]] = []
    for bars, row in zip(BARS, load("real_darks")["rows"], strict=True):
        asked = " / ".join(f"{bar:g}" for bar in bars)
        shares = (
            f"{row['efficiency_on_ordinary_pixels']:.2f}",
            f"{row['efficiency_over_the_best_linear']:.2f}",
        )
        rows.append((row["name"], asked, three(row["reached"]), *shares))
    head = "held out", "bar", "reached", "over Cramér-Rao", "over the best linear estimate"
    return f"""\
## Real cameras

A model learns all darks of a camera but one series; one dark of that series at a time makes a
master, the others judge it (`real_darks.py`). All pixels / winsorised / ordinary:

{table(head, rows)}
The last two columns say how much of the possible is reached on ordinary pixels; 0.9 was asked. The
Cramér-Rao bound believes the learned model: it is too high where pixels do, from series to series,
what none of the maps explains, and too low where the model's prior is wider than the pixels are.
The best linear estimate believes nothing but second moments, and may fit its weights to the
held-out series itself. More than 1 is reached where an estimate that is not linear is better.
"""


def known_truth() -> str:
    """Tell of the synthetic uncooled camera."""
    result = load("synthetic_library")
    worth, best = (result["equivalent_subs"][name] for name in ("model", "oracle"))
    share, calibration = result["efficiency, model over oracle"], result["error over UNCERT, rms"]
    rows: list[tuple[object, ...]] = [
        ("winsorised", 60, f"{worth['winsorised']:.1f}"),
        ("winsorised, without newborn pixels", "", f"{worth['all but newborn, winsorised']:.1f}"),
        ("the same of an oracle", "", f"{best['all but newborn, winsorised']:.1f}"),
        ("ordinary", 250, f"{worth['ordinary']:.0f}"),
        ("ordinary, over the oracle's", 0.8, f"{share['ordinary']:.2f}"),
        ("hot and telegraph, over the oracle's", 0.6, f"{share['hot and telegraph']:.2f}"),
        ("newborn hot pixels within 3 sigma of a sub", 0.95, _newborn(result)),
        ("error over UNCERT, ordinary, rms", "0.9 to 1.1", f"{calibration['ordinary']:.2f}"),
        ("error over UNCERT, hot, rms", "0.8 to 1.25", f"{calibration['hot']:.2f}"),
    ]
    return f"""\
## A camera whose truth is known

Synthetic and uncooled, 60 nights of 18 darks at three ISOs, 12 nights held out
(`synthetic_library.py`). The oracle is told the true states, the noise of every pixel, and of every
telegraph pixel its levels, its habits and where it stands; it does not know newborn pixels.

{table(("figure", "bar", "reached"), rows)}"""


def _newborn(result: dict[str, Any]) -> str:
    share, judged = result["newborn within 3 sigma of a sub"], result["newborn pixels judged"]
    return f"{share:.2f} ({round(share * judged)} of {judged})"


def no_dark() -> str:
    """Tell of masters that no dark was taken for."""
    worth = load("no_sub_large")["uncooled"]["equivalent_subs"]
    rows: list[tuple[object, ...]] = [
        (name, bar, f"{worth[name]['winsorised']['equivalent_subs']:.1f}")
        for name, bar in (
            ("10 lights", 40),
            ("bound: 10 lights, all but the pixels known", ""),
            ("exposure and temperature", 15),
            ("bound: that, off by the headers' error", ""),
            ("bound: truth, hops at their mean", ""),
        )
    ]
    return f"""\
## Without any dark

The same camera, 48 nights at three ISOs; then nights of which only lights, or only exposure and
temperature of the header are known (`no_sub.py`, in `no_sub_large.json`; winsorised).

{table(("made from", "bar", "reached"), rows)}"""


def verdict() -> str:
    """Tell of right and wrong subs."""
    result = load("trust")
    kinds = result["kinds"]
    wrong = sum(kind["tried"] for name, kind in kinds.items() if name != "right")
    twin, right = kinds["another unit of the same camera model"], kinds["right"]
    rows: list[tuple[object, ...]] = [
        (
            f"wrong subs let through, of {wrong} of {len(kinds) - 1} kinds",
            0,
            result["wrong_subs_let_through"],
        ),
        (f"right subs refused, of {right['tried']}", 0, result["right_subs_refused"]),
        ("right subs doubted, none of them without a reason", "", right["doubted"]),
    ]
    twins = f"""
        Of {twin["tried"]} subs of another unit of the same camera model {twin["refused"]} are
        refused; the others are doubted, for want of a dark signal that would tell."""
    return f"""\
## Right and wrong subs

Before a master is written, the sub is judged (`trust.py`). What is doubted makes a master only with
`--force`.

{table(("figure", "bar", "reached"), rows)}
{paragraph(twins)}"""


def growing() -> str:
    """Tell of models that grow."""
    real = [case["grown_over_mean_of_all"] for case in load("growth")["cases"]]
    rows: list[tuple[object, ...]] = [
        (f"real cameras, {name}", "0.98 to 1.02", spread([case[name] for case in real]))
        for name in STRATA[::-1]
    ]
    synthetic = [camera["over_all"] for camera in load("growth_synthetic")["cameras"]]
    rows += [
        (f"synthetic, {how}, {name}", "0.98 to 1.02", spread([own[how][name] for own in synthetic]))
        for how in synthetic[0]
        for name in ("ordinary", "all but newborn, winsorised", "winsorised")
    ]
    return f"""\
## Growing

Equivalent subs of a model that learned a part of the darks and grew by the rest, over those of one
that learned all at once (`growth.py`, `growth_synthetic.py`). On real cameras "all" is ruled by a
few hopping pixels: models that learned all at once, but from other samples of the pixels, differ
by {spread(_all_at_once())} of their mean. Above the bar the model that grew is the better one.

{table(("figure", "bar", "reached"), rows)}"""


def _all_at_once() -> list[float]:
    """Give worth of each model of all darks, over the mean of the three."""
    worths = [case["all_with_three_samples"]["all"] for case in load("growth")["cases"]]
    return [3.0 * worth / sum(three) for three in worths for worth in three]


def time_and_memory() -> str:
    """Tell of speed."""
    large = load("learn")["cases"][-1]
    made = load("generate")
    peak = max(run["peak_mib"] for run in made["runs"])
    rows: list[tuple[object, ...]] = [
        ("learn, 24 megapixels, peak memory", "4 GiB", f"{large['peak_mib'] / 1024:.1f} GiB"),
        ("model of 24 megapixels", "a few hundred MB", f"{large['model_mib']:.0f} MiB"),
        ("learn, over bare reading of its files", 3, f"{large['times_reading']:.0f}"),
        ("generate, 24 megapixels", "5 s", f"{made['median_wall_s']:.1f} s"),
        (
            "generate, 24 megapixels, Intel",
            "5 s",
            f"{load('generate_intel')['median_wall_s']:.1f} s",
        ),
        ("generate, peak memory", "", f"{peak / 1024:.1f} GiB"),
    ]
    where = f"""
        On two cores, whole processes (`learn.py` on {machine(load("learn"))}, `generate.py` on
        {machine(made)})."""
    return f"""\
## Time and memory

{paragraph(where)}
{table(("figure", "bar", "reached"), rows)}"""


if __name__ == "__main__":
    PAGE.write_text(figures_page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
