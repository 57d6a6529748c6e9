"""What can be read out of a file besides its answers: operators, where an output comes from, the steps of a trace.

A format that knows nothing of these keeps the defaults. Its checks run all the same; their failures say less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

Scope = tuple[tuple[str, str], ...]
"""Attribute and class of each module that was called, the outermost first. Containers are not called, so not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tensor of a trace: the `scope` and `place` that made it, by which operator, from which earlier steps.

    `place` is `file.py:12`, empty if torch did not store it. Constants are skipped by `is_constant`: they have no
    source line.
    """

    scope: Scope = ()
    place: str = ""
    kind: str
    made_from: tuple[int, ...] = ()
    is_constant: bool = False


class Graph(Protocol):
    """A trace with all its submodules in one list of steps, the inputs first; `results` are the output's steps."""

    @property
    def steps(self) -> Sequence[Step]:
        """Every tensor that the trace makes, in order."""

    @property
    def results(self) -> Sequence[int]:
        """The steps that the output consists of."""

    def values(self, inputs: Sequence[Any], wanted: Sequence[int]) -> list[torch.Tensor] | None:
        """The values of the `wanted` steps for these inputs; None if computing them raises."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What one output is computed from, by value: inputs by position, operators as `namespace::name`."""

    inputs: frozenset[int]
    operators: frozenset[str]

    def is_computed_by(self, namespace: str) -> bool:
        """Whether an operator of that namespace took part."""
        return any(name.startswith(f"{namespace}::") for name in self.operators)

    @property
    def is_computed_by_torch(self) -> bool:
        """Whether one of torch's own operators took part; none does for a constant or a returned input."""
        return self.is_computed_by("aten")


class Inspector:
    """Reads a file, or the module loaded from it. Every method has a default for a format that cannot say."""

    def needed(self, error: Exception) -> str | None:
        """What a file needs that is not loaded here, and where it comes from, by what loading raised; else None."""
        return None

    def explained(self, error: BaseException) -> tuple[str, str] | None:
        """What a known exception of the exporter means, and how to fix it."""
        return None

    def custom_operators(self, path: Path) -> frozenset[str]:
        """The operators that the file's code calls from outside torch's own, as `namespace::name`."""
        return frozenset()

    def absent_devices(self, path: Path) -> tuple[str, ...]:
        """The devices that the file's code names and that this machine does not have."""
        return ()

    def operators(self, module: Any) -> frozenset[str]:
        """The names of torch's own operators that a loaded module calls, without their namespace."""
        return frozenset()

    def model_operators(self, subject: Subject) -> frozenset[str]:
        """The names of torch's own operators that the subject's model calls: a compiled file no longer shows them."""
        return frozenset()

    def named_sizes(self, subject: Subject) -> frozenset[int]:
        """The whole numbers that sizes are compared with, divided by or ranged over while the model is traced."""
        return frozenset()

    def numbers(self, module: Any) -> frozenset[int]:
        """The whole numbers by which a loaded module's code cuts, or with which it compares."""
        return frozenset()

    def constants(self, module: Any) -> tuple[torch.Tensor, ...]:
        """The tensors that are constants of a loaded module's code, and no attributes of it."""
        return ()

    def provenance(self, module: Any, inputs: int) -> tuple[Provenance, ...]:
        """What each output of a loaded module with so many inputs is computed from; empty if it cannot be read."""
        return ()

    def graph(self, module: Any, inputs: int) -> Graph | None:
        """The steps of a loaded module with so many inputs; None if they cannot be read."""
        return None

    def retraced(self, subject: Subject, inputs: Leaves) -> Graph | None:
        """The steps of the subject's model, traced at other inputs; None if that raises."""
        return None
