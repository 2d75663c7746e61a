"""Write the committed results into the README, between its two marks.

Run it after a benchmark::

    python benchmarks/readme_numbers.py
"""

import json
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"
STRATA = ("all", "winsorised", "ordinary")
NIGHT = (
    "no dark",
    "one sub",
    "20 subs of the night's end",
    "generated from one sub of the night's end",
    "generated for each light",
)
ROWS = ("nearest master", "one k (PixInsight)", "one k (Siril)", "solodark")


def main() -> None:
    """Replace what stands between the marks."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    numbers = f"{real_darks()}\n{small_libraries()}\n{night()}\n{speed()}"
    readme.write_text(f"{before}{BEGIN}\n{numbers}\n{END}{after}")


def real_darks() -> str:
    """Give the table of real cameras."""
    results = load("real_darks")
    lines = [
        "What a master from ONE real dark is worth, in subs: all pixels / winsorised / ordinary.",
        "Each figure is for a series that the model had not seen.",
        "",
        "| held out | " + " | ".join(ROWS) + " |",
        "| --- |" + " --- |" * len(ROWS),
    ]
    for result in results["rows"]:
        table = {row["name"]: row["cells"] for row in result["table"]["rows"]}
        cells = [worth(table[name]) if name in table else "" for name in ROWS]
        lines.append(f"| {result['name']} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "Measured by `benchmarks/real_darks.py`.", ""])


def worth(cells: dict[str, dict[str, float]]) -> str:
    """Give the three figures of one cell."""
    return " / ".join(f"{float(cells[name]['equivalent_subs']):.2g}" for name in STRATA)


def small_libraries() -> str:
    """Tell what models of few frames are worth."""
    result = load("small_libraries")
    least, usual, _ = result["worth"]["equivalent_subs, least, median, most"]["winsorised"]
    right = result["kinds"]["right"]
    n = result["worth"]["judged"]
    return f"""\
From few frames, two to five series of these cameras drawn at random, one dark is worth {usual:.2g}
subs, winsorised, in the middle of {n} models, and {least:.2g} in the worst.
Of {right["tried"]} right darks these models refused {right["refused"]}.

Measured by `benchmarks/small_libraries.py`.
"""


def night() -> str:
    """Give the table of a night that cools."""
    result = load("night")
    n_nights = result["pooled"]["no dark"]["nights"]
    columns = "noise above the best possible, ADU", "hot pixels' mean residual, ADU"
    lines = [
        "What it does to a picture: 34 lights of 180 s in a synthetic night that cools by 8 °C,",
        f"the mean of {n_nights} nights beside the true dark of each light.",
        "",
        f"| dark | {columns[0]} | {columns[1]} | bias of faint stars, mag |",
        "| --- | --- | --- | --- |",
    ]
    for name in NIGHT:
        row = result["pooled"][name]
        lines.append(
            f"| {name} | {row['excess_dithered_adu']:.2f} | {row['hot_mean_adu']:+.3f} "
            f"| {row['star_bias_mag']:+.3f} ± {row['star_bias_error_mag']:.3f} |"
        )
    return "\n".join([*lines, "", "Measured by `benchmarks/night.py`.", ""])


def speed() -> str:
    """Give the sentences on speed."""
    combined, stacked = load("combine")["seconds_and_memory"], load("stack")
    siril, ccdproc = (combined[name]["times_solodark"]["median"] for name in ("siril", "ccdproc"))
    ours = max(one["solodark"]["peak_mib"] for one in stacked["rounds"])
    theirs = max(one["siril"]["peak_mib"] for one in stacked["rounds"])
    ratio = median(one["ratio"] for one in stacked["rounds"])
    return (
        f"Combining 20 darks of 6000 x 4000, winsorised: {siril:.1f} times faster than Siril 1.0 "
        f"and {ccdproc:.0f} times faster than ccdproc, in {combined['solodark']['peak_mib']:.0f} "
        "MiB. Measured by `benchmarks/combine.py`. Calibrating, registering and stacking 34 lights "
        f"of that size: {ratio:.2f} of Siril's time, in {ours / 1024:.1f} GiB against "
        f"{theirs / 1024:.1f}. Measured by `benchmarks/stack.py`.\n"
    )


def load(name: str) -> dict[str, Any]:
    """Read a committed result."""
    result: dict[str, Any] = json.loads((ROOT / f"benchmarks/results/{name}.json").read_text())
    return result


if __name__ == "__main__":
    main()
