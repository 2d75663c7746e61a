"""How findings name frames and numbers."""

from collections.abc import Sequence
from pathlib import Path

from solodark.library.records import shown

__all__ = ["counted", "exposure_text", "names_of"]

NAMED = 3


def names_of(paths: Sequence[Path]) -> str:
    """Name frames by folder and file; of many the first few.

    Parameters
    ----------
    paths : sequence of Path
        At least one.

    Returns
    -------
    str
        Names, separated by commas.

    Examples
    --------
    >>> names_of([Path("/m31/darks/1.fit")])
    'darks/1.fit'
    >>> names_of([Path(f"/d/{n}.fit") for n in range(9)])
    'd/0.fit, d/1.fit, d/2.fit and 6 more'
    """
    named = [shown(Path(*path.parts[-2:])) for path in paths[:NAMED]]
    more = len(paths) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def exposure_text(exposure_s: float | None) -> str:
    """Write an exposure as people do.

    Parameters
    ----------
    exposure_s : float or None
        Seconds.

    Returns
    -------
    str
        Three digits are enough.

    Examples
    --------
    >>> exposure_text(300.0), exposure_text(0.000032), exposure_text(None)
    ('300 s', '3.2e-05 s', 'unknown exposure')
    """
    return "unknown exposure" if exposure_s is None else f"{exposure_s:.3g} s"


def counted(number: int, noun: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        One of them.

    Returns
    -------
    str
        With an s where there is not one.

    Examples
    --------
    >>> counted(1, "dark"), counted(5, "dark")
    ('1 dark', '5 darks')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
