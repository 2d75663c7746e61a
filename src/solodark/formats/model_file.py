"""The ``.solodark`` file: named arrays and a JSON description in one checksummed zip of chunks.

It is a Zarr 3 store (https://zarr-specs.readthedocs.io) in a zip file: compressed by Zstandard,
each chunk with its CRC32C, opened without running any code, and readable with Zarr alone.
"""

import json
import os
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameNotFoundError, ModelFileError
from solodark.formats.atomic import atomic_write
from solodark.formats.network_file import is_network_file
from solodark.formats.zarr_zip import read_zarr_zip

__all__ = ["MODEL_SUFFIX", "read_arrays", "write_arrays"]

MODEL_SUFFIX = ".solodark"
"""How the name of a model file ends."""

_FORMAT = "solodark"
_VERSION = 1
_CHUNK_PIXELS = 1 << 20
_SIGNS_OF_DAMAGE = (
    KeyError,
    ValueError,
    TypeError,
    OSError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    MemoryError,
)


def write_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, NDArray[Any]],
    description: Mapping[str, Any],
    *,
    content: str,
) -> None:
    """Write named arrays with a description; the file is whole or not there.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    arrays : mapping of str to ndarray
        What to keep.
    description : mapping
        Anything that JSON can hold.
    content : str
        What the arrays are, "dark model".

    Raises
    ------
    OutputError
        The file cannot be written; nothing is left behind.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "camera.solodark"
    >>> write_arrays(path, {"maps": np.ones((2, 3))}, {"gain": 100}, content="dark model")
    >>> arrays, description = read_arrays(path, content="dark model")
    >>> arrays["maps"].shape, description["gain"]
    ((2, 3), 100)
    """
    import zarr
    from zarr.codecs import BytesCodec
    from zarr.storage import ZipStore

    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "content": content,
        "description": description,
        "arrays": list(arrays),
    }
    with atomic_write(path) as temporary_path, ZipStore(temporary_path, mode="w") as store:
        root = zarr.create_group(store=store, attributes={"solodark": json.dumps(header)})
        for name, array in arrays.items():
            root.create_array(
                name,
                data=np.ascontiguousarray(array),
                chunks=_chunks(array.shape),
                serializer=BytesCodec(endian="little" if array.dtype.itemsize > 1 else None),
                compressors=[_compressor(array.dtype.itemsize), _checksum()],
                config={"write_empty_chunks": True},  # so that a lost chunk is no empty one
            )


def _compressor(itemsize: int) -> Any:
    """Compress fast; bytes as they are, for a shuffle of their bits costs a half more room."""
    from zarr.codecs import BloscCodec

    shuffle: Literal["noshuffle", "shuffle"] = "noshuffle" if itemsize == 1 else "shuffle"
    return BloscCodec(cname="zstd", clevel=1, typesize=itemsize, shuffle=shuffle)


def _checksum() -> Any:
    from zarr.codecs import Crc32cCodec

    return Crc32cCodec()


def _chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """One plane and a band of rows for each chunk, so that a model can be read by bands."""
    if len(shape) < 2:
        return tuple(max(1, n) for n in shape)
    rows = max(1, min(shape[-2], _CHUNK_PIXELS // max(1, shape[-1])))
    return (*(1 for _ in shape[:-2]), rows, max(1, shape[-1]))


def read_arrays(
    path: str | os.PathLike[str], *, content: str, without: Collection[str] = ()
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    path : path-like
        The file.
    content : str
        What the arrays must be.
    without : collection of str
        Names of arrays that are not wanted; they cost no time.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays.
    description : dict
        The description.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    ModelFileError
        The file is damaged, of another kind or of a later version.
    """
    path = Path(path)
    if not path.is_file():
        raise FrameNotFoundError(f"{path}: no such file; expected a model that solodark learned")
    if is_network_file(path):
        raise ModelFileError(
            f"{path} holds a network, expected a {content}; give a network with --network"
        )
    if not zipfile.is_zipfile(path):
        raise ModelFileError(
            f"{path} is not a solodark model, or is cut off; learn it anew with `solodark learn`"
        )
    try:
        header, arrays = _read_store(path, without)
    except _SIGNS_OF_DAMAGE as error:
        raise ModelFileError(
            f"{path} is damaged ({str(error).splitlines()[0] if str(error) else 'unreadable'}); "
            "learn it anew with `solodark learn`"
        ) from error
    return arrays, _require_header(header, content, path)


def _read_store(
    path: Path, without: Collection[str]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    attributes, arrays = read_zarr_zip(path, without)
    header = json.loads(str(attributes["solodark"]))
    lost = set(header.get("arrays", ())) - set(arrays) - set(without)
    if lost:
        raise ValueError(f"{', '.join(sorted(lost))} lost")
    return header, arrays


def _require_header(header: dict[str, Any], content: str, path: Path) -> dict[str, Any]:
    if header.get("format") != _FORMAT or header.get("content") != content:
        raise ModelFileError(
            f"{path} holds a {header.get('content', 'file of another program')}, "
            f"expected a {content}"
        )
    if header.get("version") != _VERSION:
        raise ModelFileError(
            f"{path} has version {header.get('version')} of the format, expected {_VERSION}; "
            "update solodark, or learn the model anew"
        )
    description: dict[str, Any] = header["description"]
    return description
