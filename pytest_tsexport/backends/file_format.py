"""What a backend knows of the files that it writes: how one is saved, opened, called and loaded elsewhere.

A backend names its format by an attribute `format`. A new kind of file subclasses `FileFormat` and fills in four
methods and four attributes; the rest has defaults that hold for any file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.inspector import Inspector
from pytest_tsexport.errors import ExportError
from pytest_tsexport.subjects.reference import one_line
from pytest_tsexport.subjects.state import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a file's `forward`: its type as the file spells it, and what it was traced with.

    `optional` says whether callers may leave it out. `dtype` and `shape` are None if the file does not store them.
    """

    name: str
    type: str = "Tensor"
    optional: bool = False
    dtype: torch.dtype | None = None
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says of itself: the arguments of `forward` in order, and its manifest (empty if it has none)."""

    arguments: tuple[Argument, ...]
    manifest: str = ""


class FileFormat(ABC):
    """One kind of file.

    `name` is used in messages. `exported` is the class of what `Backend.trace` returns and `save` takes. `loader` is
    Python source that defines `load(path)` for a process without this package, with `torch` imported and `device` set;
    what it returns is called with the values of the arguments in their order: tensors, or containers of tensors.
    """

    name: str
    suffix: str
    exported: type
    loader: str

    tracer_warnings: tuple[type[Warning], ...] = ()
    """What the tracer warns of: a hint about a wrong file, and never evidence."""

    refusals: tuple[type[Exception], ...] = (RuntimeError, ValueError)
    """What callers expect a file to raise for inputs of another size."""

    inspector: Inspector = Inspector()
    """What can be read out of such a file to explain a verdict."""

    @abstractmethod
    def save(self, module: Any, path: Path, manifest: str) -> None:
        """Write the file, with the manifest in it. Raises whatever the runtime raises."""

    @abstractmethod
    def open(self, path: Path) -> Contents:
        """What the file says of itself, after it was loaded once.

        Raises `ArtifactError`, one sentence: with the runtime's exception as its cause if that refused to load the
        file, and without a cause if the file is missing, truncated or of another kind.
        """

    @abstractmethod
    def load(self, path: Path) -> nn.Module:
        """A fresh copy of the module in the file, on the CPU. A runtime that has no module is wrapped in one."""

    def load_on(self, path: Path, device: torch.device) -> nn.Module:
        """A fresh copy of the module on the device of the model; on the CPU if the format knows no other."""
        return self.load(path)

    def manifest(self, path: Path) -> str:
        """The manifest of a file that cannot be loaded here; empty if it can only be read by loading."""
        return ""

    def call(self, module: nn.Module, inputs: Mapping[str, Any]) -> object:
        """The output of a loaded module; `inputs` have the names of its arguments, in their order."""
        return module(**inputs)

    def snapshot(self, module: nn.Module) -> Snapshot:
        """The state of a loaded module, which a call may change."""
        return Snapshot.of(module)

    def guarded(self, module: Any, inputs: Sequence[torch.Tensor]) -> Any:
        """The module behind a check of its input sizes. Raises `ExportError` if the format has no such check."""
        raise ExportError(f"a {self.name} file has no size guard; leave guard=True out")

    def quiet(self) -> AbstractContextManager[None]:
        """Ignores what torch warns of whenever such a file is made or loaded, and nothing else."""
        return nullcontext()

    def one_line(self, error: BaseException) -> str:
        """`Type: sentence`, for an exception that the exporter or a loaded file raised."""
        return one_line(error)
