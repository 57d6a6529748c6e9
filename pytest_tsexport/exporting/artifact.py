"""A saved file with its manifest, and the module loaded back from it.

Every check judges the loaded file, never the module in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends import format_of
from pytest_tsexport.backends.base import Backend, Compiler
from pytest_tsexport.backends.file_format import Argument, FileFormat
from pytest_tsexport.config.digest import sha256_of
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.exporting.arrangement import arranged
from pytest_tsexport.subjects.arguments import filled
from pytest_tsexport.subjects.reference import Answer, Inputs, answer
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import CPU, Leaves, detached, renamed

_SHORT = {"torch.int64": "i64", "torch.int32": "i32", "torch.float32": "f32", "torch.float64": "f64"}
_SHORT |= {
    "torch.float16": "f16",
    "torch.bfloat16": "bf16",
    "torch.bool": "bool",
    "torch.uint8": "u8",
    "torch.int8": "i8",
}

_KEYS = {"subject", "backend", "inputs", "outputs", "torch"}
"""What each manifest has. An exporter may keep a file of its own under the same name."""

_FIRST = '{"subject": '
"""How the text of each manifest begins."""


def save(module: Any, path: Path, subject: Subject, backend: Backend) -> None:
    """Write the file, with its manifest inside. Raises whatever the format raises."""
    manifest = {
        "subject": subject.name,
        "backend": backend.name,
        "inputs": {name: [_short(tensor), list(tensor.shape)] for name, tensor in subject.inputs.items()},
        "outputs": list(subject.outputs),
        "torch": torch.__version__,
    }
    if isinstance(backend, Compiler):
        manifest["casting"] = asdict(backend.device().casting)
    path.parent.mkdir(parents=True, exist_ok=True)
    format_of(backend).save(module, path, json.dumps(manifest))


@dataclass(frozen=True)
class Artifact:
    """One file that exists and loads: its path, sha256 and format, what `forward` takes, and its manifest.

    `device` is where it is loaded: where the model is that it was made from.
    """

    path: Path
    sha256: str
    format: FileFormat
    takes: tuple[Argument, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    device: torch.device = CPU

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments of `forward`, in order."""
        return tuple(one.name for one in self.takes)

    @property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """The shapes it was traced at, by argument; empty if neither the file nor its manifest stores them."""
        stored = {one.name: one.shape for one in self.takes if one.shape is not None}
        if len(stored) == len(self.takes):
            return stored
        return {name: tuple(shape) for name, (_, shape) in self.manifest.get("inputs", {}).items()}

    def load(self) -> nn.Module:
        """A fresh copy of the module, on its device."""
        return self.format.load_on(self.path, self.device)

    @cached_property
    def custom_operators(self) -> frozenset[str]:
        """The operators in its code that are not torch's, as `namespace::name`; read without loading the file."""
        return self.format.inspector.custom_operators(self.path)

    def calls_operators_of(self, namespace: str) -> bool:
        """Whether its code calls an operator of that namespace."""
        return any(name.startswith(f"{namespace}::") for name in self.custom_operators)


def open_file(path: Path, file_format: FileFormat) -> Artifact:
    """The artifact in a file. Raises `ArtifactError`, one sentence, if the file is missing or does not load here."""
    contents = file_format.open(path)
    return _artifact(path, file_format, contents.arguments, _manifest(path, contents.manifest))


def unopened(path: Path, file_format: FileFormat) -> Artifact:
    """The artifact in a file that cannot be loaded on this machine. Only its manifest is read."""
    manifest = _manifest(path, file_format.manifest(path))
    takes = tuple(Argument(name=name, shape=tuple(shape)) for name, (_, shape) in manifest.get("inputs", {}).items())
    return _artifact(path, file_format, takes, manifest)


def _manifest(path: Path, text: str) -> Mapping[str, Any]:
    """The manifest in a text; empty if another program wrote it under that name, or if there is none.

    Raises `ArtifactError` if it is damaged: if it begins as those of this package do, and is not JSON.
    """
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        if not text.startswith(_FIRST):
            return {}
        raise ArtifactError(f"artifact {path} has a damaged manifest: {error}") from None
    return found if _is_ours(found) else {}


def _is_ours(found: Any) -> bool:
    """Whether it is a manifest as `save` writes it."""
    if not isinstance(found, dict) or not found.keys() >= _KEYS or not isinstance(found["inputs"], dict):
        return False
    casting = found.get("casting", {})
    return isinstance(casting, dict) and all(map(_is_input, found["inputs"].values()))


def _is_input(value: Any) -> bool:
    """Whether it is `["f32", [2, 7]]`: a dtype and a shape."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
        return False
    return isinstance(value[0], str) and all(isinstance(size, int) for size in value[1])


def _artifact(
    path: Path, file_format: FileFormat, takes: tuple[Argument, ...], manifest: Mapping[str, Any]
) -> Artifact:
    return Artifact(path=path, sha256=sha256_of(path), format=file_format, takes=takes, manifest=manifest)


class Runner:
    """A loaded artifact. What each of its arguments is given is found by name, by type or by position.

    It is reloaded after a case that changed its state, so that no case changes the answer of another.
    """

    def __init__(self, artifact: Artifact, subject: Subject) -> None:
        self._artifact = artifact
        self._arrangement = arranged(subject, artifact.takes)
        self._outputs = subject.outputs
        self._module: nn.Module | None = None
        self._snapshot: Snapshot | None = None

    @property
    def module(self) -> nn.Module:
        """The loaded module, in the state of a fresh load."""
        if self._module is None:
            self._module = self._artifact.load()
            self._snapshot = self._artifact.format.snapshot(self._module)
        return self._module

    def case(self, inputs: Inputs, calls: int = 3) -> list[Answer]:
        """The answers to one case: `calls` calls of one loaded module. TorchScript optimises at the second."""
        return self.sequence([inputs] * calls)

    def sequence(self, given: Sequence[Inputs]) -> list[Answer]:
        """The answers to one case: one call of one loaded module for each of `given`."""
        module = self.module
        answers = [
            answer(lambda one: self._call(module, one), inputs, self._read, self._artifact.format.one_line)
            for inputs in given
        ]
        if self._snapshot is None or self._snapshot.differs(module):
            self._module = None
        return answers

    def output(self, inputs: Inputs) -> object:
        """The output of a fresh load, nested as the file nests it. Raises whatever the file raises."""
        with torch.no_grad():
            return self._call(self._artifact.load(), detached(inputs))

    def given_to(self, inputs: Inputs) -> dict[str, Any]:
        """What the file is called with, under the names of its arguments and in their order."""
        return {name: filled(item, inputs) for name, item in self._arrangement.items()}

    def _call(self, module: nn.Module, given: Inputs) -> object:
        return self._artifact.format.call(module, self.given_to(given))

    def _read(self, output: object) -> Leaves:
        return renamed(output, self._outputs)


def signature(inputs: Inputs, leaves: Leaves) -> str:
    """`input_ids i64, attention_mask i64 -> logits f32`."""
    given, answered = (", ".join(f"{n} {_short(t)}" for n, t in part.items()) for part in (inputs, leaves))
    return f"{given} -> {answered}"


def _short(tensor: torch.Tensor) -> str:
    return _SHORT.get(str(tensor.dtype), str(tensor.dtype).removeprefix("torch."))
