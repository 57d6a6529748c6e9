"""module, changed tensors -> answers: a module that nobody else uses, called with other numbers in its tensors.

The tensors are put back after each call. A module that keeps state is made anew for each call, so that the state of one
call is not taken for the effect of a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.reference import Answer, Inputs, Reference, answer
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.tensors.copies import evaluation_copy
from pytest_tsexport.tensors.named_tensors import Tensors, distinct_tensors
from pytest_tsexport.tensors.perturbation import numbers_of, put
from pytest_tsexport.tensors.tree import Leaves, renamed
from pytest_tsexport.tensors.weights import untie

Numbers = Mapping[str, torch.Tensor]

CALLS = 3
"""TorchScript optimises at the second call; from the third on, equal calls have equal answers."""


@dataclass(frozen=True, eq=False)
class Throwaway:
    """A module made for this purpose only, how it is called, and how many calls it takes until it answers steadily."""

    make: Callable[[], nn.Module]
    call: Callable[[nn.Module], Answer]
    warm_up: int = 1

    @cached_property
    def module(self) -> nn.Module:
        """The module, before any call."""
        return self.make()

    @cached_property
    def tensors(self) -> Tensors:
        """What it holds, by name."""
        return distinct_tensors(self.module)

    @cached_property
    def _first_call(self) -> tuple[Leaves | None, bool]:
        """The answer of the first call, and whether it changed the module."""
        before = Snapshot.of(self.module)
        leaves = self.call(self.module).leaves
        return leaves, before.differs(self.module)

    @property
    def keeps_state(self) -> bool:
        """Whether a call changes the module."""
        return self._first_call[1]

    @cached_property
    def base(self) -> Leaves | None:
        """Its answer as it is; None if it raises."""
        first, keeps_state = self._first_call
        later = () if keeps_state else [self.call(self.module).leaves for _ in range(self.warm_up - 1)]
        return later[-1] if later else first

    def changed(self, numbers: Numbers) -> Leaves | None:
        """Its answer with these numbers in its tensors; None if it raises. A name that it does not have is left out."""
        steady = self.base is not None and not self.keeps_state
        module = self.module if steady else self.make()
        tensors = self.tensors if steady else distinct_tensors(module)
        kept = {name: numbers_of(tensors[name]) for name in numbers if name in tensors}
        try:
            for name in kept:
                put(tensors[name], numbers[name])
            return self.call(module).leaves
        finally:
            for name, old in kept.items():
                if old is not None:
                    put(tensors[name], old)


def untied_eager(evidence: Evidence) -> Throwaway:
    """A copy of the exported model in which no two weights are tied, and which shares nothing with it.

    Raises `InputsError` if the model cannot be copied, or its tied weights cannot be parted.
    """
    subject = evidence.subject
    reference = Reference(subject.model, subject.constants)
    return Throwaway(
        make=lambda: evaluation_copy(untie(subject.model)),
        call=lambda module: reference.call(module, subject.inputs),
    )


def loaded_file(evidence: Evidence) -> Throwaway:
    """A load of the file for this purpose only."""
    artifact, subject = evidence.artifact, evidence.subject

    def call(module: nn.Module) -> Answer:
        def output(given: Inputs) -> object:
            return artifact.format.call(module, evidence.runner.given_to(given))

        return answer(output, subject.inputs, lambda one: renamed(one, subject.outputs), artifact.format.one_line)

    return Throwaway(make=artifact.load, call=call, warm_up=CALLS)
