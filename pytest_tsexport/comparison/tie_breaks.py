"""eager, artifact -> whether they differ by a tie alone: a choice that turns on the last bit is no fault.

`argmax`, `sort` and `topk` jump where two values are as good as equal, and another order of additions is enough to
tip them. So eager is asked again with its weights and its floating inputs moved by a few units in the last place: an
answer that eager itself gives then is not wrong. What is exact is not moved (a threshold of 1.0, a mask, a count): no
kernel computes it, so none rounds it.
"""

from __future__ import annotations

import math
import time

import torch
from torch import nn
from torch.func import functional_call

from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.reference import Inputs, answer
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.tensors.weights import named_weights

NUDGES = (2, 4, 4, 8, 8, 16, 16, 16) * 8
"""Units in the last place by which weights and inputs are moved, once each: what kernels differ by, and no more."""

ENOUGH = 32
"""A tie tips every other time: where nothing has been settled in so many, there is none."""

GLANCE = 4
"""Nudges that are tried once a difference was met that is no tie: the verdict will not change any more."""

SHARE = 0.2
"""Part of the subject's budget that may be spent on looking for ties."""

LARGE = 2**20
"""Values above which only rows, and the whole, are moved: each by itself would cost more than the model."""

_RANKINGS, _BESTS = {"argsort", "sort", "topk"}, {"argmax", "argmin"}
_CHOICES = {*_RANKINGS, *_BESTS, "kthvalue", "median", "mode", "unique", "searchsorted"}
"""Operators whose answer jumps; comparisons jump too, and are seen by what they answer: no floating leaf."""


def is_tie(evidence: Evidence, inputs: Inputs, eager: Leaves, artifact: Leaves) -> bool | None:
    """Whether each place at which the answers differ is answered so by eager too, moved by its last bits.

    None where the time to find out is spent.
    """
    if list(eager) != list(artifact) or not _chooses(evidence, eager) or _repeats(evidence, eager, artifact):
        return False
    patience = evidence.patience
    if patience.spent > SHARE * evidence.policy.budget:
        return False if patience.lost else None
    started = time.monotonic()
    tied = _settles(evidence, inputs, eager, artifact, NUDGES[:GLANCE] if patience.lost else NUDGES)
    patience.spent += time.monotonic() - started
    return tied


def _settles(evidence: Evidence, inputs: Inputs, eager: Leaves, artifact: Leaves, nudges: tuple[int, ...]) -> bool:
    left = dict(artifact)
    idle = 0
    for seed, nudge in enumerate(nudges):
        moved = _nudged(evidence, inputs, nudge, seed)
        before = _open(eager, left)
        if moved is not None and all(name in moved and moved[name].shape == left[name].shape for name in left):
            left = {name: _settled(evidence, name, eager[name], moved[name], left[name]) for name in left}
        if difference(eager, left, evidence.tolerance) is None:
            return True
        idle = idle + 1 if _open(eager, left) == before else 0
        if idle == ENOUGH:
            return False
    return False


def _open(eager: Leaves, left: Leaves) -> int:
    """How many places still differ in some bit."""
    return sum(int((eager[name] != left[name]).sum()) for name in left if eager[name].shape == left[name].shape)


def _repeats(evidence: Evidence, eager: Leaves, artifact: Leaves) -> bool:
    """Whether the artifact has a place twice in a ranking, where eager has none: no tie does that."""
    if _RANKINGS.isdisjoint(evidence.operators) or not _BESTS.isdisjoint(evidence.operators):
        return False
    ranked = [name for name, leaf in eager.items() if leaf.dim() and leaf.dtype == torch.int64]
    return any(_has_twice(artifact[name]) and not _has_twice(eager[name]) for name in ranked if artifact[name].dim())


def _has_twice(leaf: torch.Tensor) -> bool:
    return bool((leaf.sort(-1).values.diff(dim=-1) == 0).any())


def _chooses(evidence: Evidence, eager: Leaves) -> bool:
    whole = any(not leaf.is_floating_point() for leaf in eager.values())
    return whole or not _CHOICES.isdisjoint(evidence.operators)


def _nudged(evidence: Evidence, inputs: Inputs, nudge: int, seed: int) -> Leaves | None:
    """What eager answers with its weights and floating inputs moved; a weight of several names is moved once."""
    generator = torch.Generator().manual_seed(seed)
    model, constants = evidence.reference.sharing_copy(), evidence.subject.constants
    moved: dict[int, torch.Tensor] = {}
    weights = {name: weight for name, weight in named_weights(model).items() if weight.is_floating_point()}
    for weight in weights.values():
        if id(weight) not in moved:
            moved[id(weight)] = _moved(weight.detach(), nudge, generator, exact=not _is_matrix(weight))
    given = {
        name: _moved(one, nudge, generator, exact=True) if one.is_floating_point() else one
        for name, one in inputs.items()
    }
    theirs = {name: moved[id(weight)] for name, weight in weights.items()}
    return answer(lambda one: functional_call(model, theirs, (), {**one, **constants}, tie_weights=False), given).leaves


def _is_matrix(weight: torch.Tensor) -> bool:
    """Weights of a checkpoint in half precision look exact in float32, and are multiplied and summed all the same."""
    return isinstance(weight, nn.Parameter) and weight.dim() > 1


def _moved(tensor: torch.Tensor, nudge: int, generator: torch.Generator, *, exact: bool) -> torch.Tensor:
    """Each value by itself, and each row and the whole as one: what is summed over many values cancels out else.

    With `exact`, values of few digits stay what they are.
    """
    wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    noise = torch.zeros((), dtype=wide)
    for kept in sorted({0, min(1, tensor.dim()), tensor.dim() if tensor.numel() <= LARGE else 0}):
        shape = tensor.shape[:kept] + (1,) * (tensor.dim() - kept)
        noise = noise + torch.rand(shape, generator=generator, dtype=wide) * 2 - 1
    eps = torch.finfo(tensor.dtype).eps
    moved = (tensor.to(wide) * (1 + nudge * eps * noise.to(tensor.device) / 3)).to(tensor.dtype)
    return torch.where(_is_exact(tensor), tensor, moved) if exact else moved


def _is_exact(tensor: torch.Tensor) -> torch.Tensor:
    """Where a value needs half of its digits at most, as 1, 0.5 and 300 do, and what was computed hardly ever."""
    mantissa, _ = torch.frexp(tensor.double())
    half = -int(math.log2(torch.finfo(tensor.dtype).eps)) // 2
    digits: torch.Tensor = mantissa * 2**half
    return digits == digits.round()


def _settled(
    evidence: Evidence, name: str, eager: torch.Tensor, moved: torch.Tensor, artifact: torch.Tensor
) -> torch.Tensor:
    """The artifact's leaf with eager's value wherever the moved eager answers as the artifact does."""
    if eager.shape != artifact.shape or eager.dtype != artifact.dtype:
        return artifact
    if eager.is_floating_point():
        agree = (moved.double() - artifact.double()).abs() <= evidence.tolerance.allowed(name, eager)
    else:
        agree = moved == artifact
    return torch.where(agree, eager, artifact)
