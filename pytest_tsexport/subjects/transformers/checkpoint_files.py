"""checkpoint folder -> what is wrong with its files, in one sentence. Nothing is loaded, and torch is not needed."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from pytest_tsexport.config.given_models import CONFIG
from pytest_tsexport.config.shown import shown

ADAPTER = "adapter_config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""What Transformers loads, the first that is there."""

FOREIGN = ("tf_model.h5", "flax_model.msgpack")
"""Weights that are not torch's."""

POINTER = b"version https://git-lfs"
"""How a Git LFS pointer begins: a small text in the place of a large file."""

HEADER_LENGTH = 8
"""Bytes before the header of a safetensors file, which give its length."""


def fault_of(folder: Path) -> str | None:
    """What is wrong with the files of a checkpoint folder; None if it looks complete."""
    if not (folder / CONFIG).is_file():
        if (folder / ADAPTER).is_file():
            return "it holds an adapter and not a whole model; merge the adapter into its model, and save that"
        return f"it has no {CONFIG}; give a folder that save_pretrained wrote"
    return next(_faults(folder), None)


def _faults(folder: Path) -> Iterator[str]:
    if _is_pointer(folder / CONFIG):
        yield _fetch(CONFIG)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        yield f"its {CONFIG} is not JSON: {error.msg} in line {error.lineno}"
        return
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        yield f"its {CONFIG} cannot be read as text: {error}"
        return
    if not isinstance(config, dict):
        yield f"its {CONFIG} is {shown(config)}; a config is a JSON object"
        return
    own = config.get("transformers_weights")
    names = (own, *WEIGHTS) if isinstance(own, str) else WEIGHTS
    first = next((name for name in names if (folder / name).is_file()), None)
    if first is None:
        foreign = [name for name in FOREIGN if (folder / name).is_file()]
        what = f"its weights are {foreign[0]}, which torch does not read" if foreign else "it has no weights"
        yield f"{what}; give a folder with {WEIGHTS[0]}"
        return
    yield from _faults_of_weights(folder, first)


def _faults_of_weights(folder: Path, first: str) -> Iterator[str]:
    if _is_pointer(folder / first):
        yield _fetch(first)
        return
    shards = _shards(folder, first)
    if not shards:
        yield f'its {first} is no index of weights, which has "metadata" and a "weight_map" of files'
    for name in shards:
        if not (folder / name).is_file():
            yield f"it has no {name}, which {first} names; a part of the weights is missing"
        elif _is_pointer(folder / name):
            yield _fetch(name)
        elif name.endswith(".safetensors"):
            yield from _cut_off(folder / name)


def _shards(folder: Path, first: str) -> list[str]:
    """The files that hold the weights: those that an index names, or the file itself; none if it is no index."""
    if not first.endswith(".index.json"):
        return [first]
    try:
        read = json.loads((folder / first).read_text(encoding="utf-8"))
        files = set(read["weight_map"].values()) if "metadata" in read else set()
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return []
    return sorted(files) if all(isinstance(name, str) for name in files) else []


def _is_pointer(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(POINTER)) == POINTER


def _fetch(name: str) -> str:
    return f"its {name} is a Git LFS pointer and not the file; run `git lfs pull` there"


def _cut_off(file: Path) -> Iterator[str]:
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(HEADER_LENGTH)
        length = struct.unpack("<Q", start)[0] if len(start) == HEADER_LENGTH else 0
        header = opened.read(length) if length <= size else b""
    try:
        tensors = json.loads(header)
        promised = (
            HEADER_LENGTH
            + length
            + max((one["data_offsets"][1] for name, one in tensors.items() if name != "__metadata__"), default=0)
        )
    except (ValueError, AttributeError, KeyError, IndexError, TypeError, RecursionError):
        yield f"its {file.name} is not a safetensors file, or is cut off in its header: it has {size} bytes"
        return
    if size < promised:
        yield f"its {file.name} is cut off: it has {size} of {promised} bytes"
