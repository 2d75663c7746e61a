"""Why some bars of `docs/figures.md` are not reached: the bounds."""

from committed_results import load, machine, paragraph, spread

EFFICIENCY = 0.9


def missed() -> str:
    """Tell why some bars are not reached."""
    reasons = cramer_rao(), one_pixel(), oracle(), headers(), grown(), reading(), processor()
    return "\n".join(("## Bars that are missed, and why\n", *map(paragraph, reasons)))


def cramer_rao() -> str:
    """Tell what a bound is worth that believes the model."""
    rows = load("real_darks")["rows"]
    missed = [row for row in rows if row["efficiency_on_ordinary_pixels"] < EFFICIENCY]
    least = min(row["efficiency_over_the_best_linear"] for row in missed)
    return f"""
        **{EFFICIENCY} of the Cramér-Rao bound** is missed on {len(missed)} of {len(rows)} real
        series, on ordinary pixels. The bound is that of a sensor which does exactly what the maps
        say. Real pixels do a little else from series to series, which no library of these series
        foretells: the best linear estimate from the means of the same series, whose weights are
        fitted to the answer, is the bound that this leaves (`linear_bound.py`). Of that the model
        reaches {least:.2f} or more on these rows."""


def one_pixel() -> str:
    """Tell of the pixels that rule all others."""
    rows = load("worst_pixels")["rows"]
    without = [row["all"]["equivalent subs, all but so many of the worst"] for row in rows]
    shares = [row["all"]["share of the error in so many of the worst"]["1"] for row in rows]
    first, second = (row["all"]["worst"][0]["held-out subs, ADU"] for row in rows)
    return f"""
        **All pixels of the SBIG camera.** One pixel of a million hops to another level in the
        middle of each held-out series: between {min(first)} and {max(first)} ADU in the first,
        between {min(second)} and {max(second)} in the second. It makes {shares[0]:.0%} and
        {shares[1]:.0%} of the squared error of all pixels, and one dark of the series cannot
        foretell it. Without this one the figures are {without[0]["1"]:.1f} and
        {without[1]["1"]:.1f}, without the worst thirty {without[0]["30"]:.0f} and
        {without[1]["30"]:.0f} (`worst_pixels.py`)."""


def oracle() -> str:
    """Tell of what no estimator can know."""
    worth = load("synthetic_library")["equivalent_subs"]
    ours, best = (worth[name]["all but newborn, winsorised"] for name in ("model", "oracle"))
    return f"""
        **60 subs, winsorised, of the synthetic camera.** What is left are telegraph pixels that hop
        while the sub is exposed, or after it. The oracle, which knows their levels, their habits
        and where they stood in the sub, reaches {best:.0f} where newborn pixels are left out: the
        bar is above what this library and one sub tell. The model reaches {ours:.0f}."""


def headers() -> str:
    """Tell of what exposure and temperature cannot tell."""
    worth = load("no_sub_large")["uncooled"]["equivalent_subs"]
    off, truth = (
        worth[f"bound: {name}"]["winsorised"]["equivalent_subs"]
        for name in ("that, off by the headers' error", "truth, hops at their mean")
    )
    return f"""
        **Exposure and temperature only.** Even the camera's own truth, with every telegraph pixel
        at its mean, is worth {truth:.0f}, and {off:.1f} at a temperature as wrong as this camera's
        headers are: 15 cannot be had without a frame."""


def grown() -> str:
    """Tell of pixels that hop and are found while a model grows."""
    cameras = load("growth_synthetic")["cameras"]

    def over_all(how: str, name: str) -> str:  # numpydoc ignore=GL08
        return spread([camera["over_all"][how][name] for camera in cameras], 3)

    return f"""
        **Growing within 2 %, in four steps.** In synthetic libraries of two years, of
        {len(cameras)} cameras, a model that grew in one step is worth
        {over_all("in one step", "winsorised")}, winsorised, of one that learned all at once; in
        four steps {over_all("in four steps", "winsorised")}. Its ordinary pixels are worth
        {over_all("in four steps", "ordinary")}, those that are hot or hop
        {over_all("in four steps", "hot and telegraph, winsorised")}: a few that hop and were found
        in a late step, when only the means of earlier series are left. No bound is known."""


def reading() -> str:
    """Tell what learning costs."""
    large = load("learn")["cases"][-1]
    cuts = load("learn_ablation")["cases"]
    least = min(case["times_reading"] for case in cuts)
    read, necessary = large["reading_s"], large["necessary_s"]
    return f"""
        **Learning in three times the bare reading.** Bare reading of uncompressed frames that the
        system holds in memory takes {read:.1f} s for 24 megapixels. To load the code, to hash the
        files, and to read them the two times without which no pixel can be fitted with the states
        of all frames known takes {necessary:.1f} s, {necessary / read:.1f} times as long, before
        anything is learned. Learning takes {large["learn_s"]:.0f} s. Of compressed frames, which
        are slow to read, it takes {cuts[0]["times_reading"]:.0f} times the reading, and
        {least:.0f} times with the deepest of the cuts that `learn_ablation.py` tries; what each
        costs in equivalent subs stands there."""


def processor() -> str:
    """Tell what the speed of generate depends on."""
    here, there = load("generate"), load("generate_intel")
    return f"""
        **Generating in 5 s** depends on the processor: it takes {here["median_wall_s"]:.1f} s on
        {machine(here)}, and took {there["median_wall_s"]:.1f} s on {machine(there)}, with code
        that on the former was as fast as today's."""
