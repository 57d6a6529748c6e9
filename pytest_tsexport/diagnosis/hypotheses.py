"""evidence, case -> rows: why a file differs from its model, where a hypothesis can be proved.

A hypothesis is reported only if it makes the answers equal in every case tried, the failed one among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import torch
from torch import nn

from pytest_tsexport.cases.case import Case
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.diagnosis.observations import Observation, Observations, Rows, observe, spelt
from pytest_tsexport.diagnosis.randomness import random_rows
from pytest_tsexport.diagnosis.tracing import fast_path, moved_by_tracing
from pytest_tsexport.diagnosis.weights import converted, other_weights, unexamined
from pytest_tsexport.subjects.reference import answer
from pytest_tsexport.tensors.tree import Leaves, flatten

AS_FAR = 4.0
"""Rounding varies from case to case: one that is off by more than this factor is off for another reason."""


def suspect(evidence: Evidence, case: Case) -> Rows:
    """The likely cause of a failure and its fix; or what could not be examined; or nothing."""
    observed = observe(evidence, case)
    if observed is None:
        return ()
    hypotheses = (
        _random,
        _absent_device,
        _cast,
        moved_by_tracing,
        fast_path,
        other_weights,
        converted,
        _swapped_inputs,
        _other_order,
        _quantised,
    )
    found = next((rows for hypothesis in hypotheses for rows in [hypothesis(observed)] if rows), ())
    return found or unexamined(observed)


def int8_rounding(evidence: Evidence, case: Case) -> Rows:
    """What int8 costs, if a case at another size is no farther off than cases at the traced size are."""
    observed = observe(evidence, case)
    rows = () if observed is None else _quantised(observed)
    if observed is None or not rows:
        return ()
    here, *traced = [_farthest(one) for one in observed.all]
    return rows if here <= AS_FAR * max(traced, default=0.0) else ()


def _farthest(one: Observation) -> float:
    """The largest difference of the file's answer; infinite if it has another form."""
    theirs = one.artifact.leaves
    if theirs is None or any(
        name not in theirs or theirs[name].shape != leaf.shape for name, leaf in one.eager.items()
    ):
        return float("inf")
    return max(
        (float(distances(leaf, theirs[name]).max()) for name, leaf in one.eager.items() if leaf.numel()), default=0.0
    )


def _random(observed: Observations) -> Rows:
    return random_rows(observed.evidence, observed.all[0].inputs)


def _absent_device(observed: Observations) -> Rows:
    raised = (observed.all[0].artifact.raised or "").lower()
    artifact = observed.evidence.artifact
    absent = artifact.format.inspector.absent_devices(artifact.path) if observed.raise_always else ()
    named = [device for device in absent if device.partition(":")[0] in raised]
    if not named:
        return ()
    cause = f"it was traced on {named[0]}, which is not on this machine, and its code names that device"
    fix = "trace it on the CPU: map_location moves weights, and not the devices that a trace wrote down"
    return ("likely cause", cause), ("fix", fix)


def _cast(observed: Observations) -> Rows:
    """Only the dtype of the answer differs."""
    found: dict[str, torch.dtype] = {}
    for observation in observed.all:
        ours, theirs = observation.eager, observation.artifact.leaves
        if theirs is None or list(theirs) != list(ours):
            return ()
        if not observed.equal(ours, {name: theirs[name].to(leaf.dtype) for name, leaf in ours.items()}):
            return ()
        found |= {name: theirs[name].dtype for name, leaf in ours.items() if theirs[name].dtype != leaf.dtype}
    if not found:
        return ()
    names = ", ".join(f"{name} to {spelt(dtype)}" for name, dtype in found.items())
    return ("likely cause", f"its values are eager's, converted: {names}"), (
        "fix",
        "return eager's dtype",
    )


def _swapped_inputs(observed: Observations) -> Rows:
    """Two inputs of the same shape and dtype were swapped."""
    given = observed.all[0].inputs
    for one, other in combinations(given, 2):
        alike = given[one].shape == given[other].shape and given[one].dtype == given[other].dtype
        if alike and all(_answers_swapped(observed, number, one, other) for number in range(len(observed.all))):
            cause = f"{one} and {other} are swapped: with each in the other's place, the file equals eager"
            names = ", ".join(observed.evidence.subject.inputs)
            return ("likely cause", cause), ("fix", f"export a forward that takes {names}, in this order")
    return ()


