"""The lights among the files that a person gives, and files named after them."""

from collections.abc import Sequence
from pathlib import Path

from solodark.errors import FrameFormatError, NotEnoughFramesError, OutputError
from solodark.formats import read_acquisition
from solodark.formats.readers import READERS, suffix_of
from solodark.frames import FrameKind

__all__ = ["bare_name", "places_for", "sort_lights"]


def sort_lights(paths: Sequence[Path], *, advice: str) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Part lights from what is none; a file that tells nothing is taken at its giver's word.

    Parameters
    ----------
    paths : sequence of Path
        Files.
    advice : str
        What to do where none is a light.

    Returns
    -------
    lights : list of Path
        In their order; at least one.
    left_out : list of (Path, str)
        The others, and why.

    Raises
    ------
    NotEnoughFramesError
        None is a light.
    """
    lights, left_out = [], []
    for path in paths:
        try:
            acquisition = read_acquisition(path)
        except FrameFormatError as error:
            left_out.append((path, str(error)))
            continue
        if acquisition.n_combined is not None:
            left_out.append((path, f"a stack of {acquisition.n_combined} frames already"))
        elif acquisition.kind in (None, FrameKind.LIGHT):
            lights.append(path)
        else:
            left_out.append((path, f"a {acquisition.kind}, says its {acquisition.kind_source}"))
    if not lights:
        path, reason = left_out[0]
        raise NotEnoughFramesError(
            f"none of {len(left_out)} frames is a light; {path}: {reason}. {advice}"
        )
    return lights, left_out


def bare_name(path: Path) -> str:
    """Name of a frame without its suffix, which may have two parts.

    Parameters
    ----------
    path : Path
        Its file.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> bare_name(Path("night/light_1.fits.fz"))
    'light_1'
    """
    suffix = suffix_of(path, READERS) or path.suffix
    return path.name[: len(path.name) - len(suffix)]


def places_for(lights: Sequence[Path], folder: Path, name: str) -> list[Path]:
    """Give the place of one result for each light.

    Parameters
    ----------
    lights : sequence of Path
        The lights.
    folder : Path
        Where the results go; it need not be there, the one it lies in must.
    name : str
        Name of a result with ``{}`` for the light's bare name.

    Returns
    -------
    list of Path
        In the order of the lights, all different.

    Raises
    ------
    OutputError
        The folder is a file, the one it lies in is missing, or two results would have one place.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; one result for each light needs a folder")
    if not folder.parent.is_dir():
        raise OutputError(f"{folder} cannot be written: there is no folder {folder.parent}")
    places = [folder / name.format(bare_name(light)) for light in lights]
    twice = {place for place in places if places.count(place) > 1}
    if twice:
        raise OutputError(
            f"several lights would have their result at {min(twice)}; give each folder of lights "
            "by itself"
        )
    return places
