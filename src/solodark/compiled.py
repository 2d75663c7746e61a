"""Functions that numba compiles, kept on disk as long as nothing changes that went into them.

numba keeps what it compiles under a stamp of the function's own file. What that function calls in
other files, and the constants that it takes from there, are compiled into it and not stamped: after
an update the code of the old version would go on running. Here the stamp is that of every file of
the program on which the function's own file rests.
"""

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

__all__ = ["njit", "stamp_of"]

Function = Callable[..., Any]

_PACKAGE = str(Path(__file__).parent)
_IMPORT = re.compile(r"^from solodark\.([\w.]+) import (\([^)]*\)|.*)$", re.MULTILINE)


def njit(**options: Any) -> Callable[[Function], Any]:
    """Compile a function when it is first called, or load it from the disk.

    Parameters
    ----------
    **options : object
        Those of ``numba.njit``.

    Returns
    -------
    callable
        Decorator of the function.

    Examples
    --------
    >>> @njit(cache=False)
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """

    def compiled(function: Function) -> Any:  # numpydoc ignore=GL08
        dispatcher, path = numba.njit(**options)(function), function.__code__.co_filename
        kept = options.get("cache") and not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
        if kept and Path(path).exists():  # in a frozen program there are no files
            index = dispatcher._cache._cache_file  # noqa: SLF001  # numba has no public way
            index._source_stamp = stamp_of(path)  # noqa: SLF001
            # The version is read before the classes that were compiled for, which may be gone.
            index._version += index._source_stamp  # noqa: SLF001
        return dispatcher

    return compiled


@cache
def stamp_of(path: str, package: str = _PACKAGE) -> str:
    """Tell what a file and all files of its package that it imports, however far, are made of.

    Parameters
    ----------
    path : str
        The file.
    package : str
        Folder of the package.

    Returns
    -------
    str
        SHA-256 of their contents.
    """
    found, waiting = {path}, [path]
    while waiting:
        new = _imported(waiting.pop(), package) - found
        found |= new
        waiting += new
    digest = hashlib.sha256()
    for one in sorted(found):
        digest.update(_contents(one))
    return digest.hexdigest()


@cache
def _contents(path: str) -> bytes:
    return Path(path).read_bytes()


@cache
def _imported(path: str, package: str) -> frozenset[str]:
    """Files of the package that a file names in its imports."""
    named = _IMPORT.findall(_contents(path).decode())
    return frozenset(one for module, names in named for one in _files_of(package, module, names))


@cache
def _files_of(package: str, module: str, names: str) -> list[str]:
    place = os.path.join(package, *module.split("."))  # noqa: PTH118  # strings are fast here
    if not os.path.isdir(place):  # noqa: PTH112
        return [f"{place}.py"]
    parts = [f"{place}/{name}.py" for name in re.findall(r"\w+", names)]
    return [f"{place}/__init__.py", *(part for part in parts if os.path.exists(part))]  # noqa: PTH110
