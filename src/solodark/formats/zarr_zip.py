"""Zarr stores in a zip file, read straight into arrays by several threads.

Only what solodark writes is read: Zarr 3, regular chunks of little-endian values, compressed by
Blosc, each with its CRC32C. Zarr itself reads it as well, in four times the processor time.
"""

import json
import os
import struct
import zipfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import imagecodecs
import numpy as np
from numpy.typing import NDArray

__all__ = ["read_zarr_zip"]

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, length of the name and of the extra field
_SIGNATURE = b"PK\x03\x04"
_CHECKSUM_BYTES = 4
_SPARSE = 64  # compressed by more, a chunk may well be all zeros, and needs no memory then
_CODECS = ["bytes", "blosc", "crc32c"]


class _Chunk(NamedTuple):
    """Where a chunk lies in the file, its shape, and the part of the array that it fills."""

    entry: zipfile.ZipInfo
    shape: tuple[int, ...]
    target: NDArray[Any]


def read_zarr_zip(
    path: Path, without: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read the arrays of a store.

    Parameters
    ----------
    path : Path
        The zip file.
    without : collection of str
        Names of arrays that are not wanted.

    Returns
    -------
    attributes : dict
        Of the store's root.
    arrays : dict of str to ndarray
        By name.

    Raises
    ------
    ValueError, KeyError, TypeError, OSError, RuntimeError, BadZipFile
        It is damaged, or no such store; says where.
    """
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        described = {
            name.removesuffix("/zarr.json"): json.loads(archive.read(name))
            for name in entries
            if name.endswith("/zarr.json") and name.removesuffix("/zarr.json") not in without
        }
        attributes: dict[str, Any] = json.loads(archive.read("zarr.json"))["attributes"]
    chunks: list[_Chunk] = []
    arrays = {}
    for name, metadata in described.items():
        parts = _entries_of(name, metadata, entries)
        arrays[name] = np.zeros(metadata["shape"], _dtype(name, metadata))
        chunks += _chunks_of(arrays[name], parts, _chunk_shape(metadata))
    n_threads = os.cpu_count() or 1
    with ThreadPoolExecutor(n_threads) as threads:
        shares = [chunks[first::n_threads] for first in range(n_threads)]
        list(threads.map(partial(_decode, path), shares))
    return attributes, arrays


def _chunk_shape(metadata: dict[str, Any]) -> tuple[int, ...]:
    return tuple(metadata["chunk_grid"]["configuration"]["chunk_shape"])


def _dtype(name: str, metadata: dict[str, Any]) -> np.dtype[Any]:
    codecs = [codec["name"] for codec in metadata["codecs"]]
    if codecs != _CODECS:
        raise ValueError(f"{name} is stored by {', '.join(codecs)}, expected {', '.join(_CODECS)}")
    dtype: np.dtype[Any] = np.dtype(metadata["data_type"])
    return dtype.newbyteorder("<")


def _entries_of(
    name: str, metadata: dict[str, Any], entries: dict[str, zipfile.ZipInfo]
) -> dict[tuple[int, ...], zipfile.ZipInfo]:
    """Find all chunks of an array: one that is missing must not be taken for zeros."""
    counts = [
        -(-n // step) for n, step in zip(metadata["shape"], _chunk_shape(metadata), strict=True)
    ]
    if prod(counts) > len(entries):
        raise ValueError(f"parts of {name} are lost: at most {len(entries)} of {prod(counts)} left")
    places = list(product(*(range(count) for count in counts)))
    names = ["/".join([name, "c", *map(str, place)]) for place in places]
    lost = sum(key not in entries for key in names)
    if lost:
        raise ValueError(f"{lost} of {len(names)} parts of {name} are lost")
    return {place: entries[key] for place, key in zip(places, names, strict=True)}


def _chunks_of(
    array: NDArray[Any], entries: dict[tuple[int, ...], zipfile.ZipInfo], shape: tuple[int, ...]
) -> Iterator[_Chunk]:
    for place, entry in entries.items():
        corner = (slice(i * n, (i + 1) * n) for i, n in zip(place, shape, strict=True))
        part: Any = (*corner, ...)
        yield _Chunk(entry, shape, array[part])


def _decode(path: Path, chunks: Sequence[_Chunk]) -> None:
    with path.open("rb") as file:
        for chunk in chunks:
            _decode_chunk(_stored_bytes(file, chunk.entry), chunk)


def _stored_bytes(file: Any, entry: zipfile.ZipInfo) -> bytes:
    """Read an entry and check its CRC32C; zipfile would check a slower sum of its own first."""
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER.size).ljust(_LOCAL_HEADER.size)
    signature, *lengths = _LOCAL_HEADER.unpack(header)
    if signature != _SIGNATURE or entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is not where the table of contents says")
    file.seek(sum(lengths), os.SEEK_CUR)
    stored: bytes = file.read(entry.file_size - _CHECKSUM_BYTES)
    checksum = int.from_bytes(file.read(_CHECKSUM_BYTES), "little")
    if google_crc32c.value(stored) != checksum:
        raise ValueError(f"the checksum of {entry.filename} is not that of its bytes")
    return stored


def _decode_chunk(stored: bytes, chunk: _Chunk) -> None:
    """Decode into its place, unless it is padded there, or zero as the place is already."""
    whole = chunk.target.shape == chunk.shape and chunk.target.flags.c_contiguous
    if whole and len(stored) * _SPARSE > chunk.target.nbytes:
        _decode_into(chunk.target, stored)
        return
    values = np.empty(chunk.shape, chunk.target.dtype)
    _decode_into(values, stored)
    if values.reshape(-1).view(np.uint8).any():
        chunk.target[...] = values[tuple(slice(n) for n in chunk.target.shape)]


def _decode_into(values: NDArray[Any], stored: bytes) -> None:
    n_bytes = int.from_bytes(stored[4:8], "little")  # as Blosc's header says
    if n_bytes != values.nbytes:
        raise ValueError(f"a part holds {n_bytes} bytes, expected {values.nbytes}")
    imagecodecs.blosc_decode(stored, numthreads=1, out=values.reshape(-1).view(np.uint8).data)
