"""TorchScript files: written by `torch.jit.save`, opened by `torch.jit.load`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from torch.jit._trace import TracerWarning

from pytest_tsexport.backends.file_format import Contents, FileFormat
from pytest_tsexport.backends.guard import guard
from pytest_tsexport.backends.torchscript.archive import extra, has_traced_inputs, members
from pytest_tsexport.backends.torchscript.arguments import arguments_of
from pytest_tsexport.backends.torchscript.inspector import TorchScriptInspector
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.tensors.tree import CPU

MANIFEST = "tsexport.json"
"""Name of the manifest among the archive's extra files."""


class TorchScript(FileFormat):
    """The format of every backend that does not name another one."""

    name = "TorchScript"
    suffix = ".pt"
    exported = torch.jit.ScriptModule
    loader = "def load(path):\n    return torch.jit.load(path, map_location=device)\n"
    tracer_warnings = (TracerWarning,)
    refusals = (RuntimeError, torch.jit.Error, ValueError)
    inspector = TorchScriptInspector()

    def save(self, module: torch.jit.ScriptModule, path: Path, manifest: str) -> None:
        """Write the archive, the manifest as one of its extra files."""
        with torch_jit_allowed():
            torch.jit.save(module, str(path), _extra_files={MANIFEST: manifest})

    def open(self, path: Path) -> Contents:
        """The arguments of `forward`, with the traced sizes if the archive stores them, and the manifest."""
        traced = has_traced_inputs(members(path))
        try:
            module = _with_shapes(path) if traced else _loaded(path)
        except (RuntimeError, ValueError) as error:
            why = self.inspector.needed(error) or f"cannot be loaded: {self.one_line(error)}"
            raise ArtifactError(f"artifact {path} {why}") from error
        return Contents(arguments_of(module), self.manifest(path))

    def load(self, path: Path) -> torch.jit.ScriptModule:
        """A fresh copy of the module, on the CPU."""
        return _loaded(path)

    def load_on(self, path: Path, device: torch.device) -> torch.jit.ScriptModule:
        """A fresh copy of the module, its weights and its constants on that device."""
        return _loaded(path, device)

    def manifest(self, path: Path) -> str:
        """Read from the archive without loading it."""
        return extra(path, MANIFEST)

    def guarded(self, module: torch.jit.ScriptModule, inputs: Sequence[torch.Tensor]) -> torch.jit.ScriptModule:
        """The module behind a scripted check of sizes and dtypes."""
        return guard(module, inputs)

    def quiet(self) -> AbstractContextManager[None]:
        """Ignores torch's deprecation of `torch.jit`."""
        return torch_jit_allowed()


def _with_shapes(path: Path) -> torch.jit.ScriptModule:
    """The module with the shapes that it was traced at; without them if it was traced with lists or tuples."""
    try:
        return _loaded(path, _restore_shapes=True)
    except RuntimeError:  # torch restores the shapes of tensors and dicts alone
        return _loaded(path)


def _loaded(path: Path, device: torch.device = CPU, **how: bool) -> torch.jit.ScriptModule:
    with torch_jit_allowed():
        module = torch.jit.load(str(path), map_location=device, **how)
    assert isinstance(module, torch.jit.ScriptModule)
    return module
