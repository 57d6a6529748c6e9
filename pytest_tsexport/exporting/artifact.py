"""traced module -> artifact: the saved file with its manifest, and the same file opened again.

Every check judges the file as loaded back, never the module in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.backends.base import Backend, Compiler
from pytest_tsexport.backends.jit import torch_jit_allowed
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.subjects.reference import Answer, Inputs, answer, one_line
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.archive import code, extra, members, needed, weight_bytes
from pytest_tsexport.tensors.schema import Argument, arguments_of
from pytest_tsexport.tensors.tree import Leaves, detached, renamed

MANIFEST = "tsexport.json"
"""Name of the manifest among the archive's extra files."""

_SHORT = {"torch.int64": "i64", "torch.int32": "i32", "torch.float32": "f32", "torch.float64": "f64"}
_SHORT |= {
    "torch.float16": "f16",
    "torch.bfloat16": "bf16",
    "torch.bool": "bool",
    "torch.uint8": "u8",
    "torch.int8": "i8",
}


def save(module: torch.jit.ScriptModule, path: Path, subject: Subject, backend: Backend) -> None:
    """Write the archive, its manifest inside it. Raises whatever torch raises."""
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
    with torch_jit_allowed():
        torch.jit.save(module, str(path), _extra_files={MANIFEST: json.dumps(manifest)})


@dataclass(frozen=True)
class Artifact:
    """One file that is there and loads: where, which (sha256), what its `forward` takes, what its manifest says."""

    path: Path
    sha256: str
    takes: tuple[Argument, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of what `forward` takes, in order."""
        return tuple(one.name for one in self.takes)

    @property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """The shapes it was traced at, by argument; empty where neither the archive nor the manifest tells."""
        one_line = {one.name: one.shape for one in self.takes if one.shape is not None}
        stored = {name: tuple(shape) for name, (_, shape) in self.manifest.get("inputs", {}).items()}
        return one_line if len(one_line) == len(self.takes) else stored

    def load(self) -> torch.jit.ScriptModule:
        """A new copy of the module, on the CPU."""
        return _load(self.path)

    @cached_property
    def code(self) -> str:
        """The serialized code in the archive."""
        return code(self.path)

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of its weights in the archive."""
        return weight_bytes(self.path)


def open_file(path: Path) -> Artifact:
    """The artifact in a file. Raises `ArtifactError`, one sentence, where there is none, or none that loads here."""
    traced = any(Path(name).name == "traced_inputs.pkl" for name in members(path))
    extra = {MANIFEST: ""}
    try:
        with torch_jit_allowed():
            module = torch.jit.load(str(path), map_location="cpu", _extra_files=extra, _restore_shapes=traced)
    except (RuntimeError, ValueError) as error:
        why = needed(error) or f"cannot be loaded: {one_line(error)}"
        raise ArtifactError(f"artifact {path} {why}") from error
    return Artifact(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        takes=arguments_of(module),
        manifest=json.loads(extra[MANIFEST]) if extra[MANIFEST] else {},
    )


def unopened(path: Path) -> Artifact:
    """The artifact in a file that cannot be loaded on this machine: what its manifest tells, and no more."""
    manifest = json.loads(extra(path, MANIFEST) or "{}")
    takes = tuple(
        Argument(name=name, type="Tensor", shape=tuple(shape))
        for name, (_, shape) in manifest.get("inputs", {}).items()
    )
    return Artifact(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), takes=takes, manifest=manifest)


def _load(path: Path) -> torch.jit.ScriptModule:
    with torch_jit_allowed():
        module = torch.jit.load(str(path), map_location="cpu")
    assert isinstance(module, torch.jit.ScriptModule)
    return module


class Runner:
    """A loaded artifact, called by name where its arguments are the subject's, else by position.

    It is loaded again when a case left state behind in it, so that no case answers for another.
    """

    def __init__(self, artifact: Artifact, subject: Subject) -> None:
        self._artifact = artifact
        self._by_name = set(subject.inputs) <= set(artifact.arguments)
        if not self._by_name and len(subject.inputs) != len(artifact.arguments):
            raise ArtifactError(
                f"artifact {artifact.path} takes {', '.join(artifact.arguments) or 'nothing'}; "
                f"the model's inputs are {', '.join(subject.inputs)}; give inputs= that the file was traced with"
            )
        self._inputs = tuple(subject.inputs)
        self._outputs = subject.outputs
        self._module: torch.jit.ScriptModule | None = None
        self._snapshot: Snapshot | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The subject's inputs in the order that the artifact takes them."""
        return (
            tuple(name for name in self._artifact.arguments if name in self._inputs) if self._by_name else self._inputs
        )

    @property
    def module(self) -> torch.jit.ScriptModule:
        """The loaded module, in the state of a fresh load."""
        if self._module is None:
            self._module = self._artifact.load()
            self._snapshot = Snapshot.of(self._module)
        return self._module

    def case(self, inputs: Inputs, calls: int = 3) -> list[Answer]:
        """The answers of `calls` calls of the same loaded module: the executor optimises at the second."""
        module = self.module
        answers = [answer(lambda given: self._call(module, given), inputs, self._read) for _ in range(calls)]
        if self._snapshot is None or self._snapshot.differs(module):
            self._module = None
        return answers

    def output(self, inputs: Inputs) -> object:
        """What a fresh load answers, nested as the file nests it. Raises whatever the file raises."""
        with torch.no_grad():
            return self._call(self._artifact.load(), detached(inputs))

    def given_to(self, inputs: Inputs) -> dict[str, torch.Tensor]:
        """Which of the subject's inputs each argument of the file gets."""
        if self._by_name:
            return {name: inputs[name] for name in self.arguments}
        return dict(zip(self._artifact.arguments, inputs.values(), strict=True))

    def _call(self, module: torch.jit.ScriptModule, given: dict[str, torch.Tensor]) -> object:
        return module(**given) if self._by_name else module(*given.values())

    def _read(self, output: object) -> Leaves:
        return renamed(output, self._outputs)


def signature(inputs: Inputs, leaves: Leaves) -> str:
    """`input_ids i64, attention_mask i64 -> logits f32`."""
    given, answered = (", ".join(f"{n} {_short(t)}" for n, t in part.items()) for part in (inputs, leaves))
    return f"{given} -> {answered}"


def _short(tensor: torch.Tensor) -> str:
    return _SHORT.get(str(tensor.dtype), str(tensor.dtype).removeprefix("torch."))
