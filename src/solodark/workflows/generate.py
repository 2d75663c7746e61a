"""Generate files: one new dark becomes a master dark, written as a program wants it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solodark.dark_model import DarkModel, generate
from solodark.errors import OutputError
from solodark.formats import file_sha256, open_frame, write_master
from solodark.formats.masters import Target
from solodark.frames import MasterDark, PixelFlags, Progress, Verdict, silent
from solodark.workflows.learn import load_model

__all__ = ["GenerateSummary", "generate_file"]

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSummary:
    """What was generated.

    Attributes
    ----------
    output : Path
        The file that was written.
    equivalent_subs : float
        How many real subs the master is worth on ordinary pixels, by its own uncertainty.
    verdict : Verdict
        Whether it may be trusted, and why not.
    level_adu : float
        Median of the master.
    uncertainty_adu : float
        Median one sigma of a pixel.
    flags : dict of str to int
        Pixels that carry each flag.
    model_id : str
        Model that was used.
    """

    output: Path
    equivalent_subs: float
    verdict: Verdict
    level_adu: float
    uncertainty_adu: float
    flags: dict[str, int]
    model_id: str


def generate_file(
    sub: PathLike,
    model: PathLike | DarkModel,
    output: PathLike,
    *,
    target: Target | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> GenerateSummary:
    """Make a master dark from one new dark, and write it.

    Parameters
    ----------
    sub : path-like
        The new dark.
    model : path-like or DarkModel
        The camera's model.
    output : path-like
        The master.
    target : {"siril", "pixinsight", "dss", "astap", "ccdproc"}, optional
        The program it is for.
    force : bool
        Write it even where the sub deserves doubt; a sub of another sensor is refused all the same.
    progress : Progress
        Who is told.

    Returns
    -------
    GenerateSummary
        What was generated.

    Raises
    ------
    FrameNotFoundError, FrameFormatError, ModelFileError
        The sub or the model cannot be read.
    WrongSubError
        The model cannot explain the sub; says why.
    OutputError
        The master cannot be written there.
    """
    output = Path(output)
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: there is no folder {output.parent}")
    if output.exists() and output.samefile(sub):
        raise OutputError(f"{output} is the sub itself; choose another name for the master")
    steps = iter(progress(("model", "master", "file"), "Generating", 3))
    next(steps)
    dark_model = model if isinstance(model, DarkModel) else load_model(model)
    next(steps)
    with open_frame(sub) as source:
        master = generate(dark_model, source, force=force, sub_sha256=file_sha256(sub))
    next(steps)
    write_master(output, master, target=target, comments=_comments(master))
    next(steps, None)
    return _summarise(output, master)


def _comments(master: MasterDark) -> Sequence[str]:
    worth = f"Generated from one sub; worth {master.equivalent_subs:.0f} subs on ordinary pixels."
    return [worth, *master.verdict.reasons]


def _summarise(output: Path, master: MasterDark) -> GenerateSummary:
    names = [flag for flag in PixelFlags if flag.value & (flag.value - 1) == 0 and flag.value]
    return GenerateSummary(
        output=output,
        equivalent_subs=master.equivalent_subs,
        verdict=master.verdict,
        level_adu=float(np.median(master.data)),
        uncertainty_adu=float(np.median(master.uncertainty)),
        flags={flag.name or "": int(np.count_nonzero(master.flags & flag.value)) for flag in names},
        model_id=master.provenance.model_id,
    )
