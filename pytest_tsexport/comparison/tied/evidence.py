"""evidence -> tied evidence: the model, the file, and everything that is asked about the weights that they tie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.tied.file_values import Copy, FileValues
from pytest_tsexport.comparison.tied.forms import value
from pytest_tsexport.comparison.tied.movements import misfit, same_leaves
from pytest_tsexport.comparison.tied.readers import NEAR
from pytest_tsexport.comparison.tied.responses import Responses
from pytest_tsexport.comparison.tied.throwaway import loaded_file, untied_eager
from pytest_tsexport.comparison.tolerance import BY_KERNELS
from pytest_tsexport.tensors.memory import blocks
from pytest_tsexport.tensors.named_tensors import Tensors, distinct_tensors, named_weights
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.tensors.weights import TiedGroup, storages, stored_bytes, tied_groups, ties_of


@dataclass(frozen=True, eq=False)
class TiedEvidence:
    """What one run of the check may use. Nothing is loaded, copied or called before it is asked for."""

    evidence: Evidence

    @cached_property
    def ours(self) -> Tensors:
        """The tensors of the model, each under every name."""
        return distinct_tensors(self.evidence.subject.model)

    @cached_property
    def groups(self) -> tuple[TiedGroup, ...]:
        """The groups of names that share elements in the model."""
        return ties_of(self.evidence.subject.model)

    @property
    def theirs(self) -> Tensors:
        """The tensors of the file, in a load that is thrown away."""
        return self.responses.file.tensors

    @cached_property
    def shared(self) -> tuple[TiedGroup, ...]:
        """The groups of names that share elements in the file.

        Plain attributes that share with each other only are no weights there either, as tables that a model caches;
        unless they have the value of a weight that the model ties.
        """
        weights, groups = named_weights(self.responses.file.module), tied_groups(self.theirs)
        return tuple(
            group
            for group in groups
            if any(name in weights for name in group.names)
            or any(self.values.stand_for(group.names, known.names) for known in self.groups)
        )

    @cached_property
    def values(self) -> FileValues:
        """Which tensors of the file have the value of a tied weight."""
        return FileValues(self.ours, self.theirs, tuple(group.names for group in self.groups))

    @cached_property
    def responses(self) -> Responses:
        """What the untied model and the file answer when weights are changed."""
        seed = self.evidence.check_seed
        return Responses(untied_eager(self.evidence), loaded_file(self.evidence), self.ours, seed)

    @cached_property
    def answers_alike(self) -> bool:
        """Whether the model and the file answer the example inputs with the same outputs, of the same shapes."""
        eager, file = self.responses.eager.base, self.responses.file.base
        if eager is None or file is None or list(eager) != list(file):
            return False
        return all(file[name].shape == leaf.shape for name, leaf in eager.items())

    @cached_property
    def holds_parity(self) -> bool:
        """Whether the file's answer to the example inputs is that of the model that it has to be faithful to."""
        return self.equals_file(self.evidence.reference.case(self.evidence.subject.inputs)[0].leaves)

    def equals_file(self, leaves: Leaves | None) -> bool:
        """Whether an answer is that of the file, within what parity allows."""
        file = self.responses.file.base
        if leaves is None or file is None:
            return False
        return difference(leaves, file, self.evidence.tolerance.sharing()) is None

    @cached_property
    def is_exact(self) -> bool:
        """Whether the file's answer is the untied model's up to the rounding of two kernels."""
        eager, file = self.responses.eager.base, self.responses.file.base
        return eager is not None and file is not None and difference(eager, file, BY_KERNELS) is None

    @cached_property
    def is_equal(self) -> bool:
        """Whether the file's answer is the untied model's bit for bit."""
        eager, file = self.responses.eager.base, self.responses.file.base
        return eager is not None and same_leaves(eager, file)

    @cached_property
    def tied_by_calls(self) -> tuple[TiedGroup, ...]:
        """What is tied in the untied copy of the model after it was called."""
        return ties_of(self.responses.eager.module) if self.responses.eager.base is not None else ()

    def alike(self, name: str) -> tuple[str, ...]:
        """The names that are tied to this one and have its value."""
        return self.values.alike(name, next(group.names for group in self.groups if name in group.names))

    def reads_as_the_model(self, name: str, key: str) -> bool:
        """Whether changing a tensor that has a name of the model moves the answer as changing the name does in eager.

        Where eager's answer does not depend on the name, a tensor with the same elements may be right, no multiple.
        """
        alike = self.alike(name)
        how, form = self.values.form(name, key)
        expected = self.responses.of_names(alike[0], (name,))
        if not expected.is_live:
            return form.factor == 1.0
        return misfit(self.responses.of_copy(Copy(key, alike, how, form)), expected) <= NEAR

    @cached_property
    def constants(self) -> frozenset[str]:
        """The values of the tensors that are constants of the file's graph."""
        inspector = self.evidence.artifact.format.inspector
        found = (value(tensor) for tensor in inspector.constants(self.responses.file.module))
        return frozenset(one for one in found if one is not None)

    @cached_property
    def idle_bytes(self) -> int:
        """How many bytes the file stores that belong to no tensor of it."""
        whole = sum(size for _, size in storages(self.theirs))
        return whole - sum(stored_bytes(one) for one in _once(self.theirs).values())


def _once(tensors: Tensors) -> Mapping[tuple[object, ...], torch.Tensor]:
    """The tensors without those that have the memory of another one."""
    return {tuple((block.span, block.shape) for block in blocks(one)): one for one in tensors.values()}
