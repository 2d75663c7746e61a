"""``solodark generate``: a master dark from one new dark, from lights, or from no frame at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from solodark.cli.options import AsJson, NetworkFile
from solodark.cli.outcome import say
from solodark.cli.printing import print_json, print_left_out, print_lines
from solodark.cli.progress import progress_on_terminal
from solodark.errors import SettingError

if TYPE_CHECKING:
    from solodark.workflows.generate import GenerateSummary, NightSummary

__all__ = ["generate"]

Program = Literal["siril", "pixinsight", "dss", "astap", "ccdproc"]

Sub = Annotated[
    Path | None, typer.Argument(metavar="SUB", help="The one new dark.", show_default=False)
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="The dark model, as `solodark learn` made it; always needed but with a --network that "
        "sees the sub alone.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER",
        help="Where to write the master; a folder for one dark per light.",
    ),
]
Lights = Annotated[
    Path | None,
    typer.Option(
        "--lights",
        metavar="FOLDER",
        help="No dark at all: the lights' own warm pixels are the thermometer. Give them as the "
        "camera wrote them.",
    ),
]
Each = Annotated[
    bool,
    typer.Option(
        "--each",
        help="With --lights: one dark per light, FOLDER/<light>_dark.fits, also where -o is a "
        "folder already. Without it, one dark in the lights' mean state.",
    ),
]
Exposure = Annotated[
    float | None,
    typer.Option(
        "--exposure-s", metavar="S", help="No frame at all: a dark of this exposure, in seconds."
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature-c",
        metavar="C",
        help="With --exposure-s: sensor temperature as this camera's headers tell it.",
    ),
]
Iso = Annotated[
    int | None,
    typer.Option("--iso", metavar="N", help="With --exposure-s: where the model knows several."),
]
Gain = Annotated[
    float | None,
    typer.Option("--gain-setting", metavar="N", help="The same, for a driver's gain number."),
]
Target = Annotated[
    Program | None, typer.Option("--for", help="Write it as this program wants its masters.")
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Write the master even where the sub deserves doubt; never for another sensor's.",
    ),
]


def generate(  # noqa: PLR0913, PLR0917  # numpydoc ignore=PR01
    output: Output,
    sub: Sub = None,
    model: Model = None,
    network: NetworkFile = None,
    lights: Lights = None,
    each: Each = False,
    exposure_s: Exposure = None,
    temperature_c: Temperature = None,
    iso: Iso = None,
    gain_setting: Gain = None,
    target: Target = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a master dark from ONE new dark, or from none.

    The new dark tells what state the sensor was in, the model does the rest. Without one, the
    lights tell it (--lights), or exposure and temperature do (--exposure-s, the roughest). The
    master is FITS in ADU with the bias level in it, an uncertainty for every pixel, and flags.
    """
    from solodark.workflows import generate as workflow

    _require_one_way(sub, lights, exposure_s)
    _require_companion("--lights", lights, {"--each": each or None})
    asked = {"--temperature-c": temperature_c, "--iso": iso, "--gain-setting": gain_setting}
    _require_companion("--exposure-s", exposure_s, asked)
    _require_companion("a SUB", sub, {"--force": force or None, "--network": network})
    summary: GenerateSummary | NightSummary
    with progress_on_terminal() as progress:
        if sub is not None:
            summary = workflow.generate_file(
                sub,
                model,
                output,
                network=network,
                target=target,
                force=force,
                progress=progress,
            )
        elif lights is not None:
            summary = workflow.generate_files_for_lights(
                lights, _require_model(model), output, each=each, target=target, progress=progress
            )
        else:
            summary = workflow.generate_file_for_exposure(
                exposure_s or 0.0,
                _require_model(model),
                output,
                temperature_c=temperature_c,
                iso=iso,
                gain_setting=gain_setting,
                target=target,
            )
    print_json(summary) if as_json else _print(summary)


def _require_one_way(sub: Path | None, lights: Path | None, exposure_s: float | None) -> None:
    ways = {"a SUB": sub, "--lights": lights, "--exposure-s": exposure_s}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) != 1:
        raise SettingError(
            f"found {' and '.join(given) or 'nothing'} to generate from; "
            "expected one of: a SUB, --lights FOLDER, --exposure-s S"
        )


def _require_model(model: Path | None) -> Path:
    if model is None:
        raise SettingError(
            "found no dark model; expected --model FILE, as `solodark learn` makes it"
        )
    return model


def _require_companion(name: str, value: object, companions: Mapping[str, object]) -> None:
    """Refuse an option that has no effect without another."""
    given = [option for option, found in companions.items() if found is not None]
    if given and value is None:
        raise SettingError(f"found {given[0]} without {name}; it has no effect by itself")


def _print(summary: "GenerateSummary | NightSummary") -> None:
    from solodark.workflows.generate import GenerateSummary

    if isinstance(summary, GenerateSummary):
        _print_summary(summary)
        return
    print_lines(f"From {len(summary.lights)} lights:")
    for master in summary.masters:
        _print_summary(master)
    print_left_out(summary.left_out)


def _print_summary(summary: "GenerateSummary") -> None:
    flagged = ", ".join(f"{n} {name.lower()}" for name, n in summary.flags.items() if n)
    print_lines(
        f"Wrote {summary.output}: worth {summary.equivalent_subs:.0f} subs on ordinary pixels, "
        "by its own reckoning.",
        f"Level {summary.level_adu:.1f} ADU, uncertainty {summary.uncertainty_adu:.2f} ADU a "
        f"pixel; pixels flagged: {flagged or 'none'}.",
    )
    for reason in summary.verdict.reasons:
        say(f"warning: {reason}")
