"""Reads a TorchScript archive without loading it: its records, its code, its extra files."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from pytest_tsexport.config.given_files import shortened, why_no_file
from pytest_tsexport.errors import ArtifactError

DEVICE = re.compile(r'torch\.device\("([^"]+)"\)')

CUSTOM_OPERATOR = re.compile(r"\bops\.(\w+)\.(\w+)")
"""How the code of an archive calls an operator from outside torch's own: `ops.quantized.linear(...)`."""

TRACED_INPUTS = "traced_inputs.pkl"
"""The record in which torch stores what a module was traced with."""

MIB = 2**20
UNPACKED, RATIO = 1024 * MIB, 20
"""An archive may unpack to that many bytes, or to that many times its own: torch compresses code, and no tensor."""

NO_DEVICE = (RuntimeError, AssertionError, ImportError)
"""What torch raises for a device that is not there: a build without CUDA asserts, an absent backend is not found."""


def members(path: Path) -> list[str]:
    """The names of the archive's records; a trace has its inputs among them.

    Raises `ArtifactError` if the file is missing, truncated, or not a TorchScript archive.
    """
    why = why_no_file(path)
    if why is not None:
        raise ArtifactError(f"artifact {shortened(path)} {why}; give the path of a file written by torch.jit.save")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            damaged = file.read(2) == b"PK"
        what = "is truncated: its archive has no end" if damaged else "is not a TorchScript archive"
        raise ArtifactError(f"artifact {path} {what}; write it again with torch.jit.save")
    with _opened(path) as archive:
        names = archive.namelist()
        if not any(_is_in("code", name) for name in names):
            raise ArtifactError(f"artifact {path} is an archive without TorchScript code; write it with torch.jit.save")
    return names


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, if its sizes are ordinary; every reader opens it here."""
    with zipfile.ZipFile(path) as archive:
        _require_ordinary_sizes(path, archive)
        yield archive


def _require_ordinary_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse an archive that unpacks to far more than it holds, by its own sizes, before any of it is read."""
    unpacked, size = sum(one.file_size for one in archive.infolist()), path.stat().st_size
    if unpacked > max(UNPACKED, RATIO * size):
        sizes = f"{size / MIB:.1f} MiB that unpack to {unpacked / MIB:.0f} MiB"
        raise ArtifactError(f"artifact {shortened(path)} has {sizes}; write it again with torch.jit.save")


def code(path: Path) -> str:
    """The serialized code of every class in the archive."""
    with _opened(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".py") and _is_in("code", name)]
        return "\n".join(archive.read(name).decode() for name in names)


def extra(path: Path, name: str) -> str:
    """One of the archive's extra files; empty if it has none of that name.

    Extra files hold any bytes: what is not UTF-8 text comes back as U+FFFD.
    """
    with _opened(path) as archive:
        found = (one for one in archive.namelist() if Path(one).parts[1:] == ("extra", *Path(name).parts))
        return next((archive.read(one).decode(errors="replace") for one in found), "")


def has_traced_inputs(names: Iterable[str]) -> bool:
    """Whether torch stored in the archive what the module was traced with; `names` are those of its records."""
    return any(Path(name).parts[1:] == (TRACED_INPUTS,) for name in names)


def _is_in(folder: str, name: str) -> bool:
    """Whether a record lies in that folder of the archive.

    Folders with the same name among the extra files, which a user names, are others.
    """
    return Path(name).parts[1:-1][:1] == (folder,)


def custom_operators(path: Path) -> frozenset[str]:
    """The operators from outside torch's own that the code calls, as `namespace::name`."""
    return frozenset(f"{namespace}::{name}" for namespace, name in CUSTOM_OPERATOR.findall(code(path)))


def absent_devices(path: Path) -> tuple[str, ...]:
    """The devices that are constants of the code, which `map_location` does not change, and are not on this machine."""
    return tuple(name for name in dict.fromkeys(DEVICE.findall(code(path))) if not _is_here(name))


def _is_here(device: str) -> bool:
    try:
        torch.empty(0, device=device)
    except NO_DEVICE:
        return False
    return True