def _answers_swapped(observed: Observations, number: int, one: str, other: str) -> bool:
    observation = observed.all[number]
    swapped = {**observation.inputs, one: observation.inputs[other], other: observation.inputs[one]}
    return observed.equal(observation.eager, observed.evidence.runner.case(swapped, 1)[0].leaves)


def _other_order(observed: Observations) -> Rows:
    """Each of the file's outputs is one of eager's, at another position or under another name."""
    own = [_own_leaves(observed, number) for number in range(len(observed.all))]
    if any(leaves is None or list(leaves) != list(own[0] or ()) for leaves in own):
        return ()
    matched = _matched(observed, [leaves for leaves in own if leaves is not None])
    if matched is None:
        return ()
    ours = observed.evidence.subject.outputs
    missing = [name for name in ours if name not in matched.values()]
    answered = list(observed.all[0].artifact.leaves or ())
    if not missing and list(matched.values()) in (list(matched), answered):
        return ()  # each is where it belongs: the failure has another cause
    cause = ", ".join(f"{_output(place)} equals eager's {name}" for place, name in matched.items())
    cause += f"; eager's {', '.join(missing)} is not among them" if missing else ""
    return ("likely cause", cause), ("fix", f"return eager's outputs in this order: {', '.join(ours)}")


def _output(place: str) -> str:
    return f"output {place}" if place.isdigit() else place


def _own_leaves(observed: Observations, number: int) -> Leaves | None:
    """The file's answer under its own names, which are positions if it is a tuple."""
    return answer(lambda inputs: flatten(observed.evidence.runner.output(inputs)), observed.all[number].inputs).leaves


def _matched(observed: Observations, own: list[Leaves]) -> Mapping[str, str] | None:
    """Which of eager's outputs each of the file's equals in all cases; None if one of them equals none."""
    found: dict[str, str] = {}
    for place in own[0]:
        names = [name for name in observed.evidence.subject.outputs if name not in found.values()]
        twin = next((name for name in names if _is_everywhere(observed, own, place, name)), None)
        if twin is None:
            return None
        found[place] = twin
    return found


def _is_everywhere(observed: Observations, own: list[Leaves], place: str, name: str) -> bool:
    return all(
        observed.equal({name: observation.eager[name]}, {name: leaves[place]}) if name in observation.eager else False
        for observation, leaves in zip(observed.all, own, strict=True)
    )


def _quantised(observed: Observations) -> Rows:
    called = sorted(observed.evidence.artifact.custom_operators)
    # An operator with "pack" in its name only prepares weights; the others compute with packed ones.
    found = [name for name in called if name.startswith("quantized::") and "pack" not in name]
    own = any(isinstance(value, torch.ScriptObject) for value in _kept(observed.evidence.subject.model))
    if not found or own:
        return ()
    named = ", ".join(found[:2])
    cause = f"it computes with {named}: its weights are packed as int8, and cannot be compared with the model's"
    return ("likely cause", cause), ("fix", _what_int8_may_cost(observed))


def _what_int8_may_cost(observed: Observations) -> str:
    """What to say in the marker about an output that is off; nothing is proposed that is there already."""
    evidence = observed.evidence
    theirs = observed.all[0].artifact.leaves or {}
    found = difference(observed.all[0].eager, theirs, evidence.tolerance)
    limit = evidence.tolerance.of(found.leaf if found is not None else "")
    if limit.metric is None and limit.rtol is None:
        return "say what int8 may cost: rtol= and atol=, or metric='argmax' or 'cosine'"
    if limit.rtol is None:
        return f"say with rtol= and atol= how far int8 may be off where metric={limit.metric!r} decides"
    return "if int8 may cost more, give a larger rtol= and atol=; else quantise fewer layers"


def _kept(model: nn.Module) -> Iterator[object]:
    """Every attribute of every module: quantised modules keep their packed weights in one."""
    return (value for module in model.modules() for value in vars(module).values())
