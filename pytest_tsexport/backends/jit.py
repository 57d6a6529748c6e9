"""The `jit` backend: `torch.jit.trace` at the size of the inputs, in evaluation mode, with untied weights."""

from __future__ import annotations

import torch

from pytest_tsexport.backends.torchscript.format import TorchScript
from pytest_tsexport.backends.torchscript.tracing import traced_subject
from pytest_tsexport.subjects.subject import Subject


class Jit:
    """Exports by `torch.jit.trace`."""

    name = "jit"
    contract = "safe"
    format = TorchScript()

    def why_unavailable(self) -> str | None:
        """Always available: torch is."""
        return None

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """The trace of a copy with untied weights; `subject.model` and its config are not changed."""
        return traced_subject(subject)
