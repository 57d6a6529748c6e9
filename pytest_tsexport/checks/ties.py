"""eager, artifact -> whether they differ by a tie alone: a choice that turns on the last bit is no fault.

`argmax`, `sort` and `topk` jump where two values are as good as equal, and another order of additions is enough to
tip them. So eager is asked again with its weights and its floating inputs moved by a few units in the last place: an
answer that eager itself gives then is not wrong.
"""

from __future__ import annotations

import torch

from pytest_tsexport.checks.base import Evidence
from pytest_tsexport.subjects.reference import Inputs, Reference, same_bits
from pytest_tsexport.tensors.compare import difference
from pytest_tsexport.tensors.tree import Leaves

NUDGES = (2, 4, 4, 8, 8, 16, 16, 16, 2, 4, 4, 8, 8, 16, 16, 16)
"""Units in the last place by which weights and inputs are moved, once each: what kernels differ by, and no more."""

ROUNDS = 3
"""Times all of them are tried, as long as one settles something: a tie tips every other time, and there may be many."""

_CHOICES = ("argmax", "argmin", "argsort", "sort", "topk", "kthvalue", "median", "mode", "unique", "searchsorted")
"""Operators whose answer jumps; comparisons jump too, and are seen by what they answer: no floating leaf."""


def is_tie(evidence: Evidence, inputs: Inputs, eager: Leaves, artifact: Leaves) -> bool:
    """Whether each place at which the answers differ is answered so by eager too, moved by its last bits."""
    if list(eager) != list(artifact) or not _chooses(evidence, eager):
        return False
    left = dict(artifact)
    for number in range(ROUNDS):
        before = left
        for place, nudge in enumerate(NUDGES, number * len(NUDGES)):
            moved = _nudged(evidence, inputs, eager, nudge=nudge, seed=place)
            if moved is not None and all(moved[name].shape == left[name].shape for name in left):
                left = {name: _settled(evidence, name, eager[name], moved[name], left[name]) for name in left}
            if difference(eager, left, evidence.tolerance) is None:
                return True
        if all(same_bits(before[name], left[name]) for name in left):
            return False
    return False


def _chooses(evidence: Evidence, eager: Leaves) -> bool:
    if any(not leaf.is_floating_point() for leaf in eager.values()):
        return True
    graph = str(evidence.runner.module.inlined_graph)
    return any(f"aten::{name}(" in graph for name in _CHOICES)


def _nudged(evidence: Evidence, inputs: Inputs, eager: Leaves, *, nudge: int, seed: int) -> Leaves | None:
    generator = torch.Generator().manual_seed(seed)
    model = evidence.reference.safe_copy()
    with torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            if weight.is_floating_point():
                weight.copy_(_moved(weight, nudge, generator))
    floats = {
        name: _moved(tensor, nudge, generator) if tensor.is_floating_point() else tensor
        for name, tensor in inputs.items()
    }
    leaves = Reference(model, evidence.subject.constants).call(model, floats).leaves
    return leaves if leaves is not None and list(leaves) == list(eager) else None


def _moved(tensor: torch.Tensor, nudge: int, generator: torch.Generator) -> torch.Tensor:
    """Each value by itself, and each row and the whole as one: what is summed over many values cancels out else."""
    wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    noise = torch.zeros((), dtype=wide)
    for kept in {0, min(1, tensor.dim()), tensor.dim()}:
        shape = tensor.shape[:kept] + (1,) * (tensor.dim() - kept)
        noise = noise + torch.rand(shape, generator=generator, dtype=wide) * 2 - 1
    step = 1 + nudge * torch.finfo(tensor.dtype).eps * noise.to(tensor.device) / 3
    return (tensor.to(wide) * step).to(tensor.dtype)


def _settled(
    evidence: Evidence, name: str, eager: torch.Tensor, moved: torch.Tensor, artifact: torch.Tensor
) -> torch.Tensor:
    """The artifact's leaf with eager's value wherever the moved eager answers as the artifact does."""
    if eager.shape != artifact.shape or eager.dtype != artifact.dtype:
        return artifact
    if eager.is_floating_point():
        allowed = evidence.tolerance.allowed(name, eager)
        agree = (moved.double() - artifact.double()).abs() <= allowed
    else:
        agree = moved == artifact
    return torch.where(agree, eager, artifact)
