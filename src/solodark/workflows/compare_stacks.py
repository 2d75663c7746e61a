"""Stacks of the same lights with one kind of dark after the other, kept on disk meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from solodark.calibration import CalibratedLight, NormalisedFlat
from solodark.comparison import error_adu, peak_signal_to_noise_db, structural_similarity
from solodark.comparison.contenders import Contender
from solodark.comparison.night import Compared, Night, compare_contenders, prepare_night
from solodark.errors import OutputError
from solodark.frames import Acquisition, FrameSource, Progress, cfa_planes, silent
from solodark.registration import Registration
from solodark.report import StackPanel
from solodark.report.stack_pictures import StackStretch, find_stack_stretch
from solodark.workflows.compare_rows import MEANINGS, NO_DARK, TRUTH, CompareRow

__all__ = ["Comparison", "compare_sources"]

Image = NDArray[np.float32]
Array = TypeVar("Array", bound=NDArray[np.generic])


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Comparison:
    """Stacks of the same lights, and their figures.

    Attributes
    ----------
    rows : tuple of CompareRow
        Figures of each kind of dark.
    panels : tuple of StackPanel
        Their pictures, in the same order; read from disk as they are needed.
    stretched_by : int
        Number of the stack that the others are shown like.
    registration : Registration
        Of all lights.
    n_lights, n_hot, n_injected : int
        Lights in every stack, hot pixels that were followed, stars that were injected.
    cfa_pattern : str or None
        Of the sensor.
    """

    rows: tuple[CompareRow, ...]
    panels: tuple[StackPanel, ...]
    stretched_by: int
    registration: Registration
    n_lights: int
    n_hot: int
    n_injected: int
    cfa_pattern: str | None


def compare_sources(
    lights: Sequence[FrameSource],
    contenders: Sequence[Contender],
    *,
    best: str,
    scratch: Path,
    rng: np.random.Generator,
    flat: NormalisedFlat | None = None,
    notes: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Stack lights once for each contender, and measure every stack alike.

    Parameters
    ----------
    lights : sequence of FrameSource
        As the camera wrote them.
    contenders : sequence of Contender
        Named as in `solodark.workflows.compare_story`; "no dark" among them, and perhaps "true
        dark".
    best : str
        Name of the contender by whose stack stars are found and all are stretched.
    scratch : Path
        A folder for pixels that would not fit into memory.
    rng : numpy.random.Generator
        The dice.
    flat : NormalisedFlat, optional
        What to divide by.
    notes : mapping of str to str, optional
        What each contender was made of.
    progress : Progress
        Who is told.

    Returns
    -------
    Comparison
        In the order of the contenders; what is on disk is gone with the folder.

    Raises
    ------
    RegistrationError
        No light shows enough stars.
    OutputError
        There is no room in the folder.
    """
    names = [one.name for one in contenders]
    keep = _Spool(scratch)
    lights = [_KeptLight.of(one, scratch / f"raw_{i}.npy") for i, one in enumerate(lights)]
    night = prepare_night(
        lights, contenders[names.index(best)], rng=rng, flat=flat, keep=keep, progress=progress
    )
    truth = TRUTH if TRUTH in names else None
    panels: dict[str, StackPanel] = {}
    rows: dict[str, CompareRow] = {}
    for one in compare_contenders(night, contenders, truth=truth, keep=keep, progress=progress):
        panels[one.name] = _panel(one, night, scratch / f"panel_{len(panels)}")
        rows[one.name] = _row(one, (notes or {}).get(one.name, ""))
    rows = _with_likeness(rows, panels, best)
    return Comparison(
        rows=tuple(rows[name] for name in names),
        panels=tuple(panels[name] for name in names),
        stretched_by=names.index(best),
        registration=night.registration,
        n_lights=len(night.lights),
        n_hot=int(night.field.hot.channel.size),
        n_injected=int(night.field.stars.y.size),
        cfa_pattern=night.field.cfa_pattern,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _KeptLight:
    """A raw light whose pixels lie on disk as they are, for files may be slow to unpack."""

    pixels: NDArray[np.uint16] | Image
    acquisition: Acquisition
    name: str

    @classmethod
    def of(cls, light: FrameSource, path: Path) -> Self:
        pixels = light.read_rows(0, light.shape[0])
        kept: NDArray[np.uint16] | Image = _on_disk(pixels, path)
        return cls(kept, light.acquisition, light.name)

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]

    def read_rows(self, start: int, stop: int) -> NDArray[np.uint16] | Image:
        return self.pixels[start:stop]


