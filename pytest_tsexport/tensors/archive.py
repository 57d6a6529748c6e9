"""file -> what a TorchScript archive tells unloaded: its members, its code, and what it needs to be loaded."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import torch

from pytest_tsexport.errors import ArtifactError

DEVICE = re.compile(r'torch\.device\("([^"]+)"\)')
OPERATOR = re.compile(r"Unknown builtin op: ([\w.:]+\w)")
CLASS = re.compile(r"Unknown type name '__torch__\.torch\.classes\.([\w.]+)'")

MODULES = {
    "neuron": "torch_neuronx",
    "neuron_sim": "pytest_tsexport.backends.simulator.device",
    "torchaudio": "torchaudio",
    "torchvision": "torchvision",
}
"""Who registers the operators and classes of a namespace that is not torch's own."""


def members(path: Path) -> list[str]:
    """The names in a TorchScript archive; a trace has its inputs among them. Raises `ArtifactError` for no archive."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ArtifactError(f"artifact {path} {what}; give the path of a file written by torch.jit.save")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            damaged = file.read(2) == b"PK"
        what = "is truncated: its archive has no end" if damaged else "is no TorchScript archive"
        raise ArtifactError(f"artifact {path} {what}; write it again with torch.jit.save")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if not any("code" in Path(name).parts[1:-1] for name in names):
            raise ArtifactError(f"artifact {path} is an archive without TorchScript code; write it with torch.jit.save")
    return names


def weight_bytes(path: Path) -> int:
    """Bytes of the archive's tensor records: exact, where the file's size is not (class names differ)."""
    with zipfile.ZipFile(path) as archive:
        records = [info for info in archive.infolist() if "data" in Path(info.filename).parts[1:-1]]
        return sum(info.file_size for info in records)


def code(path: Path) -> str:
    """The serialized code of every class in the archive."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".py") and "code" in Path(name).parts[1:-1]]
        return "\n".join(archive.read(name).decode() for name in names)


def extra(path: Path, name: str) -> str:
    """One of the archive's extra files; empty where it has none of that name."""
    with zipfile.ZipFile(path) as archive:
        found = (one for one in archive.namelist() if Path(one).parts[1:] == ("extra", name))
        return next((archive.read(one).decode() for one in found), "")


def absent_devices(path: Path) -> tuple[str, ...]:
    """The devices that are constants of the code, where `map_location` does not reach, and are not on this machine."""
    return tuple(name for name in dict.fromkeys(DEVICE.findall(code(path))) if not _is_here(name))


def needed(error: Exception) -> str | None:
    """What a file needs that is not loaded, by what torch said of it, and where that comes from; else None."""
    operator, custom = OPERATOR.search(str(error)), CLASS.search(str(error))
    found = operator or custom
    if found is None:
        return None
    name = found[1].replace("::", ".")
    namespace = name.partition(".")[0]
    what = f"needs the {'operator' if operator else 'class'} {found[1]}"
    if namespace in ("aten", "prim", "quantized"):
        return f"{what}, which torch {torch.__version__} has not; use the torch that it was written with"
    who = MODULES.get(namespace, "the module that registers it")
    how = f"import {who} in conftest.py, or load its library with torch.ops.load_library"
    return f"{what}, which is not loaded here; {how}"


def _is_here(device: str) -> bool:
    try:
        torch.empty(0, device=device)
    except Exception:  # each kind of device has an error of its own
        return False
    return True
