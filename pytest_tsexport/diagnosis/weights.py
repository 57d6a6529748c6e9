"""trials -> rows: would the model answer as the file does, if it had the file's weights, or another dtype?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.func import functional_call

from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.diagnosis.trials import Rows, Trial, Trials, in_dtype, spelt
from pytest_tsexport.subjects.reference import Inputs, Reference, answer, same_bits
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.tensors.weights import duplicate, named_weights

HALVES = (torch.bfloat16, torch.float16)

Call = Callable[[Inputs], object]


@dataclass(frozen=True, slots=True)
class Twin:
    """One weight of the model, and what the file has under its name."""

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
        """Whether the file's is the model's after a way through `dtype`; a complex one keeps no half of itself."""
        return not self.ours.is_complex() and same_bits(self.ours.to(dtype).to(self.theirs.dtype), self.theirs)


def other_weights(trials: Trials) -> Rows:
    """The file holds weights of another model, or the model's own after a conversion, and they explain every answer."""
    twins = _twins(trials)
    parameters = {name for name, _ in trials.evidence.subject.model.named_parameters(remove_duplicate=False)}
    differing = [one for one in twins if not same_bits(one.ours, one.theirs)]
    if not any(one.name in parameters for one in differing) or not _explained(
        trials, _adopting(trials, twins), differing
    ):
        return ()
    first = differing[0]
    if first.theirs.dtype != first.ours.dtype:
        return _told_converted(first, [one for one in differing if not one.is_rounded(one.theirs.dtype)])
    rounded = next((dtype for dtype in HALVES if all(one.is_rounded(dtype) for one in differing)), None)
    if rounded is not None:
        cause = f"its weights are the model's, rounded to {spelt(rounded)}"
        return ("likely cause", cause), ("fix", _in_words(first.ours.dtype, rounded))
    cause = f"the file was exported from other weights: {first.name} differs by up to {first.gap:.1e}"
    return ("likely cause", cause), ("fix", "export it again from the model that this test returns")


def converted(trials: Trials) -> Rows:
    """The file answers, bit for bit, as the model does in another dtype; asked where it holds no weights by name."""
    model = trials.evidence.subject.model
    ours = next((one.dtype for one in model.parameters() if one.is_floating_point()), None)
    if _twins(trials) or ours is None or any(one.is_complex() for one in named_weights(model).values()):
        return ()
    for dtype in (*HALVES, torch.float64):
        if dtype != ours and _answers_in(trials, dtype):
            cause = f"it answers as the model does in {spelt(dtype)}; the model is in {spelt(ours)}"
            return ("likely cause", cause), ("fix", _in_words(ours, dtype))
    return ()


def unasked(trials: Trials) -> Rows:
    """What can never be told of a file that holds its weights under no name."""
    weights = named_weights(trials.evidence.subject.model)
    if not weights or _twins(trials):
        return ()
    return (("not asked", "whether its weights are the model's: it is frozen or packed, and holds none by name"),)


def _told_converted(first: Twin, others: list[Twin]) -> Rows:
    theirs, ours = spelt(first.theirs.dtype), spelt(first.ours.dtype)
    cause = f"its weights are the model's, converted from {ours} to {theirs}"
    if others:
        cause = f"it holds weights of another model, in {theirs}: {others[0].name} differs by up to {others[0].gap:.1e}"
    return ("likely cause", cause), ("fix", _in_words(first.ours.dtype, first.theirs.dtype))


def _in_words(ours: torch.dtype, theirs: torch.dtype) -> str:
    own, other = spelt(ours), spelt(theirs)
    return f"export it in {own}; where {other} is meant, return the model in it, and the {own} one as reference="


def _twins(trials: Trials) -> list[Twin]:
    """Every weight of the model with that of the file, whatever wraps the model there; none where one has no twin."""
    ours = named_weights(trials.evidence.subject.model)
    theirs = named_weights(trials.evidence.artifact.load())
    first = next(iter(ours), "")
    prefixes = [key.removesuffix(first) for key in theirs if key == first or key.endswith(f".{first}")]
    prefix = next((one for one in prefixes if all(one + name in theirs for name in ours)), None)
    if prefix is None:
        return []
    return [Twin(name, one.detach().cpu(), theirs[prefix + name].detach()) for name, one in ours.items()]


def _adopting(trials: Trials, twins: list[Twin]) -> Call:
    """A call of the model with the file's weights in the place of its own."""
    reference, constants = _own(trials), trials.evidence.subject.constants
    weights = {one.name: one.theirs for one in twins}

    def call(inputs: Inputs) -> object:
        return functional_call(reference.sharing_copy(), weights, (), {**inputs, **constants}, tie_weights=False)

    return call


def _explained(trials: Trials, call: Call, differing: list[Twin]) -> bool:
    """Whether such a call answers as the file does; one in another dtype may take inputs of that dtype alone."""
    dtype = differing[0].theirs.dtype
    return all(_explains(trials, trial, call, dtype) for trial in trials.all)


def _explains(trials: Trials, trial: Trial, call: Call, dtype: torch.dtype) -> bool:
    for inputs in (trial.inputs, in_dtype(trial.inputs, dtype)):
        expected = answer(call, inputs).leaves
        if expected is not None:
            return trials.equal(expected, trials.evidence.runner.case(inputs, 1)[0].leaves)
    return False


def _answers_in(trials: Trials, dtype: torch.dtype) -> bool:
    try:
        model = duplicate(trials.evidence.subject.model).to(dtype)
    except Exception:  # a model may refuse another dtype in any way at all; it explains nothing then
        return False
    reference = Reference(model, trials.evidence.subject.constants)
    return all(_same_in(trials, trial, reference, dtype) for trial in trials.all)


def _same_in(trials: Trials, trial: Trial, reference: Reference, dtype: torch.dtype) -> bool:
    for inputs in (trial.inputs, in_dtype(trial.inputs, dtype)):
        expected = reference.case(inputs)[0].leaves
        if expected is not None:
            return _same(expected, trials.evidence.runner.case(inputs, 1)[0].leaves)
    return False


def _same(expected: Leaves, actual: Leaves | None) -> bool:
    if actual is None or list(actual) != list(expected):
        return False
    return all(same_bits(expected[name].to(leaf.dtype), leaf) for name, leaf in actual.items())


def _own(trials: Trials) -> Reference:
    """The model that was exported, which is not the reference where the user gave another."""
    return Reference(trials.evidence.subject.model, trials.evidence.subject.constants)