class _Spool:
    """Puts calibrated lights on disk, each into its own place, and gives them back from there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, int] = {}

    def __call__(self, light: CalibratedLight) -> CalibratedLight:
        place = self._folder / f"light_{self._places.setdefault(light.name, len(self._places))}"
        return replace(
            light,
            data=_on_disk(light.data, place.with_suffix(".data.npy")),
            flags=_on_disk(light.flags, place.with_suffix(".flags.npy")),
            uncertainty=np.broadcast_to(np.float32(np.nan), light.shape),  # stacking measures it
        )


def _on_disk(array: Array, path: Path) -> Array:
    """Write an array, and give it back as pages of its file."""
    path.unlink(missing_ok=True)  # what still reads the old file keeps it
    try:
        np.save(path, array)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: {error.strerror} while stacks were kept there; free some room, or set "
            "TMPDIR to a disk that has more"
        ) from error
    stored: Array = np.load(path, mmap_mode="r")
    return stored


def _panel(one: Compared, night: Night, place: Path) -> StackPanel:
    dark = _without_level(one.stacked.offset_mean, night.field.cfa_pattern)
    if one.name == NO_DARK:
        dark = np.zeros_like(dark)
    images = {"stack": one.stacked.stack, "fixed": one.fixed, "dark": dark}
    return StackPanel(
        title=one.name,
        caption=MEANINGS[one.name],
        **{
            name: _on_disk(image, place.with_suffix(f".{name}.npy"))
            for name, image in images.items()
        },
    )


def _without_level(image: Image, cfa_pattern: str | None) -> Image:
    pattern = image.copy()
    for plane in cfa_planes(cfa_pattern):
        pattern[plane] -= np.median(pattern[plane])
    return pattern


def _with_likeness(
    rows: Mapping[str, CompareRow], panels: Mapping[str, StackPanel], best: str
) -> dict[str, CompareRow]:
    """Add how like each stack is to the one without dark, and to the truth where it is known."""
    stretch = find_stack_stretch(panels[best].stack)
    bare = _shown(stretch, panels[NO_DARK].stack)
    truth = panels.get(TRUTH)
    true_shown = None if truth is None else _shown(stretch, truth.stack)
    known = {}
    for name, row in rows.items():
        stack = panels[name].stack
        shown = _shown(stretch, stack)
        known[name] = replace(row, psnr_db=peak_signal_to_noise_db(shown, bare))
        if truth is not None and true_shown is not None:
            known[name] = replace(
                known[name],
                error_adu=error_adu(stack, truth.stack),
                similarity=structural_similarity(shown, true_shown),
            )
    return known


def _shown(stretch: StackStretch, stack: Image) -> Image:
    """Brightness of a stack, its colours first as those of the stack are."""
    shown = stretch.apply(stack)
    return np.moveaxis(shown, -1, 0) if shown.ndim == 3 else shown


def _row(one: Compared, note: str) -> CompareRow:
    measures, stars, beside = one.measures, one.photometry, one.beside_truth
    return CompareRow(
        name=one.name,
        note=note,
        noise_adu=measures.noise_dithered_adu,
        noise_unregistered_adu=measures.noise_undithered_adu,
        trail_mean_sigma=measures.trails.mean_sigma,
        trail_rms_sigma=measures.trails.rms_sigma,
        trails=measures.trails.trails,
        holes=measures.trails.holes,
        walking_correlation=measures.walking_correlation,
        fixed_correlation=measures.fixed_correlation,
        walking_share=measures.walking_share,
        fixed_share=measures.fixed_share,
        star_bias_mag=stars.bias_mag,
        star_bias_error_mag=stars.bias_error_mag,
        star_scatter_mag=stars.scatter_mag,
        n_stars=measures.n_stars,
        fwhm_px=measures.fwhm_px,
        star_bias_to_truth_mag=float("nan") if beside is None else beside.bias_mag,
    )
