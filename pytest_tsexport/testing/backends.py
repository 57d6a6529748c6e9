"""subject -> traced module: backends with one fault each, for testing checks and hosts of checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.subjects.subject import Subject


@dataclass(frozen=True, slots=True)
class Faulty:
    """The jit backend, tracing what `wrap` makes of the model in place of the model.

    A right one for `wrap=lambda model: model`. `contract` is the default for derived axes.
    """

    name: str
    wrap: Callable[[nn.Module], nn.Module]
    contract: str = "safe"

    def why_unavailable(self) -> str | None:
        """Never."""
        return None

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """The trace of the wrapped model."""
        return Jit().trace(replace(subject, model=self.wrap(subject.model)))


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A backend whose compiler is not on this machine."""

    name: str = "absent"
    contract: str = "fixed"
    why: str = "the compiler of this backend is not installed"

    def why_unavailable(self) -> str | None:
        """Always, and why."""
        return self.why

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """Never called."""
        raise AssertionError("an unavailable backend was asked to trace")


@dataclass(frozen=True, slots=True)
class Refuses:
    """A backend that raises as soon as it is asked to trace."""

    name: str = "refuses"
    contract: str = "safe"
    why: str = "operator aten::nonzero is not supported"

    def why_unavailable(self) -> str | None:
        """Never."""
        return None

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """Raises `RuntimeError`."""
        raise RuntimeError(self.why)


class Offset(nn.Module):
    """Returns the model's output plus `by`."""

    def __init__(self, model: nn.Module, by: float) -> None:
        super().__init__()
        self.model = model
        self.by = by

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """The model's single output, shifted by `by`."""
        answer: torch.Tensor = self.model(**inputs)
        return answer + self.by


class LowPrecision(nn.Module):
    """Computes in bfloat16 and returns float32."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """The model's single output, rounded to bfloat16 and back."""
        answer: torch.Tensor = self.model(**inputs)
        return answer.to(torch.bfloat16).to(answer.dtype)
