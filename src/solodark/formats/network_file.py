"""The file of a trained network: named tensors and a JSON description, never a pickle.

It is a safetensors file (https://huggingface.co/docs/safetensors) that any program of that format
can read; opening it runs no code. The description lies in its metadata, with a hash of the tensors.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.errors import FrameNotFoundError, ModelFileError, SettingError
from solodark.formats.atomic import atomic_write

__all__ = ["is_network_file", "read_tensors", "write_tensors"]

_FORMAT = "solodark network"
_VERSION = 1
_LONGEST_HEADER = 100_000_000  # as the format's own library allows
_NOT_A_NETWORK = "is not a network that solodark trained, or is cut off"


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, NDArray[Any]],
    description: Mapping[str, Any],
    *,
    content: str,
) -> None:
    """Write named tensors with a description; the file is whole or not there.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    tensors : mapping of str to ndarray
        What to keep.
    description : mapping
        Anything that JSON can hold.
    content : str
        What the tensors are, "network".

    Raises
    ------
    OutputError
        The file cannot be written; nothing is left behind.
    SettingError
        The safetensors library is not installed.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "network.solodark"
    >>> write_tensors(path, {"weight": np.ones((2, 3))}, {"preset": "paper"}, content="network")
    >>> tensors, description = read_tensors(path, content="network")
    >>> tensors["weight"].shape, description["preset"]
    ((2, 3), 'paper')
    """
    save_file = _safetensors().numpy.save_file
    whole = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    header = json.dumps(
        {"format": _FORMAT, "version": _VERSION, "content": content, "description": description}
    )
    metadata = {"solodark": header, "sha256": _hash(header, whole)}
    with atomic_write(path) as temporary_path:
        save_file(whole, temporary_path, metadata=metadata)


def read_tensors(
    path: str | os.PathLike[str], *, content: str
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Parameters
    ----------
    path : path-like
        The file.
    content : str
        What the tensors must be.

    Returns
    -------
    tensors : dict of str to ndarray
        The tensors.
    description : dict
        The description.

    Raises
    ------
    FrameNotFoundError
        There is no such file.
    ModelFileError
        The file is damaged, of another kind or of a later version.
    SettingError
        The safetensors library is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise FrameNotFoundError(f"{path}: no such file; expected a {content} of `solodark train`")
    if zipfile.is_zipfile(path):
        raise ModelFileError(
            f"{path} holds a dark model, or another program's archive, expected a {content} of "
            "`solodark train`; give a dark model with -m"
        )
    safetensors = _safetensors()
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError, TypeError) as error:
        raise ModelFileError(
            f"{path} {_NOT_A_NETWORK} ({error}); train it anew with `solodark train`"
        ) from error
    return tensors, _description(metadata, tensors, content, path)


def is_network_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is of the kind that `write_tensors` writes, from its first bytes.

    Parameters
    ----------
    path : path-like
        An existing file.

    Returns
    -------
    bool
        True for a safetensors file that names solodark.
    """
    with Path(path).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return 2 < length < _LONGEST_HEADER and _FORMAT.encode() in file.read(length)


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise SettingError(
            "networks need the library safetensors, which is not installed; "
            "run: pip install 'solodark[network]'"
        ) from error
    return safetensors


def _description(
    metadata: dict[str, str], tensors: Mapping[str, NDArray[Any]], content: str, path: Path
) -> dict[str, Any]:
    told = metadata.get("solodark", "")
    if not told:
        raise ModelFileError(
            f"{path} holds weights of another program, expected a {content} of `solodark train`"
        )
    if metadata.get("sha256") != _hash(told, tensors):
        raise ModelFileError(
            f"{path} is damaged: its weights are not those that were written; "
            "train it anew with `solodark train`"
        )
    header: dict[str, Any] = json.loads(told)
    if header["content"] != content:
        raise ModelFileError(f"{path} holds a {header['content']}, expected a {content}")
    if header["version"] != _VERSION:
        raise ModelFileError(
            f"{path} has version {header['version']} of the format, expected {_VERSION}; "
            "update solodark, or train the network anew"
        )
    description: dict[str, Any] = header["description"]
    return description


def _hash(header: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype.str} {tensors[name].shape}".encode())
        digest.update(tensors[name].data)
    return digest.hexdigest()
