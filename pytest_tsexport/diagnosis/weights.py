"""observations -> rows: would the model equal the file if it had the file's weights, or another dtype?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.diagnosis.observations import Observation, Observations, Rows, in_dtype, spelt
from pytest_tsexport.subjects.arguments import keywords
from pytest_tsexport.subjects.reference import Inputs, Reference, answer, same_bits
from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.tree import Leaves

HALVES = (torch.bfloat16, torch.float16)

Call = Callable[[Inputs], object]


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """One weight of the model, and the file's tensor of the same name."""

    name: str
    ours: torch.Tensor
    theirs: torch.Tensor

    @property
    def gap(self) -> float:
        """The largest difference, in double precision; infinite for another shape."""
        if self.ours.shape != self.theirs.shape:
            return float("inf")
        return float(distances(self.ours, self.theirs).max()) if self.ours.numel() else 0.0

    def is_rounded(self, dtype: torch.dtype) -> bool:
        """Whether the file's is the model's, rounded to `dtype` and back; a complex one never is."""
        return not self.ours.is_complex() and same_bits(self.ours.to(dtype).to(self.theirs.dtype), self.theirs)


def other_weights(observed: Observations) -> Rows:
    """The file holds weights of another model, or converted ones, and they explain every answer."""
    differing = differing_weights(observed)
    weights = named_weights(observed.evidence.subject.model)
    parameters = {name for name, weight in weights.items() if isinstance(weight, nn.Parameter)}
    if not any(one.name in parameters for one in differing):
        return ()
    first = differing[0]
    if first.theirs.dtype != first.ours.dtype:
        return _converted_rows(first, [one for one in differing if not one.is_rounded(one.theirs.dtype)])
    rounded = next((dtype for dtype in HALVES if all(one.is_rounded(dtype) for one in differing)), None)
    if rounded is not None:
        cause = f"its weights are the model's, rounded to {spelt(rounded)}"
        return ("likely cause", cause), ("fix", _in_words(first.ours.dtype, rounded))
    cause = f"the file was exported from other weights: {first.name} differs by up to {first.gap:.1e}"
    return ("likely cause", cause), ("fix", "export it again from the model that this test returns")


def differing_weights(observed: Observations) -> list[Twin]:
    """The weights of the file that are not the model's, if the model with them gives every answer of the file."""
    pairs = twins(observed)
    differing = [one for one in pairs if not same_bits(one.ours, one.theirs)]
    explained = bool(differing) and _explained(observed, _with_weights_of_file(observed, pairs), differing)
    return differing if explained else []


def converted(observed: Observations) -> Rows:
    """The file equals, bit for bit, the model in another dtype; asked only if it holds no weights by name."""
    model = observed.evidence.subject.model
    ours = next((one.dtype for one in model.parameters() if one.is_floating_point()), None)
    if twins(observed) or ours is None or any(one.is_complex() for one in named_weights(model).values()):
        return ()
    for dtype in (*HALVES, torch.float64):
        if dtype != ours and _answers_in(observed, dtype):
            cause = f"it equals the model in {spelt(dtype)}; the model is in {spelt(ours)}"
            return ("likely cause", cause), ("fix", _in_words(ours, dtype))
    return ()


def unexamined(observed: Observations) -> Rows:
    """What cannot be examined in a file that holds no weights by name."""
    weights = named_weights(observed.evidence.subject.model)
    if not weights or twins(observed):
        return ()
    return (("not examined", "whether its weights are the model's: it is frozen or packed, and holds none by name"),)


def _converted_rows(first: Twin, others: list[Twin]) -> Rows:
    theirs, ours = spelt(first.theirs.dtype), spelt(first.ours.dtype)
    cause = f"its weights are the model's, converted from {ours} to {theirs}"
    if others:
        cause = f"it holds weights of another model, in {theirs}: {others[0].name} differs by up to {others[0].gap:.1e}"
    return ("likely cause", cause), ("fix", _in_words(first.ours.dtype, first.theirs.dtype))


def _in_words(ours: torch.dtype, theirs: torch.dtype) -> str:
    own, other = spelt(ours), spelt(theirs)
    return f"export it in {own}; if {other} is meant, return the model in {other}, and the {own} one as reference="


def twins(observed: Observations) -> list[Twin]:
    """Every weight of the model with the file's, whatever wraps the model there; empty if one has no twin."""
    ours = named_weights(observed.evidence.subject.model)
    theirs = named_weights(observed.evidence.artifact.load())
    first = next(iter(ours), "")
    prefixes = [key.removesuffix(first) for key in theirs if key == first or key.endswith(f".{first}")]
    prefix = next((one for one in prefixes if all(one + name in theirs for name in ours)), None)
    if prefix is None:
        return []
    return [Twin(name, one.detach().cpu(), theirs[prefix + name].detach()) for name, one in ours.items()]


def _with_weights_of_file(observed: Observations, pairs: list[Twin]) -> Call:
    """A call of the model with the file's weights substituted for its own."""
    reference, constants = _own(observed), observed.evidence.subject.constants

    def call(inputs: Inputs) -> object:
        weights = {one.name: one.theirs.clone() for one in pairs}  # forward may write to them
        given = keywords(inputs, constants)
        return functional_call(reference.parameter_sharing_copy(), weights, (), given, tie_weights=False)

    return call


def _explained(observed: Observations, call: Call, differing: list[Twin]) -> bool:
    """Whether such a call equals the file; with weights of another dtype it may need inputs of that dtype."""
    dtype = differing[0].theirs.dtype
    return all(_explains(observed, observation, call, dtype) for observation in observed.all)


def _explains(observed: Observations, observation: Observation, call: Call, dtype: torch.dtype) -> bool:
    for inputs in (observation.inputs, in_dtype(observation.inputs, dtype)):
        expected = answer(call, inputs).leaves
        if expected is not None:
            return observed.equal(expected, observed.evidence.runner.case(inputs, 1)[0].leaves)
    return False


def _answers_in(observed: Observations, dtype: torch.dtype) -> bool:
    try:
        model = deep_copy(observed.evidence.subject.model).to(dtype)
    except Exception:  # a model may refuse another dtype with any exception; then it explains nothing
        return False
    reference = Reference(model, observed.evidence.subject.constants)
    return all(_same_in(observed, observation, reference, dtype) for observation in observed.all)


def _same_in(observed: Observations, observation: Observation, reference: Reference, dtype: torch.dtype) -> bool:
    for inputs in (observation.inputs, in_dtype(observation.inputs, dtype)):
        expected = reference.case(inputs)[0].leaves
        if expected is not None:
            return _same(expected, observed.evidence.runner.case(inputs, 1)[0].leaves)
    return False


def _same(expected: Leaves, actual: Leaves | None) -> bool:
    if actual is None or list(actual) != list(expected):
        return False
    return all(same_bits(expected[name].to(leaf.dtype), leaf) for name, leaf in actual.items())


def _own(observed: Observations) -> Reference:
    """The model that was exported; it is not the reference if the user gave one."""
    return Reference(observed.evidence.subject.model, observed.evidence.subject.constants)
