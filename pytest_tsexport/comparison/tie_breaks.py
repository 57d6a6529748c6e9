"""eager, artifact -> whether only a tie-break makes them differ: a choice decided by rounding is not a fault.

`argmax`, `sort` and `topk` jump where two values are nearly equal, and another order of additions is enough to change
the choice. So eager is asked again with its weights and floating inputs moved by a few ULP: an answer that eager itself
gives then is not wrong. Exact values are not moved (a threshold of 1.0, a mask, a count): no kernel computes them, so
none rounds them.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.func import functional_call

from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.arguments import keywords
from pytest_tsexport.subjects.reference import Inputs, answer
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.tree import Leaves

NUDGES = (2, 4, 4, 8, 8, 16, 16, 16) * 8
"""ULP by which weights and inputs are moved, one run for each number: at most what kernels differ by."""

MOST_IDLE = 32
"""Stop after this many perturbations without progress: each breaks a tie the other way with probability 1/2."""

AFTER_REFUTED = 4
"""Perturbations that are tried after a difference that no tie-break explains: the verdict will not change any more."""

LARGE = 2**20
"""Larger tensors are moved only by row and as a whole: to move each value would cost more than the model."""

_RANKINGS, _BESTS = {"argsort", "sort", "topk"}, {"argmax", "argmin"}
_CHOICES = {*_RANKINGS, *_BESTS, "kthvalue", "median", "mode", "unique", "searchsorted"}
"""Operators whose answer jumps. Comparisons jump too; they are recognised by leaves that are not floating."""


def is_tie_break(evidence: Evidence, inputs: Inputs, eager: Leaves, artifact: Leaves) -> bool | None:
    """Whether each place at which the answers differ is explained by a tie-break in eager.

    None if the time to find out is spent.
    """
    if list(eager) != list(artifact) or not _chooses(evidence, eager) or _repeats(evidence, eager, artifact):
        return False
    allowance = evidence.tie_break_time
    if allowance.spent:
        return False if allowance.refuted else None
    now = evidence.now
    started = now()
    explained = _explains(evidence, inputs, eager, artifact)
    allowance.seconds += now() - started
    return explained


def _explains(evidence: Evidence, inputs: Inputs, eager: Leaves, artifact: Leaves) -> bool:
    """Whether perturbed copies of eager answer, place by place, what the artifact does."""
    left = dict(artifact)
    idle = 0
    for seed, nudge in enumerate(NUDGES[: AFTER_REFUTED if evidence.tie_break_time.refuted else None]):
        moved = _nudged(evidence, inputs, nudge, seed)
        before = _unexplained(eager, left)
        if moved is not None and all(name in moved and moved[name].shape == left[name].shape for name in left):
            left = {name: _settled(evidence, name, eager[name], moved[name], left[name]) for name in left}
        if difference(eager, left, evidence.tolerance) is None:
            return True
        idle = idle + 1 if _unexplained(eager, left) == before else 0
        if idle == MOST_IDLE:
            return False
    return False


def _unexplained(eager: Leaves, left: Leaves) -> int:
    """How many places still differ in some bit."""
    return sum(int((eager[name] != left[name]).sum()) for name in left if eager[name].shape == left[name].shape)


def _repeats(evidence: Evidence, eager: Leaves, artifact: Leaves) -> bool:
    """Whether the artifact has a place twice in a ranking and eager has not: no tie-break does that."""
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
    """What eager answers with its weights and floating inputs moved; a weight with several names is moved once."""
    generator = torch.Generator().manual_seed(seed)
    model, constants = evidence.reference.parameter_sharing_copy(), evidence.subject.constants
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

    def call(one: Inputs) -> object:
        return functional_call(model, theirs, (), keywords(one, constants), tie_weights=False)

    return answer(call, given).leaves


def _is_matrix(weight: torch.Tensor) -> bool:
    """Whether values are multiplied and summed: then they are moved even if they look exact, as half precision does."""
    return isinstance(weight, nn.Parameter) and weight.dim() > 1


def _moved(tensor: torch.Tensor, nudge: int, generator: torch.Generator, *, exact: bool) -> torch.Tensor:
    """Noise of each value, of each row and of the whole tensor is added: noise of single values averages out in sums.

    With `exact`, values of few digits stay what they are.
    """
    computed = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    noise = torch.zeros((), dtype=computed)
    for kept in sorted({0, min(1, tensor.dim()), tensor.dim() if tensor.numel() <= LARGE else 0}):
        shape = tensor.shape[:kept] + (1,) * (tensor.dim() - kept)
        noise = noise + torch.rand(shape, generator=generator, dtype=computed) * 2 - 1
    eps = torch.finfo(tensor.dtype).eps
    moved = (tensor.to(computed) * (1 + nudge * eps * noise.to(tensor.device) / 3)).to(tensor.dtype)
    return torch.where(_is_exact(tensor), tensor, moved) if exact else moved


def _is_exact(tensor: torch.Tensor) -> torch.Tensor:
    """Where a value needs at most half of its digits, as 1, 0.5 and 300 do and computed values hardly ever do."""
    mantissa, _ = torch.frexp(tensor.double())
    half = -int(math.log2(torch.finfo(tensor.dtype).eps)) // 2
    digits: torch.Tensor = mantissa * 2**half
    return digits == digits.round()


def _settled(
    evidence: Evidence, name: str, eager: torch.Tensor, moved: torch.Tensor, artifact: torch.Tensor
) -> torch.Tensor:
    """The artifact's leaf, with eager's value wherever the perturbed eager agrees with the artifact."""
    if eager.shape != artifact.shape or eager.dtype != artifact.dtype:
        return artifact
    if eager.is_floating_point():
        agree = (moved.double() - artifact.double()).abs() <= evidence.tolerance.of(name).allowed(eager)
    else:
        agree = moved == artifact
    return torch.where(agree, eager, artifact)
