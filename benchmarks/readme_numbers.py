"""Write the committed results into the README, between its two marks.

Run it after a benchmark::

    python benchmarks/readme_numbers.py
"""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"
STRATA = ("all", "winsorised", "ordinary")
ROWS = ("nearest master", "one k (PixInsight)", "one k (Siril)", "solodark")


def main() -> None:
    """Replace what stands between the marks."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{real_darks()}\n{combining()}\n{END}{after}")


def real_darks() -> str:
    """Give the table of real cameras."""
    results = json.loads((ROOT / "benchmarks/results/real_darks.json").read_text())
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


def combining() -> str:
    """Give the sentence on speed, where it was measured."""
    path = ROOT / "benchmarks/results/combine.json"
    if not path.is_file():
        return ""
    figures = json.loads(path.read_text())["seconds_and_memory"]
    siril, ccdproc = (figures[name]["times_solodark"]["median"] for name in ("siril", "ccdproc"))
    peak_mib = figures["solodark"]["peak_mib"]
    return (
        f"Combining 20 darks of 6000 x 4000, winsorised: {siril:.1f} times faster than Siril 1.0 "
        f"and {ccdproc:.0f} times faster than ccdproc, in {peak_mib:.0f} MiB. Measured by "
        "`benchmarks/combine.py`.\n"
    )


if __name__ == "__main__":
    main()
